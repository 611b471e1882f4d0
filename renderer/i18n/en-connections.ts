/** The English words about connections: their list, how one begins, and the two ways in which one ends. */

export const connectionsTexts = {
  title: "Connections",
  show: "Show connections",
  lead: "Connect each provider once. After that, DMS Connect keeps the connection alive by itself.",
  connectHeading: "New connection",
  listHeading: "Your connections",
  connectProvider: "Connect {{provider}}",
  rowName: "{{provider}}, {{environment}}, {{user}}",
  needYou_one: "{{count}} connection needs you.",
  needYou_other: "{{count}} connections need you.",
  column: {
    provider: "Provider",
    user: "User",
    state: "State",
    access: "Access until",
    grant: "Sign-in lasts until",
    actions: "Actions",
  },
  organisation: "Organisation {{organisation}}",
  state: {
    NotConnected: "Not connected",
    Connecting: "Signing in",
    Active: "Connected",
    Refreshing: "Renewing",
    Retrying: "Trying again",
    InDoubt: "Checking",
    ReconnectRequired: "Sign-in needed",
    Revoking: "Revocation pending",
    Forgotten: "Forgotten",
  },
  /** In a row, when what it waits for is told above the list. */
  waitsFor: {
    network: "Waits for the network",
    provider: "Waits for {{provider}}",
  },
  paused: {
    title: "{{provider}} has had problems since {{since}}.",
    nextTry: "DMS Connect asks again at {{time}}.",
    tryingNow: "DMS Connect asks again now.",
    lastProblem: "Last problem: {{problem}}",
    kept: "Nothing is lost: your connections are kept.",
  },
  notice: {
    finish: "Finish signing in in your browser.",
    finishRemedy: "Sign in at {{provider}} and choose Approve. Then come back here.",
    reconnect: "{{user}} must sign in at {{provider}} again.",
    reconnectRemedy: "Click Reconnect.",
    notRenewable: "{{user}} must sign in again before {{time}}.",
    notRenewableRemedy: "{{provider}} does not let DMS Connect renew this sign-in. Click Reconnect before it ends.",
    notStored: "The renewed sign-in of {{user}} could not be saved ({{problem}}).",
    notStoredRemedy: "It works as long as DMS Connect runs. Make space on the disk. DMS Connect then saves it by itself.",
    revoking: "DMS Connect is ending the access at {{provider}}.",
    revokingRemedy: "The connection is no longer used. You do not need to do anything.",
    byItselfRemedy: "DMS Connect tries again by itself. The connection is kept.",
    /** After a sign-in that failed, where the usual remedy says that DMS Connect goes on by itself. */
    signInRemedy: {
      provider_unreachable: "Check the internet connection, then click Connect.",
      provider_timed_out: "Wait a moment, then click Connect.",
      provider_busy: "Wait a moment, then click Connect.",
      provider_paused: "Wait a few minutes, then click Connect.",
      requests_capped: "Wait a moment, then click Connect.",
      network_offline: "Check the network cable or the Wi-Fi, then click Connect.",
      network_sign_in_needed: "Open any page in your browser and sign in to the network. Then click Connect.",
      proxy_sign_in_needed: "Sign in to the proxy first. Then click Connect.",
      certificate_date_invalid:
        "Check the date and time of this computer and correct them. Then click Connect. If they are right, call your administrator.",
    },
  },
  action: {
    connect: "Connect",
    reconnect: "Reconnect",
    openAgain: "Open the page again",
    cancel: "Cancel sign-in",
    revoke: "Revoke…",
    forget: "Forget…",
  },
  empty: {
    noRegistrationTitle: "First, set up a provider",
    noRegistrationText: "Your DMS vendor gave you a file, or a client id and a client secret. Enter them on the Set-up page.",
    goToSetUp: "Go to Set-up",
    demo: "Only want to try DMS Connect? Developers can start it with test providers:",
    demoCommand: "npm run demo",
    noConnectionTitle: "You are not connected yet",
    noConnectionText: "Click the button of your provider. Your browser opens, and you sign in there once.",
  },
};

export const connectTexts = {
  title: "Connect {{provider}}",
  explain: "Your browser opens. Sign in at {{provider}} and choose Approve.",
  user: "User id",
  userHint: "The name you use at {{provider}}.",
  userMissing: "Enter the user id.",
  userTooLong: "The user id can have {{limit}} characters at most.",
  environment: "Environment",
  organisation: "Organisation",
  organisationNone: "Let {{provider}} choose",
  confirm: "Connect",
};

export const revokeTexts = {
  title: "Revoke {{provider}} for {{user}}?",
  does: "This ends the access at {{provider}}. DMS Connect stops using it at once.",
  copies: {
    until: "Programs can still use the access they already have until {{time}}.",
    untilAbout: "Programs can still use the access they already have until about {{time}}.",
    ended: "No program can use the old access any more.",
    none: "No program has access any more.",
    unknown: "Programs can still use the access they already have until it ends.",
  },
  after: "To use {{provider}} again, {{user}} must sign in again.",
  confirm: "Revoke",
  done: "Revoked: {{provider}}, {{user}}.",
  pending: "Access ended here: {{provider}}, {{user}}.",
  pendingText: "{{provider}} does not know it yet. DMS Connect keeps trying.",
};

export const forgetTexts = {
  title: "Forget {{provider}} for {{user}}?",
  does: "This deletes the connection on this computer only.",
  doesNot: "It does not end the access at {{provider}}. The access stays valid there until it is revoked there.",
  useRevoke: "To end the access at {{provider}} too, choose Revoke instead.",
  openScreens: "Open the security screens of {{provider}}",
  neverConnected: "Nothing is stored for this user. Only the row goes away.",
  confirm: "Forget",
};
