import { EventEmitter, once } from "node:events";
import { describe, expect, it } from "vitest";
import { failure } from "../../shared/failure.ts";
import { type AppEndParts, createAppEnd } from "./app-end.ts";
import { isSureToQuit } from "./quit-question.ts";
import { onSystemShutdown } from "./session-end.ts";

const lost = [failure("vault_write_failed", { problem: "no space" })];

/** An app that quits as Electron does: it asks `before-quit` first. `events` holds what happened, in order. */
function scene(how: Partial<AppEndParts> & { readonly unsaved?: () => Promise<typeof lost>; readonly close?: () => Promise<void> } = {}) {
  const events: string[] = [];
  const ended = new EventEmitter();
  const gone = once(ended, "gone");
  const app = {
    quit: (): void => {
      let prevented = false;
      end.beforeQuit({ preventDefault: () => (prevented = true) });
      if (prevented) return;
      events.push("quit");
      ended.emit("gone");
    },
    exit: (): void => {
      events.push("exit");
      ended.emit("gone");
    },
  };
  const end = createAppEnd({
    app,
    running: () => ({
      unsaved: how.unsaved ?? (async () => []),
      close: async (reason) => {
        events.push(`close ${reason}`);
        await how.close?.();
      },
    }),
    isSure: async () => {
      events.push("asked");
      return true;
    },
    relaunch: () => events.push("relaunch"),
    log: { error: () => events.push("error"), warn: (event) => events.push(event) },
    onClosed: () => events.push("closed"),
    ...how,
  });
  return { app, end, events, gone };
}

const forEver = (): Promise<never> => new Promise(() => undefined);

describe("quitting", () => {
  it("closes everything once, however often it is asked for", async () => {
    const { app, events, gone } = scene();
    app.quit();
    app.quit();
    await gone;
    expect(events).toEqual(["close quit", "closed", "quit"]);
  });

  it("does not wait when nothing is open yet", () => {
    const { app, events } = scene({ running: () => undefined });
    app.quit();
    expect(events).toEqual(["quit"]);
  });

  it("goes without waiting any longer for what does not end, and says so", async () => {
    const { app, events, gone } = scene({ close: forEver, longestCloseMs: 20 });
    app.quit();
    await gone;
    expect(events).toEqual(["close quit", "close.not_in_order", "closed", "exit"]);
  });

  it("goes without waiting for a disk that does not answer", async () => {
    const { app, events, gone } = scene({ unsaved: forEver, longestCloseMs: 20 });
    app.quit();
    await gone;
    expect(events).toEqual(["close quit", "closed", "quit"]);
  });

  it("goes when closing fails", async () => {
    const { app, events, gone } = scene({ close: () => Promise.reject(new Error("a bug")) });
    app.quit();
    await gone;
    expect(events).toEqual(["close quit", "error", "close.not_in_order", "closed", "exit"]);
  });
});

describe("what could not be saved", () => {
  it("is asked about, and kept if the person does not want to lose it; the next time it is asked about again", async () => {
    const answers = [false, true];
    const questions = new EventEmitter();
    const { app, events, gone } = scene({
      unsaved: async () => lost,
      isSure: async (why, count) => {
        expect([why, count]).toEqual([lost[0], 1]);
        setImmediate(() => questions.emit("answered"));
        return answers.shift() ?? true;
      },
    });
    const answered = once(questions, "answered");
    app.quit();
    await answered;
    expect(events).toEqual([]);
    app.quit();
    await gone;
    expect(events).toEqual(["close quit", "closed", "quit"]);
  });

  it("is lost where nobody can be asked", async () => {
    const { app, events, gone } = scene({ unsaved: async () => lost, isSure: () => Promise.reject(new Error("no dialogs here")) });
    app.quit();
    await gone;
    expect(events).toEqual(["close quit", "closed", "quit"]);
  });

  it("is asked of nobody when the session ends", async () => {
    const { end, events, gone } = scene({ unsaved: async () => lost });
    end.endSession();
    await gone;
    expect(events).toEqual(["close quit", "closed", "quit"]);
  });

  it("is not waited for any longer when the session ends while it is asked", async () => {
    const asked = Promise.withResolvers<undefined>();
    const { app, end, events, gone } = scene({
      unsaved: async () => lost,
      isSure: () => {
        asked.resolve(undefined);
        return forEver();
      },
    });
    app.quit();
    await asked.promise;
    end.endSession();
    await gone;
    expect(events).toEqual(["close quit", "closed", "quit"]);
  });
});

describe("a restart", () => {
  it("tells why it closes, and starts the app again when all is closed", async () => {
    const { end, events, gone } = scene();
    end.restart();
    await gone;
    expect(events).toEqual(["close restart", "closed", "relaunch", "quit"]);
  });

  it("starts the app again when nothing was open", () => {
    const { end, events } = scene({ running: () => undefined });
    end.restart();
    expect(events).toEqual(["relaunch", "quit"]);
  });

  it("that a person has stopped does not come with the next quit", async () => {
    const answers = [false, true];
    const questions = new EventEmitter();
    const { app, end, events, gone } = scene({
      unsaved: async () => lost,
      isSure: async () => {
        setImmediate(() => questions.emit("answered"));
        return answers.shift() ?? true;
      },
    });
    const answered = once(questions, "answered");
    end.restart();
    await answered;
    app.quit();
    await gone;
    expect(events).toEqual(["close quit", "closed", "quit"]);
  });
});

describe("the question before something is lost", () => {
  it.each([
    [0, false],
    [1, true],
  ])("is answered by its buttons, and by closing it with no: %i", async (response, isSure) => {
    const asked: Electron.MessageBoxOptions[] = [];
    const showMessageBox = async (options: unknown) => {
      asked.push(options as Electron.MessageBoxOptions); // there is no parent window
      return { response, checkboxChecked: false };
    };
    expect(await isSureToQuit({ showMessageBox }, failure("vault_write_failed", { problem: "no space" }), 3)).toBe(isSure);
    expect(asked).toMatchObject([{ message: "Sign-ins that could not be saved: 3", buttons: ["Do not quit", "Quit anyway"], cancelId: 0 }]);
  });
});

describe("the computer's shutdown", () => {
  it("waits a little, and is told once it comes", () => {
    const powerMonitor = new EventEmitter();
    const events: string[] = [];
    onSystemShutdown(powerMonitor, () => events.push("shutdown"));
    powerMonitor.emit("shutdown", { preventDefault: () => events.push("delayed") });
    expect(events).toEqual(["delayed", "shutdown"]);
  });
});
