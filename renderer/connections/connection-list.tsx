/** The list of connections: what needs a person first, as a table where there is room, else as cards. */
import { makeStyles, Text, tokens } from "@fluentui/react-components";
import { PersonAlertRegular } from "@fluentui/react-icons/svg/person-alert";
import { useTranslation } from "react-i18next";
import { Section } from "../parts/page.tsx";
import { tableWindow, useMediaQuery } from "../state/use-media-query.ts";
import { ConnectionCards } from "./connection-cards.tsx";
import type { ConnectionListProps } from "./connection-row.ts";
import { ConnectionTable } from "./connection-table.tsx";

export function ConnectionList(props: ConnectionListProps) {
  const { t } = useTranslation();
  const hasRoomForTable = useMediaQuery(tableWindow);
  return (
    <Section title={t("connections.listHeading")}>
      <NeedYou count={props.connections.filter(({ needsPerson }) => needsPerson).length} />
      {hasRoomForTable ? <ConnectionTable {...props} /> : <ConnectionCards {...props} />}
    </Section>
  );
}

function NeedYou({ count }: { readonly count: number }) {
  const styles = useStyles();
  const { t } = useTranslation();
  return (
    // Always there, so that a screen reader says what comes into it.
    <output className={styles.status}>
      {count === 0 ? null : (
        <>
          <span aria-hidden="true" className={styles.icon}>
            <PersonAlertRegular />
          </span>
          <Text weight="semibold">{t("connections.needYou", { count })}</Text>
        </>
      )}
    </output>
  );
}

const useStyles = makeStyles({
  // While empty it takes no place, but must be there.
  status: { display: "flex", alignItems: "center", columnGap: tokens.spacingHorizontalS, ":empty": { position: "absolute" } },
  icon: { fontSize: "20px", lineHeight: 0, color: tokens.colorStatusDangerForeground1 },
});
