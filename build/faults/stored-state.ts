/**
 * Compares what an app that was just started knows with what was acknowledged, and with the one refresh token that the
 * provider still accepts. Invariant: it only reads.
 */
import type { WindowBroker } from "../../electron/ipc/handlers.ts";
import type { Failure } from "../../shared/failure.ts";
import { clientSecret, key, type Story } from "./story.ts";

export interface StoredProblems {
  /** Acknowledged, and not there. */
  readonly lost: readonly string[];
  /** What is there cannot be read, or was set aside. */
  readonly unreadable: readonly string[];
}

/** Things a start may tell although nothing is damaged: the credential store is not there in these tests. */
const harmlessNotices: readonly Failure["code"][] = ["vault_key_single_copy", "vault_backup_failed"];

/** Reads everything the story relies on from the app that runs. */
export async function compareWithStored(story: Story): Promise<StoredProblems> {
  const lost: string[] = story.broken.splice(0);
  const unreadable = noticesOf(story).map((code) => `a start tells ${code}`);
  const broker = story.broker();
  if (!broker.ok) return { lost, unreadable: [...unreadable, `the vault does not open: ${broker.error.code}`] };
  lost.push(...(await lostRegistration(story, broker.value)), ...(await lostPairing(story)), ...lostSettings(story));
  const connection = await compareConnection(story, broker.value);
  if (story.provider.reuses() > 0) lost.push("a spent refresh token was used again");
  return { lost: [...lost, ...connection.lost], unreadable: [...unreadable, ...connection.unreadable] };
}

/**
 * What the running app says of a damaged vault, if anything. A fault of the disk is never a damaged file; the settings may be called
 * unreadable while it lasts.
 */
export function vaultDamageNotices(story: Story): readonly string[] {
  return noticesOf(story).filter((code) => code.startsWith("vault_"));
}

function noticesOf(story: Story): readonly Failure["code"][] {
  const { notices } = story.app.application.status();
  return notices.map(({ code }) => code).filter((code) => !harmlessNotices.includes(code));
}

async function lostRegistration(story: Story, { registrations }: WindowBroker): Promise<readonly string[]> {
  if (!story.acknowledged.registration) return [];
  const resolved = await registrations.resolve(key.provider, key.environment);
  if (!resolved.ok) return [`the registration: ${resolved.error.code}`];
  return resolved.value.clientSecret === clientSecret ? [] : ["the client secret"];
}

async function lostPairing(story: Story): Promise<readonly string[]> {
  if (story.acknowledged.credentials === undefined) return [];
  const session = await story.session();
  return session.ok ? [] : [`the pairing: ${session.error.code}`];
}

function lostSettings(story: Story): readonly string[] {
  if (!story.acknowledged.settings) return [];
  return story.app.application.settings.read().theme === "dark" ? [] : ["the settings"];
}

async function compareConnection(story: Story, { connections }: WindowBroker): Promise<StoredProblems> {
  const loaded = await connections.load(key);
  const listed = await connections.list();
  if (!loaded.ok) return { lost: [], unreadable: [`the connection: ${loaded.error.code}`] };
  if (!listed.ok) return { lost: [], unreadable: [`the list of connections: ${listed.error.code}`] };
  const { record, overlay } = loaded.value;
  if (overlay?.kind === "ConnectFailed") return { lost: [], unreadable: [`the connection: ${overlay.failure.code}`] };
  if (listed.value.length !== (record === undefined ? 0 : 1)) return { lost: ["the list of connections"], unreadable: [] };
  const { connected, revoked } = story.acknowledged;
  if (revoked) {
    const alive = story.provider.goodRefreshToken() !== undefined;
    return {
      lost: [...(record === undefined ? [] : ["the revocation here"]), ...(alive ? ["the revocation at the provider"] : [])],
      unreadable: [],
    };
  }
  if (!connected || story.revokeTried) return { lost: [], unreadable: [] };
  if (record === undefined) return { lost: ["the connection"], unreadable: [] };
  if (!("grant" in record.state)) return { lost: [`the tokens: ${record.state.kind}`], unreadable: [] };
  const good = record.state.grant.refreshToken === story.provider.goodRefreshToken();
  return { lost: good ? [] : [`the rotated refresh token (the stored one is spent; ${record.state.kind})`], unreadable: [] };
}
