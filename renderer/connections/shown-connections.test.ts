import { describe, expect, it } from "vitest";
import { type FailureCode, failure } from "../../shared/failure.ts";
import type { ConnectionView, ProviderView } from "../../shared/views.ts";
import { en } from "../i18n/en.ts";
import { failureSentences } from "../i18n/en-failures.ts";
import { mazdaConnection, webfleetConnection } from "../testing/scenario-parts.ts";
import { scenarios } from "../testing/scenarios.ts";
import { connectionNotice, needsPerson } from "./connection-notice-text.ts";
import { shownConnections } from "./shown-connections.ts";

const nowMs = 1_795_000_000_000;
const dayMs = 86_400_000;
const { paused, needYou, offline } = scenarios(nowMs);
const quiet = { notices: [], providers: [], nowMs };
const mazda = mazdaConnection(nowMs);
const webfleet = webfleetConnection(nowMs);

const retrying = (code: FailureCode): ConnectionView => ({ ...mazda, state: "Retrying", failure: failure(code, { provider: "Mazda" }) });

describe("the order of the connections", () => {
  it("has those first that need a person, then those with a warning, and otherwise stays as it was", () => {
    expect(shownConnections(needYou.connections, quiet).map(({ connection }) => connection.user)).toEqual([
      "carla",
      "mmd10030.dieter",
      "mmd10030.bert",
      "mmd10030.johndoe",
      "anna",
      "johndoe",
    ]);
  });

  it("leaves a row in its place while its sign-in is under way", () => {
    const ended: ConnectionView = { ...webfleet, state: "ReconnectRequired" };
    const before = shownConnections([mazda, ended], quiet).map(({ connection }) => connection.id);
    const during = shownConnections([mazda, { ...ended, state: "Connecting" }], quiet).map(({ connection }) => connection.id);
    expect(during).toEqual(before);
  });
});

describe("a connection that needs a person", () => {
  it.each<[string, ConnectionView]>([
    ["it has ended", { ...mazda, state: "ReconnectRequired" }],
    ["its newest sign-in is in memory only", { ...mazda, failure: failure("vault_write_failed", { problem: "disk full" }) }],
    ["it will end and cannot be renewed", { ...mazda, isNotRenewable: true, accessTokenExpiresAtMs: nowMs + dayMs }],
  ])("does so when %s", (_why, connection) => {
    expect(needsPerson(connection, nowMs)).toBe(true);
  });

  it("does not do so while it goes on by itself, or while its end is far away", () => {
    const farAway = { ...mazda, isNotRenewable: true, accessTokenExpiresAtMs: nowMs + 20 * dayMs } as const;
    for (const connection of [mazda, retrying("provider_busy"), farAway]) expect(needsPerson(connection, nowMs)).toBe(false);
    // Nobody is warned at once after signing in.
    const shortLived = { ...mazda, isNotRenewable: true, connectedAtMs: nowMs, accessTokenExpiresAtMs: nowMs + 3_600_000 } as const;
    expect(needsPerson(shortLived, nowMs)).toBe(false);
    expect(needsPerson(shortLived, nowMs + 1_800_000)).toBe(true);
  });
});

describe("a cause that many connections share", () => {
  it("is not told again in the rows while it stands above them", () => {
    const shown = shownConnections(offline.connections, { ...quiet, notices: offline.status.notices });
    expect(shown.filter(({ waitsFor }) => waitsFor === "network").map(({ notice }) => notice)).toEqual([undefined, undefined]);
    // A sign-in that failed is answered in its own row.
    expect(shown.filter(({ waitsFor }) => waitsFor === undefined).map(({ notice }) => notice?.action)).toEqual(["connect"]);
  });

  it("is told in the row when nothing stands above", () => {
    expect(shownConnections([retrying("network_offline")], quiet)[0]?.notice?.text).toMatchObject({ code: "network_offline" });
  });

  it("is the pause of this provider and environment, not of another one", () => {
    const shown = shownConnections(paused.connections, { ...quiet, providers: paused.providers });
    expect(shown.map(({ waitsFor }) => waitsFor)).toEqual([undefined, "provider", "provider"]);
    const elsewhere = paused.connections.map((connection) => ({ ...connection, environment: "acceptance" }) as const);
    expect(shownConnections(elsewhere, { ...quiet, providers: paused.providers }).map(({ waitsFor }) => waitsFor)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it("does not hide another problem of a connection whose provider is paused", () => {
    const providers: readonly ProviderView[] = paused.providers;
    const refused: ConnectionView = { ...webfleet, state: "Retrying", failure: failure("client_rejected", { provider: "Webfleet" }) };
    expect(shownConnections([refused], { ...quiet, providers })[0]?.notice?.intent).toBe("warning");
  });
});

describe("what a row says to do", () => {
  it.each<FailureCode>([
    "provider_timed_out",
    "provider_busy",
    "provider_unreachable",
    "provider_response_invalid",
    "provider_paused",
    "requests_capped",
    "network_offline",
    "network_sign_in_needed",
    "proxy_sign_in_needed",
    "certificate_date_invalid",
    "vault_conflict",
    "internal_error",
  ])("is not to try again after %s, for which a renewal has no button", (code) => {
    const notice = connectionNotice(retrying(code), nowMs);
    const remedy = notice?.remedy === "byItself" ? en.connections.notice.byItselfRemedy : failureSentences[code].remedy;
    expect(remedy).not.toMatch(/(and|then) try again/i);
  });

  it("is to click Connect after a sign-in that failed because of the network", () => {
    const codes = ["provider_unreachable", "provider_timed_out", "network_offline", "proxy_sign_in_needed", "provider_paused"] as const;
    for (const code of codes) {
      const notice = connectionNotice({ ...mazda, state: "NotConnected", failure: failure(code, { provider: "Mazda" }) }, nowMs);
      expect(notice).toMatchObject({ remedy: code, action: "connect" });
    }
  });

  it("is to sign in to the proxy that a renewal needs", () => {
    expect(connectionNotice(retrying("proxy_sign_in_needed"), nowMs)?.action).toBe("proxySignIn");
  });

  it("is to sign in again before the end of what cannot be renewed", () => {
    expect(connectionNotice({ ...mazda, isNotRenewable: true }, nowMs)).toMatchObject({ text: "notRenewable", action: "reconnect" });
  });
});
