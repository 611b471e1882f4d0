import { describe, expect, it } from "vitest";
import type { AnswerWay } from "./chaos-link.ts";
import { type Issued, Ledger, type Presentation, type Who } from "./ledger.ts";
import { type FaultKind, newTotals } from "./totals.ts";

const jane: Who = { provider: "webfleet", user: "jane" };
const john: Who = { provider: "webfleet", user: "john" };
const lifeMs = 40_000;

/** A ledger with a clock of its own, and the way of each answer in the hands of the test. */
class Book {
  nowMs = 1_000_000;
  busyMs = 0;
  readonly faults: FaultKind[] = [];
  readonly totals = newTotals();
  readonly ledger = new Ledger({
    nowMs: () => this.nowMs,
    seen: this.totals.seen,
    onFault: (kind) => this.faults.push(kind),
    busyMsSince: () => this.busyMs,
  });
  #number = 0;

  pass(ms: number): void {
    this.nowMs += ms;
  }

  /** New tokens, whose answer arrives at once. */
  issue(who: Who, replaced?: Issued): Issued & { readonly token: string; readonly refreshToken: string } {
    this.#number += 1;
    const [token, refreshToken] = [`access-${this.#number}`, `refresh-${this.#number}`];
    const tokens = { ...who, accessToken: token, refreshToken, expiresAtMs: this.nowMs + lifeMs };
    const issued = this.ledger.issued({ ...tokens, ...(replaced === undefined ? {} : { replaced }) });
    issued.way = arrivedAt(this.nowMs);
    return Object.assign(issued, { token, refreshToken });
  }

  present(refreshToken: string, life = 1, isOpen = false): Presentation {
    const presented = this.ledger.presented(refreshToken, { life, isOpen: () => isOpen });
    if (presented === undefined) throw new Error("nobody issued it");
    return presented;
  }

  /** A refresh that the provider has carried out, and whose answer went this way. */
  rotate(from: { readonly refreshToken: string } & Issued, way: AnswerWay, life = 1) {
    const presented = this.present(from.refreshToken, life);
    const successor = this.issue(from, from);
    Object.assign(presented, { outcome: "rotated", way, successor });
    return successor;
  }

  serve(who: Who, token: string, tookMs = 5): void {
    this.ledger.served(who, token, this.nowMs - tookMs, this.nowMs);
  }
}

function arrivedAt(ms: number): AnswerWay {
  return { deliveredAtMs: () => ms, lastSeenAtMs: () => ms };
}
const lost: AnswerWay = { deliveredAtMs: () => undefined, lastSeenAtMs: () => undefined };

describe("a served token", () => {
  it("is all right for its own user while it lasts", () => {
    const book = new Book();
    const { token } = book.issue(jane);
    book.pass(lifeMs);
    book.serve(jane, token);
    expect(book.faults).toEqual([]);
    expect(book.totals.seen.served).toBe(1);
  });

  it.each([
    ["of another user", john],
    ["of another provider", { ...jane, provider: "mazda" } as const],
  ])("counts as a wrong user's: one %s", (_name, who) => {
    const book = new Book();
    const { token } = book.issue(jane);
    book.serve(who, token);
    expect(book.faults).toEqual(["wrongUserTokens"]);
  });

  it("counts as a wrong user's when nobody has issued it", () => {
    const book = new Book();
    book.serve(jane, "made up");
    expect(book.faults).toEqual(["wrongUserTokens"]);
  });

  it("counts as expired beyond the tolerances for the pipe and for whole seconds", () => {
    const book = new Book();
    const { token } = book.issue(jane);
    book.pass(lifeMs + 2_000);
    book.serve(jane, token, 5_000);
    expect(book.faults).toEqual([]);
    book.pass(1);
    book.serve(jane, token, 5_000);
    expect(book.faults).toEqual(["expiredTokensServed"]);
  });

  it("is not expired for as long as its own answer was on its way to the app", () => {
    const book = new Book();
    const issued = book.issue(jane);
    issued.way = arrivedAt(book.nowMs + 3_000);
    book.pass(lifeMs + 4_000);
    book.serve(jane, issued.token, 0);
    expect(book.faults).toEqual([]);
    book.pass(1);
    book.serve(jane, issued.token, 0);
    expect(book.faults).toEqual(["expiredTokensServed"]);
  });

  it("is not expired because this process was too busy to take the answer", () => {
    const book = new Book();
    const { token } = book.issue(jane);
    book.busyMs = 1_500;
    book.pass(lifeMs + 3_500);
    book.serve(jane, token, 10_000);
    expect(book.faults).toEqual([]);
  });

  it("is expired at the latest when it was asked for after its end", () => {
    const book = new Book();
    const { token } = book.issue(jane);
    book.busyMs = 60_000;
    book.pass(lifeMs + 1_006);
    book.serve(jane, token, 5);
    expect(book.faults).toEqual(["expiredTokensServed"]);
  });
});

