/**
 * The file of a program. Invariant: its folders stand in their order from left to right, also where their letters run the other
 * way, so that no folder can pose as the file or as another one's parent.
 */
import { Link, makeStyles, tokens } from "@fluentui/react-components";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { pathParts, pathText } from "./path-text.ts";

interface ProgramPathProps {
  readonly path: string;
  /** The program's name, fit to be shown. */
  readonly programName: string;
}

/** Short, with a way to the whole path where something was cut out. */
export function ProgramPath({ path, programName }: ProgramPathProps) {
  const styles = useStyles();
  const { t } = useTranslation();
  const [isWhole, setIsWhole] = useState(false);
  const { whole, short } = pathText(path);
  const toggle = t(isWhole ? "pairing.shortPath" : "pairing.wholePath");
  return (
    <span className={styles.root}>
      <span dir="ltr" className={styles.path}>
        {pathParts(isWhole ? whole : short).map((part, index) => (
          // Parts have no name but their place.
          // oxlint-disable-next-line react/no-array-index-key
          <span key={index} className={styles.part}>
            {part}
          </span>
        ))}
      </span>
      {whole === short ? null : (
        <Link as="button" aria-label={t("common.labelled", { action: toggle, subject: programName })} onClick={() => setIsWhole(!isWhole)}>
          {toggle}
        </Link>
      )}
    </span>
  );
}

const useStyles = makeStyles({
  root: { display: "flex", flexDirection: "column", alignItems: "flex-start", rowGap: tokens.spacingVerticalXXS },
  path: { fontFamily: tokens.fontFamilyMonospace, fontSize: tokens.fontSizeBase200, overflowWrap: "anywhere", unicodeBidi: "isolate" },
  part: { unicodeBidi: "isolate" },
});
