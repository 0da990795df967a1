import { list, obj, ptr, str } from '../../api/access.js';
import { goQuote } from '../../machinery/go-format.js';
import type { AdmissionPlugin } from '../contract.js';
import { rejectedBy } from '../errors.js';
import { concerns, type Objects } from './concerns.js';

export interface PodGroupWorkloadExistsDependencies {
  readonly objects: Objects;
  gate(name: 'GenericWorkload'): boolean;
}

/** A pod group that comes from a template of a workload needs both to be there (KEP-4671). */
export function podGroupWorkloadExists({ objects, gate }: PodGroupWorkloadExistsDependencies): AdmissionPlugin {
  return {
    name: 'PodGroupWorkloadExists',
    handles: (operation) => operation === 'CREATE',
    async validate(a) {
      if (!concerns(a, 'scheduling.k8s.io/podgroups') || !gate('GenericWorkload')) return;
      const ref = ptr(obj(obj(a.object, 'spec'), 'podGroupTemplateRef'), 'workload');
      if (!ref) return;
      const name = str(ref, 'workloadName');
      const found = await objects.get({ group: 'scheduling.k8s.io', resource: 'workloads' }, a.namespace, name);
      if (!found) throw rejectedBy(a, `PodGroup rejected: Workload ${goQuote(name)} not found`);
      if (found.metadata.deletionTimestamp) {
        throw rejectedBy(a, `PodGroup rejected: Workload ${goQuote(name)} is being deleted`);
      }
      const template = str(ref, 'podGroupTemplateName');
      if (list(obj(found, 'spec'), 'podGroupTemplates').some((t) => str(t, 'name') === template)) return;
      const text = `PodGroupTemplate ${goQuote(template)} not found in Workload ${goQuote(name)}`;
      throw rejectedBy(a, `PodGroup rejected: ${text}`);
    },
  };
}
