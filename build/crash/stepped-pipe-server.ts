/**
 * Stands in for `electron/pipe/pipe-server.ts` in the crash child's bundle: the real pipe, with steps around the answers
 * to token requests. Invariant: every call reaches the real program API unchanged.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { ProgramApi } from "../../electron/core/program-api.ts";
import { type PipeServerOptions, startPipeServer as startRealPipeServer } from "../../electron/pipe/pipe-server.ts";
import { step } from "./child-steps.ts";

export * from "../../electron/pipe/pipe-server.ts";

const signInUser = new AsyncLocalStorage<string>();

/** For whom the sign-in is that is being started; the authorization URL does not say. */
export function userSigningIn(): string | undefined {
  return signInUser.getStore();
}

/** As the real one. */
export async function startPipeServer(options: PipeServerOptions): ReturnType<typeof startRealPipeServer> {
  const started = await startRealPipeServer({ ...options, programApi: stepped(options.programApi) });
  if (started.ok) step("pipe-listening");
  return started;
}

function stepped(api: ProgramApi): ProgramApi {
  const own: Pick<ProgramApi, "tokenGet" | "tokenRejected" | "connectStart"> = {
    tokenGet: (client, params) => answering(params.user, api.tokenGet(client, params)),
    tokenRejected: (client, params) => answering(params.user, api.tokenRejected(client, params)),
    connectStart: (client, params) => signInUser.run(params.user, () => api.connectStart(client, params)),
  };
  return new Proxy(api, {
    get: (target, name) => {
      if (name in own) return own[name as keyof typeof own]; // just looked up
      const method: unknown = Reflect.get(target, name);
      // Bound: the real object has private fields.
      return typeof method === "function" ? (method.bind(target) as unknown) : method;
    },
  });
}

async function answering<T>(user: string, answer: Promise<T>): Promise<T> {
  const answered = await answer;
  step("answering", { user });
  // The session writes in this turn of the event loop; by the next one the bytes have left the process.
  setImmediate(() => step("answered", { user }));
  return answered;
}
