/**
 * Whether a registration makes sense. Its shape was parsed at the edge; here its meaning is checked: redirect URIs must
 * be loopback (RFC 8252 section 7.3), endpoints https except on loopback.
 */
import { type Failure, failure } from "../../shared/failure.ts";
import type { ProviderEndpoints, RegistrationInput } from "../../shared/views.ts";
import type { ProviderDefinition } from "./provider-definition.ts";

/** RFC 8252 section 8.3 advises against `localhost`, but a provider may have registered it: compared exactly, it must be used. */
const loopbackHost = /^(127\.0\.0\.1|\[::1\]|localhost)$/;
/** scheme, host, port, path. Deliberately narrow: no user info, query or fragment. */
const redirectUriForm = /^(https?):\/\/([^/:?#@[\]\s\\]+|\[[0-9a-f:]+\])(?::(\d{1,5}))?(\/[^?#\s]*)$/i;
const endpointForm = /^(https?):\/\/([^/:?#@[\]\s\\]+|\[[0-9a-f:]+\])(?::(\d{1,5}))?(\/[^#\s]*)?$/i;

/** The first thing wrong with it, as `registration_invalid`, or nothing. */
export function checkRegistration(input: RegistrationInput, provider: ProviderDefinition): Failure | undefined {
  const invalid = (field: string, problem: string) => failure("registration_invalid", { field, problem });
  if (provider.environments[input.environment] === undefined) {
    return invalid("environment", `${provider.name} has no ${input.environment} environment`);
  }
  if (input.clientId.trim() === "") return invalid("clientId", "it is empty");
  if (input.clientSecret === "") return invalid("clientSecret", "it is empty");
  if (input.redirectUris.length === 0) return invalid("redirectUris", "at least one is needed");
  for (const uri of input.redirectUris) {
    const problem = redirectUriProblem(uri);
    if (problem !== undefined) return invalid("redirectUris", problem);
  }
  for (const [name, url] of Object.entries(input.endpoints ?? {}) as [keyof ProviderEndpoints, string][]) {
    const problem = endpointProblem(url);
    if (problem !== undefined) return invalid(`endpoints.${name}`, problem);
  }
  return undefined;
}

function redirectUriProblem(uri: string): string | undefined {
  const match = redirectUriForm.exec(uri);
  if (match === null) return "write it as http(s)://127.0.0.1:PORT/path, without ? or #";
  if (!loopbackHost.test(match[2] ?? "")) return "its host must be this computer: 127.0.0.1, [::1] or localhost";
  return portProblem(match[3]);
}

function endpointProblem(url: string): string | undefined {
  const match = endpointForm.exec(url);
  if (match === null) return "it is not a web address";
  if (match[1]?.toLowerCase() !== "https" && !loopbackHost.test(match[2] ?? "")) return "it must begin with https://";
  return portProblem(match[3]);
}

function portProblem(port: string | undefined): string | undefined {
  if (port === undefined) return undefined;
  const number = Number(port);
  return number >= 1 && number <= 65_535 ? undefined : "its port must be between 1 and 65535";
}
