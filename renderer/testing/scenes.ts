/** Every page and state of the window worth looking at: for the gallery's pictures and for the accessibility test. */
import type { Page } from "playwright";
import { auditScenes } from "./audit-scenes.ts";
import { lifeScenes } from "./life-scenes.ts";
import { programScenes } from "./program-scenes.ts";
import { goTo, type Scene } from "./scene.ts";
import { vaultScenes } from "./vault-scenes.ts";

const visible = (text: string) => (page: Page) => page.getByText(text).first().waitFor();
const click = (name: string) => (page: Page) => page.getByRole("button", { name }).first().click();

/** Connections, set-up and settings as they usually look. */
export const usualScenes: readonly Scene[] = [
  { name: "connections-empty", scenario: "empty", arrange: visible("First, set up a provider") },
  { name: "connections-set-up-only", scenario: "setUpOnly", arrange: visible("You are not connected yet") },
  { name: "connections-active", scenario: "active", arrange: visible("Connected") },
  { name: "connections-connecting", scenario: "connecting", arrange: visible("Finish signing in in your browser") },
  { name: "connections-reconnect-required", scenario: "reconnectRequired", arrange: visible("Sign-in needed") },
  { name: "connections-refused", scenario: "refused", arrange: visible("was not approved") },
  { name: "connections-retrying", scenario: "retrying", arrange: visible("Trying again") },
  { name: "connections-revoking", scenario: "revoking", arrange: visible("Revocation pending") },
  { name: "connections-long-names", scenario: "longNames", arrange: visible("Sign-in needed") },
  { name: "dialog-connect", scenario: "setUpOnly", arrange: click("Connect Mazda") },
  { name: "dialog-revoke", scenario: "active", arrange: click("Revoke…: Webfleet") },
  { name: "dialog-forget", scenario: "active", arrange: click("Forget…: Mazda") },
  { name: "set-up", scenario: "active", arrange: (page) => goTo(page, "Set-up") },
  { name: "set-up-empty", scenario: "empty", arrange: (page) => goTo(page, "Set-up") },
  {
    name: "set-up-form",
    scenario: "active",
    arrange: async (page) => {
      await goTo(page, "Set-up");
      await page.getByRole("button", { name: "Edit: Mazda, Acceptance" }).click();
      await page.getByRole("button", { name: "Advanced" }).click();
      await page.getByLabel("Token endpoint").waitFor();
    },
  },
  {
    name: "set-up-form-problems",
    scenario: "empty",
    arrange: async (page) => {
      await goTo(page, "Set-up");
      await page.getByRole("button", { name: "Enter by hand" }).click();
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByText("Enter the client id.").waitFor();
    },
  },
  { name: "settings", scenario: "active", arrange: (page) => goTo(page, "Settings") },
  { name: "pipe-closed", scenario: "pipeClosed", arrange: visible("Another program already listens") },
  { name: "pipe-closed-settings", scenario: "pipeClosed", arrange: (page) => goTo(page, "Settings") },
  { name: "crashed", scenario: "broken", arrange: visible("Something went wrong in this window") },
];

/** All of them. */
export const scenes: readonly Scene[] = [...usualScenes, ...lifeScenes, ...programScenes, ...auditScenes, ...vaultScenes];
