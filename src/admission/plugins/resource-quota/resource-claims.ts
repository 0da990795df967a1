import { list, num, obj, ptr, str } from '../../../api/access.js';
import { compareBytes } from '../../../machinery/go-format.js';
import type { JsonObject, KubeObject } from '../../../machinery/json.js';
import { Quantity } from '../../../machinery/quantity.js';
import { addInto, type ResourceList, raiseInto } from '../resource-list.js';
import { DeviceClasses } from './device-classes.js';
import { countName, type Evaluator } from './evaluator.js';
import { ONE } from './object-count.js';
import { isExtendedRequest } from './pods.js';
import type { QuotaObjects } from './registry.js';

const CLAIMS = { group: 'resource.k8s.io', resource: 'resourceclaims' };
const COUNT = countName(CLAIMS);
const OF_CLASS = '.deviceclass.resource.k8s.io/devices';
const IMPLICIT = 'requests.deviceclass.resource.kubernetes.io/';
/** On claims that the scheduler made for a pod with extended resources. */
const EXTENDED = 'resource.kubernetes.io/extended-resource-claim';
/** A claim can't have more devices, so that `All` counts as so many. */
const MAX_DEVICES = 32;

export interface ResourceClaimDependencies {
  readonly objects: QuotaObjects;
  gate(name: 'DRAExtendedResource'): boolean;
  /** How pods are counted. */
  readonly pods: Evaluator;
}

/** Claims, and the devices that they ask for by class (dynamic resource allocation). */
export function resourceClaims({ objects, gate, pods }: ResourceClaimDependencies): Evaluator {
  const classes = new DeviceClasses(objects);

  const countsExtended = (name: string): boolean =>
    (name.startsWith(IMPLICIT) && classes.resourceOf(name.slice(IMPLICIT.length)) !== '') ||
    (isExtendedRequest(name) && classes.standsFor(name.slice('requests.'.length)));

  /** Devices count as the extended resource they stand for, as far as the pod's own request has not been counted. */
  async function addExtended(usage: ResourceList, claim: KubeObject): Promise<void> {
    const counted = await usageOfPod(claim);
    for (const [name, q] of [...usage]) {
      if (!name.endsWith(OF_CLASS) || name === OF_CLASS) continue;
      const className = name.slice(0, -OF_CLASS.length);
      const resource = classes.resourceOf(className);
      for (const extended of [IMPLICIT + className, ...(resource ? [`requests.${resource}`] : [])]) {
        const before = counted?.get(extended);
        const rest = before ? q.sub(before) : q;
        if (rest.sign() > 0) usage.set(extended, rest);
      }
    }
  }

  /** Usage of the pod that a claim was made for, if it is the one claim that was made for it. */
  async function usageOfPod(claim: KubeObject): Promise<ResourceList | undefined> {
    const owner = podOwner(claim);
    if (!owner) return undefined;
    const { namespace = '', name = '' } = claim.metadata;
    const pod = await objects.get({ group: '', resource: 'pods' }, namespace, owner.name);
    if (!pod || pod.metadata.uid !== owner.uid) return undefined;
    const status = ptr(obj(pod, 'status'), 'extendedResourceClaimStatus');
    if (status && str(status, 'resourceClaimName') !== name) return undefined;
    if (!status) {
      const owned = (await objects.list(CLAIMS, namespace)).filter((c) => podOwner(c)?.uid === owner.uid);
      if (owned.some((c) => isBefore(c, claim))) return undefined;
    }
    return pods.usage(pod);
  }

  return {
    resource: CLAIMS,
    load: () => classes.load(),
    handles: (a) => a.subresource === '',
    counts: (names) =>
      names.filter(
        (name) => name === COUNT || name.endsWith(OF_CLASS) || (gate('DRAExtendedResource') && countsExtended(name)),
      ),
    async usage(claim) {
      const usage: ResourceList = new Map([[COUNT, ONE]]);
      for (const request of list(obj(obj(claim, 'spec'), 'devices'), 'requests')) addInto(usage, devices(request));
      if (gate('DRAExtendedResource')) await addExtended(usage, claim);
      return usage;
    },
    // What else there is for the pod may have changed meanwhile.
    fleeting: (claim) => podOwner(claim) !== undefined,
  };
}

/** What one request may be given: of alternatives, the most of each class. */
function devices(request: JsonObject): ResourceList {
  const most: ResourceList = new Map();
  const exactly = ptr(request, 'exactly');
  const alternatives = list(request, 'firstAvailable');
  for (const r of alternatives.length > 0 ? alternatives : exactly ? [exactly] : []) {
    const mode = str(r, 'allocationMode');
    const n = mode === 'ExactCount' ? num(r, 'count') : mode === 'All' ? MAX_DEVICES : 0;
    raiseInto(most, new Map([[str(r, 'deviceClassName') + OF_CLASS, Quantity.of(n)]]));
  }
  return most;
}

function podOwner(claim: KubeObject): { name: string; uid: string } | undefined {
  if (claim.metadata.annotations?.[EXTENDED] !== 'true') return undefined;
  const owner = claim.metadata.ownerReferences?.find((o) => o.controller);
  if (owner?.kind !== 'Pod' || owner.apiVersion !== 'v1') return undefined;
  return { name: owner.name ?? '', uid: owner.uid ?? '' };
}

function isBefore({ metadata: a }: KubeObject, { metadata: b }: KubeObject): boolean {
  const order =
    compareBytes(a.creationTimestamp ?? '', b.creationTimestamp ?? '') || compareBytes(a.name ?? '', b.name ?? '');
  return order < 0;
}
