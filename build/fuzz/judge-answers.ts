/** What may not be in the answers of a pipe: what belongs to somebody else, what the protocol does not allow, what shows a bug. */
import { errorNumbers } from "../../electron/pipe/json-rpc-errors.ts";
import type { FuzzedProgram, FuzzedPrograms } from "./child-contract.ts";
import { type FindingKind, noteSeen, type Seen } from "./findings.ts";
import { approvedNames, secretMarks } from "./marked-secrets.ts";
import type { Greeting, PipeClient } from "./pipe-client.ts";

export interface Fault {
  readonly kind: FindingKind;
  readonly text: string;
}

type Conversation = Pick<PipeClient, "received" | "sent" | "greetings">;

const longestShown = 300;

/** What is wrong with all that came; counts what came. */
export function judgeAnswers(conversation: Conversation, programs: FuzzedPrograms, seen: Seen): readonly Fault[] {
  const leaks = leaksOf(conversation, programs).map((text): Fault => ({ kind: "leak", text }));
  const faults = faultsOf(conversation, seen).map((text): Fault => ({ kind: "crash", text }));
  return [...leaks, ...faults];
}

function leaksOf({ received, sent, greetings }: Conversation, programs: FuzzedPrograms): readonly string[] {
  const found: string[] = [];
  // What was sent may be named in an answer.
  const came = (text: string): boolean => received.includes(text) && !sent.includes(text);
  for (const program of programs) {
    if (greetings.some((greeting) => greeting.program === program && sent.includes(greeting.rightProof))) continue;
    const mark = program.marks.find(came);
    if (mark !== undefined) found.push(`${mark} came without a proof`);
  }
  for (const mark of Object.values(secretMarks)) if (came(mark)) found.push(`${mark} came`);
  found.push(...leakedKeys({ received, sent, greetings }, programs));
  if (received !== "" && sent === "") found.push("the server spoke first");
  return found;
}

function leakedKeys({ received, sent, greetings }: Conversation, programs: FuzzedPrograms): readonly string[] {
  const found: string[] = [];
  const isGiven = ({ pairedAs }: FuzzedProgram): boolean => pairedAs !== undefined && sent.includes(pairedAs);
  for (const program of programs) {
    const forms = [program.clientKey, Buffer.from(program.clientKey, "base64url").toString("hex")];
    if (!isGiven(program) && forms.some((form) => received.includes(form))) found.push(`the key of ${program.clientId} came`);
  }
  const asked = approvedNames.some((name) => sent.includes(name));
  if (!asked && received.includes('"clientKey"')) found.push("a key came though nobody was approved");
  const isLeaked = ({ rightProof }: Greeting): boolean => received.includes(rightProof) && !sent.includes(rightProof);
  if (greetings.some(isLeaked)) found.push("the program's proof came");
  return found;
}

interface Answer {
  readonly jsonrpc?: unknown;
  readonly id?: unknown;
  readonly method?: unknown;
  readonly params?: { readonly sequence?: unknown };
  readonly result?: { readonly sequence?: unknown };
  readonly error?: { readonly data?: { readonly code?: string; readonly detail?: string } };
}

function faultsOf({ received }: Conversation, seen: Seen): readonly string[] {
  const lines = received.split("\n");
  // Cut off where we closed.
  lines.pop();
  const found: string[] = [];
  let sequence: number | undefined;
  const answered = new Set<unknown>();
  for (const line of lines) {
    const answer = parsed(line);
    const fault = answer === undefined ? "an answer is not JSON" : faultOf(answer, sequence, seen);
    if (fault !== undefined) found.push(`${fault}: ${line.slice(0, longestShown)}`);
    // Of events, or of the snapshot before them.
    const told = answer?.params?.sequence ?? answer?.result?.sequence;
    if (typeof told === "number") sequence = told;
    if (!isOwnId(answer?.id)) continue;
    if (answered.has(answer?.id)) found.push(`a request was answered twice: ${line.slice(0, longestShown)}`);
    answered.add(answer?.id);
  }
  return found;
}

/** What an answer has that no message may have. */
function faultOf(answer: Answer, sequence: number | undefined, seen: Seen): string | undefined {
  if (answer.jsonrpc !== "2.0") return "an answer is not JSON-RPC 2.0";
  noteSeen(seen, answer.method === "event" ? "events" : (answer.error?.data?.detail ?? "results"));
  if (answer.method === "event") {
    if (sequence === undefined) return "an event came before the snapshot";
    return answer.params?.sequence === sequence + 1 ? undefined : "an event is out of turn";
  }
  if (answer.id === undefined || (answer.result === undefined) === (answer.error === undefined)) return "an answer has no sound envelope";
  const code = answer.error?.data?.code;
  if (answer.error !== undefined && (code === undefined || !Object.hasOwn(errorNumbers, code))) return "an error has no word";
  return code === "internal_error" ? "a bug was answered" : undefined;
}

/** Ids that nothing changes and that are used once. */
function isOwnId(id: unknown): boolean {
  return typeof id === "string" && /^(sentinel|flood)-\d+$/.test(id);
}

function parsed(line: string): Answer | undefined {
  try {
    return JSON.parse(line) as Answer; // judged by `faultOf`
  } catch {
    return undefined;
  }
}
