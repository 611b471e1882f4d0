/** A raised box for one thing of a list, and the name-and-value pairs inside it. */
import { makeStyles, mergeClasses, tokens, typographyStyles } from "@fluentui/react-components";
import type { ReactNode } from "react";
import { useShowWhenMarked } from "./use-show-when-marked.ts";

interface CardListProps {
  readonly label: string;
  /** Whether the order of the cards means something. */
  readonly ordered?: boolean;
  readonly children: ReactNode;
}

export function CardList({ label, ordered = false, children }: CardListProps) {
  const styles = useStyles();
  const List = ordered ? "ol" : "ul";
  return (
    // Safari aside, a list without bullets is a list; the role keeps it one everywhere.
    <List aria-label={label} className={styles.list}>
      {children}
    </List>
  );
}

interface CardProps {
  readonly label: string;
  readonly testId?: string;
  /** A new object each time this card is to be brought onto the screen and marked. */
  readonly mark?: object | undefined;
  readonly children: ReactNode;
}

/** One thing of a `CardList`, named `label`. */
export function Card({ label, testId, mark, children }: CardProps) {
  const styles = useStyles();
  const element = useShowWhenMarked<HTMLLIElement>(mark);
  return (
    <li
      ref={element}
      tabIndex={mark === undefined ? undefined : -1}
      aria-label={label}
      data-testid={testId}
      className={mergeClasses(styles.box, styles.card, mark !== undefined && styles.marked)}
    >
      {children}
    </li>
  );
}

interface FactsProps {
  /** Name and value; a pair without value is left out. */
  readonly facts: readonly (readonly [name: string, value: ReactNode])[];
}

export function Facts({ facts }: FactsProps) {
  const styles = useStyles();
  return (
    <dl className={styles.facts}>
      {facts
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => (
          <div key={name} className={styles.fact}>
            <dt className={styles.name}>{name}</dt>
            <dd className={styles.value}>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

interface BoxProps {
  readonly title?: string;
  readonly children: ReactNode;
}

/** A box that is not part of a list. */
export function Box({ title, children }: BoxProps) {
  const styles = useStyles();
  return (
    <div className={mergeClasses(styles.box, styles.card)}>
      {title === undefined ? null : <BoxTitle>{title}</BoxTitle>}
      {children}
    </div>
  );
}

/** The heading of a box or card inside a section. */
export function BoxTitle({ children }: { readonly children: ReactNode }) {
  return <h3 className={useStyles().title}>{children}</h3>;
}

/** Buttons of a box, side by side while there is room. */
export function BoxButtons({ children }: { readonly children: ReactNode }) {
  return <div className={useStyles().buttons}>{children}</div>;
}

const useStyles = makeStyles({
  list: { listStyleType: "none", margin: 0, padding: 0, display: "flex", flexDirection: "column", rowGap: tokens.spacingVerticalM },
  box: {
    backgroundColor: tokens.colorNeutralBackground1,
    border: `1px solid ${tokens.colorNeutralStroke2}`,
    borderRadius: tokens.borderRadiusXLarge,
  },
  card: { display: "flex", flexDirection: "column", rowGap: tokens.spacingVerticalM, padding: tokens.spacingHorizontalL, minWidth: 0 },
  marked: { outline: `2px solid ${tokens.colorCompoundBrandStroke}`, outlineOffset: "-1px" },
  title: { ...typographyStyles.subtitle2, margin: 0, overflowWrap: "anywhere" },
  buttons: { display: "flex", flexWrap: "wrap", alignItems: "center", gap: tokens.spacingHorizontalM },
  facts: {
    display: "grid",
    gridTemplateColumns: "fit-content(220px) minmax(0, 1fr)",
    columnGap: tokens.spacingHorizontalXL,
    rowGap: tokens.spacingVerticalS,
    margin: 0,
    "@media (max-width: 640px)": { gridTemplateColumns: "minmax(0, 1fr)" },
  },
  fact: { display: "contents", "@media (max-width: 640px)": { display: "block" } },
  name: { color: tokens.colorNeutralForeground2 },
  value: { margin: 0, overflowWrap: "anywhere" },
});
