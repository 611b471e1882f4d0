/** Everything that is secret in a spec, and where some of it lies by design. */
import { readCredentials } from "../../clients/node/credentials-file.ts";
import type { Dealer } from "./dealer-test.ts";
import type { NamedSecret } from "./secret-search.ts";
import { mazdaClientSecret, webfleetClientSecret } from "./test-dealer.ts";

/** Files of a workplace: what the DMS vendor gave, and what the program keeps in its own care. */
export const secretByDesign: readonly string[] = ["registrations.json", "sample-dms/credentials.json"];

/**
 * Codes and tokens of both providers, both client secrets and the key of the sample program, which must be paired.
 *
 * @throws when the program has no key
 */
export async function issuedSecrets(dealer: Dealer): Promise<readonly NamedSecret[]> {
  const credentials = await readCredentials(dealer.workplace.credentialsFile);
  if (credentials === undefined) throw new Error("the sample program has stored no credentials");
  return [
    ...dealer.mazda.issuedSecrets().map((value) => ({ name: "a code or token of Mazda", value })),
    ...dealer.webfleet.issuedSecrets().map((value) => ({ name: "a code or token of Webfleet", value })),
    { name: "Mazda's client secret", value: mazdaClientSecret },
    { name: "Webfleet's client secret", value: webfleetClientSecret },
    { name: "the program's key", value: credentials.clientKey },
  ];
}
