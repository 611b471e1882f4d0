/** The words of the demo's command line. Invariant: whoever gets them wrong is told what would be right. */
import { parseArgs } from "node:util";

/** `usual`: with a display for a person, without one automatic. */
export type DemoWish = "usual" | "automatic" | "serve" | "help";

export const demoUsage = `usage: npm run demo [-- OPTION]
  without option   DMS Connect with stand-ins for Mazda and Webfleet, for a person to click through; without a display like --auto
  --auto           the same without a person: does it by itself and ends with "demo: ok"
  --serve          connects two users, sets up a program, prints the pipe and credentials for a client of yours, and stays
                   until Ctrl+C (clients/README.md)
  --help           prints this`;

/**
 * Reads them.
 *
 * @param words without Node and script
 * @returns undefined after the reason was printed
 */
export function readDemoArguments(words: readonly string[]): DemoWish | undefined {
  try {
    const { values } = parseArgs({
      args: [...words],
      options: { auto: { type: "boolean" }, serve: { type: "boolean" }, help: { type: "boolean", short: "h" } },
    });
    if (values.help === true) return "help";
    if (values.auto === true && values.serve === true) throw new Error("--auto and --serve exclude each other");
    if (values.serve === true) return "serve";
    return values.auto === true ? "automatic" : "usual";
  } catch (error) {
    // What follows the first sentence is about positional arguments, of which there are none here.
    const [reason] = error instanceof Error ? error.message.split(". ") : [];
    console.error(`demo: ${reason}\n${demoUsage}`);
    return undefined;
  }
}
