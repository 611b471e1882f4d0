import { EventEmitter } from "node:events";
import type { Notification, NotificationConstructorOptions } from "electron";
import { describe, expect, it } from "vitest";
import type { PairingView } from "../../shared/views.ts";
import { pairingNotifier } from "./pairing-notification.ts";

const pairing: PairingView = { pairingId: "p1", name: "Workshop Planner", code: "482913", expiresAtMs: 0 };

/** The notifier on a desktop that keeps what it shows. */
function scene() {
  const shown: Shown[] = [];
  class Shown extends EventEmitter {
    static isSupported = (): boolean => true;
    readonly body: string;
    constructor({ body = "" }: NotificationConstructorOptions) {
      super();
      this.body = body;
    }
    show = (): void => void shown.push(this);
    close = (): void => void shown.splice(shown.indexOf(this), 1);
  }
  let clicks = 0;
  const notify = pairingNotifier({
    Notification: Shown as unknown as typeof Notification, // has what is used
    onClick: () => (clicks += 1),
  });
  return { shown, notify, clicks: () => clicks };
}

describe("a notification about a pairing", () => {
  it("names program, file and code, opens the window, and goes when a newer one comes", () => {
    const { shown, notify, clicks } = scene();
    notify({ ...pairing, programPath: "/opt/planner" });
    notify({ ...pairing, programPath: "/opt/planner" });
    expect(shown.map(({ body }) => body)).toEqual([
      "Workshop Planner asks. Compare the number 482 913 with the one that the program shows.\nFile: /opt/planner\nClick here to approve or deny it in DMS Connect.",
    ]);
    shown[0]?.emit("click");
    expect(clicks()).toBe(1);
  });

  it("carries no markup and no lines of the program: some desktops read the body as such", () => {
    const { shown, notify } = scene();
    notify({ ...pairing, name: "<b>Mazda</b> & Co", programPath: "/opt/<img src='https://evil.test'>\n\u202eApproved &amp; safe" });
    expect(shown[0]?.body).not.toMatch(/[<>&\u202e]/);
    expect(shown[0]?.body.split("\n")).toHaveLength(3);
    expect(shown[0]?.body).toContain("\u2039b\u203aMazda");
  });
});
