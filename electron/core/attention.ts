/**
 * Knows which connections need a person, and tells the person at the desktop.
 *
 * Invariants: a connection and cause are told once, through restarts too, and again only after the connection was fine in
 * between; in ten minutes there are at most three notices about single connections, and then one about all the others;
 * nobody is told about what they are mending; a clock that is set makes no wait longer than it was meant to be.
 * Told first and then written down: a crash in that moment tells twice rather than never.
 */
import { assertNever, type Result } from "../../shared/result.ts";
import type { ConnectionView, SettingsView } from "../../shared/views.ts";
import type { Grant } from "./connection-state.ts";
import type { Connections } from "./connections.ts";
import type { LiveConnection } from "./live-connection.ts";
import type { AttentionNotice, Clock, Vault } from "./ports.ts";
import { quietMinutesLeft } from "./quiet-hours.ts";
import { ToldNotices } from "./told-notices.ts";

type Cause = AttentionNotice["cause"];

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
/** What has one reason comes within a moment: then it is told as one. */
const gatherMs = 2_000;
const maxSingleNotices = 3;
/** A provider whose sign-ins all end is noticed over many minutes, with each renewal that is due. */
const noticeWindowMs = 10 * minuteMs;
/** A timer set for days overflows; looking again once an hour also follows a changed clock. */
const longestWaitMs = hourMs;
const shortestWaitMs = 100;
/** A vault that could not be read is as a rule readable a moment later. */
const lookAgainMs = minuteMs;

export interface AttentionDeps {
  readonly connections: Pick<Connections, "list" | "load" | "peek" | "onChanged" | "view">;
  readonly vault: Pick<Vault, "readSecret" | "saveSecret">;
  readonly clock: Clock;
  readonly settings: () => Pick<SettingsView, "quietFrom" | "quietTo" | "mutedUsers">;
  /** Minutes since midnight where the computer is. */
  readonly localMinutes: () => number;
  readonly onNotify: (notice: AttentionNotice) => void;
  /** How many connections need a person, whenever that has changed. */
  readonly onCount: (count: number) => void;
}

interface Need {
  readonly view: ConnectionView;
  readonly cause: Cause;
}

/** A grant that cannot be renewed. */
interface Ending {
  readonly view: ConnectionView;
  readonly warnAtMs: number;
  readonly endsAtMs: number;
}

export class Attention {
  readonly #deps: AttentionDeps;
  readonly #told: ToldNotices;
  readonly #needs = new Map<string, Need>();
  readonly #endings = new Map<string, Ending>();
  /** When notices about single connections went out, within the window. */
  #singleAtMs: number[] = [];
  /** When there was a notice about many; undefined: not yet. */
  #manyAtMs: number | undefined;
  /** Since when something is to be told; undefined: nothing is. */
  #untoldSinceMs: number | undefined;
  #countTold = 0;
  #cancelTimer: () => void = () => undefined;
  #cancelLook: () => void = () => undefined;
  #stopListening: () => void = () => undefined;
  #isRunning = true;

  constructor(deps: AttentionDeps) {
    this.#deps = deps;
    this.#told = new ToldNotices(deps.vault);
  }

