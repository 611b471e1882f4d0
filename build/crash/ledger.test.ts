import { describe, expect, it } from "vitest";
import type { StartReport } from "./child-messages.ts";
import { Ledger } from "./ledger.ts";
import { checkStart } from "./start-check.ts";
import { type Generation, TokenFamilies } from "./token-families.ts";
import { type Finding, newTotals } from "./totals.ts";

const user = "medium-1";
const lifetimeSeconds = 40;

/** A ledger in its first run, with a clock of its own. */
class Book {
  readonly findings: Finding[] = [];
  readonly totals = newTotals();
  readonly families = new TokenFamilies(() => lifetimeSeconds);
  nowMs = 1_000_000;
  life = 0;
  readonly ledger = new Ledger({
    families: this.families,
    seen: this.totals.seen,
    find: (finding) => this.findings.push(finding),
    nowMs: () => this.nowMs,
  });

  constructor() {
    this.restart();
  }

  get kinds(): readonly string[] {
    return this.findings.map(({ kind }) => kind);
  }

  restart(): void {
    this.life += 1;
    this.ledger.lifeBegan(this.life);
  }

  kill(): void {
    this.ledger.lifeKilled();
    this.restart();
  }

  /** The user signs in, the broker stores it and tells the program. */
  signIn(): Generation {
    this.ledger.connectBegun(user);
    const first = certain(this.families.redeem(this.families.issueCode(user), this.life, this.nowMs));
    this.ledger.tokensStored(first.name);
    this.ledger.connected(user);
    return first;
  }

  /** The broker notes an attempt and sends it; the provider rotates. */
  send(generation: Generation): Generation | undefined {
    this.ledger.attemptStored(this.life, generation.name);
    return this.arrive(generation);
  }

  /** A request reaches the provider, whatever the broker has noted. */
  arrive(generation: Generation): Generation | undefined {
    const send = { life: this.life, atMs: this.nowMs };
    this.ledger.refreshSent(generation, send);
    this.families.sent(generation, send);
    return this.families.rotate(generation.refreshToken, this.life, this.nowMs);
  }

  /** A whole refresh: the new tokens are stored. */
  refresh(generation: Generation): Generation {
    const next = certain(this.send(generation));
    this.ledger.tokensStored(next.name);
    return next;
  }

  hand(generation: Generation): void {
    this.ledger.tokenHanded(this.ledger.ask(user), generation.accessToken);
  }
}

function certain<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("the provider refused");
  return value;
}

describe("an acknowledged token", () => {
  it("may be handed out again after a kill, and be followed by newer ones", () => {
    const book = new Book();
    const first = book.signIn();
    book.hand(first);
    book.kill();
    book.hand(first);
    book.hand(book.refresh(first));
    book.ledger.settle();
    expect(book.findings).toEqual([]);
    expect(book.totals.seen).toMatchObject({ tokensHanded: 3, signIns: 1 });
  });

  it("is lost when an older one is served afterwards", () => {
    const book = new Book();
    const first = book.signIn();
    book.hand(book.refresh(first));
    book.kill();
    book.hand(first);
    expect(book.kinds).toEqual(["acknowledgedLost"]);
  });

  it("is lost when an older sign-in is served afterwards", () => {
    const book = new Book();
    const first = book.signIn();
    book.signIn();
    book.hand(first);
    expect(book.kinds).toEqual(["acknowledgedLost"]);
  });

  it("is lost when an older refresh token is sent afterwards", () => {
    const book = new Book();
    const first = book.signIn();
    book.hand(book.refresh(first));
    book.kill();
    book.nowMs += 20_000;
    book.send(first);
    expect(book.kinds).toContain("acknowledgedLost");
    expect(book.kinds).toContain("refreshTokenReused");
  });

  it("is lost when the broker says not connected", () => {
    const book = new Book();
    book.signIn();
    book.kill();
    book.ledger.connectionMissing(book.ledger.ask(user), "not connected");
    expect(book.kinds).toEqual(["acknowledgedLost"]);
  });

  it("is not expected before anything was acknowledged", () => {
    const book = new Book();
    book.ledger.connectBegun(user);
    book.kill();
    book.ledger.connectionMissing(book.ledger.ask(user), "not connected");
    expect(book.findings).toEqual([]);
  });

  it("is judged by what held when it was asked for", () => {
    const book = new Book();
    const first = book.signIn();
    const asked = book.ledger.ask(user);
    book.hand(book.refresh(first));
    book.ledger.tokenHanded(asked, first.accessToken);
    expect(book.findings).toEqual([]);
  });

  it("must be one that was issued, and to this user", () => {
    const book = new Book();
    book.signIn();
    book.ledger.tokenHanded(book.ledger.ask(user), "made up");
    const stranger = certain(book.families.redeem(book.families.issueCode("somebody else"), 1, 0));
    book.hand(stranger);
    expect(book.kinds).toEqual(["corrupt", "corrupt"]);
  });
});

