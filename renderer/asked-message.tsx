/** The quiet line that the window was asked to show something else, while the page could not be left. It stays in sight. */
import { Button, makeStyles, tokens } from "@fluentui/react-components";
import { useTranslation } from "react-i18next";
import type { WindowTarget } from "../shared/views.ts";
import { Message } from "./parts/failure-message.tsx";
import type { PageName } from "./window-frame.tsx";

interface AskedMessageProps {
  readonly asked: WindowTarget;
  /** The page that is shown. */
  readonly page: PageName;
  readonly onShow: () => void;
  readonly onDismiss: () => void;
}

/** Shows nothing where there is nothing else to show. */
export function AskedMessage({ asked, page, onShow, onDismiss }: AskedMessageProps) {
  const styles = useStyles();
  const { t } = useTranslation();
  const isHere = asked.page === page;
  if (isHere && asked.connectionId === undefined) return null;
  return (
    <div className={styles.line}>
      <Message
        intent="info"
        text={t(isHere ? "app.askedForConnection" : "app.askedForPage")}
        action={<Button onClick={onShow}>{t("common.show")}</Button>}
        onDismiss={onDismiss}
      />
    </div>
  );
}

const useStyles = makeStyles({
  line: { position: "sticky", top: tokens.spacingVerticalS, zIndex: 1 },
});
