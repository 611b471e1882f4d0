import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { connectionId, environments } from "../../shared/views.ts";
import { isAppLink, linkIn, parseAppLink, registerAppLinks, targetIn } from "./app-link.ts";

const user = fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 }).filter((text) => !/\p{C}/u.test(text) && text.isWellFormed());
const key = fc.record({ provider: fc.constantFrom("mazda", "webfleet"), environment: fc.constantFrom(...environments), user });

/** Text that looks like a link, put together from what a hostile page would try. */
const linkLike = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "dms-connect:",
        "//",
        "/",
        "connections",
        "programs",
        "settings",
        "mazda",
        "acceptance",
        "..",
        "%2f",
        "%00",
        "?",
        "#",
      ),
      fc.constantFrom(
        "--import-registrations=/tmp/x",
        '"',
        " ",
        "\\",
        "\n",
        "javascript:",
        "file:",
        "@",
        ":80",
        "%",
        "jdoe",
        "CONNECTIONS",
      ),
      fc.string({ maxLength: 5 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(""));

describe("a link to the app", () => {
  it.each(["connections", "programs", "settings"] as const)("opens a page: %s, with or without a slash behind it", (page) => {
    expect(parseAppLink(`dms-connect://${page}`)).toEqual({ page });
    expect(parseAppLink(`dms-connect://${page}/`)).toEqual({ page });
  });

  it("opens the row of any connection", () => {
    fc.assert(
      fc.property(key, (connection) => {
        const id = connectionId(connection);
        expect(parseAppLink(`dms-connect://connections/${id}`)).toEqual({ page: "connections", connectionId: id });
      }),
    );
  });

  it("is nothing but a known page and a well-spelt id, whatever it holds", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          linkLike,
          fc.string(),
          linkLike.map((rest) => `dms-connect://connections/${rest}`),
        ),
        (link) => {
          const target = parseAppLink(link);
          if (target === undefined) return;
          const spelt = `dms-connect://${target.page}${target.connectionId === undefined ? "" : `/${target.connectionId}`}`;
          expect([spelt, `${spelt}/`]).toContain(link);
          if (target.connectionId === undefined) return;
          expect(target.connectionId).toMatch(/^[a-z][a-z0-9-]*\/(acceptance|production)\/[A-Za-z0-9\-_.!~*'()%]+$/);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it.each([
    "dms-connect:connections",
    "dms-connect:///connections",
    "DMS-CONNECT://connections",
    "dms-connect://connections//",
    "dms-connect://audit",
    "dms-connect://programs/mazda/acceptance/jdoe",
    "dms-connect://settings?save=1",
    "dms-connect://connections#x",
    "dms-connect://user@connections",
    "dms-connect://connections:80",
    "dms-connect://connections/mazda/acceptance",
    "dms-connect://connections/mazda/acceptance/jdoe/x",
    "dms-connect://connections/mazda/test/jdoe",
    "dms-connect://connections/mazda/acceptance/%6Adoe",
    "dms-connect://connections/mazda/acceptance/%00",
    "dms-connect://connections/mazda/acceptance/a%0Ab",
    "dms-connect://connections/mazda/acceptance/%E2%80%AE",
    "dms-connect://connections/mazda/acceptance/%FF",
    "dms-connect://connections/../settings",
    `dms-connect://connections/mazda/acceptance/${"a".repeat(257)}`,
    `dms-connect://connections/${"a".repeat(5_000)}`,
    "https://connections",
    "",
  ])("is not exactly a known one: %s", (link) => {
    expect(parseAppLink(link)).toBeUndefined();
  });

  it("is found among the arguments of a start, whatever its content and case", () => {
    expect(linkIn(["/opt/app", "--x", "DMS-Connect:rubbish", "dms-connect://settings"])).toBe("DMS-Connect:rubbish");
    expect(linkIn(["/opt/app", "--import-registrations=dms-connect://settings", "/srv/dms-connect:1"])).toBeUndefined();
    expect(isAppLink("dms-connect")).toBe(false);
    expect(targetIn(["/opt/app", "dms-connect://settings"])).toEqual({ page: "settings" });
    expect(targetIn(["/opt/app", "DMS-Connect:rubbish"])).toBeUndefined();
    expect(targetIn(["/opt/app"])).toBeUndefined();
  });

  it("is opened with the installed app, and never with a copy that runs from its sources", () => {
    const registered: string[] = [];
    const app = (isPackaged: boolean) => ({ isPackaged, setAsDefaultProtocolClient: (scheme: string) => registered.push(scheme) > 0 });
    registerAppLinks(app(false), "win32");
    registerAppLinks(app(true), "linux");
    expect(registered).toEqual([]);
    registerAppLinks(app(true), "win32");
    registerAppLinks(app(true), "darwin");
    expect(registered).toEqual(["dms-connect", "dms-connect"]);
  });
});
