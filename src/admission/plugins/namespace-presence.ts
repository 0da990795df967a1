import { isStatusError, notFound } from '../../machinery/errors.js';
import type { KubeObject } from '../../machinery/json.js';
import type { AdmissionAttributes, AdmissionPlugin } from '../contract.js';
import { rejectedBy } from '../errors.js';
import type { NamespaceReader } from './namespace-lifecycle.js';

/** Makes the namespace that the first object is put into. */
export function namespaceAutoProvision(
  namespaceOf: NamespaceReader,
  create: (namespace: KubeObject) => Promise<unknown>,
): AdmissionPlugin {
  return {
    name: 'NamespaceAutoProvision',
    handles: (operation) => operation === 'CREATE',
    async admit(a) {
      if (a.dryRun || !isInNamespace(a) || (await namespaceOf(a.namespace))) return;
      try {
        await create({ metadata: { name: a.namespace } });
      } catch (e) {
        if (!isStatusError(e, 'AlreadyExists')) throw rejectedBy(a, (e as Error).message);
      }
    },
  };
}

/** Nothing is done in a namespace that does not exist. NamespaceLifecycle says so, too, and earlier. */
export function namespaceExists(namespaceOf: NamespaceReader): AdmissionPlugin {
  return {
    name: 'NamespaceExists',
    handles: (operation) => operation !== 'CONNECT',
    async validate(a) {
      if (!isInNamespace(a) || (await namespaceOf(a.namespace))) return;
      throw notFound({ group: '', resource: 'namespaces' }, a.namespace);
    },
  };
}

const isInNamespace = (a: AdmissionAttributes): boolean =>
  a.namespace !== '' && !(a.kind.group === '' && a.kind.kind === 'Namespace');
