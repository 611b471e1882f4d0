import { randomBytes } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it, onTestFinished } from "vitest";
import { createConnectionRows } from "./connection-rows.ts";
import { openIntegrity } from "./integrity.ts";
import { createTables, migrate } from "./migrations.ts";
import { createSealer } from "./sealing.ts";
import { createSecretRows } from "./secret-rows.ts";
import { active, jane, john, valueOf } from "./testing/profile.ts";
import { inTransaction } from "./transaction.ts";

function open() {
  const database = new DatabaseSync(":memory:");
  onTestFinished(() => database.close());
  const sealer = createSealer(randomBytes(32));
  createTables(database);
  migrate(database, sealer, "vault");
  const integrity = openIntegrity(database, sealer);
  expect(integrity.verify()).toBe(true);
  return { database, sealer, integrity, connections: createConnectionRows(database, sealer, integrity) };
}

describe("integrity", () => {
  it("follows every change, whatever is in the names", () => {
    const { database, sealer, integrity, connections } = open();
    const odd = { ...john, user: "ß.\u0000'\"\\.é\ud800" };
    for (const key of [john, odd]) for (const generation of [1, 2, 3]) valueOf(connections.commit(active(key, generation)));
    valueOf(connections.delete(john, 3));
    const secrets = createSecretRows(database, sealer, integrity);
    secrets.save("one", "first");
    secrets.save("one", "second");
    expect(openIntegrity(database, sealer).verify()).toBe(true);
  });

  it("goes back with a transaction that is rolled back", () => {
    const { database, sealer, connections } = open();
    valueOf(connections.commit(active(john, 1)));
    const failing = () =>
      inTransaction(database, () => {
        connections.replace(active(jane, 1));
        connections.replace(active(john, 5));
        throw new Error("the disk is full");
      });
    expect(failing).toThrow("the disk is full");
    valueOf(connections.commit(active(john, 2)));
    expect(openIntegrity(database, sealer).verify()).toBe(true);
  });

  it("refuses to follow rows it has not verified", () => {
    const { database, sealer } = open();
    const unverified = createConnectionRows(database, sealer, openIntegrity(database, sealer));
    expect(() => unverified.commit(active(john, 1))).toThrow("not been verified");
  });

  it("does not take another key's word", () => {
    const { database } = open();
    expect(openIntegrity(database, createSealer(randomBytes(32))).verify()).toBe(false);
  });
});
