/** What a program says about itself, and what the computer says about it: a person must be able to tell the two apart. */
import { makeStyles, Text, tokens } from "@fluentui/react-components";
import { useTranslation } from "react-i18next";
import type { PairingView } from "../../shared/views.ts";
import { Facts } from "../parts/card.tsx";
import { plainText } from "../parts/plain-text.ts";
import { ProgramPath } from "./program-path.tsx";

/** Longest name, publisher and reason shown; a program could send a page of text that pushes the buttons out of sight. */
export const nameLimit = 80;
const reasonLimit = 200;

export function ProgramClaims({ pairing }: { readonly pairing: PairingView }) {
  const styles = useStyles();
  const { t } = useTranslation();
  const { programPath } = pairing;
  const name = plainText(pairing.name, nameLimit);
  const publisher = plainText(pairing.publisher ?? "", nameLimit);
  const reason = plainText(pairing.reason ?? "", reasonLimit);
  return (
    <div className={styles.root}>
      <Facts
        facts={[
          [t("pairing.name"), <strong key="name">{name}</strong>],
          [t("pairing.publisher"), publisher === "" ? <Missing key="publisher" text={t("pairing.publisherMissing")} /> : publisher],
          [t("pairing.reason"), reason === "" ? <Missing key="reason" text={t("pairing.reasonMissing")} /> : reason],
          [
            t("pairing.programPath"),
            programPath === undefined ? (
              <Missing key="path" text={t("pairing.programPathMissing")} />
            ) : (
              <ProgramPath key="path" path={programPath} programName={name} />
            ),
          ],
        ]}
      />
      <Text size={200} className={styles.quiet}>
        {t("pairing.untrusted")} {programPath === undefined ? "" : t("pairing.pathFromComputer")}
      </Text>
    </div>
  );
}

/** In place of words of the program, so it must not look like them. */
function Missing({ text }: { readonly text: string }) {
  return <span className={useStyles().missing}>{text}</span>;
}

const useStyles = makeStyles({
  root: { display: "flex", flexDirection: "column", rowGap: tokens.spacingVerticalS },
  quiet: { color: tokens.colorNeutralForeground2 },
  missing: { color: tokens.colorNeutralForeground2, fontStyle: "italic" },
});
