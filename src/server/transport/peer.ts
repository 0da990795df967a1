import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { PeerCertificate } from '../../auth/contract.js';

/** Longer chains than this are cut: no real client sends one. */
const MAX_CHAIN = 10;

/** The client's certificate as the handshake delivered it, unverified; undefined when it sent none. */
export function peerCertificate(socket: TLSSocket): PeerCertificate | undefined {
  const leaf = socket.getPeerX509Certificate();
  if (!leaf) return undefined;
  const chain: Buffer[] = [];
  let previous: X509Certificate = leaf;
  while (chain.length < MAX_CHAIN) {
    const issuer: X509Certificate | undefined = previous.issuerCertificate;
    if (!issuer || issuer.raw.equals(previous.raw)) break;
    chain.push(issuer.raw);
    previous = issuer;
  }
  return { raw: leaf.raw, chain };
}
