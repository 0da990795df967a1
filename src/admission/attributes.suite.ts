import { cloneJson, type KubeObject } from '../machinery/json.js';
import type { AdmissionAttributes } from './contract.js';
import type { AdmittedVersion } from './matching/versions.js';

// Requests for tests of admission.

export interface TestAttributes extends AdmissionAttributes {
  readonly warnings: string[];
  readonly annotations: Record<string, string>;
}

/** A CREATE of a config map by alice, unless told otherwise. */
export function attributes(over: Partial<AdmissionAttributes> = {}): TestAttributes {
  const warnings: string[] = [];
  const annotations: Record<string, string> = {};
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', namespace: 'ns' }, data: { a: '1' } };
  return {
    operation: 'CREATE',
    kind: { group: '', version: 'v1', kind: 'ConfigMap' },
    resource: { group: '', version: 'v1', resource: 'configmaps' },
    subresource: '',
    namespace: 'ns',
    name: 'c',
    object,
    oldObject: undefined,
    options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' },
    dryRun: false,
    user: { name: 'alice', groups: ['dev'] },
    namespaced: true,
    warn: (text) => warnings.push(text),
    annotate: (key, value) => {
      annotations[key] = value;
    },
    signal: () => new AbortController().signal,
    ...over,
    warnings,
    annotations,
  };
}

/** A version that shows objects as they are. */
export function versionOf(group: string, version: string, resource: string, kind = 'Thing'): AdmittedVersion {
  return {
    resource: { group, version, resource },
    kind: { group, version, kind },
    text: async (object) => JSON.stringify(object),
    read: async (value) => cloneJson(value) as KubeObject,
    overlay: (live, config) => ({ ...live, ...config }),
  };
}
