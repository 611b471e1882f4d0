/** A setting that is on or off: saved at once, with a sentence about what it does. */
import { Checkbox, makeStyles, Text, tokens } from "@fluentui/react-components";
import { useId } from "react";
import { Box } from "../parts/card.tsx";
import { FailureMessage } from "../parts/failure-message.tsx";
import type { Action } from "../state/use-action.ts";

interface SettingCheckboxProps {
  readonly label: string;
  readonly hint: string;
  readonly checked: boolean;
  /** Why it cannot be changed, where it cannot. */
  readonly ruledBecause?: string | undefined;
  readonly action: Action;
  readonly onChange: (checked: boolean) => void;
}

export function SettingCheckbox({ label, hint, checked, ruledBecause, action, onChange }: SettingCheckboxProps) {
  const styles = useStyles();
  const hintId = useId();
  return (
    <Box>
      <div>
        <Checkbox
          label={label}
          aria-describedby={hintId}
          checked={checked}
          disabled={ruledBecause !== undefined}
          onChange={(_event, data) => onChange(data.checked === true)}
        />
        <div id={hintId} className={styles.hints}>
          <Text size={200}>{hint}</Text>
          {ruledBecause === undefined ? null : <Text weight="semibold">{ruledBecause}</Text>}
        </div>
      </div>
      {action.failure === undefined ? null : <FailureMessage failure={action.failure} onDismiss={action.clear} />}
    </Box>
  );
}

const useStyles = makeStyles({
  // Below the label of the box, as Fluent puts it.
  hints: {
    display: "flex",
    flexDirection: "column",
    rowGap: tokens.spacingVerticalXS,
    paddingInlineStart: tokens.spacingHorizontalXXXL,
    color: tokens.colorNeutralForeground2,
    maxWidth: "80ch",
  },
});
