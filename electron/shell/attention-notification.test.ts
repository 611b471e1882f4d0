import { EventEmitter } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Notification, NotificationConstructorOptions } from "electron";
import { describe, expect, it, onTestFinished } from "vitest";
import type { WindowTarget } from "../../shared/views.ts";
import type { AttentionNotice } from "../core/ports.ts";
import { createAttentionNotifications } from "./attention-notification.ts";
import { staysNotifier } from "./stays-notification.ts";

/** A desktop whose notifications are shown until somebody closes or clicks them. */
function desktop(isSupported = true) {
  const shown: Shown[] = [];
  class Shown extends EventEmitter {
    static isSupported = (): boolean => isSupported;
    readonly title: string;
    readonly body: string;
    constructor({ title = "", body = "" }: NotificationConstructorOptions) {
      super();
      [this.title, this.body] = [title, body];
    }
    show(): void {
      shown.push(this);
    }
    close(): void {
      const at = shown.indexOf(this);
      if (at >= 0) shown.splice(at, 1);
      this.emit("close");
    }
  }
  return { shown, Notification: Shown as unknown as typeof Notification }; // has what is used
}

function scene() {
  const { shown, Notification } = desktop();
  const targets: WindowTarget[] = [];
  const notifications = createAttentionNotifications({ Notification, onClick: (target) => targets.push(target) });
  return { shown, targets, notifications, titles: () => shown.map(({ title }) => title) };
}

const notice: AttentionNotice = { connectionId: "mazda/acceptance/jdoe", providerName: "Mazda", user: "jdoe", cause: "reconnect" };
const about = (user: string): AttentionNotice => ({ ...notice, user, connectionId: `mazda/acceptance/${user}` });

describe("a notification about a connection", () => {
  it.each([
    ["reconnect", "jdoe has to sign in to Mazda again", "choose Reconnect"],
    ["ends_soon", "The Mazda connection of jdoe ends soon", "choose Reconnect"],
    ["not_saved", "The Mazda connection of jdoe is not saved", "what is wrong with the disk"],
  ] as const)("says what happened and what to do: %s", (cause, title, remedy) => {
    const { shown, notifications } = scene();
    notifications.show({ ...notice, cause });
    expect(shown.map((each) => each.title)).toEqual([title]);
    expect(shown[0]?.body).toContain(remedy);
  });

  it("opens the window on the row when it is clicked", () => {
    const { shown, targets, notifications } = scene();
    notifications.show(notice);
    shown[0]?.emit("click");
    expect(targets).toEqual([{ page: "connections", connectionId: notice.connectionId }]);
  });

  it("goes when somebody looks after its connection, and when a newer one comes", () => {
    const { titles, notifications } = scene();
    notifications.show(notice);
    notifications.show(about("jane"));
    notifications.show({ ...notice, cause: "not_saved" });
    expect(titles()).toEqual(["jane has to sign in to Mazda again", "The Mazda connection of jdoe is not saved"]);
    notifications.follow({ id: notice.connectionId, state: "Active" });
    expect(titles()).toHaveLength(2);
    notifications.follow({ id: notice.connectionId, state: "Connecting" });
    expect(titles()).toEqual(["jane has to sign in to Mazda again"]);
    notifications.follow({ id: "unknown", state: "Forgotten" });
    notifications.closeAll();
    expect(titles()).toEqual([]);
  });

  it("speaks of many that are told together, and leads to the list", () => {
    const { shown, targets, notifications } = scene();
    notifications.show({ ...notice, others: 199 });
    expect(shown.map(({ title }) => title)).toEqual(["200 connections need you"]);
    expect(shown[0]?.body).toContain("the Mazda connection of jdoe");
    shown[0]?.emit("click");
    expect(targets).toEqual([{ page: "connections" }]);
  });

  it("shows nothing that cannot be seen, and no endless name", () => {
    const { titles, notifications } = scene();
    notifications.show({ ...notice, user: `a\u202e\nb${"x".repeat(300)}` });
    expect(titles()[0]).toMatch(/^abx{58}… has to sign in/);
  });

  it("carries no markup of others: some desktops read the body as such", () => {
    const { shown, notifications } = scene();
    const user = "<a href='https://evil.test'>R&D</a>";
    notifications.show({ ...notice, user, cause: "not_saved" });
    notifications.show({ ...about(user), others: 2 });
    expect(shown).toHaveLength(2);
    for (const { title, body } of shown) {
      expect(`${title}${body}`).not.toMatch(/[<>&]/);
      expect(body).toContain("R\uff06D");
    }
  });

  it("is not tried where the desktop has none", () => {
    const { shown, Notification } = desktop(false);
    createAttentionNotifications({ Notification, onClick: () => undefined }).show(notice);
    expect(shown).toEqual([]);
  });
});

describe("closing the window", () => {
  it("is explained once a profile", () => {
    const profileFolder = mkdtempSync(join(tmpdir(), "dms-connect-stays-"));
    onTestFinished(() => rmSync(profileFolder, { recursive: true, force: true }));
    const { shown, Notification } = desktop();
    let clicks = 0;
    const closed = staysNotifier({ Notification, profileFolder, onClick: () => (clicks += 1) });
    closed();
    closed();
    staysNotifier({ Notification, profileFolder, onClick: () => undefined })();
    expect(shown.map(({ title }) => title)).toEqual(["DMS Connect keeps running in the background"]);
    shown[0]?.emit("click");
    expect(clicks).toBe(1);
  });

  it("is not explained again and again where no mark can be left", () => {
    const { shown, Notification } = desktop();
    staysNotifier({ Notification, profileFolder: "/nowhere/at-all", onClick: () => undefined })();
    expect(shown).toEqual([]);
  });
});
