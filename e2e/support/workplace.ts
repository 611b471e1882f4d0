/**
 * A throw-away workstation: profile, pipe and files of one app. Invariant: everything lies in one folder that only this
 * user can enter, and `dispose` leaves nothing of it.
 */
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RegistrationInput } from "../../shared/views.ts";
import type { LaunchOptions } from "../hosts/launch.ts";

export interface Workplace {
  readonly folder: string;
  readonly profile: string;
  readonly pipe: string;
  /** Where the sample program keeps its client key. */
  readonly credentialsFile: string;
  readonly mazdaCertificateFile: string;
  readonly registrationFile: string;
  readonly writeRegistrations: (registrations: readonly RegistrationInput[]) => Promise<void>;
  readonly removeRegistrations: () => Promise<void>;
  /** Writes a policy for this computer; its file. */
  readonly writePolicy: (policy: object) => Promise<string>;
  /** How the app is started here; with `import` it also reads the registration file. */
  readonly launchOptions: (registrations: "import" | "none") => LaunchOptions;
  readonly dispose: () => Promise<void>;
}

/** @param mazdaCertificatePem the certificate that the app is to trust on loopback */
export async function makeWorkplace(mazdaCertificatePem: string): Promise<Workplace> {
  // mkdtemp makes it with mode 0700. The name is short: a socket's path has 107 bytes at most, and Chromium's own takes 45
  // below its temporary folder.
  const folder = mkdtempSync(join(tmpdir(), "dms-connect-"));
  const [profile, runtime, temporary] = [join(folder, "profile"), join(folder, "run"), join(folder, "tmp")];
  for (const each of [profile, runtime, temporary]) mkdirSync(each, { mode: 0o700 });
  const pipe = process.platform === "win32" ? `\\\\.\\pipe\\dms-connect-${randomBytes(8).toString("hex")}` : join(runtime, "broker.sock");
  const mazdaCertificateFile = join(folder, "mazda.pem");
  const registrationFile = join(folder, "registrations.json");
  await writeFile(mazdaCertificateFile, mazdaCertificatePem);
  return {
    folder,
    profile,
    pipe,
    credentialsFile: join(folder, "sample-dms", "credentials.json"),
    mazdaCertificateFile,
    registrationFile,
    writeRegistrations: (registrations) => writeFile(registrationFile, JSON.stringify({ version: 1, registrations }), { mode: 0o600 }),
    writePolicy: async (policy) => {
      const file = join(folder, "policy.json");
      await writeFile(file, JSON.stringify(policy), { mode: 0o600 });
      return file;
    },
    removeRegistrations: () => rm(registrationFile, { force: true }),
    launchOptions: (wanted) => ({
      profile,
      args: [
        `--trust-loopback-certificate=${mazdaCertificateFile}`,
        ...(wanted === "import" ? [`--import-registrations=${registrationFile}`] : []),
      ],
      env: {
        DMS_CONNECT_PIPE: pipe,
        XDG_RUNTIME_DIR: runtime,
        NODE_EXTRA_CA_CERTS: mazdaCertificateFile,
        // What the app and its browser leave there is searched for secrets, too, and goes with the rest.
        ...Object.fromEntries(["TMPDIR", "TMP", "TEMP"].map((name) => [name, temporary])),
      },
    }),
    dispose: () => rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }),
  };
}
