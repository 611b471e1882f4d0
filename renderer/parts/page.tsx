/** The frame every page shares: one heading, one lead sentence, sections below. */
import { makeStyles, Text, tokens, typographyStyles } from "@fluentui/react-components";
import { type ReactNode, useEffect, useId, useRef } from "react";

interface PageProps {
  readonly title: string;
  readonly lead?: string;
  readonly children: ReactNode;
}

export function Page({ title, lead, children }: PageProps) {
  const styles = useStyles();
  const heading = useRef<HTMLHeadingElement>(null);

  // The button that led here may be gone with its page; without this the keyboard would start again at the top of the window.
  useEffect(() => {
    const focusWasLost = navigator.userActivation.hasBeenActive && document.activeElement === document.body;
    if (focusWasLost) heading.current?.focus({ preventScroll: true });
  }, []);

  return (
    <>
      <header className={styles.header}>
        <h1 tabIndex={-1} ref={heading} className={styles.title}>
          {title}
        </h1>
        {lead === undefined ? null : <Text className={styles.lead}>{lead}</Text>}
      </header>
      {children}
    </>
  );
}

interface SectionProps {
  readonly title: string;
  readonly children: ReactNode;
}

/** A part of a page, named by its heading. */
export function Section({ title, children }: SectionProps) {
  const styles = useStyles();
  const headingId = useId();
  return (
    <section aria-labelledby={headingId} className={styles.section}>
      <h2 id={headingId} className={styles.sectionTitle}>
        {title}
      </h2>
      {children}
    </section>
  );
}

const useStyles = makeStyles({
  header: { display: "flex", flexDirection: "column", rowGap: tokens.spacingVerticalXS },
  title: { ...typographyStyles.title3, margin: 0, overflowWrap: "anywhere", outlineStyle: "none" },
  lead: { color: tokens.colorNeutralForeground2, maxWidth: "90ch", textWrap: "pretty" },
  sectionTitle: { ...typographyStyles.subtitle1, margin: 0 },
  section: { display: "flex", flexDirection: "column", rowGap: tokens.spacingVerticalM },
});
