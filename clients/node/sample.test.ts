import path from "node:path";
import { describe } from "vitest";
import { testClientProgram } from "../testing/client-program-tests.ts";

describe("the Node client", () => {
  testClientProgram(() => [process.execPath, path.join(import.meta.dirname, "sample.ts")]);
});
