/**
 * The baseline: the least that a JSON-RPC server in Node can be. Each line is parsed, and answered under its id with the
 * very answer that DMS Connect gives, so the bytes on the wire are the same. It can do the proofs, too, for the one program
 * it is told about. Without JSON, each line is only counted, and answered with as many bytes.
 */
import { createSecretKey, randomBytes } from "node:crypto";
import { createServer } from "node:net";
import { z } from "zod";
import { brokerProof, type ProofInput, programProof } from "../../../electron/pipe/handshake.ts";
import { settingsVariable } from "./child-contract.ts";

const program = z.object({ clientId: z.string(), clientKey: z.string() });
const schema = z.object({ path: z.string(), answer: z.string(), json: z.boolean(), program });
const settings = schema.parse(JSON.parse(process.env[settingsVariable] ?? ""));
const { clientId, clientKey } = settings.program;
const key = createSecretKey(Buffer.from(clientKey, "base64url"));
const { result } = z.object({ result: z.unknown() }).parse(JSON.parse(settings.answer));
const fixedAnswer = `${settings.answer}\n`;
process.once("disconnect", () => process.exit(0));

/** As the bench's own client sends them: nobody else connects. */
interface Request {
  readonly id: unknown;
  readonly method: string;
  readonly params: { readonly nonce: string; readonly proof: string };
}

const server = createServer((socket) => {
  let unfinished = "";
  let greeting: ProofInput | undefined;
  const answer = (line: string): string => {
    const { id, method, params } = JSON.parse(line) as Request;
    if (method === "session.hello") {
      greeting = { key, clientId, clientNonce: params.nonce, serverNonce: randomBytes(32).toString("base64url") };
      return textOf(id, { nonce: greeting.serverNonce, proof: brokerProof(greeting) });
    }
    if (method !== "session.authenticate") return textOf(id, result);
    if (greeting === undefined || params.proof !== programProof(greeting)) throw new Error("a wrong proof");
    return textOf(id, {});
  };
  socket.setEncoding("utf8");
  socket.on("error", () => undefined);
  socket.on("data", (text: string) => {
    const lines = (unfinished + text).split("\n");
    unfinished = lines.pop() ?? "";
    const answers = lines.map(settings.json ? answer : () => fixedAnswer).join("");
    if (answers !== "") socket.write(answers);
  });
});
server.listen(settings.path, () => process.send?.("ready"));

function textOf(id: unknown, value: unknown): string {
  return `${JSON.stringify({ jsonrpc: "2.0", id, result: value })}\n`;
}
