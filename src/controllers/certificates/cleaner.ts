import { str } from '../../api/access.js';
import { parseBundle } from '../../auth/pki/certificate.js';
import type { KubeObject } from '../../machinery/json.js';
import { certificatePem, conditionsOf } from './request-object.js';

const HOUR = 3_600_000;
/** After an answer, and after the last touch of a request nobody answered. */
const ANSWERED = HOUR;
const PENDING = 24 * HOUR;

/** True when a CertificateSigningRequest has had its time and is to be deleted. `now` is milliseconds since the epoch. */
export function isPastDeadline(csr: KubeObject, now: number): boolean {
  const older = (time: string | undefined, limit: number): boolean => {
    const at = time ? Date.parse(time) : Number.NaN;
    return now - at > limit;
  };
  const conditions = conditionsOf(csr);
  if (conditions.length === 0) return older(csr.metadata.creationTimestamp, PENDING);
  const pem = certificatePem(csr);
  return conditions.some((condition) => {
    const updated = str(condition, 'lastUpdateTime');
    switch (condition.type) {
      case 'Denied':
      case 'Failed':
        return older(updated, ANSWERED);
      case 'Approved':
        return pem === '' ? older(updated, PENDING) : older(updated, ANSWERED) || isExpired(pem, now);
      default:
        return false;
    }
  });
}

function isExpired(pem: string, now: number): boolean {
  try {
    return now > parseBundle(pem)[0]!.notAfter;
  } catch {
    return false;
  }
}
