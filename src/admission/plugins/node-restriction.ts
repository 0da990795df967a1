import type { ObjectLookup } from '../../auth/authorization/feed.js';
import { nodeIdentity } from '../../auth/authorization/node/identity.js';
import * as refs from '../../auth/authorization/node/references.js';
import type { Attributes, Authorizer } from '../../auth/contract.js';
import { parseRequestPem } from '../../auth/pki/certificate-request.js';
import { notFound } from '../../machinery/errors.js';
import { compareBytes, goQuote } from '../../machinery/go-format.js';
import {
  cloneJson,
  equalJson,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  type KubeObject,
} from '../../machinery/json.js';
import type { AdmissionAttributes, AdmissionPlugin } from '../contract.js';
import { rejectedBy } from '../errors.js';
import { admitCertificateRequest } from './node-certificate-request.js';
import { forbiddenNodeLabels } from './node-labels.js';
import { apiObjectReference } from './pod-references.js';

/** Feature gates that change what nodes may do. */
export type NodeRestrictionGate =
  | 'ServiceAccountNodeAudienceRestriction'
  | 'PodCertificateRequest'
  | 'AllowInsecureKubeletCertificateSigningRequests';

export interface NodeRestrictionDependencies {
  /** Current pods, nodes, service accounts, claims, volumes and CSI drivers. */
  readonly objects: ObjectLookup;
  /** Asked when a node wants a token for an audience that its pod does not mention. */
  readonly authorizer: Authorizer;
  gate(name: NodeRestrictionGate): boolean;
}

/**
 * Keeps a kubelet to its own node, and to what the pods bound to it need. The Node authorizer decides what a node may
 * touch at all; here the contents of writes are looked at.
 */
export class NodeRestriction implements AdmissionPlugin {
  readonly name = 'NodeRestriction';
  readonly #objects: ObjectLookup;
  readonly #authorizer: Authorizer;
  readonly #gate: (name: NodeRestrictionGate) => boolean;

  constructor({ objects, authorizer, gate }: NodeRestrictionDependencies) {
    this.#objects = objects;
    this.#authorizer = authorizer;
    this.#gate = gate;
  }

  handles(operation: AdmissionAttributes['operation']): boolean {
    return operation !== 'CONNECT';
  }

