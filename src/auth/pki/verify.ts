import { type Certificate, publicKeyOf, signedBy } from './certificate.js';
import { DerReader } from './der-reader.js';
import { KEY_USAGE } from './extensions.js';
import { violatedConstraint } from './name-constraints.js';
import { OID } from './oids.js';

/** Why a chain is not accepted; texts are Go's, for the log. */
export class VerificationError extends Error {
  constructor(message: string) {
    super(`x509: ${message}`);
    this.name = 'VerificationError';
  }
}

export interface VerifiedChain {
  /** Leaf first, trust anchor last. */
  readonly certificates: readonly Certificate[];
  /** The chain holds from `notBefore` to `notAfter`, milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
}

const MAX_SIGNATURE_CHECKS = 100;
const MAX_DEPTH = 10;

/**
 * Finds a path from `leaf` over `intermediates` to one of `roots` that is valid at `now` for `usage` (an extended key
 * usage) by RFC 5280, the way Go's crypto/x509 does: every certificate of the bundle is an anchor, intermediates too;
 * extended key usages nest; SHA-1 is refused. Throws a VerificationError.
 */
export function verifyChain(
  leaf: Certificate,
  intermediates: readonly Certificate[],
  roots: readonly Certificate[],
  now: number,
  usage: string = OID.clientAuth,
): VerifiedChain {
  const budget = { left: MAX_SIGNATURE_CHECKS };
  let problem: VerificationError | undefined;

  function search(chain: readonly Certificate[]): readonly Certificate[] | undefined {
    const last = chain.at(-1)!;
    for (const [candidates, anchor] of [
      [roots, true],
      [intermediates, false],
    ] as const) {
      for (const parent of candidates) {
        if (!mayHaveIssued(parent, last) || chain.some((c) => c.raw.equals(parent.raw))) continue;
        if (budget.left-- <= 0)
          throw new VerificationError('signature check attempts limit reached while verifying certificate chain');
        const fault = parentFault(parent, last, chain, now);
        if (fault) {
          problem ??= new VerificationError(fault);
          continue;
        }
        const longer = [...chain, parent];
        const found = anchor ? longer : longer.length < MAX_DEPTH ? search(longer) : undefined;
        if (found && !allows(found, usage)) {
          problem ??= new VerificationError('certificate specifies an incompatible key usage');
          continue;
        }
        if (found) return found;
      }
    }
    return undefined;
  }

  const fault = faultAt(leaf, now) ?? (leaf.unknownCritical.length > 0 ? 'unhandled critical extension' : undefined);
  if (fault) throw new VerificationError(fault);
  const trusted = roots.some((root) => root.raw.equals(leaf.raw)) ? [leaf] : undefined;
  if (trusted && !allows(trusted, usage))
    throw new VerificationError('certificate specifies an incompatible key usage');
  const found = trusted ?? search([leaf]);
  if (!found) throw problem ?? new VerificationError('certificate signed by unknown authority');
  return {
    certificates: found,
    notBefore: Math.max(...found.map((c) => c.notBefore)),
    notAfter: Math.min(...found.map((c) => c.notAfter)),
  };
}

function mayHaveIssued(parent: Certificate, child: Certificate): boolean {
  if (!parent.subjectName.equals(child.issuerName)) return false;
  return !parent.subjectKeyId || !child.authorityKeyId || parent.subjectKeyId.equals(child.authorityKeyId);
}

function faultAt(certificate: Certificate, now: number): string | undefined {
  const at = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
  const late = 'certificate has expired or is not yet valid: current time';
  if (now < certificate.notBefore) return `${late} ${at(now)} is before ${at(certificate.notBefore)}`;
  if (now > certificate.notAfter) return `${late} ${at(now)} is after ${at(certificate.notAfter)}`;
  return undefined;
}

/** Why `parent` may not vouch for the chain so far, undefined when it may. */
function parentFault(
  parent: Certificate,
  child: Certificate,
  chain: readonly Certificate[],
  now: number,
): string | undefined {
  if (parent.version === 3 && !parent.basicConstraints?.isCa) {
    return 'invalid signature: parent certificate cannot sign this kind of certificate';
  }
  if (parent.keyUsage !== undefined && !(parent.keyUsage & KEY_USAGE.certSign)) {
    return 'invalid signature: parent certificate cannot sign this kind of certificate';
  }
  if (parent.unknownCritical.length > 0) return 'unhandled critical extension';
  const late = faultAt(parent, now);
  if (late) return late;
  const limit = parent.basicConstraints?.maxPathLength;
  if (limit !== undefined && chain.length - 1 > limit) return 'too many intermediates for path length constraint';
  if (parent.nameConstraints) {
    for (const certificate of chain) {
      const violation = violatedConstraint(new DerReader(parent.nameConstraints), certificate.names);
      if (violation) return `a root or intermediate certificate is not authorized to sign for this name: ${violation}`;
    }
  }
  try {
    return signedBy(child, publicKeyOf(parent)) ? undefined : 'certificate signed by unknown authority';
  } catch {
    return 'certificate signed by unknown authority';
  }
}

/** Each certificate that lists extended usages must list this one, or any. */
function allows(chain: readonly Certificate[], usage: string): boolean {
  return chain.every(
    ({ extKeyUsage }) =>
      !extKeyUsage ||
      extKeyUsage.length === 0 ||
      extKeyUsage.includes(usage) ||
      extKeyUsage.includes(OID.anyExtKeyUsage),
  );
}
