import { obj, str } from '../../../api/access.js';
import { equalJson, type JsonObject, type KubeObject } from '../../../machinery/json.js';
import type { Quantity } from '../../../machinery/quantity.js';
import { classOf } from '../persistent-volume-claim-resize.js';
import { type ResourceList, resourceList } from '../resource-list.js';
import { countName, type Evaluator, selects } from './evaluator.js';
import { ONE } from './object-count.js';

const CLAIMS = { group: '', resource: 'persistentvolumeclaims' };
const COUNT = countName(CLAIMS);
const PLAIN = ['persistentvolumeclaims', 'requests.storage'];
const OF_CLASS = '.storageclass.storage.k8s.io/';

/** Claims and the storage they ask for, in all and by storage class. */
export const claims: Evaluator = {
  resource: CLAIMS,
  handles: (a) => a.subresource === '' || (a.subresource === 'status' && a.operation === 'UPDATE'),
  counts: (names) =>
    names.filter(
      (name) => name === COUNT || PLAIN.includes(name) || PLAIN.some((plain) => name.endsWith(OF_CLASS + plain)),
    ),
  matchesScope: (selector, claim) =>
    selector.scopeName === 'VolumeAttributesClass' && selects(selector, attributeClasses(claim)),
  usage(claim) {
    const storageClass = classOf(claim);
    const usage: ResourceList = new Map([[COUNT, ONE]]);
    const add = (name: string, q: Quantity) => {
      usage.set(name, q);
      if (storageClass) usage.set(storageClass + OF_CLASS + name, q);
    };
    add('persistentvolumeclaims', ONE);
    const storage = storageOf(claim);
    if (storage) add('requests.storage', storage);
    return usage;
  },
  frees: (claim, old) =>
    !equalJson(allocated(claim).storage, allocated(old).storage) ||
    !equalJson(attributeClasses(claim).sort(), attributeClasses(old).sort()),
};

const allocated = (claim: KubeObject): JsonObject => obj(obj(claim, 'status'), 'allocatedResources');

/** What is asked for in whole bytes, or what was allocated by an expansion that was called off, if that is more. */
function storageOf(claim: KubeObject): Quantity | undefined {
  const requested = resourceList(obj(obj(obj(claim, 'spec'), 'resources'), 'requests'))
    .get('storage')
    ?.roundUp(0);
  const given = resourceList(allocated(claim)).get('storage')?.roundUp(0);
  return requested && given && given.compare(requested) > 0 ? given : requested;
}

/** The volume attributes classes that the claim wants, has, or is being changed to. */
function attributeClasses(claim: KubeObject): string[] {
  const status = obj(claim, 'status');
  const names = [
    str(obj(claim, 'spec'), 'volumeAttributesClassName'),
    str(status, 'currentVolumeAttributesClassName'),
    str(obj(status, 'modifyVolumeStatus'), 'targetVolumeAttributesClassName'),
  ];
  return [...new Set(names)].filter((name) => name !== '');
}
