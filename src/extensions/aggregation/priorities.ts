import { num, obj, str } from '../../api/access.js';
import type { KubeObject } from '../../machinery/json.js';
import { readCatalogFile } from '../../machinery/scheme/catalog.js';
import type { Ranked } from './api-service.js';

/** Versions that are off by default; the others are told by the APIServices of a fresh cluster. [group's, version's] */
const OFF_BY_DEFAULT: Readonly<Record<string, readonly [number, number]>> = {
  'v1beta1.certificates.k8s.io': [17300, 9],
  'v1alpha1.certificates.k8s.io': [17300, 1],
  'v1beta1.networking.k8s.io': [17200, 9],
  'v1beta1.storage.k8s.io': [16800, 9],
  'v1beta1.admissionregistration.k8s.io': [16700, 12],
  'v1alpha1.admissionregistration.k8s.io': [16700, 9],
  'v1alpha2.scheduling.k8s.io': [16600, 2],
  'v1beta1.coordination.k8s.io': [16500, 13],
  'v1alpha2.coordination.k8s.io': [16500, 12],
  'v1beta2.resource.k8s.io': [16200, 15],
  'v1beta1.resource.k8s.io': [16200, 9],
  'v1alpha3.resource.k8s.io': [16200, 1],
  'v1alpha1.internal.apiserver.k8s.io': [16000, 9],
  'v1beta1.storagemigration.k8s.io': [15800, 9],
};
/** Of custom resources: after everything that is compiled in. */
const CUSTOM: readonly [number, number] = [1000, 100];

let builtin: Map<string, readonly [number, number]> | undefined;

function builtinPriorities(): Map<string, readonly [number, number]> {
  if (builtin) return builtin;
  builtin = new Map(Object.entries(OFF_BY_DEFAULT));
  const objects = JSON.parse(readCatalogFile('bootstrap.json')) as { path: string; object: KubeObject }[];
  for (const { path, object } of objects) {
    if (!path.endsWith('/apiservices')) continue;
    const spec = obj(object, 'spec');
    builtin.set(nameOf(str(spec, 'group'), str(spec, 'version')), [
      num(spec, 'groupPriorityMinimum'),
      num(spec, 'versionPriority'),
    ]);
  }
  return builtin;
}

/** Name of the APIService of a group version. */
export function nameOf(group: string, version: string): string {
  return `${version}.${group}`;
}

/** Where a group version that this server answers itself stands, unless an APIService says otherwise. */
export function rankOf(group: string, version: string): Ranked {
  const name = nameOf(group, version);
  const [groupPriority, versionPriority] = builtinPriorities().get(name) ?? CUSTOM;
  return { name, group, version, groupPriority, versionPriority };
}
