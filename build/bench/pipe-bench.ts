/**
 * The pipe beside a bare Node server with the same bytes, and beside oidc-agent where Debian's package is installed. Each is
 * a process of its own; the clients are this process, or a C program. What is compared is measured in turn, so that a busy computer slows all.
 */
import { type BenchReport, type BenchTarget, percentile } from "./bench-report.ts";
import { openScene } from "./pipe/bench-scene.ts";
import { benchCClients } from "./pipe/c-clients.ts";
import { type Beside, benchBesideRefresh, benchBesideStalled, benchCrowds, type Crowd } from "./pipe/company-rows.ts";
import { benchMemory, type MemoryRow } from "./pipe/memory-row.ts";
import { benchConnections, benchOpenSession, benchPipelined, type Distribution } from "./pipe/request-rows.ts";

/** What a row of the report is made of. */
interface Row {
  readonly lines: readonly string[];
  readonly figures: Readonly<Record<string, number>>;
  readonly targets: readonly BenchTarget[];
}

const missing: Distribution = { p50Ms: Number.NaN, p99Ms: Number.NaN, samples: 0 };

export async function benchPipe(): Promise<BenchReport> {
  const scene = await openScene();
  try {
    const openSession = await benchOpenSession(scene);
    const connections = await benchConnections(scene);
    const rows: Row[] = [
      openSessionRow(openSession),
      connectionsRow(await benchCClients(scene), connections),
      nodeConnectionsRow(connections),
      pipelinedRow(await benchPipelined(scene)),
      crowdRow(await benchCrowds(scene)),
      besideRow("a refresh of 3 s", "besideRefresh", await benchBesideRefresh(scene)),
      besideRow("clients stalled in mid-frame", "besideStalled", await benchBesideStalled(scene)),
      memoryRow(await benchMemory(scene)),
    ];
    const sizes = `An answer with a token of 1.2 kB has ${scene.answerBytes} bytes, here and in the bare server.`;
    const cores = scene.hasOwnCores
      ? "Servers and clients have a core each."
      : "Servers and clients share the computer's cores as they come.";
    return {
      lines: [sizes, cores, ...rows.flatMap(({ lines }) => lines)],
      figures: [Object.assign({}, ...rows.map(({ figures }) => figures))],
      targets: rows.flatMap(({ targets }) => targets),
    };
  } finally {
    await scene.close();
  }
}

type OpenSession = Awaited<ReturnType<typeof benchOpenSession>>;

function openSessionRow({ echo = missing, bareEcho = missing, broker = missing }: OpenSession): Row {
  return {
    lines: [
      "cached token on an open session",
      told("  DMS Connect", broker),
      told("  bare Node, JSON", echo),
      told("  bare Node, bytes only", bareEcho),
    ],
    figures: { ...named("openSessionBroker", broker), ...named("openSessionEcho", echo), ...named("openSessionBareEcho", bareEcho) },
    targets: [
      ratioTarget("cached token on an open session, p50 beside bare Node", broker.p50Ms / echo.p50Ms, 2),
      ratioTarget("cached token on an open session, p99 beside bare Node", broker.p99Ms / echo.p99Ms, 3),
    ],
  };
}

type Connections = Awaited<ReturnType<typeof benchConnections>>;

/** Node's own work on the client's side is more than half of these. */
function nodeConnectionsRow({ echo = missing, echoProved = missing, atOnce = missing, stepwise = missing, oidcAgent }: Connections): Row {
  return {
    lines: [
      "a connection for each token, a Node client for all",
      told("  DMS Connect, token.get right behind the proof", atOnce),
      told("  DMS Connect, each answer waited for", stepwise),
      ...(oidcAgent === undefined ? [] : [told("  oidc-agent, plain JSON", oidcAgent)]),
      told("  bare Node, JSON, the same proofs", echoProved),
      told("  bare Node, JSON, no proof", echo),
    ],
    figures: {
      ...named("connectBroker", atOnce),
      ...named("connectBrokerStepwise", stepwise),
      ...named("connectEcho", echo),
      ...named("connectEchoProved", echoProved),
      ...(oidcAgent === undefined ? {} : named("connectOidcAgent", oidcAgent)),
    },
    targets: [],
  };
}

/** Judged with each side's own C client, since these do the like; with a Node client on both sides where there is no other way. */
function connectionsRow(c: Awaited<ReturnType<typeof benchCClients>>, node: Connections): Row {
  const title = "a connection for each token, each side's own C client";
  if (!c.ok)
    return {
      lines: [title, `  not measured: ${c.error}`],
      figures: {},
      targets: connectTarget("a Node client for both", node.atOnce, node.oidcAgent),
    };
  const { dmsConnect, oidcAgent, oidcAgentPlain } = c.value;
  return {
    lines: [
      title,
      told("  DMS Connect, its C library: mutual proof", dmsConnect),
      oidcAgent === undefined
        ? "  oidc-agent: not measured, it is not installed (Debian: oidc-agent-cli)"
        : told("  oidc-agent, its C library: encrypted, no proof", oidcAgent),
      ...(oidcAgentPlain === undefined ? [] : [told("  oidc-agent, plain JSON in C: no proof", oidcAgentPlain)]),
    ],
    figures: {
      ...named("connectCBroker", dmsConnect),
      ...(oidcAgent === undefined ? {} : named("connectCOidcAgent", oidcAgent)),
      ...(oidcAgentPlain === undefined ? {} : named("connectCOidcAgentPlain", oidcAgentPlain)),
    },
    targets: connectTarget("each one's C library", dmsConnect, oidcAgent),
  };
}