describe("an acknowledged revocation", () => {
  function revoked(): Book & { first: Generation } {
    const book = new Book();
    const first = book.signIn();
    const asked = book.ledger.revokeBegun(user);
    book.families.revoke(first.refreshToken, book.nowMs);
    book.ledger.revoked(asked, "ended");
    book.nowMs += 1;
    return Object.assign(book, { first });
  }

  it("is kept when nothing is served any more, and when the user signs in again", () => {
    const book = revoked();
    book.kill();
    book.ledger.connectionMissing(book.ledger.ask(user), "not connected");
    book.hand(book.signIn());
    expect(book.findings).toEqual([]);
  });

  it("is lost when a token is served afterwards", () => {
    const book = revoked();
    book.kill();
    book.hand(book.first);
    expect(book.kinds).toEqual(["acknowledgedLost"]);
  });

  it("is lost when the provider was never told", () => {
    const book = new Book();
    book.signIn();
    book.nowMs += 1;
    book.ledger.revoked(book.ledger.revokeBegun(user), "ended");
    expect(book.kinds).toEqual(["acknowledgedLost"]);
  });

  it("that was not answered binds nobody, until the provider was told", () => {
    const book = new Book();
    const first = book.signIn();
    book.ledger.revokeBegun(user);
    book.kill();
    book.hand(first);
    expect(book.findings).toEqual([]);
    book.ledger.revokeBegun(user);
    book.families.revoke(first.refreshToken, book.nowMs);
    book.kill();
    book.nowMs += 1;
    book.hand(first);
    expect(book.kinds).toEqual(["acknowledgedLost"]);
  });
});

describe("a refresh token", () => {
  it("may be sent once more after a lost answer, when its access token is about to end", () => {
    const book = new Book();
    const first = book.signIn();
    book.send(first);
    book.kill();
    book.nowMs += (lifetimeSeconds - 30) * 1000;
    book.send(first);
    book.ledger.settle();
    expect(book.findings).toEqual([]);
    expect(book.totals.seen.inDoubtTries).toBe(1);
  });

  it("is reused when its access token still lasts", () => {
    const book = new Book();
    const first = book.signIn();
    book.send(first);
    book.kill();
    book.nowMs += (lifetimeSeconds - 31) * 1000;
    book.send(first);
    expect(book.kinds).toEqual(["refreshTokenReused"]);
  });

  it("may be tried earlier when the API has refused the access token in this run", () => {
    const book = new Book();
    const first = book.signIn();
    book.send(first);
    book.kill();
    book.ledger.tokenRejected(user, first.accessToken);
    book.send(first);
    expect(book.findings).toEqual([]);
    book.kill();
    book.send(first);
    expect(book.kinds).toEqual(["refreshTokenReused"]);
  });

  it("is reused when it is sent twice in one run", () => {
    const book = new Book();
    const first = book.signIn();
    book.nowMs += lifetimeSeconds * 1000;
    book.send(first);
    book.send(first);
    expect(book.kinds).toEqual(["refreshTokenReused"]);
  });

  it("is reused when it is sent more often than attempts were stored", () => {
    const book = new Book();
    book.arrive(book.signIn());
    expect(book.findings).toEqual([]);
    book.ledger.settle();
    expect(book.kinds).toEqual(["refreshTokenReused"]);
  });
});

