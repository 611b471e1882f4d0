import { describe, expect, it } from "vitest";
import { failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import { connectionId, type ProviderView, type WindowTarget } from "../../shared/views.ts";
import { mazdaKey, minuteMs, webfleetKey } from "../core/testing/records.ts";
import { createWorld, valueOf } from "../core/testing/world.ts";
import { createHandlers, type HandlerParts, type WindowBroker } from "./handlers.ts";

const user = "j.doe";
const atMazda = { ...mazdaKey, user };
const atWebfleet = { ...webfleetKey, user };
const paused: readonly ProviderView[] = [
  {
    id: "mazda",
    name: "Mazda",
    canRevoke: false,
    hasOrganisations: true,
    hasGrantScreens: false,
    environments: [
      {
        environment: "production",
        registered: true,
        organisations: [],
        paused: { sinceMs: 1, nextTryAtMs: 2, failure: failure("provider_busy", { provider: "Mazda", status: 503 }) },
      },
    ],
  },
];

/** The handlers on core's own parts; whatever a test does not reach is left out. */
async function start(saved: Result<undefined> = ok()) {
  const world = await createWorld();
  const audit: string[] = [];
  const signIns: unknown[] = [];
  let target: WindowTarget | undefined = { page: "connections", connectionId: connectionId(atMazda) };
  const broker: Partial<WindowBroker> = {
    connections: world.connections,
    registrations: world.registrations,
    revocation: world.revocation,
    connectFlow: world.connectFlow,
    providerViews: () => paused,
    proxySignIn: async (params) => {
      signIns.push(params);
      return saved;
    },
    audit: (action, outcome, about) => audit.push(`${action} ${outcome} ${about?.provider ?? "-"} ${about?.user ?? "-"}`),
  };
  const parts: Partial<HandlerParts> = {
    // The parts that these calls use are all there.
    broker: () => ok(broker as WindowBroker),
    takeWindowTarget: () => {
      const taken = target;
      target = undefined;
      return taken;
    },
  };
  return { world, audit, signIns, handlers: createHandlers(parts as HandlerParts) };
}

describe("the handlers of the window's calls", () => {
  it("end every connection of a leaving user, with an audit row for each and one for all of it", async () => {
    const { world, audit, handlers } = await start();
    world.storeActive(atMazda);
    world.storeActive(atWebfleet);
    world.oauth.revocations.answerAtOnce = () => ({
      kind: "try-later",
      failure: failure("provider_unreachable", { provider: "Webfleet" }),
    });
    const ended = valueOf(await handlers["user.endAll"]({ user }));
    expect(ended.map(({ outcome }) => outcome)).toEqual(["forgotten", "pending"]);
    expect(audit).toEqual([
      `user.end_all ok mazda ${user}`,
      `user.end_all revocation_pending webfleet ${user}`,
      `user.end_all ok - ${user}`,
    ]);
  });

  it("say in the row of the action what could not be ended", async () => {
    const { world, audit, handlers } = await start();
    world.storeActive(atWebfleet);
    world.vault.fail("commitConnection");
    valueOf(await handlers["user.endAll"]({ user }));
    expect(audit.at(-1)).toBe(`user.end_all vault_write_failed - ${user}`);
    world.vault.fail("listConnections", failure("vault_locked"));
    expect(await handlers["user.endAll"]({ user })).toMatchObject({ ok: false, error: { code: "vault_locked" } });
    expect(audit.at(-1)).toBe(`user.end_all vault_locked - ${user}`);
  });

  it("say until when copies of a revoked token work, and nothing about a forgotten one", async () => {
    const { world, handlers } = await start();
    world.storeActive(atWebfleet);
    world.storeActive(atMazda);
    world.oauth.revocations.answerAtOnce = () => ({ kind: "done" });
    const copiesWorkUntilMs = world.clock.nowMs() + 60 * minuteMs;
    expect(await handlers["connection.revoke"]({ connectionId: connectionId(atWebfleet) })).toEqual(ok({ copiesWorkUntilMs }));
    expect(await handlers["connection.forget"]({ connectionId: connectionId(atMazda) })).toEqual(ok());
  });

  it("give the window's target once", async () => {
    const { handlers } = await start();
    expect(await handlers["window.target"]()).toEqual(ok({ page: "connections", connectionId: connectionId(atMazda) }));
    expect(await handlers["window.target"]()).toEqual(ok());
  });

  it("list the providers with their pauses", async () => {
    const { handlers } = await start();
    expect(await handlers["providers.list"]()).toEqual(ok(paused));
  });

  it("hand a proxy's sign-in on, and write a row that names neither user nor password", async () => {
    const params = { proxy: "proxy:8080", userName: "jane", password: "hunter2" };
    const { audit, signIns, handlers } = await start();
    expect(await handlers["proxy.signIn"](params)).toEqual(ok());
    expect([signIns, audit]).toEqual([[params], ["proxy.sign_in ok - -"]]);
    const full = await start(err(failure("vault_write_failed", { problem: "disk full" })));
    expect(await full.handlers["proxy.signIn"](params)).toMatchObject({ ok: false });
    expect(full.audit).toEqual(["proxy.sign_in vault_write_failed - -"]);
  });
});
