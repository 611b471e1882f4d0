/** TLS as the session's certificate verify proc wants it. Invariant: it sees the certificate before any byte of a request leaves. */
import { once } from "node:events";
import { isIP, type Socket } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import type { Certificate, Session } from "electron";
import { standIn } from "./not-implemented.ts";
import { certificateError } from "./stand-in-net-errors.ts";

/** The session's certificate verify proc at the time of asking. */
export type VerifyProc = Parameters<Session["setCertificateVerifyProc"]>[0];

/** @param tunnel a proxy's way to the server; a connection of its own if absent. No connection is kept for later. */
export async function connectVerified(
  url: URL,
  verifyProc: VerifyProc,
  signal: AbortSignal,
  tunnel: Socket | undefined,
): Promise<TLSSocket> {
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  const socket = connect({
    host: hostname,
    port: Number(url.port || 443),
    ...(tunnel === undefined ? {} : { socket: tunnel }),
    ...(isIP(hostname) === 0 ? { servername: hostname } : {}),
    ALPNProtocols: ["http/1.1"],
    rejectUnauthorized: verifyProc === null,
  });
  try {
    await once(socket, "secureConnect", { signal });
    if (verifyProc !== null) await verify(socket, url.hostname, verifyProc);
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function verify(socket: TLSSocket, hostname: string, verifyProc: NonNullable<VerifyProc>): Promise<void> {
  const peer = socket.getPeerX509Certificate();
  if (peer === undefined) return Promise.reject(new Error("net::ERR_SSL_PROTOCOL_ERROR"));
  const verdict = socket.authorized ? "net::OK" : certificateError(String(socket.authorizationError));
  const fields: Partial<Certificate> = {
    data: peer.toString(),
    fingerprint: `sha256/${Buffer.from(peer.fingerprint256.replaceAll(":", ""), "hex").toString("base64")}`,
    serialNumber: peer.serialNumber,
    validStart: Date.parse(peer.validFrom) / 1000,
    validExpiry: Date.parse(peer.validTo) / 1000,
  };
  const certificate = standIn<Certificate>("Certificate", fields);
  return new Promise((resolve, reject) => {
    verifyProc(
      {
        hostname,
        certificate,
        validatedCertificate: certificate,
        isIssuedByKnownRoot: socket.authorized,
        verificationResult: verdict,
        errorCode: socket.authorized ? 0 : -202,
      },
      (result) => {
        // 0 trusts, -3 keeps the verdict, anything else refuses (setCertificateVerifyProc).
        if (result === 0 || (result === -3 && socket.authorized)) resolve();
        else reject(new Error(result === -3 ? verdict : "net::ERR_FAILED"));
      },
    );
  });
}
