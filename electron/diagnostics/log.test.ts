import { EventEmitter } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { createLog, type LogLevel, type OpenedLog } from "./log.ts";
import { openRotatingFile } from "./rotating-file.ts";
import { logUnhandled } from "./unhandled.ts";

const token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJqb2huIn0.c2lnbmF0dXJl";

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "dms-connect-log-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function open(folder = temporaryFolder(), level?: LogLevel): OpenedLog {
  const log = createLog(level === undefined ? { folder } : { folder, level });
  onTestFinished(log.close);
  return log;
}

function lines(log: OpenedLog): Record<string, unknown>[] {
  const text = readFileSync(log.path, "utf8");
  // Each line is an object by pino's contract; its fields are what the tests look at.
  return text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Record<string, unknown>]));
}

describe("the log", () => {
  it("writes one JSON line an event, at once", () => {
    const log = open();
    log.info("vault opened", { notices: 2, host: "electron", fresh: true });
    expect(lines(log)).toMatchObject([
      { level: "info", event: "vault opened", processId: process.pid, fields: { notices: 2, host: "electron", fresh: true } },
    ]);
    expect(Number.isNaN(Date.parse(String(lines(log)[0]?.["time"])))).toBe(false);
  });

  it("scrubs events, fields, field names and errors", () => {
    const log = open();
    log.info(`got ${token}`, { url: "http://127.0.0.1/callback?code=abc&state=def", refreshToken: "short", [token]: "x" });
    log.warn("provider_busy", { answer: `Bearer abc ${token}` });
    log.error("refresh", Object.assign(new Error(`rejected ${token}`, { cause: token }), { body: token }));
    const text = readFileSync(log.path, "utf8");
    for (const secret of [token, "eyJ", "abc", "def", "short"]) expect(text).not.toContain(secret);
    expect(lines(log).map((line) => line["level"])).toEqual(["info", "warn", "error"]);
  });

  it("keeps its own fields from being written over", () => {
    const log = open();
    log.info("event", { level: "fatal", time: "never", event: "other" });
    expect(lines(log)[0]).toMatchObject({ level: "info", event: "event", fields: { level: "fatal" } });
  });

  it("leaves out what is below its level", () => {
    const log = open(temporaryFolder(), "warn");
    log.info("quiet");
    log.warn("loud");
    expect(lines(log).map((line) => line["event"])).toEqual(["loud"]);
  });

  it.skipIf(process.platform === "win32")("is readable by its owner only", () => {
    const log = open(join(temporaryFolder(), "logs"));
    log.info("event");
    expect(statSync(log.path).mode & 0o777).toBe(0o600);
  });

  it("goes on without a disk", () => {
    const file = join(temporaryFolder(), "file");
    writeFileSync(file, "");
    const log = open(join(file, "logs"));
    expect(() => log.error("event", new Error("x"))).not.toThrow();
    expect(existsSync(log.path)).toBe(false);
  });
});

describe("the log file", () => {
  it("is followed by another when full, and the oldest goes", () => {
    const folder = temporaryFolder();
    const file = openRotatingFile({ path: join(folder, "log"), maxBytes: 100, files: 3 });
    for (let number = 1; number <= 9; number += 1) file.write(`${String(number).repeat(49)}\n`);
    file.close();
    expect(readdirSync(folder).sort()).toEqual(["log", "log.1", "log.2"]);
    const firstDigits = (name: string) => readFileSync(join(folder, name), "utf8").match(/^./gm)?.join("");
    expect([firstDigits("log"), firstDigits("log.1"), firstDigits("log.2")]).toEqual(["9", "78", "56"]);
  });

  it("is continued after a restart, its size counted", () => {
    const path = join(temporaryFolder(), "log");
    for (const text of ["first\n", "second\n"]) {
      const file = openRotatingFile({ path, maxBytes: 12, files: 2 });
      file.write(text);
      file.close();
    }
    expect([readFileSync(path, "utf8"), readFileSync(`${path}.1`, "utf8")]).toEqual(["second\n", "first\n"]);
  });

  it("takes nothing after it was closed", () => {
    const path = join(temporaryFolder(), "log");
    const file = openRotatingFile({ path, maxBytes: 100, files: 2 });
    file.close();
    file.write("late\n");
    expect(readFileSync(path, "utf8")).toBe("");
  });
});

describe("bugs nobody caught", () => {
  it("are written to the log until stopped", () => {
    const target = new EventEmitter();
    const log = open();
    const stop = logUnhandled(log, target);
    target.emit("unhandledRejection", new Error(`late ${token}`));
    target.emit("uncaughtException", new TypeError("thrown"));
    stop();
    expect(target.eventNames()).toEqual([]);
    expect(lines(log)).toMatchObject([
      { event: "unhandled rejection", error: { name: "Error", message: "late [redacted]" } },
      { event: "uncaught exception", error: { name: "TypeError", message: "thrown" } },
    ]);
  });
});
