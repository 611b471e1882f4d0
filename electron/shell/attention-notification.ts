/**
 * Shows the person at the desktop that connections need them. Who is told what and when, and what is told together, is decided
 * in core; here it becomes a notification of the system.
 *
 * Invariants: a notification only tells and opens the window; there is at most one about a connection, and it goes once
 * somebody looks after it.
 */
import type { Notification } from "electron";
import { assertNever } from "../../shared/result.ts";
import type { ConnectionView, WindowTarget } from "../../shared/views.ts";
import type { AttentionNotice } from "../core/ports.ts";
import { plainWords } from "./notification-text.ts";

export interface AttentionNotificationParts {
  /** Electron's class. */
  readonly Notification: typeof Notification;
  /** A click: the window is to show this. */
  readonly onClick: (target: WindowTarget) => void;
}

export interface AttentionNotifications {
  /** Shows one notification; an earlier one about the same connection goes. */
  readonly show: (notice: AttentionNotice) => void;
  /** A connection has changed: if somebody has begun to mend or to end it, its notification goes. */
  readonly follow: (view: Pick<ConnectionView, "id" | "state">) => void;
  readonly closeAll: () => void;
}

const longestName = 60;

/** Makes the notifications; none is shown yet. */
export function createAttentionNotifications({ Notification: Shown, onClick }: AttentionNotificationParts): AttentionNotifications {
  // Kept: Electron removes a notification whose object is collected.
  const shown = new Map<string, Notification>();
  const close = (connectionId: string): void => {
    const notification = shown.get(connectionId);
    shown.delete(connectionId);
    notification?.close();
  };
  return {
    show: (notice) => {
      if (!Shown.isSupported()) return;
      const { connectionId, others = 0 } = notice;
      close(connectionId);
      const notification = new Shown(others > 0 ? textsOfMany(notice, others) : textsOfOne(notice));
      const forget = (): void => {
        if (shown.get(connectionId) === notification) shown.delete(connectionId);
      };
      notification.on("close", forget);
      notification.on("click", () => {
        forget();
        onClick({ page: "connections", ...(others > 0 ? {} : { connectionId }) });
      });
      shown.set(connectionId, notification);
      notification.show();
    },
    follow: ({ id, state }) => {
      if (isLookedAfter(state)) close(id);
    },
    closeAll: () => {
      for (const connectionId of shown.keys()) close(connectionId);
    },
  };
}

function isLookedAfter(state: ConnectionView["state"]): boolean {
  switch (state) {
    case "Connecting":
    case "NotConnected":
    case "Revoking":
    case "Forgotten":
      return true;
    case "Active":
    case "Refreshing":
    case "Retrying":
    case "InDoubt":
    case "ReconnectRequired":
      return false;
    default:
      return assertNever(state);
  }
}

interface Texts {
  readonly title: string;
  readonly body: string;
}

function textsOfMany(notice: AttentionNotice, others: number): Texts {
  return {
    title: `${others + 1} connections need you`,
    body: `One of them is the ${plain(notice.providerName)} connection of ${plain(notice.user)}. Click here to see them in DMS Connect.`,
  };
}

/** What happened, and what to do. */
function textsOfOne(notice: AttentionNotice): Texts {
  const [user, provider] = [plain(notice.user), plain(notice.providerName)];
  switch (notice.cause) {
    case "reconnect":
      return {
        title: `${user} has to sign in to ${provider} again`,
        body: "The connection has ended, so DMS programs cannot use it. Click here, then choose Reconnect.",
      };
    case "ends_soon":
      return {
        title: `The ${provider} connection of ${user} ends soon`,
        body: "It cannot be renewed by itself. Click here, then choose Reconnect, so that DMS programs can go on using it.",
      };
    case "not_saved":
      return {
        title: `The ${provider} connection of ${user} is not saved`,
        body: `It works until DMS Connect is closed; then ${user} may have to sign in again. Click here to see what is wrong with the disk.`,
      };
    default:
      return assertNever(notice.cause);
  }
}

/** User ids come from programs, too: nothing that cannot be seen or is read as markup, and no more than fits. */
function plain(name: string): string {
  const visible = plainWords(name);
  return visible.length <= longestName ? visible : `${visible.slice(0, longestName)}…`;
}
