/** The English words about an employee who leaves: all connections of one user end. */

export const leavingTexts = {
  heading: "An employee leaves",
  explain: "End all connections of one user in one step.",
  open: "End all connections of a user…",
  title: "End all connections of a user",
  user: "User id",
  userHint: "An employee can have another user id at each provider. Then do this once for each of them.",
  choose: "Choose a user",
  userMissing: "Choose a user.",
  preview: "This will happen:",
  programs: "Programs get no access for {{user}} any more. This cannot be undone: {{user}} would have to sign in again.",
  /** What will happen to one connection. */
  will: {
    revoke: "The access ends at {{provider}} (Revoke).",
    revoking: "The access is no longer used. {{provider}} must still end it.",
    forget: "The connection is deleted on this computer only (Forget). DMS Connect cannot end it at {{provider}}.",
    forgetEnded: "There is no valid sign-in here any more. The connection is deleted on this computer (Forget).",
    row: "Nothing is stored. Only the row goes away.",
  },
  screens: "The access stays valid at {{provider}} until you end it in its security screens.",
  confirm_one: "End {{count}} connection",
  confirm_other: "End {{count}} connections",
  confirmNone: "End connections",
  doneTitle: "{{user}}: all connections have ended here",
  failedTitle: "{{user}}: not all connections have ended",
  nothingLeft: "There was nothing left to end.",
  happened: "This happened:",
  /** What happened to one connection. */
  was: {
    revoked: "Revoked.",
    pending: "Access ended here. {{provider}} does not know it yet. DMS Connect keeps trying.",
    forgotten: "Forgotten on this computer.",
  },
  another: "Another user id…",
  close: "Close",
};
