import { strategies as admissionregistration } from './admissionregistration/index.js';
import { strategies as apiextensions } from './apiextensions/index.js';
import { strategies as apiregistration } from './apiregistration/index.js';
import { strategies as apiserverinternal } from './apiserverinternal/index.js';
import { strategies as apps } from './apps/index.js';
import { strategies as autoscaling } from './autoscaling/index.js';
import { strategies as batch } from './batch/index.js';
import { strategies as certificates } from './certificates/index.js';
import { strategies as coordination } from './coordination/index.js';
import { strategies as core } from './core/index.js';
import { strategies as discovery } from './discovery/index.js';
import { strategies as flowcontrol } from './flowcontrol/index.js';
import { kind } from './kind.js';
import { strategies as networking } from './networking/index.js';
import { strategies as node } from './node/index.js';
import { strategies as policy } from './policy/index.js';
import { strategies as rbac } from './rbac/index.js';
import { strategies as resource } from './resource/index.js';
import { strategies as scheduling } from './scheduling/index.js';
import { strategies as storage } from './storage/index.js';
import { strategies as storagemigration } from './storagemigration/index.js';
import type { Strategy } from './strategy.js';

/** Strategies of one group's kinds, by kind. */
export type GroupStrategies = Readonly<Record<string, Strategy>>;

const groups: Readonly<Record<string, GroupStrategies>> = {
  '': core,
  'apiextensions.k8s.io': apiextensions,
  'apiregistration.k8s.io': apiregistration,
  apps,
  autoscaling,
  batch,
  'networking.k8s.io': networking,
  policy,
  'rbac.authorization.k8s.io': rbac,
  'storage.k8s.io': storage,
  'scheduling.k8s.io': scheduling,
  'coordination.k8s.io': coordination,
  'node.k8s.io': node,
  'discovery.k8s.io': discovery,
  'resource.k8s.io': resource,
  'flowcontrol.apiserver.k8s.io': flowcontrol,
  'admissionregistration.k8s.io': admissionregistration,
  'certificates.k8s.io': certificates,
  'internal.apiserver.k8s.io': apiserverinternal,
  'storagemigration.k8s.io': storagemigration,
};
const generic = new Map<string, Strategy>();

/**
 * The strategy of a built-in kind. A kind without rules of its own gets the generic one: the metadata rules, status
 * kept apart and generations as the facts about its resource tell.
 */
export function strategyFor(group: string, kindName: string): Strategy {
  const own = groups[group]?.[kindName];
  if (own) return own;
  const key = `${group}/${kindName}`;
  let made = generic.get(key);
  if (!made) {
    made = kind({ group, kind: kindName });
    generic.set(key, made);
  }
  return made;
}
