import { describe, expect, it } from "vitest";
import { ownCommand, restartCommand } from "./own-command.ts";

const app = (isPackaged: boolean) => ({ isPackaged, getAppPath: () => "/src" });

describe("the app's own command", () => {
  it("is the program, the image it came from, or the bare Electron with the sources", () => {
    expect(ownCommand(app(true), { execPath: "/opt/x", env: {} })).toEqual({ program: "/opt/x", args: [] });
    expect(ownCommand(app(true), { execPath: "/mounted/x", env: { APPIMAGE: "/x.AppImage" } })).toEqual({
      program: "/x.AppImage",
      args: [],
    });
    expect(ownCommand(app(false), { execPath: "/electron", env: {} })).toEqual({ program: "/electron", args: ["/src"] });
  });
});

describe("the app's restart", () => {
  const installed = { program: "/opt/x", args: [] };

  it("has the options of this start, and a window if there was one", () => {
    const argv = ["/opt/x", "--no-sandbox", "--hidden", "--import-programs=/p.json"];
    expect(restartCommand(installed, argv, true)).toEqual({ execPath: "/opt/x", args: ["--no-sandbox", "--import-programs=/p.json"] });
    expect(restartCommand(installed, argv, false).args).toEqual(["--no-sandbox", "--import-programs=/p.json", "--hidden"]);
  });

  it("has nothing of a start by a link, which may have brought options along", () => {
    const argv = ["/electron", "/src", "dms-connect://settings", "--import-registrations=/evil.json"];
    expect(restartCommand({ program: "/electron", args: ["/src"] }, argv, true)).toEqual({ execPath: "/electron", args: ["/src"] });
    expect(restartCommand(installed, argv, true).args).toEqual([]);
  });
});
