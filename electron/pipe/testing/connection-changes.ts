import type { PipeConnection } from "../../../shared/pipe-protocol.ts";

/** Changes of connections, as the broker would tell of them. For tests only. */
export function connectionChanges(): {
  readonly listeners: Set<(connection: PipeConnection) => void>;
  readonly onConnectionChanged: (client: unknown, listener: (connection: PipeConnection) => void) => () => void;
  readonly emit: (connection: PipeConnection) => void;
} {
  const listeners = new Set<(connection: PipeConnection) => void>();
  return {
    listeners,
    onConnectionChanged: (_client, listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    emit: (connection) => {
      for (const listener of listeners) listener(connection);
    },
  };
}
