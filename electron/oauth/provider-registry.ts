/**
 * The providers this build knows. Invariant: each file in `providers/` that is no test is one
 * provider, found by its place alone, so that a new one needs no change anywhere else.
 */
import type { ProviderDefinition } from "../core/provider-definition.ts";

const definitions = import.meta.glob<ProviderDefinition>(["./providers/*.ts", "!./providers/*.test.ts"], {
  eager: true,
  import: "provider",
});

/** All provider definitions, in the order of their file names. */
export const builtInProviders: readonly ProviderDefinition[] = Object.keys(definitions)
  .sort()
  .flatMap((path) => definitions[path] ?? []);
