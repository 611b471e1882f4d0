import { describe, expect, it } from "vitest";
import { type Failure, failure } from "../../shared/failure.ts";
import { failureText } from "./failure-text.ts";
import { createI18n } from "./i18n.ts";

const { t } = createI18n();

describe("a failure in the window", () => {
  it("is worded by its code and parameters", () => {
    const { message, remedy } = failureText(t, failure("port_in_use", { port: 8080 }));
    expect(message).toContain("Port 8080 on this computer");
    expect(remedy).toContain("click Connect again");
  });

  it("keeps the words that were sent when its code is not known here", () => {
    // A newer main process may know more codes than this window.
    const unknown = { code: "from_the_future", params: {}, message: "M.", remedy: "R.", retryable: false } as unknown as Failure;
    expect(failureText(t, unknown)).toEqual({ message: "M.", remedy: "R." });
  });

  it("puts values in as they are: neither escaped nor read as texts with places of their own", () => {
    const { message } = failureText(t, failure("provider_refused", { provider: "A & B", error: "$t(app.name) {{provider}}" }));
    expect(message).toBe("A & B refused the request: $t(app.name) {{provider}}.");
  });

  it("writes a moment as people read it", () => {
    const { message } = failureText(t, failure("vault_restored", { date: "2026-11-22T08:27:19.000Z" }));
    expect(message).toMatch(/^The vault was restored from its backup of (22 Nov 2026|Nov 22, 2026), .*:27.*\.$/);
  });

  it("takes no value for an option of the translator", () => {
    expect(failureText(t, failure("registration_invalid", { field: "lng", problem: "no", count: 3, context: "x" })).message).toBe(
      "The registration is not valid: lng: no.",
    );
  });
});
