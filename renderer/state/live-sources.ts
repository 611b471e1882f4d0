/** What the window follows: each list of the main process with the event that changes it. */
import { useEffect, useState } from "react";
import type {
  BlockedProgramView,
  ConnectionView,
  DmsClientView,
  PairingView,
  ProviderView,
  RegistrationView,
  StatusView,
} from "../../shared/views.ts";
import { invoke, on } from "../api.ts";
import type { LiveSource } from "./follow-live.ts";
import { type Live, useLive } from "./use-live.ts";

/** Status; its vault state is the epoch of everything that comes out of the vault. */
export function useStatus(): Live<StatusView> {
  return useLive(statusSource, "");
}

/** All connections; one that was forgotten goes away, a new one comes last. */
export function useConnections(epoch: string): Live<readonly ConnectionView[]> {
  return useLive(connectionsSource, epoch);
}

/** Providers with what pauses them; asked for anew when the registrations change. */
export function useProviders(epoch: string): Live<readonly ProviderView[]> {
  const [changes, setChanges] = useState(0);
  useEffect(() => on("registrationsChanged", () => setChanges((previous) => previous + 1)), []);
  return useLive(providersSource, `${epoch} ${changes}`);
}

export function useRegistrations(epoch: string): Live<readonly RegistrationView[]> {
  return useLive(registrationsSource, epoch);
}

export function useClients(epoch: string): Live<readonly DmsClientView[]> {
  return useLive(clientsSource, epoch);
}

export function useBlocked(epoch: string): Live<readonly BlockedProgramView[]> {
  return useLive(blockedSource, epoch);
}

export function usePairings(epoch: string): Live<readonly PairingView[]> {
  return useLive(pairingsSource, epoch);
}

const latest = <T>(_value: T, change: T): T => change;

const statusSource: LiveSource<StatusView, StatusView> = {
  load: () => invoke("status.get"),
  listen: (listener) => on("statusChanged", listener),
  apply: latest,
};

const connectionsSource: LiveSource<readonly ConnectionView[], ConnectionView> = {
  load: () => invoke("connections.list"),
  listen: (listener) => on("connectionChanged", listener),
  apply: (connections, changed) => {
    if (changed.state === "Forgotten") return connections.filter(({ id }) => id !== changed.id);
    const known = connections.some(({ id }) => id === changed.id);
    return known ? connections.map((connection) => (connection.id === changed.id ? changed : connection)) : [...connections, changed];
  },
};

const providersSource: LiveSource<readonly ProviderView[], readonly ProviderView[]> = {
  load: () => invoke("providers.list"),
  listen: (listener) => on("providersChanged", listener),
  apply: latest,
};

const registrationsSource: LiveSource<readonly RegistrationView[], readonly RegistrationView[]> = {
  load: () => invoke("registrations.list"),
  listen: (listener) => on("registrationsChanged", listener),
  apply: latest,
};

const clientsSource: LiveSource<readonly DmsClientView[], readonly DmsClientView[]> = {
  load: () => invoke("clients.list"),
  listen: (listener) => on("clientsChanged", listener),
  apply: latest,
};

const blockedSource: LiveSource<readonly BlockedProgramView[], readonly BlockedProgramView[]> = {
  load: () => invoke("blocked.list"),
  listen: (listener) => on("blockedChanged", listener),
  apply: latest,
};

const pairingsSource: LiveSource<readonly PairingView[], readonly PairingView[]> = {
  load: () => invoke("pairings.list"),
  listen: (listener) => on("pairingsChanged", listener),
  apply: latest,
};
