/** The last day of a program's access, from the browser's own calendar: it writes dates as the computer does. */
import { Field, Input } from "@fluentui/react-components";
import { useTranslation } from "react-i18next";
import { useNow } from "../state/use-now.ts";
import { type AccessProblems, dayText } from "./access-form.ts";

/** A year has four digits; without this the field takes six. */
const lastPossibleDay = "9999-12-31";
const minuteMs = 60_000;

interface LastDayFieldProps {
  /** `YYYY-MM-DD` or empty. */
  readonly day: string;
  readonly problem: AccessProblems["lastDay"];
  readonly onChange: (day: string) => void;
}

export function LastDayField({ day, problem, onChange }: LastDayFieldProps) {
  const { t } = useTranslation();
  const nowMs = useNow(minuteMs);
  return (
    <Field
      label={t("access.lastDay")}
      hint={t("access.lastDayHint")}
      {...(problem === undefined ? {} : { validationMessage: t(`access.${problem}`) })}
    >
      <Input type="date" min={dayText(nowMs)} max={lastPossibleDay} value={day} onChange={(_event, data) => onChange(data.value)} />
    </Field>
  );
}
