import { obj, ptr, str } from '../../api/access.js';
import { goQuote } from '../../machinery/go-format.js';
import type { KubeObject } from '../../machinery/json.js';
import type { AdmissionPlugin } from '../contract.js';
import { rejectedBy } from '../errors.js';
import { concerns, type Objects } from './concerns.js';
import { ObjectIndex } from './object-index.js';

export interface JobValidationDependencies {
  readonly objects: Objects;
  gate(name: 'GenericWorkload' | 'WorkloadWithJob'): boolean;
}

/** The size of a gang is fixed, so a job whose pods are one keeps its parallelism. */
export function jobValidation({ objects, gate }: JobValidationDependencies): AdmissionPlugin {
  const groups = new ObjectIndex(objects, { group: 'scheduling.k8s.io', resource: 'podgroups' }, isGang);
  return {
    name: 'JobValidation',
    handles: (operation) => operation === 'UPDATE',
    async validate(a) {
      if (!a.oldObject || !concerns(a, 'batch/jobs')) return;
      if (!gate('GenericWorkload') && !gate('WorkloadWithJob')) return;
      const old = obj(a.oldObject, 'spec');
      if (obj(a.object, 'spec').parallelism === old.parallelism) return;
      const named = str(obj(obj(obj(old, 'template'), 'spec'), 'schedulingGroup'), 'podGroupName');
      const { uid } = a.oldObject.metadata;
      const gang = (await groups.in(a.namespace)).find(({ metadata }) =>
        named ? metadata.name === named : metadata.ownerReferences?.some((o) => o.controller && o.uid === uid),
      );
      if (!gang) return;
      const name = goQuote(gang.metadata.name ?? '');
      throw rejectedBy(a, `cannot change parallelism for a Job referencing gang-scheduled PodGroup ${name}`);
    },
  };
}

function isGang(group: KubeObject): boolean {
  return ptr(obj(obj(group, 'spec'), 'schedulingPolicy'), 'gang') !== undefined;
}
