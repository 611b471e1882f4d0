import { describe, expect, it } from "vitest";
import { failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import { createVaultHandlers, type TransferBroker, type VaultControl } from "./vault-handlers.ts";

const passphrase = "correct horse battery staple";
const counts = { registrations: 2, connections: 3, withSignIn: 0, skipped: 1 };
const locked = err(failure("vault_locked"));

/** The handlers over parts that note what they were asked. */
function start(options: {
  readonly open?: boolean;
  readonly chosenFile?: Result<string | undefined>;
  readonly saved?: Result<boolean>;
  readonly imported?: Awaited<ReturnType<TransferBroker["transfer"]["importAll"]>>;
  readonly done?: Result<undefined>;
}) {
  const asked: unknown[][] = [];
  const audit: string[] = [];
  const note =
    (name: string) =>
    async (...args: unknown[]): Promise<Result<undefined>> => {
      asked.push([name, ...args]);
      return options.done ?? ok();
    };
  const vault: VaultControl = {
    tryAgain: note("tryAgain"),
    unlock: note("unlock"),
    setPassphrase: note("setPassphrase"),
    removePassphrase: note("removePassphrase"),
    startAnew: note("startAnew"),
    useEarlierSystemKeys: note("useEarlierSystemKeys"),
    rekey: note("rekey"),
  };
  const broker: TransferBroker = {
    transfer: {
      checkPassphrase: (given) => (given.length < 12 ? failure("vault_passphrase_weak", { least: 12 }) : undefined),
      exportAll: async (params) => {
        asked.push(["exportAll", params]);
        return ok({ text: "sealed", registrations: 1, connections: 1, withSignIn: 1 });
      },
      importAll: async (...args) => {
        asked.push(["importAll", ...args]);
        return options.imported ?? ok(counts);
      },
    },
    audit: (action, outcome) => audit.push(`${action} ${outcome}`),
  };
  const handlers = createVaultHandlers({
    vault,
    broker: () => (options.open === false ? locked : ok(broker)),
    files: {
      openTransferFile: async () => options.chosenFile ?? ok("sealed"),
      saveTransferFile: async (suggestedName, makeText) => {
        asked.push(["saveTransferFile", suggestedName]);
        if (options.saved !== undefined) return options.saved;
        const text = await makeText();
        return text.ok ? ok(true) : text;
      },
    },
  });
  return { handlers, asked, audit };
}

describe("the calls about the vault's keys", () => {
  it("reach the vault with the passphrase, and change nothing else", async () => {
    const { handlers, asked } = start({});
    await handlers["vault.tryAgain"]();
    await handlers["vault.unlock"]({ passphrase });
    await handlers["vault.setPassphrase"]({ passphrase });
    await handlers["vault.removePassphrase"]();
    await handlers["vault.startAnew"]();
    await handlers["vault.useEarlierSystemKeys"]();
    await handlers["vault.rekey"]({ passphrase });
    await handlers["vault.rekey"]({});
    expect(asked).toEqual([
      ["tryAgain"],
      ["unlock", passphrase],
      ["setPassphrase", passphrase],
      ["removePassphrase"],
      ["startAnew"],
      ["useEarlierSystemKeys"],
      ["rekey", passphrase],
      ["rekey", undefined],
    ]);
  });

  it("leave an audit row where they change who can open the vault", async () => {
    const { handlers, audit } = start({});
    await handlers["vault.setPassphrase"]({ passphrase });
    await handlers["vault.removePassphrase"]();
    await handlers["vault.rekey"]({});
    expect(audit).toEqual(["vault.passphrase.set ok", "vault.passphrase.remove ok", "vault.rekey ok"]);
  });

  it("audit how they failed, and answer it", async () => {
    const wrong = err(failure("vault_passphrase_wrong"));
    const { handlers, audit } = start({ done: wrong });
    expect(await handlers["vault.rekey"]({ passphrase })).toEqual(wrong);
    expect(audit).toEqual(["vault.rekey vault_passphrase_wrong"]);
  });

  it("work while the vault is locked, which takes no rows", async () => {
    const { handlers, audit, asked } = start({ open: false });
    expect(await handlers["vault.unlock"]({ passphrase })).toEqual({ ok: true, value: undefined });
    expect(await handlers["vault.setPassphrase"]({ passphrase })).toEqual({ ok: true, value: undefined });
    expect([asked.length, audit]).toEqual([2, []]);
  });
});

describe("an export from the window", () => {
  it("is saved under a name with its date and audited", async () => {
    const { handlers, asked, audit } = start({});
    expect(await handlers["vault.export"]({ passphrase, includeSignIns: false })).toEqual({ ok: true, value: { saved: true } });
    expect(asked).toEqual([
      ["saveTransferFile", expect.stringMatching(/^dms-connect-export-\d{4}-\d{2}-\d{2}\.json$/)],
      ["exportAll", { passphrase, includeSignIns: false }],
    ]);
    expect(audit).toEqual(["vault.export ok"]);
  });

  it("is audited by another word when it takes sign-ins with it", async () => {
    const { handlers, audit } = start({});
    await handlers["vault.export"]({ passphrase, includeSignIns: true });
    expect(audit).toEqual(["vault.export.with-sign-ins ok"]);
  });

  it("refuses a weak passphrase before it asks for a file", async () => {
    const { handlers, asked } = start({});
    const refused = await handlers["vault.export"]({ passphrase: "short", includeSignIns: false });
    expect(refused).toMatchObject({ ok: false, error: { code: "vault_passphrase_weak" } });
    expect(asked).toEqual([]);
  });

  it("leaves no row when the person cancels, and one when the file could not be written", async () => {
    const cancelled = start({ saved: ok(false) });
    expect(await cancelled.handlers["vault.export"]({ passphrase, includeSignIns: false })).toEqual({ ok: true, value: { saved: false } });
    const failed = start({ saved: err(failure("file_not_written", { problem: "disk full" })) });
    expect(await failed.handlers["vault.export"]({ passphrase, includeSignIns: false })).toMatchObject({ ok: false });
    expect([cancelled.audit, failed.audit]).toEqual([[], ["vault.export file_not_written"]]);
  });

  it("needs an open vault", async () => {
    const { handlers, asked } = start({ open: false });
    expect(await handlers["vault.export"]({ passphrase, includeSignIns: false })).toEqual(locked);
    expect(await handlers["vault.import"]({ passphrase })).toEqual(locked);
    expect(asked).toEqual([]);
  });
});

describe("an import in the window", () => {
  it("tells what it brought and is audited", async () => {
    const { handlers, asked, audit } = start({});
    expect(await handlers["vault.import"]({ passphrase })).toEqual({ ok: true, value: { cancelled: false, ...counts } });
    expect(asked).toEqual([["importAll", "sealed", passphrase]]);
    expect(audit).toEqual(["vault.import ok"]);
  });

  it("is audited by another word when it brought sign-ins, and with its failure", async () => {
    const withSignIns = start({ imported: ok({ ...counts, withSignIn: 1 }) });
    await withSignIns.handlers["vault.import"]({ passphrase });
    const failed = start({ imported: err(failure("vault_passphrase_wrong")) });
    expect(await failed.handlers["vault.import"]({ passphrase })).toMatchObject({ ok: false });
    expect([withSignIns.audit, failed.audit]).toEqual([["vault.import.with-sign-ins ok"], ["vault.import vault_passphrase_wrong"]]);
  });

  it("does nothing when the person cancels or the file cannot be read", async () => {
    const nothing = { cancelled: true, registrations: 0, connections: 0, withSignIn: 0, skipped: 0 };
    const cancelled = start({ chosenFile: ok(undefined) });
    expect(await cancelled.handlers["vault.import"]({ passphrase })).toEqual({ ok: true, value: nothing });
    const unreadable = err(failure("vault_transfer_unreadable"));
    const failed = start({ chosenFile: unreadable });
    expect(await failed.handlers["vault.import"]({ passphrase })).toEqual(unreadable);
    expect([cancelled.asked, failed.asked, cancelled.audit, failed.audit]).toEqual([[], [], [], []]);
  });
});