  admit(a: AdmissionAttributes): Promise<void> | void {
    const node = nodeIdentity(a.user);
    if (node === undefined) return undefined;
    if (node === '') throw rejectedBy(a, `could not determine node from user ${goQuote(a.user.name)}`);
    switch (`${a.resource.group}/${a.resource.resource}`) {
      case '/pods':
        return this.#pod(node, a);
      case '/nodes':
        return admitNode(node, a);
      case '/persistentvolumeclaims':
        if (a.subresource !== 'status') throw rejectedBy(a, 'may only update PVC status');
        return admitClaimStatus(node, a);
      case '/serviceaccounts':
        return a.operation === 'CREATE' && a.subresource === 'token' ? this.#token(node, a) : undefined;
      case 'coordination.k8s.io/leases':
        return admitLease(node, a);
      case 'storage.k8s.io/csinodes':
        if (ownName(a) === node) return undefined;
        throw rejectedBy(a, 'can only access CSINode with the same name as the requesting node');
      case 'resource.k8s.io/resourceslices':
        return admitResourceSlice(node, a);
      case 'certificates.k8s.io/certificatesigningrequests':
        return this.#gate('AllowInsecureKubeletCertificateSigningRequests') ? undefined : admitSigningRequest(node, a);
      case 'certificates.k8s.io/podcertificaterequests':
        if (!this.#gate('PodCertificateRequest')) throw rejectedBy(a, 'PodCertificateRequest feature gate is disabled');
        return admitCertificateRequest(node, a, (kind, ns, name) => this.#require('', kind, ns, name));
      default:
        return undefined;
    }
  }

  #pod(node: string, a: AdmissionAttributes): Promise<void> | void {
    switch (a.subresource) {
      case '':
        if (a.operation === 'CREATE') return this.#mirrorPod(node, a, a.object!);
        if (a.operation === 'DELETE') {
          if (a.oldObject && refs.nodeNameOf(a.oldObject) === node) return undefined;
          throw rejectedBy(a, `node ${goQuote(node)} can only delete pods with spec.nodeName set to itself`);
        }
        throw rejectedBy(
          a,
          `unexpected operation ${goQuote(a.operation)}, node ${goQuote(node)} can only create and delete mirror pods`,
        );
      case 'status':
        return admitPodStatus(node, a);
      case 'eviction':
        return this.#eviction(node, a);
      default:
        throw rejectedBy(
          a,
          `unexpected pod subresource ${goQuote(a.subresource)}, only 'status' and 'eviction' are allowed`,
        );
    }
  }

  async #mirrorPod(node: string, a: AdmissionAttributes, pod: KubeObject): Promise<void> {
    const who = `node ${goQuote(node)}`;
    const reject = (message: string) => rejectedBy(a, message);
    if (!refs.isMirrorPod(pod)) {
      const annotation = goQuote(refs.MIRROR_POD_ANNOTATION);
      throw reject(`pod does not have ${annotation} annotation, ${who} can only create mirror pods`);
    }
    if (refs.nodeNameOf(pod) !== node) throw reject(`${who} can only create pods with spec.nodeName set to itself`);
    const [owner, ...others] = pod.metadata.ownerReferences ?? [];
    if (others.length > 0) throw reject(`${who} can only create pods with a single owner reference set to itself`);
    if (owner?.apiVersion !== 'v1' || owner.kind !== 'Node' || owner.name !== node) {
      throw reject(`${who} can only create pods with an owner reference set to itself`);
    }
    if (!owner.controller) throw reject(`${who} can only create pods with a controller owner reference set to itself`);
    if (owner.blockOwnerDeletion) throw reject(`${who} must not set blockOwnerDeletion on an owner reference`);
    const uid = (await this.#require('', 'node', '', node)).metadata.uid ?? '';
    if (owner.uid !== uid) throw reject(`node ${node} UID mismatch: expected ${owner.uid} got ${uid}`);
    const reference = apiObjectReference(pod);
    if (reference) throw reject(`${who} can not create pods that reference ${reference}`);
  }

  async #eviction(node: string, a: AdmissionAttributes): Promise<void> {
    if (a.operation !== 'CREATE') throw rejectedBy(a, `unexpected operation ${a.operation}`);
    const name = a.name || a.object?.metadata.name;
    if (!name) throw rejectedBy(a, 'could not determine pod from request data');
    const pod = await this.#require('', 'pod', a.namespace, name);
    if (refs.nodeNameOf(pod) !== node) {
      throw rejectedBy(a, `node ${node} can only evict pods with spec.nodeName set to itself`);
    }
  }

  /** A token must be bound to a pod on this node, and be for an audience that the pod has a use for. */
  async #token(node: string, a: AdmissionAttributes): Promise<void> {
    const spec = obj(a.object?.spec);
    const ref = obj(spec.boundObjectRef);
    if (ref.apiVersion !== 'v1' || ref.kind !== 'Pod' || !ref.name) {
      throw rejectedBy(a, 'node requested token not bound to a pod');
    }
    if (!ref.uid) throw rejectedBy(a, 'node requested token with a pod binding without a uid');
    const pod = await this.#require('', 'pod', a.namespace, String(ref.name));
    if (ref.uid !== pod.metadata.uid) {
      throw rejectedBy(
        a,
        `the UID in the bound object reference (${ref.uid}) does not match the UID in record. The object might have been deleted and then recreated`,
      );
    }
    if (refs.nodeNameOf(pod) !== node) {
      throw rejectedBy(a, 'node requested token bound to a pod scheduled on a different node');
    }
    if (!this.#gate('ServiceAccountNodeAudienceRestriction')) return;
    const audiences = (spec.audiences ?? []) as string[];
    if (audiences.length > 1) throw rejectedBy(a, 'node may only request 0 or 1 audiences');
    await this.#audience(a, pod, audiences[0] ?? '');
  }

