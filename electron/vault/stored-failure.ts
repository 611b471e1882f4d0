/** Failures as the vault stores them: code, params and wait. The texts come from the catalogue of the running version. */
import { z } from "zod";
import { type Failure, type FailureCode, failure } from "../../shared/failure.ts";
import { failureCatalogue } from "../../shared/failure-catalogue.ts";

const codeSchema = z.custom<FailureCode>((value) => typeof value === "string" && Object.hasOwn(failureCatalogue, value));

const compactSchema = z.object({
  code: codeSchema,
  params: z.record(z.string(), z.union([z.string(), z.number()])),
  retryAfterSeconds: z.number().exactOptional(),
});

/** Parses what `compactFailure` made. */
export const storedFailureSchema = compactSchema.transform(
  (stored): Failure => failure(stored.code, stored.params, { retryAfterSeconds: stored.retryAfterSeconds }),
);

/** The part of a failure worth storing. */
export function compactFailure(value: Failure): z.input<typeof storedFailureSchema> {
  return {
    code: value.code,
    params: { ...value.params },
    ...(value.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: value.retryAfterSeconds }),
  };
}
