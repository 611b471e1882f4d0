/**
 * Words of others in a notification. Invariant: they are nothing but words; some desktops of Linux read the body of a notification
 * as markup (Desktop Notifications Specification, `body-markup`) and would show the link or picture of whoever has written them.
 */

const lookAlikes: Readonly<Record<string, string>> = { "<": "\u2039", ">": "\u203a", "&": "\uff06" };

/** `text` on one line, without what cannot be seen, and with what begins markup replaced by what looks like it. */
export function plainWords(text: string): string {
  return text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, "").replaceAll(/[<>&]/g, (character) => lookAlikes[character] ?? " ");
}