  async #audience(a: AdmissionAttributes, pod: KubeObject, audience: string): Promise<void> {
    const errors: string[] = [];
    for (const volume of refs.volumesOf(pod)) {
      const sources = obj(volume.projected).sources;
      for (const source of Array.isArray(sources) ? sources : []) {
        const token = obj(source).serviceAccountToken;
        if (isJsonObject(token) && (token.audience ?? '') === audience) return;
      }
      try {
        const driver = await this.#driverOf(pod, volume);
        if (driver && (await this.#driverWants(driver, audience))) return;
      } catch (e) {
        errors.push((e as Error).message);
      }
    }
    if (errors.length > 0) {
      const text = errors.length === 1 ? errors[0] : `[${[...new Set(errors)].join(', ')}]`;
      throw rejectedBy(a, `error validating audience ${goQuote(audience)}: ${text}`);
    }
    const decision = await this.#authorizer.authorize(audienceRequest(a, audience));
    if (decision.verdict === 'Allow') return;
    const problem = decision.error
      ? `error authorizing ${a.user.name} to request tokens for this audience: ${decision.error}`
      : `${a.user.name} is not authorized to request tokens for this audience`;
    throw rejectedBy(a, `audience ${goQuote(audience)} not found in pod spec volume, ${problem}`);
  }

  /** Name of the CSI driver behind a volume of a pod; '' when there is none. */
  async #driverOf(pod: KubeObject, volume: JsonObject): Promise<string> {
    const claim = refs.claimOfVolume(pod, volume);
    if (!claim) return String(obj(volume.csi).driver ?? '');
    const pvc = await this.#require('', 'persistentvolumeclaim', pod.metadata.namespace ?? '', claim);
    const pv = await this.#require('', 'persistentvolume', '', String(refs.specOf(pvc).volumeName ?? ''));
    return String(obj(refs.specOf(pv).csi).driver ?? '');
  }

  async #driverWants(driver: string, audience: string): Promise<boolean> {
    const { tokenRequests } = refs.specOf(await this.#require('storage.k8s.io', 'csidriver', '', driver));
    return Array.isArray(tokenRequests) && tokenRequests.some((r) => (obj(r).audience ?? '') === audience);
  }

  /** Looks up one object; a missing one is reported by the name of its resource in the singular, as caches do. */
  async #require(group: string, singular: string, namespace: string, name: string): Promise<KubeObject> {
    const object = await this.#objects.get({ group, resource: `${singular}s` }, namespace, name);
    if (!object) throw notFound({ group, resource: singular }, name);
    return object;
  }
}

function obj(v: JsonValue | undefined): JsonObject {
  return isJsonObject(v) ? v : {};
}

/** The name written to; creates are judged by the object, which may still get its name. */
function ownName(a: AdmissionAttributes): string {
  return a.operation === 'CREATE' ? (a.object?.metadata.name ?? '') : a.name;
}

function audienceRequest(a: AdmissionAttributes, audience: string): Attributes {
  return {
    user: a.user,
    verb: 'request-serviceaccounts-token-audience',
    isResourceRequest: true,
    group: '',
    version: 'v1',
    resource: audience,
    subresource: '',
    namespace: a.namespace,
    name: a.name,
    path: '',
  };
}

function admitPodStatus(node: string, a: AdmissionAttributes): void {
  if (a.operation !== 'UPDATE') throw rejectedBy(a, `unexpected operation ${goQuote(a.operation)}`);
  const who = `node ${goQuote(node)}`;
  const old = a.oldObject!;
  const pod = a.object!;
  if (refs.nodeNameOf(old) !== node) {
    throw rejectedBy(a, `${who} can only update pod status for pods with spec.nodeName set to itself`);
  }
  if (!equalJson(old.metadata.labels ?? {}, pod.metadata.labels ?? {})) {
    throw rejectedBy(a, `${who} cannot update labels through pod status`);
  }
  const status = obj(pod.status);
  const before = obj(old.status);
  if (!equalJson(status.resourceClaimStatuses ?? [], before.resourceClaimStatuses ?? [])) {
    throw rejectedBy(a, `${who} cannot update resource claim statues`);
  }
  if (!equalJson(status.extendedResourceClaimStatus, before.extendedResourceClaimStatus)) {
    throw rejectedBy(a, `${who} cannot update extended resource claim status`);
  }
}

/** Of a claim a node reports only how its expansion goes. */
function admitClaimStatus(node: string, a: AdmissionAttributes): void {
  if (a.operation !== 'UPDATE') throw rejectedBy(a, `unexpected operation ${goQuote(a.operation)}`);
  const bare = (claim: KubeObject): KubeObject => {
    const copy = cloneJson(claim);
    delete copy.metadata.resourceVersion;
    delete copy.metadata.managedFields;
    const status = obj(copy.status);
    for (const field of ['capacity', 'conditions', 'allocatedResourceStatuses', 'allocatedResources'])
      delete status[field];
    copy.status = status;
    return copy;
  };
  const before = bare(a.oldObject!);
  const after = bare(a.object!);
  if (equalJson(before, after)) return;
  const changed = changedPaths(before, after, '').join(', ');
  throw rejectedBy(
    a,
    `node ${goQuote(node)} is not allowed to update fields other than status.quantity and status.conditions: ${changed}`,
  );
}