describe("a reconnect", () => {
  it("is unavoidable when the provider had rotated and the answer was not stored at the kill", () => {
    const book = new Book();
    const first = book.signIn();
    book.send(first);
    book.kill();
    book.nowMs += lifetimeSeconds * 1000;
    expect(book.send(first)).toBeUndefined();
    book.ledger.reconnectRequired(user);
    book.ledger.reconnectRequired(user);
    expect(book.findings).toMatchObject([{ kind: "reconnectForced", avoidable: false }]);
  });

  it("was avoidable when the provider had not rotated", () => {
    const book = new Book();
    book.ledger.attemptStored(1, book.signIn().name);
    book.kill();
    book.ledger.reconnectRequired(user);
    expect(book.findings).toMatchObject([{ kind: "reconnectForced", avoidable: true }]);
  });

  it("without a refresh under way is a loss", () => {
    const book = new Book();
    book.refresh(book.signIn());
    book.kill();
    book.ledger.reconnectRequired(user);
    expect(book.kinds).toEqual(["acknowledgedLost"]);
  });

  it("lets the user sign in again", () => {
    const book = new Book();
    book.send(book.signIn());
    book.kill();
    book.ledger.reconnectRequired(user);
    book.hand(book.signIn());
    expect(book.kinds).toEqual(["reconnectForced"]);
  });
});

describe("a start", () => {
  const sound: StartReport = {
    notices: ["vault_key_single_copy"],
    connections: [{ user, state: "Active" }],
    clientIds: ["program"],
    registrationRevision: 3,
    audit: "intact",
  };
  const credentials = [{ clientId: "program", clientKey: "" }];

  function found(change: Partial<StartReport>): readonly string[] {
    const book = new Book();
    book.signIn();
    book.kill();
    checkStart({ ledger: book.ledger, credentials, savedRevision: 3 }, { ...sound, ...change });
    return book.kinds;
  }

  it("is sound when everything acknowledged is there, or more", () => {
    expect(found({})).toEqual([]);
    expect(found({ registrationRevision: 4, clientIds: ["program", "another"] })).toEqual([]);
  });

  it.each<[string, Partial<StartReport>, string]>([
    ["a vault that does not open", { vaultFailure: "vault_locked" }, "corrupt"],
    ["a notice of damage", { notices: ["vault_damaged"] }, "corrupt"],
    ["a broken audit chain", { audit: "changed at 7" }, "corrupt"],
    ["an unreadable grant", { connections: [{ user, state: "NotConnected", failure: "grant_unreadable" }] }, "corrupt"],
    ["a missing connection", { connections: [] }, "acknowledgedLost"],
    ["a missing program", { clientIds: [] }, "acknowledgedLost"],
    ["an older registration", { registrationRevision: 2 }, "acknowledgedLost"],
    ["a reconnect nobody can explain", { connections: [{ user, state: "ReconnectRequired" }] }, "acknowledgedLost"],
  ])("shows %s", (_what, change, kind) => {
    expect(found(change)).toEqual([kind]);
  });

  it("must not bring a revoked connection back", () => {
    const book = new Book();
    const first = book.signIn();
    const asked = book.ledger.revokeBegun(user);
    book.families.revoke(first.refreshToken, book.nowMs);
    book.ledger.revoked(asked, "ended");
    book.kill();
    checkStart({ ledger: book.ledger, credentials, savedRevision: 3 }, sound);
    expect(book.kinds).toEqual(["acknowledgedLost"]);
  });
});
