/**
 * Client registrations: what the providers gave the DMS vendor. Invariant: what is in memory is what the vault holds;
 * a client secret is in the vault and in a `ResolvedClient` that goes to the OAuth adapter, and nowhere else.
 */
import { type Failure, failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import {
  type Environment,
  environments,
  type ProviderEndpoints,
  type ProviderPause,
  type ProviderView,
  type RegistrationInput,
  type RegistrationView,
} from "../../shared/views.ts";
import type { ConnectionKey } from "./connection-state.ts";
import type { ProviderDescription } from "./connection-view.ts";
import { createEmitter } from "./emitter.ts";
import type { ResolvedClient, Vault } from "./ports.ts";
import type { ProviderDefinition } from "./provider-definition.ts";
import { checkRegistration } from "./registration-check.ts";

interface Stored {
  readonly registration: RegistrationView;
  readonly clientSecret: string;
}

export class Registrations {
  readonly #vault: Vault;
  readonly #providers: ReadonlyMap<string, ProviderDefinition>;
  #views: readonly RegistrationView[] = [];
  readonly #changed = createEmitter<readonly RegistrationView[]>();
  readonly onChanged = this.#changed.listen;

  constructor(vault: Vault, providers: readonly ProviderDefinition[]) {
    this.#vault = vault;
    this.#providers = new Map(providers.map((provider) => [provider.id, provider]));
  }

  /** Reads what the vault holds; call once before anything else. */
  async open(): Promise<Result<undefined>> {
    const listed = await this.#vault.listRegistrations();
    if (!listed.ok) return listed;
    this.#views = listed.value;
    return ok();
  }

  list(): readonly RegistrationView[] {
    return this.#views;
  }

  provider(id: string): ProviderDefinition | undefined {
    return this.#providers.get(id);
  }

  /** @param pauseOf whether a provider environment is not asked just now */
  providerViews(
    pauseOf: (provider: string, environment: Environment) => ProviderPause | undefined = () => undefined,
  ): readonly ProviderView[] {
    return [...this.#providers.values()].map((provider) => this.#providerView(provider, pauseOf));
  }

  #providerView(
    provider: ProviderDefinition,
    pauseOf: (provider: string, environment: Environment) => ProviderPause | undefined,
  ): ProviderView {
    const offered = environments.filter((environment) => provider.environments[environment] !== undefined);
    return {
      id: provider.id,
      name: provider.name,
      canRevoke: provider.revocation === "rfc7009",
      hasOrganisations: provider.organisationHeader !== undefined,
      hasGrantScreens: offered.some((environment) => this.grantScreensUrl(provider.id, environment) !== undefined),
      environments: offered.map((environment) => {
        const registration = this.#find(provider.id, environment);
        const paused = registration === undefined ? undefined : pauseOf(provider.id, environment);
        return {
          environment,
          registered: registration !== undefined,
          organisations: registration?.organisations ?? [],
          ...(paused === undefined ? {} : { paused }),
        };
      }),
    };
  }

  describe(key: ConnectionKey): ProviderDescription {
    const provider = this.#providers.get(key.provider);
    return {
      name: provider?.name ?? key.provider,
      canRevoke: provider?.revocation === "rfc7009",
      hasGrantScreens: this.grantScreensUrl(key.provider, key.environment) !== undefined,
    };
  }

  isRegistered(provider: string, environment: Environment): boolean {
    return this.#find(provider, environment) !== undefined;
  }

  /** Where the requests of a registered environment go: the definition's addresses, replaced by the registration's own. */
  endpoints(provider: string, environment: Environment): ProviderEndpoints | undefined {
    const registration = this.#find(provider, environment);
    const defined = this.#providers.get(provider)?.environments[environment];
    return registration === undefined || defined === undefined ? undefined : { ...defined, ...registration.endpoints };
  }

  /** The organisations a registration lists; none means any. */
  organisations(provider: string, environment: Environment): readonly string[] {
    return this.#find(provider, environment)?.organisations ?? [];
  }

  /** The provider's own screens for ending grants, if it has any. */
  grantScreensUrl(provider: string, environment: Environment): string | undefined {
    const own = this.#find(provider, environment)?.endpoints?.grantScreensUrl;
    return own ?? this.#providers.get(provider)?.environments[environment]?.grantScreensUrl;
  }

  /**
   * The environment a request means: the one it names, else the only one registered, else production.
   * Fails with `provider_unknown`.
   */
  environmentOf(provider: string, named: Environment | undefined): Result<Environment> {
    if (!this.#providers.has(provider)) return err(this.#unknownProvider(provider));
    if (named !== undefined) return ok(named);
    const registered = this.#views.filter((view) => view.provider === provider);
    const only = registered.length === 1 ? registered[0] : undefined;
    return ok(only?.environment ?? "production");
  }

  /** Everything a request to the provider needs. Fails with `provider_unknown`, `registration_missing` or a `vault_*` code. */
  async resolve(providerId: string, environment: Environment): Promise<Result<ResolvedClient>> {
    const provider = this.#providers.get(providerId);
    if (provider === undefined) return err(this.#unknownProvider(providerId));
    const endpoints = provider.environments[environment];
    const missing = failure("registration_missing", { provider: provider.name, environment });
    if (endpoints === undefined) return err(missing);
    const stored = await this.#vault.readRegistration(providerId, environment);
    if (!stored.ok) return stored;
    if (stored.value === undefined) return err(missing);
    const { registration, clientSecret } = stored.value;
    return ok({ provider, environment, endpoints: { ...endpoints, ...registration.endpoints }, registration, clientSecret });
  }

  /** Checks and stores all of them or none. An absent secret keeps the stored one. */
  async save(inputs: readonly RegistrationInput[]): Promise<Result<undefined>> {
    const checked: Stored[] = [];
    for (const input of inputs) {
      const one = await this.#complete(input);
      if (!one.ok) return one;
      checked.push(one.value);
    }
    const saved = await this.#vault.saveRegistrations(checked);
    return saved.ok ? this.#reload() : saved;
  }

  async #complete(input: RegistrationInput): Promise<Result<Stored>> {
    const provider = this.#providers.get(input.provider);
    if (provider === undefined) return err(this.#unknownProvider(input.provider));
    const problem = checkRegistration(input, provider);
    if (problem !== undefined) return err(problem);
    const found = input.clientSecret === undefined ? await this.#storedSecretFor(input) : ok(input.clientSecret);
    if (!found.ok) return found;
    const clientSecret = found.value;
    if (clientSecret === undefined) return err(failure("registration_invalid", { field: "clientSecret", problem: "it is missing" }));
    const { clientSecret: _secret, ...rest } = input;
    return ok({ registration: { ...rest, hasClientSecret: true }, clientSecret });
  }

  /** The stored secret stays with the client id and the addresses it was entered for: changed ones could be anybody's. */
  async #storedSecretFor(input: RegistrationInput): Promise<Result<string | undefined>> {
    const stored = await this.#vault.readRegistration(input.provider, input.environment);
    if (!stored.ok) return stored;
    if (stored.value === undefined) return ok(undefined);
    const { registration, clientSecret } = stored.value;
    if (registration.clientId === input.clientId && sameEndpoints(registration, input)) return ok(clientSecret);
    return err(
      failure("registration_invalid", { field: "clientSecret", problem: "enter it again, because the client id or an address changed" }),
    );
  }

  async remove(provider: string, environment: Environment): Promise<Result<undefined>> {
    const deleted = await this.#vault.deleteRegistration(provider, environment);
    return deleted.ok ? this.#reload() : deleted;
  }

  async #reload(): Promise<Result<undefined>> {
    const opened = await this.open();
    if (opened.ok) this.#changed.emit(this.#views);
    return opened;
  }

  #find(provider: string, environment: Environment): RegistrationView | undefined {
    return this.#views.find((view) => view.provider === provider && view.environment === environment);
  }

  #unknownProvider(provider: string): Failure {
    return failure("provider_unknown", { provider, known: [...this.#providers.keys()].join(", ") });
  }
}

function sameEndpoints(a: Pick<RegistrationView, "endpoints">, b: Pick<RegistrationView, "endpoints">): boolean {
  const names = ["authorizationEndpoint", "tokenEndpoint", "revocationEndpoint"] as const;
  return names.every((name) => a.endpoints?.[name] === b.endpoints?.[name]);
}
