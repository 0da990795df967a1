import { list, num, obj, str, strings } from '../../api/access.js';
import type { JsonObject, KubeObject } from '../../machinery/json.js';

/** Text of `spec.request`: PEM. */
export const requestPem = (csr: KubeObject): string =>
  Buffer.from(str(obj(csr, 'spec'), 'request'), 'base64').toString('latin1');

export const usagesOf = (csr: KubeObject): string[] => strings(obj(csr, 'spec'), 'usages');

export const signerOf = (csr: KubeObject): string => str(obj(csr, 'spec'), 'signerName');

/** Seconds; undefined when the client did not ask for a lifetime. */
export function expirationSecondsOf(csr: KubeObject): number | undefined {
  const spec = obj(csr, 'spec');
  return spec.expirationSeconds === undefined || spec.expirationSeconds === null
    ? undefined
    : num(spec, 'expirationSeconds');
}

export const conditionsOf = (csr: KubeObject): JsonObject[] => list(obj(csr, 'status'), 'conditions');

/** PEM of the certificate, '' before it is issued. */
export const certificatePem = (csr: KubeObject): string =>
  Buffer.from(str(obj(csr, 'status'), 'certificate'), 'base64').toString('latin1');

/** Whether there is a condition of this type, which is always true when it is there: validation sees to that. */
export const hasCondition = (csr: KubeObject, type: string): boolean =>
  conditionsOf(csr).some((condition) => condition.type === type);

export const isApproved = (csr: KubeObject): boolean => hasCondition(csr, 'Approved') && !hasCondition(csr, 'Denied');

export const timestamp = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