describe("a refresh token that comes again", () => {
  it("was reused when its successor's access token has been served, however the answer went", () => {
    const book = new Book();
    const first = book.issue(jane);
    const second = book.rotate(first, lost);
    book.serve(jane, second.token);
    book.present(first.refreshToken, 2);
    expect(book.faults).toEqual(["refreshTokenReused"]);
  });

  it("was reused when the same run of the app has had the whole answer", () => {
    const book = new Book();
    const first = book.issue(jane);
    book.pass(lifeMs - 5_000);
    book.rotate(first, arrivedAt(book.nowMs));
    book.present(first.refreshToken);
    expect(book.faults).toEqual(["refreshTokenReused"]);
  });

  it("was reused when the app has lived on with the answer long enough to keep it", () => {
    const book = new Book();
    const first = book.issue(jane);
    book.pass(lifeMs - 10_000);
    book.rotate(first, arrivedAt(book.nowMs));
    book.pass(5_000);
    book.ledger.lifeEnds(1);
    book.present(first.refreshToken, 2);
    expect(book.faults).toEqual(["refreshTokenReused"]);
  });

  it("was reused when the provider has said that it is dead, and the app had the answer", () => {
    const book = new Book();
    const first = book.issue(jane);
    book.pass(lifeMs - 5_000);
    Object.assign(book.present(first.refreshToken), { outcome: "dead", way: arrivedAt(book.nowMs) });
    book.present(first.refreshToken);
    expect(book.faults).toEqual(["refreshTokenReused"]);
  });

  it("was reused when the request before is still under way in the same run", () => {
    const book = new Book();
    const first = book.issue(jane);
    book.pass(lifeMs - 5_000);
    book.present(first.refreshToken, 1, true);
    book.present(first.refreshToken, 1, true);
    expect(book.faults).toEqual(["refreshTokenReused"]);
  });

  it("was reused when the doubt could have waited", () => {
    const book = new Book();
    const first = book.issue(jane);
    book.rotate(first, lost);
    book.present(first.refreshToken);
    expect(book.faults).toEqual(["refreshTokenReused"]);
  });

  it("is the way out of doubt when the answer was lost and the access token is about to end", () => {
    const book = new Book();
    const first = book.issue(jane);
    book.pass(lifeMs - 30_000);
    book.rotate(first, lost);
    book.present(first.refreshToken);
    expect(book.faults).toEqual([]);
    expect(book.totals.seen.inDoubtTries).toBe(1);
  });

  it("is the way out of doubt when the API has refused the access token", () => {
    const book = new Book();
    const first = book.issue(jane);
    book.rotate(first, lost);
    book.ledger.rejected(first.token);
    book.present(first.refreshToken);
    expect(book.faults).toEqual([]);
  });

  it("is the way out of doubt when the app was killed with the answer in its hands", () => {
    const book = new Book();
    const first = book.issue(jane);
    book.pass(lifeMs - 10_000);
    book.rotate(first, arrivedAt(book.nowMs));
    book.pass(100);
    book.ledger.lifeEnds(1);
    book.pass(8_000);
    book.present(first.refreshToken, 2);
    expect(book.faults).toEqual([]);
    expect(book.totals.seen.inDoubtTries).toBe(1);
  });

  it("is a late arrival when it was sent by a run before the one that got the answer", () => {
    const book = new Book();
    const first = book.issue(jane);
    book.pass(lifeMs - 5_000);
    const second = book.rotate(first, arrivedAt(book.nowMs), 2);
    book.serve(jane, second.token);
    book.present(first.refreshToken, 1);
    expect(book.faults).toEqual([]);
  });

  it("is as good as new when the request before was not carried out", () => {
    const book = new Book();
    const first = book.issue(jane);
    book.present(first.refreshToken).outcome = "not carried out";
    book.present(first.refreshToken);
    expect(book.faults).toEqual([]);
    expect(book.totals.seen.inDoubtTries).toBe(0);
  });
});

describe("asking for a person", () => {
  it("is needless only after a good sign-in of which the provider has refused nothing", () => {
    const book = new Book();
    expect(book.ledger.isNeedless(jane)).toBe(false);
    const first = book.issue(jane);
    expect(book.ledger.isNeedless(jane)).toBe(false);
    book.serve(jane, first.token);
    expect(book.ledger.isNeedless(jane)).toBe(true);
    const second = book.rotate(first, lost);
    second.family.isRefused = true;
    expect(book.ledger.isNeedless(jane)).toBe(false);
  });
});
