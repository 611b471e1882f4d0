/** What the list of connections and each of its rows are given, as a table or as cards. */
import type { RevokedConnection } from "./revoked-messages.tsx";
import type { ShownConnection } from "./shown-connections.ts";

/** The row that a notification, a link or a program has asked for. A new object each time. */
export interface ConnectionMark {
  readonly connectionId: string;
}

export interface ConnectionListProps {
  readonly connections: readonly ShownConnection[];
  readonly mark: ConnectionMark | undefined;
  readonly onRevoked: (revoked: RevokedConnection) => void;
}

export interface ConnectionRowProps extends Pick<ConnectionListProps, "onRevoked"> {
  readonly shown: ShownConnection;
  /** Absent: it is not this row. */
  readonly mark: ConnectionMark | undefined;
}
