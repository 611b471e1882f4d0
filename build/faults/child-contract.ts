/** What the process on the failing disk is given and what it reports. Imports types only: whoever starts it loads nothing of the product. */
import type { CaseResult, StoryCase } from "./fault-case.ts";
import type { RotatedTokenCase } from "./rotated-token-case.ts";

export type AnyCase = StoryCase | RotatedTokenCase;

/** One line of output, as JSON. */
export type ReportedCase = CaseResult;

/** The environment of the process. */
export const childVariables = {
  /** Read by the layer: only files below this folder fail. */
  watched: "DMS_CONNECT_FAULTS_FOLDER",
  /** Read by the layer and by fault-switch.ts. */
  orders: "DMS_CONNECT_FAULTS_ORDERS",
  /** File with a JSON array of cases. */
  cases: "DMS_CONNECT_FAULTS_CASES",
  /** Folder for files that never fail. */
  other: "DMS_CONNECT_FAULTS_OTHER",
  /** Set: the product is broken on purpose. */
  sabotage: "DMS_CONNECT_FAULTS_SABOTAGE",
} as const;
