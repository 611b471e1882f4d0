/**
 * Whether the server's certificate is one to trust, and whose. Invariant: nothing is sent over a connection whose certificate is
 * not trusted.
 */
import { isIP, type Socket } from "node:net";
import * as tls from "node:tls";
import { type Check, fail, ok, shortened } from "./doctor-check.ts";
import { bareHost, type DoctorRoute, errorWord, openSocket, untilReady } from "./doctor-connection.ts";

/** Certificates of authorities, PEM. */
export interface TrustedRoots {
  readonly public: readonly string[];
  /** Of this computer's own store: companies put theirs there. */
  readonly computer: readonly string[];
}

/** Mozilla's list, as Node has it, and the system's store, which Node.js can read since 22.15. */
export function rootsOfThisComputer(): TrustedRoots {
  const canReadStore = typeof tls.getCACertificates === "function";
  return { public: tls.rootCertificates, computer: canReadStore ? tls.getCACertificates("system") : [] };
}

export type Encrypted = { readonly check: Check; readonly socket?: tls.TLSSocket };

/** @param socket an open connection, which is used up */
export async function checkEncryption(
  name: string,
  socket: Socket,
  route: DoctorRoute,
  roots: TrustedRoots,
  nowMs: number,
): Promise<Encrypted> {
  try {
    const first = await handshake(socket, route, roots.public);
    if (first.authorized) return { socket: first, check: ok(name, `${first.getProtocol()}, issued by ${issuerOf(first)}`) };
    if (!isAboutTrust(first)) return refused(name, first, nowMs);
    first.destroy();
    const second = await handshake(await openSocket(route), route, [...roots.public, ...roots.computer]);
    return second.authorized ? { socket: second, check: ok(name, companyText(second)) } : refused(name, second, nowMs);
  } catch (error) {
    const remedy = "Something between this computer and the provider does not let encrypted connections through: ask your administrator.";
    return { check: fail(name, `no encrypted connection (${errorWord(error)})`, remedy) };
  }
}

async function handshake(socket: Socket, { url, timeoutMs }: DoctorRoute, roots: readonly string[]): Promise<tls.TLSSocket> {
  const host = bareHost(url);
  const secured = tls.connect({
    socket,
    host,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ALPNProtocols: ["http/1.1"],
    ca: [...roots],
    // Looked at before anything is sent, so that what is wrong can be named.
    rejectUnauthorized: false,
  });
  await untilReady(secured, "secureConnect", timeoutMs);
  return secured;
}

function companyText(socket: tls.TLSSocket): string {
  const hint = "no public authority, but trusted by this computer: your company, or a program here, looks into encrypted traffic";
  return `${socket.getProtocol()}, issued by ${issuerOf(socket)} (${hint})`;
}

/** What another list of authorities could change. */
function isAboutTrust(socket: tls.TLSSocket): boolean {
  return !/^(CERT_HAS_EXPIRED|CERT_NOT_YET_VALID|ERR_TLS_CERT_ALTNAME_INVALID)$/.test(problemOf(socket));
}

function refused(name: string, socket: tls.TLSSocket, nowMs: number): Encrypted {
  const check = unusable(name, socket, nowMs);
  socket.destroy();
  return { check };
}

function unusable(name: string, socket: tls.TLSSocket, nowMs: number): Check {
  const problem = problemOf(socket);
  const { valid_from: from, valid_to: to } = socket.getPeerCertificate();
  if (problem === "CERT_HAS_EXPIRED" || problem === "CERT_NOT_YET_VALID") {
    const found = `the certificate holds from ${shortened(from)} to ${shortened(to)}; this computer says it is ${new Date(nowMs).toUTCString()}`;
    return fail(name, found, "Set the date and time of this computer right. If they are right, tell your administrator.");
  }
  if (problem === "ERR_TLS_CERT_ALTNAME_INVALID") {
    const remedy =
      "Sign in to the network if it asks for that in the browser. Otherwise ask your administrator what answers in the provider's place.";
    return fail(name, `the certificate, issued by ${issuerOf(socket)}, is for another name`, remedy);
  }
  const remedy =
    "If your company looks into encrypted traffic, its root certificate has to be in this computer's certificate store: ask your administrator. If not, somebody else may be reading: go no further.";
  return fail(name, `the certificate, issued by ${issuerOf(socket)}, is not trusted (${problem})`, remedy);
}

function problemOf(socket: tls.TLSSocket): string {
  // Node's typings say Error; it is the error's code (lib/internal/tls/wrap.js).
  return shortened(String(socket.authorizationError));
}

/** Organisation and name of the issuer, as the certificate has them, whoever made it. */
function issuerOf(socket: tls.TLSSocket): string {
  // Empty when the server showed none.
  const issuer: Partial<tls.Certificate> | undefined = socket.getPeerCertificate().issuer;
  const names = [issuer?.O, issuer?.CN].map((part) => shortened([part ?? []].flat().join(" "))).filter((part) => part.trim() !== "");
  return names.length === 0 ? "nobody" : names.join(", ");
}
