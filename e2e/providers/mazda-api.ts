/** A small piece of the Mazda DMS REST API, for demos. Invariant: 401 means only that the token is no good; 403 is about rights. */
import type { IncomingMessage } from "node:http";
import { type Answer, bearerToken, jsonAnswer } from "./http-exchange.ts";
import type { MazdaGrants } from "./mazda-grants.ts";
import type { MazdaBehaviour } from "./mazda-options.ts";
import type { ProviderCounters } from "./provider-counters.ts";

export interface MazdaApiContext {
  readonly behaviour: MazdaBehaviour;
  readonly counters: ProviderCounters;
  readonly grants: MazdaGrants;
}

/** Answers `GET /dms/api/v1/workorders` with the user, the organisation in force and some work orders. */
export function answerWorkOrders(context: MazdaApiContext, request: IncomingMessage): Answer {
  context.counters.apiCalls += 1;
  const user = context.grants.authenticate(bearerToken(request));
  if (user === undefined) {
    context.counters.apiRejections += 1;
    return jsonAnswer(401, { error: "Unauthorized" }, { "WWW-Authenticate": 'Bearer realm="Mazda", error="invalid_token"' });
  }
  const asked = request.headers["x-mazda-org"];
  const organisations = user.organisations ?? [];
  const organisation = typeof asked === "string" ? asked : organisations[0];
  const mayAct = organisation === undefined || organisations.length === 0 || organisations.includes(organisation);
  if (!mayAct) return jsonAnswer(403, { error: "Forbidden" });
  if (context.behaviour.apiStatus !== null) return jsonAnswer(context.behaviour.apiStatus, { error: "Refused" });
  return jsonAnswer(200, {
    user: user.id,
    organisation: organisation ?? null,
    workOrders: [
      { number: "WO-4711", vehicle: "Mazda CX-60", job: "Inspection" },
      { number: "WO-4712", vehicle: "Mazda3", job: "Brake pads" },
    ],
  });
}