function connectTarget(clients: string, ours: Distribution | undefined, theirs: Distribution | undefined): readonly BenchTarget[] {
  if (ours === undefined || theirs === undefined) return [];
  const what = `connect, mutual proof, token, close: p50 beside oidc-agent's connect and token, ${clients}`;
  return [ratioTarget(what, ours.p50Ms / theirs.p50Ms, 1)];
}

type Rates = Awaited<ReturnType<typeof benchPipelined>>;

function pipelinedRow({ echo = Number.NaN, bareEcho = Number.NaN, broker = Number.NaN }: Rates): Row {
  const rate = (name: string, perSecond: number) => `${name.padEnd(50)} ${Math.round(perSecond).toLocaleString("en")}/s`;
  const share = broker / echo;
  return {
    lines: [
      "pipelined, 256 under way",
      rate("  DMS Connect", broker),
      rate("  bare Node, JSON", echo),
      rate("  bare Node, bytes only", bareEcho),
    ],
    figures: { pipelinedBrokerPerSecond: broker, pipelinedEchoPerSecond: echo, pipelinedBareEchoPerSecond: bareEcho },
    targets: [{ what: "pipelined, share of bare Node's rate", measured: percent(share), limit: "at least 40%", met: share >= 0.4 }],
  };
}

function crowdRow(crowds: readonly Crowd[]): Row {
  const what = `${(crowds[0]?.clients ?? 0).toLocaleString("en")} clients on one expired token, provider answers in 300 ms`;
  const times = crowds.map(({ lastAnswerMs }) => lastAnswerMs);
  const lastAnswerMs = percentile(times, 0.5);
  const refreshes = Math.max(...crowds.map((crowd) => crowd.refreshes));
  const refused = crowds.reduce((sum, crowd) => sum + crowd.refused, 0);
  return {
    lines: [what, `  refreshes ${refreshes}, refused ${refused}, last answer ${times.map(ms).join(", ")} after the provider's`],
    figures: {
      crowdRefreshes: refreshes,
      crowdRefused: refused,
      crowdLastAnswerMs: lastAnswerMs,
      ...Object.fromEntries(times.map((time, index) => [`crowd${index + 1}LastAnswerMs`, time])),
    },
    targets: [
      { what: `${what}: refreshes`, measured: String(refreshes), limit: "1", met: crowds.every((crowd) => crowd.refreshes === 1) },
      { what: `${what}: refused`, measured: String(refused), limit: "0", met: refused === 0 },
      {
        what: `${what}: last answer after it, median of ${times.length}`,
        measured: ms(lastAnswerMs),
        limit: "50 ms",
        met: lastAnswerMs <= 50,
      },
    ],
  };
}

function besideRow(what: string, name: string, { quiet, beside }: Beside): Row {
  const difference = beside.p99Ms - quiet.p99Ms;
  return {
    lines: [`cached token beside ${what}`, told("  quiet", quiet), told("  beside", beside)],
    figures: { ...named(`${name}Quiet`, quiet), ...named(name, beside) },
    targets: [{ what: `cached token beside ${what}: p99 beyond quiet`, measured: ms(difference), limit: "2 ms", met: difference <= 2 }],
  };
}

function memoryRow({ requests, course, afterWarmUp, atEnd }: MemoryRow): Row {
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
  const growth = atEnd.rss - afterWarmUp.rss;
  const heapGrowth = atEnd.heapUsed + atEnd.external - afterWarmUp.heapUsed - afterWarmUp.external;
  return {
    lines: [
      `${requests.toLocaleString("en")} requests, 8 programs, 400 sessions: the broker's memory after each tenth`,
      `  resident  ${course.map(({ rss }) => megabytes(rss)).join(", ")}`,
      `  in use    ${course.map(({ heapUsed, external }) => megabytes(heapUsed + external)).join(", ")}`,
    ],
    figures: {
      memoryWarmBytes: afterWarmUp.rss,
      memoryEndBytes: atEnd.rss,
      memoryInUseWarmBytes: afterWarmUp.heapUsed + afterWarmUp.external,
      memoryInUseEndBytes: atEnd.heapUsed + atEnd.external,
    },
    targets: [
      // Less than a byte a request: what is kept for each would show.
      { what: "memory in use, grown after warm-up", measured: megabytes(heapGrowth), limit: "0.8 MB", met: heapGrowth <= 800_000 },
      { what: "resident memory, grown after warm-up", measured: megabytes(growth), limit: "16 MB", met: growth <= 16_000_000 },
    ],
  };
}

function told(name: string, { p50Ms, p99Ms, samples }: Distribution): string {
  return `${name.padEnd(50)} p50 ${p50Ms.toFixed(4)} ms, p99 ${p99Ms.toFixed(4)} ms (${samples})`;
}

function named(name: string, { p50Ms, p99Ms }: Distribution): Readonly<Record<string, number>> {
  return { [`${name}P50Ms`]: p50Ms, [`${name}P99Ms`]: p99Ms };
}

function ratioTarget(what: string, ratio: number, limit: number): BenchTarget {
  return { what, measured: ratio.toFixed(2), limit: `${limit.toFixed(2)} or less`, met: ratio <= limit };
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)}%`;
}

function ms(value: number): string {
  return `${value.toFixed(2)} ms`;
}