  /**
   * Looks at every connection and from then on follows their changes. Settles after the first look; what the vault could not
   * read is looked at again later.
   */
  async start(): Promise<void> {
    // First: nothing may be told anew only because it is not known yet that it was.
    await this.#told.open();
    if (!this.#isRunning) return;
    this.#stopListening = this.#deps.connections.onChanged((view) => this.#follow(view));
    await this.#lookAtAll();
  }

  /** Tells nothing more; settles when what was told is written down. Call it before the vault closes. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    this.#cancelTimer();
    this.#cancelLook();
    this.#stopListening();
    await this.#told.settled();
  }

  /** How many connections need a person; those of muted users too. */
  count(): number {
    return this.#needs.size;
  }

  /** Quiet hours or muted users have changed. */
  settingsChanged(): void {
    if (!this.#isRunning || this.#untold().length === 0) return;
    // Gathered long enough.
    this.#untoldSinceMs = Number.NEGATIVE_INFINITY;
    this.#wake();
  }

  /** It is another time than was thought: what ends when, and how long nothing is told, are worked out anew. */
  planAnew(): void {
    if (this.#isRunning) this.#wake();
  }

  async #lookAtAll(): Promise<void> {
    const views = await this.#deps.connections.list();
    if (!this.#isRunning) return;
    if (!views.ok) return this.#lookLater(() => this.#lookAtAll());
    const unread = await this.#lookAt(views.value);
    if (this.#isRunning) this.#told.keepOnly({ has: (id) => this.#needs.has(id) || unread.has(id) });
  }

  /** Gives the ids of those that could not be read. */
  async #lookAt(views: readonly ConnectionView[]): Promise<ReadonlySet<string>> {
    const { connections } = this.#deps;
    const unread: ConnectionView[] = [];
    for (const view of views) {
      // What the list says of a connection that is not in memory leaves out whether it can be renewed.
      const loaded: Result<LiveConnection> = await connections.load(view);
      if (!this.#isRunning) break;
      if (!loaded.ok) unread.push(view);
      // Of what could not be read, the list tells reliably only that it has ended.
      if (loaded.ok) this.#follow(connections.view(loaded.value));
      else if (view.state === "ReconnectRequired") this.#follow(view);
    }
    if (unread.length > 0) this.#lookLater(() => this.#lookAt(unread));
    return new Set(unread.map(({ id }) => id));
  }

  #lookLater(look: () => Promise<unknown>): void {
    if (this.#isRunning) this.#cancelLook = this.#deps.clock.setTimer(lookAgainMs, () => void look());
  }

  #follow(view: ConnectionView): void {
    const { id } = view;
    if (view.state === "Connecting") {
      // Whoever signs in anew sees it: if the sign-in fails, the row says so, and no notice need.
      const need = this.#needs.get(id);
      if (need !== undefined) this.#told.add(id, need.cause);
      return;
    }
    const live = this.#deps.connections.peek(view);
    const ending = endingOf(view, live);
    if (ending === undefined) this.#endings.delete(id);
    else this.#endings.set(id, ending);
    this.#setNeed(view, causeOf(view, live, ending, this.#nowMs()));
    this.#setTimer();
  }

  #setNeed(view: ConnectionView, cause: Cause | undefined): void {
    if (cause === undefined) {
      this.#needs.delete(view.id);
      this.#told.forget(view.id);
    } else {
      this.#needs.set(view.id, { view, cause });
      if (!this.#told.has(view.id, cause)) this.#untoldSinceMs ??= this.#nowMs();
    }
    if (this.#countTold === this.#needs.size) return;
    this.#countTold = this.#needs.size;
    this.#deps.onCount(this.#countTold);
  }

  #wake(): void {
    const nowMs = this.#nowMs();
    // All of them: by a clock that was set right since, one that was about to end may have time again.
    for (const ending of this.#endings.values()) {
      this.#setNeed(ending.view, causeOf(ending.view, this.#deps.connections.peek(ending.view), ending, nowMs));
    }
    if (this.#untoldSinceMs !== undefined && leftMs(this.#untoldSinceMs, gatherMs, nowMs) === 0) this.#tell(nowMs);
    this.#setTimer();
  }

  #tell(nowMs: number): void {
    const untold = this.#untold();
    if (untold.length > 0 && this.#heldMs(nowMs) > 0) return;
    this.#untoldSinceMs = undefined;
    if (untold.length === 0) return;
    this.#singleAtMs = this.#singleAtMs.filter((atMs) => leftMs(atMs, noticeWindowMs, nowMs) > 0);
    if (this.#singleAtMs.length + untold.length <= maxSingleNotices) {
      for (const need of untold) this.#deps.onNotify(noticeOf(need));
      this.#singleAtMs.push(...untold.map(() => nowMs));
    } else {
      const [first, ...others] = untold;
      if (first !== undefined) this.#deps.onNotify({ ...noticeOf(first), ...(others.length === 0 ? {} : { others: others.length }) });
      this.#manyAtMs = nowMs;
    }
    for (const { view, cause } of untold) this.#told.add(view.id, cause);
  }

  /** What ends soonest first matters most: what has ended, then what may be lost, then what will end. */
  #untold(): readonly Need[] {
    const { mutedUsers } = this.#deps.settings();
    return [...this.#needs.values()]
      .filter(({ view, cause }) => !this.#told.has(view.id, cause) && !mutedUsers.includes(view.user))
      .sort((a, b) => rank(a.cause) - rank(b.cause));
  }

  /** How long nobody may be told anything; found out anew at each wake, since the time of day may be set as well. */
  #heldMs(nowMs: number): number {
    const quietMs = quietMinutesLeft(this.#deps.settings(), this.#deps.localMinutes()) * minuteMs;
    return Math.max(quietMs, leftMs(this.#manyAtMs, noticeWindowMs, nowMs));
  }

  #setTimer(): void {
    this.#cancelTimer();
    const nowMs = this.#nowMs();
    let waitMs = Number.POSITIVE_INFINITY;
    if (this.#untoldSinceMs !== undefined) waitMs = Math.max(leftMs(this.#untoldSinceMs, gatherMs, nowMs), this.#heldMs(nowMs));
    for (const { warnAtMs, endsAtMs } of this.#endings.values()) {
      if (endsAtMs > nowMs) waitMs = Math.min(waitMs, (warnAtMs > nowMs ? warnAtMs : endsAtMs) - nowMs);
    }
    if (!this.#isRunning || waitMs === Number.POSITIVE_INFINITY) return;
    const boundedMs = Math.min(Math.max(waitMs, shortestWaitMs), longestWaitMs);
    this.#cancelTimer = this.#deps.clock.setTimer(boundedMs, () => this.#wake());
  }

  #nowMs(): number {
    return this.#deps.clock.nowMs();
  }
}

/** What is left of a stretch of time; nothing of one that began later than now: the clock has been set back since. */
function leftMs(sinceMs: number | undefined, lengthMs: number, nowMs: number): number {
  return sinceMs === undefined || sinceMs > nowMs ? 0 : Math.max(0, sinceMs + lengthMs - nowMs);
}

function causeOf(view: ConnectionView, live: LiveConnection | undefined, ending: Ending | undefined, nowMs: number): Cause | undefined {
  if (view.state === "ReconnectRequired") return "reconnect";
  if (live?.unsaved !== undefined) return "not_saved";
  if (ending === undefined || ending.warnAtMs > nowMs) return undefined;
  return ending.endsAtMs > nowMs ? "ends_soon" : "reconnect";
}

/** When a grant that cannot be renewed ends, and when to say so. */
function endingOf(view: ConnectionView, live: LiveConnection | undefined): Ending | undefined {
  const state = live?.record?.state;
  if (view.isNotRenewable === undefined || state === undefined || !("grant" in state) || state.kind === "Revoking") return undefined;
  const endsAtMs = state.grant.grantExpiresAtMs ?? state.grant.accessTokenExpiresAtMs;
  return { view, endsAtMs, warnAtMs: endsAtMs - warnBeforeMs(state.grant, endsAtMs) };
}

/**
 * A third of the grant's life, three days at most and an hour at least; but never so much that a person who has just signed in
 * is told at once.
 */
function warnBeforeMs({ obtainedAtMs }: Grant, endsAtMs: number): number {
  const lifeMs = Math.max(endsAtMs - obtainedAtMs, 0);
  return Math.min(Math.max(lifeMs / 3, hourMs), 3 * dayMs, lifeMs / 2);
}

function noticeOf({ view, cause }: Need): AttentionNotice {
  return { connectionId: view.id, providerName: view.providerName, user: view.user, cause };
}

function rank(cause: Cause): number {
  switch (cause) {
    case "reconnect":
      return 0;
    case "not_saved":
      return 1;
    case "ends_soon":
      return 2;
    default:
      return assertNever(cause);
  }
}
