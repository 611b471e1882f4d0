/** Navigation beside (or, in a narrow window, above) the page, and the messages that stand on every page. */
import { makeStyles, mergeClasses, Text, tokens } from "@fluentui/react-components";
import { DocumentKeyRegular } from "@fluentui/react-icons/svg/document-key";
import { HistoryRegular } from "@fluentui/react-icons/svg/history";
import { LockClosedKeyRegular } from "@fluentui/react-icons/svg/lock-closed-key";
import { PlugConnectedRegular } from "@fluentui/react-icons/svg/plug-connected";
import { SettingsRegular } from "@fluentui/react-icons/svg/settings";
import { WindowAppsRegular } from "@fluentui/react-icons/svg/window-apps";
import type { ReactElement, ReactNode } from "react";
import { useTranslation } from "react-i18next";

export type PageName = "recovery" | "connections" | "programs" | "setUp" | "audit" | "settings";

const icons: Readonly<Record<PageName, ReactElement>> = {
  recovery: <LockClosedKeyRegular />,
  connections: <PlugConnectedRegular />,
  programs: <WindowAppsRegular />,
  setUp: <DocumentKeyRegular />,
  audit: <HistoryRegular />,
  settings: <SettingsRegular />,
};

interface WindowFrameProps {
  /** The pages there are to go to now. */
  readonly pages: readonly PageName[];
  readonly page: PageName;
  readonly onNavigate: (page: PageName) => void;
  /** Stands above every page. */
  readonly messages: ReactNode;
  readonly children: ReactNode;
}

export function WindowFrame({ pages, page, onNavigate, messages, children }: WindowFrameProps) {
  const styles = useStyles();
  const { t } = useTranslation();
  return (
    <div className={styles.frame}>
      <header className={styles.side}>
        <Text weight="semibold" size={400} className={styles.brand}>
          {t("app.name")}
        </Text>
        <nav aria-label={t("nav.label")}>
          <ul className={styles.list}>
            {pages.map((name) => (
              <li key={name} className={styles.entry}>
                <button
                  type="button"
                  aria-current={name === page ? "page" : undefined}
                  className={mergeClasses(styles.link, name === page && styles.current)}
                  onClick={() => onNavigate(name)}
                >
                  <span aria-hidden="true" className={styles.icon}>
                    {icons[name]}
                  </span>
                  <span className={styles.label}>{t(`nav.${name}`)}</span>
                </button>
              </li>
            ))}
          </ul>
        </nav>
      </header>
      <main className={styles.main} tabIndex={-1}>
        <div className={styles.content}>
          {messages}
          {children}
        </div>
      </main>
    </div>
  );
}

const narrow = "@media (max-width: 640px)";

const useStyles = makeStyles({
  frame: {
    display: "grid",
    gridTemplateColumns: "208px minmax(0, 1fr)",
    height: "100%",
    backgroundColor: tokens.colorNeutralBackground2,
    [narrow]: { gridTemplateColumns: "minmax(0, 1fr)", gridTemplateRows: "auto minmax(0, 1fr)" },
  },
  side: {
    display: "flex",
    flexDirection: "column",
    rowGap: tokens.spacingVerticalL,
    padding: `${tokens.spacingVerticalXL} ${tokens.spacingHorizontalS}`,
    backgroundColor: tokens.colorNeutralBackground1,
    boxShadow: `1px 0 0 ${tokens.colorNeutralStroke2}`,
    [narrow]: { padding: 0, boxShadow: `0 1px 0 ${tokens.colorNeutralStroke2}` },
  },
  brand: { paddingInlineStart: tokens.spacingHorizontalM, [narrow]: { display: "none" } },
  list: {
    listStyleType: "none",
    margin: 0,
    padding: 0,
    display: "flex",
    flexDirection: "column",
    rowGap: tokens.spacingVerticalXXS,
    [narrow]: { flexDirection: "row" },
  },
  entry: { [narrow]: { flex: "1 1 0", minWidth: 0 } },
  link: {
    display: "flex",
    alignItems: "center",
    columnGap: tokens.spacingHorizontalM,
    width: "100%",
    padding: `${tokens.spacingVerticalS} ${tokens.spacingHorizontalM}`,
    border: "none",
    borderRadius: tokens.borderRadiusMedium,
    backgroundColor: "transparent",
    color: tokens.colorNeutralForeground2,
    fontFamily: "inherit",
    fontSize: tokens.fontSizeBase300,
    lineHeight: tokens.lineHeightBase300,
    textAlign: "start",
    cursor: "pointer",
    ":hover": { backgroundColor: tokens.colorNeutralBackground1Hover },
    ":focus-visible": { outline: `2px solid ${tokens.colorStrokeFocus2}`, outlineOffset: "-2px" },
    [narrow]: {
      flexDirection: "column",
      rowGap: tokens.spacingVerticalXXS,
      padding: `${tokens.spacingVerticalS} ${tokens.spacingHorizontalXXS}`,
      borderRadius: 0,
      fontSize: tokens.fontSizeBase200,
      lineHeight: tokens.lineHeightBase200,
      textAlign: "center",
    },
  },
  current: {
    color: tokens.colorNeutralForeground1,
    fontWeight: tokens.fontWeightSemibold,
    backgroundColor: tokens.colorNeutralBackground1Selected,
    // Not by shade alone: a bar marks the page one is on, also in forced colours.
    boxShadow: `inset 3px 0 0 ${tokens.colorCompoundBrandStroke}`,
    "@media (forced-colors: active)": { outline: "1px solid Highlight" },
    [narrow]: { boxShadow: `inset 0 -3px 0 ${tokens.colorCompoundBrandStroke}` },
  },
  icon: { fontSize: "20px", lineHeight: 0 },
  label: { overflowWrap: "anywhere" },
  main: { overflowY: "auto", minWidth: 0, outlineStyle: "none" },
  content: {
    display: "flex",
    flexDirection: "column",
    rowGap: tokens.spacingVerticalXL,
    maxWidth: "1120px",
    padding: tokens.spacingHorizontalXXL,
    [narrow]: { padding: tokens.spacingHorizontalL },
  },
});
