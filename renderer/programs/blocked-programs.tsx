/** Programs that are refused without a question, and the way back for each. */
import { Button, Text } from "@fluentui/react-components";
import { useTranslation } from "react-i18next";
import type { BlockedProgramView } from "../../shared/views.ts";
import { invoke } from "../api.ts";
import { nameLimit } from "../pairing/program-claims.tsx";
import { ProgramPath } from "../pairing/program-path.tsx";
import { Card, CardList, Facts } from "../parts/card.tsx";
import { ConfirmDialog } from "../parts/confirm-dialog.tsx";
import { Moment } from "../parts/moment.tsx";
import { Section } from "../parts/page.tsx";
import { plainText } from "../parts/plain-text.ts";
import { ProgramHead } from "./program-head.tsx";

/** Shows nothing while nothing is blocked. */
export function BlockedPrograms({ blocked }: { readonly blocked: readonly BlockedProgramView[] }) {
  const { t } = useTranslation();
  if (blocked.length === 0) return null;
  return (
    <Section title={t("programs.blocked.title")}>
      <Text>{t("programs.blocked.lead")}</Text>
      <CardList label={t("programs.blocked.title")}>
        {blocked.map((program) => (
          <BlockedCard key={program.blockedId} program={program} />
        ))}
      </CardList>
    </Section>
  );
}

function BlockedCard({ program }: { readonly program: BlockedProgramView }) {
  const { t } = useTranslation();
  const { blockedId, publisher, programPath, blockedAtMs } = program;
  const name = plainText(program.name, nameLimit);
  const isByFile = programPath !== undefined;
  return (
    <Card label={name}>
      <ProgramHead level="h3" name={name}>
        <UnblockButton blockedId={blockedId} name={name} isByFile={isByFile} />
      </ProgramHead>
      <Facts
        facts={[
          [t("programs.publisher"), publisher && plainText(publisher, nameLimit)],
          [t("programs.programPath"), programPath && <ProgramPath key="path" path={programPath} programName={name} />],
          [t("programs.blocked.refused"), t(isByFile ? "programs.blocked.byFile" : "programs.blocked.byName")],
          [t("programs.blocked.since"), <Moment key="since" atMs={blockedAtMs} />],
        ]}
      />
    </Card>
  );
}

interface UnblockButtonProps {
  readonly blockedId: string;
  readonly name: string;
  /** Whether its file is blocked, not its name. */
  readonly isByFile: boolean;
}

function UnblockButton({ blockedId, name, isByFile }: UnblockButtonProps) {
  const { t } = useTranslation();
  const label = t("programs.blocked.unblock.open");
  return (
    <ConfirmDialog
      trigger={<Button aria-label={t("common.labelled", { action: label, subject: name })}>{label}</Button>}
      title={t("programs.blocked.unblock.title", { name })}
      confirmLabel={t("programs.blocked.unblock.confirm")}
      onConfirm={() => invoke("blocked.remove", { blockedId })}
    >
      <Text>{t(isByFile ? "programs.blocked.unblock.byFile" : "programs.blocked.unblock.byName")}</Text>
      <Text>{t("programs.blocked.unblock.doesNot")}</Text>
    </ConfirmDialog>
  );
}