function changedPaths(a: JsonObject, b: JsonObject, at: string): string[] {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
  return names.flatMap((name) => {
    const [x, y] = [a[name], b[name]];
    if (equalJson(x, y)) return [];
    return isJsonObject(x) && isJsonObject(y) ? changedPaths(x, y, `${at}${name}.`) : [`${at}${name}`];
  });
}

function admitNode(node: string, a: AdmissionAttributes): void {
  const who = `node ${goQuote(node)}`;
  const name = a.operation === 'CREATE' ? a.name || (a.object?.metadata.name ?? '') : a.name;
  if (name !== node) throw rejectedBy(a, `${who} is not allowed to modify node ${goQuote(name)}`);
  if (a.operation === 'CREATE') {
    if (refs.specOf(a.object!).configSource !== undefined) {
      throw rejectedBy(a, `${who} is not allowed to create pods with a non-nil configSource`);
    }
    const labels = forbiddenNodeLabels(a.object!.metadata.labels, undefined);
    if (labels.length > 0) {
      throw rejectedBy(a, `${who} is not allowed to set the following labels: ${labels.sort(compareBytes).join(', ')}`);
    }
  }
  if (a.operation === 'UPDATE') {
    const spec = refs.specOf(a.object!);
    const before = refs.specOf(a.oldObject!);
    if (spec.configSource !== undefined && !equalJson(spec.configSource, before.configSource)) {
      throw rejectedBy(a, `${who} is not allowed to update configSource to a new non-nil configSource`);
    }
    if (!equalJson(spec.taints ?? [], before.taints ?? [])) {
      throw rejectedBy(a, `${who} is not allowed to modify taints`);
    }
    const owners = (o: KubeObject): JsonValue => o.metadata.ownerReferences ?? [];
    if (!equalJson(owners(a.object!), owners(a.oldObject!))) {
      throw rejectedBy(a, `${who} is not allowed to modify ownerReferences`);
    }
    const labels = forbiddenNodeLabels(a.object!.metadata.labels, a.oldObject!.metadata.labels);
    if (labels.length > 0) {
      throw rejectedBy(a, `is not allowed to modify labels: ${labels.sort(compareBytes).join(', ')}`);
    }
  }
}

const NODE_LEASES = 'kube-node-lease';

function admitLease(node: string, a: AdmissionAttributes): void {
  if (a.namespace !== NODE_LEASES) {
    throw rejectedBy(a, `can only access leases in the "${NODE_LEASES}" system namespace`);
  }
  if (ownName(a) === node) return;
  throw rejectedBy(a, 'can only access node lease with the same name as the requesting node');
}

/** Updates are left to the authorizer, which knows the stored slice; spec.nodeName never changes. */
function admitResourceSlice(node: string, a: AdmissionAttributes): void {
  const creates = a.operation === 'CREATE';
  if (!creates && a.operation !== 'DELETE') return;
  const slice = creates ? a.object : a.oldObject;
  if (slice && refs.nodeNameOf(slice) === node) return;
  const verb = creates ? 'create' : 'delete';
  throw rejectedBy(a, `can only ${verb} ResourceSlice with the same NodeName as the requesting node`);
}

const KUBELET_SIGNERS: readonly JsonValue[] = [
  'kubernetes.io/kubelet-serving',
  'kubernetes.io/kube-apiserver-client-kubelet',
];

function admitSigningRequest(node: string, a: AdmissionAttributes): void {
  const { signerName = '', request } = obj(a.object?.spec);
  if (a.operation !== 'CREATE' || !KUBELET_SIGNERS.includes(signerName)) return;
  let commonName: string;
  try {
    commonName = parseRequestPem(Buffer.from(String(request ?? ''), 'base64')).subject.commonName;
  } catch (e) {
    throw rejectedBy(a, `unable to parse csr: ${(e as Error).message}`);
  }
  if (commonName === `system:node:${node}`) return;
  throw rejectedBy(a, `can only create a node CSR with CN=system:node:${node}`);
}
