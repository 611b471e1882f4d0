/** Somebody else listens on the pipe's name. He knows the protocol and the client id, but not the key. */
import { createHmac, randomBytes } from "node:crypto";
import { onTokenGet, provider, tokenResult, user } from "../answers.ts";
import { atMost, check, failedCleanly, type Scenario, said, type Trial, type Verdict, verdict } from "../scenario.ts";
import { type Greeting, makeProof, type Nonces } from "../scripted-broker.ts";

interface Squatter {
  readonly name: string;
  readonly what: string;
  /** His greeting, instead of the right one. */
  readonly greeting: (right: Greeting, nonces: Nonces, trial: SquatterTrial) => object;
  /** His answer does not even have the right form: the program may also say that it cannot understand it. */
  readonly malformed?: true;
}

interface SquatterTrial {
  readonly clientId: string;
  readonly clientKey: string;
}

/** What a stranger makes with a key of his own. */
function strangersProof(clientId: string, { clientNonce, serverNonce }: Nonces): string {
  const text = `dms-connect/1 broker\n${clientId}\n${clientNonce}\n${serverNonce}`;
  return createHmac("sha256", randomBytes(32)).update(text).digest("base64url");
}

const squatters: readonly Squatter[] = [
  {
    name: "squatter",
    what: "notices a stranger on the pipe before it sends anything of value, and says so",
    greeting: ({ nonce }, nonces, { clientId }) => ({ nonce, proof: strangersProof(clientId, nonces) }),
  },
  {
    name: "reflected-proof",
    what: "refuses a proof that was made with the program's own label",
    greeting: ({ nonce }, nonces, trial) => ({ nonce, proof: makeProof("program", trial, nonces) }),
  },
  {
    name: "replayed-proof",
    what: "refuses a proof that the broker made for another connection",
    greeting: ({ nonce }, { serverNonce }, trial) => {
      const earlier = { clientNonce: randomBytes(32).toString("base64url"), serverNonce };
      return { nonce, proof: makeProof("broker", trial, earlier) };
    },
  },
  {
    name: "swapped-nonces",
    what: "refuses a proof over the nonces in the wrong order",
    greeting: ({ nonce }, { clientNonce, serverNonce }, trial) => ({
      nonce,
      proof: makeProof("broker", trial, { clientNonce: serverNonce, serverNonce: clientNonce }),
    }),
  },
  {
    name: "truncated-proof",
    what: "refuses the first half of the right proof",
    greeting: ({ nonce, proof }) => ({ nonce, proof: proof.slice(0, 22) }),
  },
  { name: "empty-proof", what: "refuses an empty proof", greeting: ({ nonce }) => ({ nonce, proof: "" }) },
  { name: "missing-proof", what: "refuses a greeting without a proof", greeting: ({ nonce }) => ({ nonce }), malformed: true },
];

async function meets(squatter: Squatter, trial: Trial, credentials: SquatterTrial): Promise<Verdict> {
  const broker = await trial.broker({
    greeting: (right, nonces) => squatter.greeting(right, nonces, credentials),
    // He plays along with whoever believes him.
    onCall: onTokenGet((call) => call.result(tokenResult(trial.newToken()))),
  });
  const end = await trial.program(["token", provider, user]).ended;
  await broker.settled();
  const beforeProof = "Check the broker's proof first, in constant time; if it is wrong, close and send nothing more.";
  return verdict("sends nothing more and says so", [
    check(broker.callsOf("session.hello").length > 0, "never sent session.hello", "Connect to the pipe that DMS_CONNECT_PIPE names."),
    check(broker.sentAfterWrongProof === 0, "went on after a proof that was wrong", beforeProof),
    failedCleanly(end),
    ...(squatter.malformed ? [] : [said(end, "broker_not_genuine")]),
    atMost(broker.connections, 1, "connections", "A stranger does not become DMS Connect by asking again."),
  ]);
}

/** The scenarios for the client that has these credentials: some proofs are made with its key. */
export function squatterScenarios(credentials: SquatterTrial): readonly Scenario[] {
  return squatters.map((squatter) => ({
    name: squatter.name,
    what: squatter.what,
    run: (trial) => meets(squatter, trial, credentials),
  }));
}
