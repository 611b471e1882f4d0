import { describe, expect, it } from "vitest";
import { failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import { follow, type Loaded } from "./follow-live.ts";

/** A list of words whose changes append a word, with an answer that comes when the test says so. */
function startFollowing() {
  let state: Loaded<readonly string[]> = { kind: "loading" };
  let listener: ((word: string) => void) | undefined;
  const answer = Promise.withResolvers<Result<readonly string[]>>();
  const stop = follow<readonly string[], string>(
    {
      load: () => answer.promise,
      listen: (next) => {
        listener = next;
        return () => {
          listener = undefined;
        };
      },
      apply: (words, word) => [...words, word],
    },
    (update) => {
      state = update(state);
    },
  );
  return {
    state: () => state,
    isListening: () => listener !== undefined,
    change: (word: string) => listener?.(word),
    stop,
    answer: async (result: Result<readonly string[]>) => {
      answer.resolve(result);
      await answer.promise;
    },
  };
}

describe("a followed list", () => {
  it("shows the list, then its changes", async () => {
    const followed = startFollowing();
    await followed.answer(ok(["a"]));
    followed.change("b");
    expect(followed.state()).toEqual({ kind: "ready", value: ["a", "b"] });
  });

  it("keeps a change that arrives before the list", async () => {
    const followed = startFollowing();
    followed.change("b");
    await followed.answer(ok(["a"]));
    expect(followed.state()).toEqual({ kind: "ready", value: ["a", "b"] });
  });

  it("shows why the list could not be had", async () => {
    const followed = startFollowing();
    await followed.answer(err(failure("vault_locked")));
    expect(followed.state()).toEqual({ kind: "failed", failure: failure("vault_locked") });
  });

  it("ignores an answer that comes after the end", async () => {
    const followed = startFollowing();
    followed.stop();
    await followed.answer(ok(["a"]));
    expect(followed.state()).toEqual({ kind: "loading" });
    expect(followed.isListening()).toBe(false);
  });
});
