import { createHash } from 'node:crypto';
import type { PeerCertificate } from '../contract.js';
import { type Certificate, parseCertificate } from '../pki/certificate.js';
import { verifyChain } from '../pki/verify.js';
import type { CaBundle } from './ca-bundle.js';

export interface VerifiedCertificate {
  readonly certificate: Certificate;
  /** SHA-256 of the certificate, hex. */
  readonly fingerprint: string;
}

/** Checks a peer's certificate against a bundle. Throws when it is not good for client authentication now. */
export type CertificateVerifier = (peer: PeerCertificate) => VerifiedCertificate;

interface Entry {
  readonly bundle: readonly Certificate[];
  readonly from: number;
  readonly until: number;
  readonly outcome: VerifiedCertificate | Error;
}

const MAX_ENTRIES = 4096;
/** A refusal may end by itself, when the certificate becomes valid. */
const REFUSAL_TTL = 10_000;

/**
 * Remembers what it found: by the peer's object, which lives as long as the connection, and by content for clients that
 * connect for every request. What was found with another bundle, or is outside of the chain's validity, does not count.
 */
export function certificateVerifier(bundle: CaBundle, now: () => number): CertificateVerifier {
  const byPeer = new WeakMap<PeerCertificate, Entry>();
  const byContent = new Map<string, Entry>();

  const inForce = (entry: Entry | undefined): entry is Entry => {
    const at = now();
    return entry !== undefined && entry.bundle === bundle.certificates && entry.from <= at && at <= entry.until;
  };
  function verify(peer: PeerCertificate): Entry {
    const at = now();
    const trusted = bundle.certificates;
    try {
      const certificate = parseCertificate(peer.raw);
      const fingerprint = createHash('sha256').update(peer.raw).digest('hex');
      const chain = verifyChain(certificate, parseAll(peer.chain), trusted, at);
      return { bundle: trusted, from: chain.notBefore, until: chain.notAfter, outcome: { certificate, fingerprint } };
    } catch (e) {
      return { bundle: trusted, from: at, until: at + REFUSAL_TTL, outcome: e as Error };
    }
  }

  return (peer) => {
    let entry = byPeer.get(peer);
    if (!inForce(entry)) {
      const key = contentKey(peer);
      entry = byContent.get(key);
      if (!inForce(entry)) {
        entry = verify(peer);
        byContent.delete(key);
        if (byContent.size >= MAX_ENTRIES) byContent.delete(byContent.keys().next().value!);
        byContent.set(key, entry);
      }
      byPeer.set(peer, entry);
    }
    if (entry.outcome instanceof Error) throw entry.outcome;
    return entry.outcome;
  };
}

/** No honest client sends more; each may cost a signature check. */
const MAX_INTERMEDIATES = 20;

/** Certificates on the way that do not parse can't help. */
function parseAll(chain: readonly Buffer[]): Certificate[] {
  return chain.slice(0, MAX_INTERMEDIATES).flatMap((raw) => {
    try {
      return [parseCertificate(raw)];
    } catch {
      return [];
    }
  });
}

function contentKey({ raw, chain }: PeerCertificate): string {
  const digest = createHash('sha256').update(raw);
  for (const one of chain) digest.update(one);
  return digest.digest('base64');
}
