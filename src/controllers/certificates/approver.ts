import { obj, str, strings } from '../../api/access.js';
import type { Attributes, UserInfo } from '../../auth/contract.js';
import { type CertificateRequest, parseRequestPem } from '../../auth/pki/certificate-request.js';
import { isJsonObject, type JsonObject, type KubeObject } from '../../machinery/json.js';
import {
  certificatePem,
  conditionsOf,
  hasCondition,
  requestPem,
  signerOf,
  timestamp,
  usagesOf,
} from './request-object.js';
import { kubeletClientFault, SIGNER } from './rules.js';

/** Whether somebody is allowed something: a SubjectAccessReview. */
export type IsAllowed = (attributes: Attributes) => Promise<boolean>;

export interface Approval {
  /** The status to write through `/approval`; undefined when nothing is to be done. */
  readonly status?: JsonObject;
  /** Set when the request is one to approve, but the requestor lacks the right: tried again later. */
  readonly denied?: string;
}

/**
 * Approves client certificates of kubelets whose requestor has the right `create` on certificatesigningrequests, with the
 * subresource selfnodeclient for its own name and nodeclient for any. Throws an Error when the request does not parse.
 */
export async function approveKubeletClient(csr: KubeObject, isAllowed: IsAllowed, now: number): Promise<Approval> {
  if (certificatePem(csr) !== '' || hasCondition(csr, 'Approved') || hasCondition(csr, 'Denied')) return {};
  let request: CertificateRequest;
  try {
    request = parseRequestPem(requestPem(csr));
  } catch (e) {
    throw new Error(`unable to parse csr "${csr.metadata.name}": ${(e as Error).message}`);
  }
  if (signerOf(csr) !== SIGNER.kubeletClient || kubeletClientFault(request, usagesOf(csr)) !== undefined) return {};
  const user = requestorOf(csr);
  const tried: string[] = [];
  for (const [subresource, applies, message] of [
    [
      'selfnodeclient',
      user.name === request.subject.commonName,
      'Auto approving self kubelet client certificate after SubjectAccessReview.',
    ],
    ['nodeclient', true, 'Auto approving kubelet client certificate after SubjectAccessReview.'],
  ] as const) {
    if (!applies) continue;
    tried.push(subresource);
    if (!(await isAllowed(permission(user, subresource)))) continue;
    const at = timestamp(now);
    const approved = {
      type: 'Approved',
      status: 'True',
      reason: 'AutoApproved',
      message,
      lastUpdateTime: at,
      lastTransitionTime: at,
    };
    return {
      status: { ...(isJsonObject(csr.status) ? csr.status : {}), conditions: [...conditionsOf(csr), approved] },
    };
  }
  return {
    denied: `recognized csr "${csr.metadata.name}" as [${tried.join(' ')}] but subject access review was not approved`,
  };
}

function requestorOf(csr: KubeObject): UserInfo {
  const spec = obj(csr, 'spec');
  const extra = Object.entries(obj(spec, 'extra')).map(([key, values]) => [
    key,
    Array.isArray(values) ? (values as string[]) : [],
  ]);
  const uid = str(spec, 'uid');
  return {
    name: str(spec, 'username'),
    groups: strings(spec, 'groups'),
    ...(uid && { uid }),
    ...(extra.length > 0 && { extra: Object.fromEntries(extra) }),
  };
}

const permission = (user: UserInfo, subresource: string): Attributes => ({
  user,
  verb: 'create',
  isResourceRequest: true,
  group: 'certificates.k8s.io',
  version: '*',
  resource: 'certificatesigningrequests',
  subresource,
  namespace: '',
  name: '',
  path: '',
});
