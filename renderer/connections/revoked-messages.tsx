/** What became of each Revoke since the page was opened. The row may be gone by then, so this stands above the list. */
import { useTranslation } from "react-i18next";
import type { ConnectionView } from "../../shared/views.ts";
import { Message } from "../parts/failure-message.tsx";
import { useCopiesText } from "./use-copies-text.ts";

export interface RevokedConnection {
  /** As it was before. */
  readonly connection: ConnectionView;
  /** Absent: no copies can be out there. */
  readonly copiesWorkUntilMs?: number;
}

interface RevokedMessagesProps {
  readonly revoked: readonly RevokedConnection[];
  /** As they are now: a revoked one that the provider knows nothing of yet is still there. */
  readonly connections: readonly ConnectionView[];
  readonly onDismiss: (revoked: RevokedConnection) => void;
}

export function RevokedMessages({ revoked, connections, onDismiss }: RevokedMessagesProps) {
  return revoked.map((each) => (
    <RevokedMessage
      key={each.connection.id}
      revoked={each}
      isPending={connections.some(({ id, state }) => id === each.connection.id && state === "Revoking")}
      onDismiss={() => onDismiss(each)}
    />
  ));
}

interface RevokedMessageProps {
  readonly revoked: RevokedConnection;
  readonly isPending: boolean;
  readonly onDismiss: () => void;
}

function RevokedMessage({ revoked: { connection, copiesWorkUntilMs }, isPending, onDismiss }: RevokedMessageProps) {
  const { t } = useTranslation();
  const names = { provider: connection.providerName, user: connection.user };
  const copies = useCopiesText()({ atMs: copiesWorkUntilMs, isEstimate: connection.accessTokenExpiryIsEstimate === true });
  return isPending ? (
    <Message intent="info" title={t("revoke.pending", names)} text={`${t("revoke.pendingText", names)} ${copies}`} onDismiss={onDismiss} />
  ) : (
    <Message intent="success" title={t("revoke.done", names)} text={copies} onDismiss={onDismiss} />
  );
}
