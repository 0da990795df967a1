import { num, obj, str } from '../../api/access.js';
import type { KubeObject } from '../../machinery/json.js';
import type { AdmissionAttributes, AdmissionPlugin } from '../contract.js';
import { rejectedBy } from '../errors.js';
import { concerns, type Objects } from './concerns.js';
import { ObjectIndex } from './object-index.js';

const CLASSES = { group: 'scheduling.k8s.io', resource: 'priorityclasses' };

export interface PriorityDependencies {
  readonly objects: Objects;
  gate(name: 'WorkloadAwarePreemption'): boolean;
}

interface Priority {
  className: string;
  value: number;
  preemptionPolicy: string;
}

/**
 * Turns the name of a pod's priority class into the number that schedulers compare, and takes the default class where
 * none is named. There is one default class at most.
 */
export function priority({ objects, gate }: PriorityDependencies): AdmissionPlugin {
  const defaults = new ObjectIndex(objects, CLASSES, (c) => c.globalDefault === true);

  /** The lowest, should several have come to be default. */
  async function defaultClass(): Promise<KubeObject | undefined> {
    return (await defaults.in()).sort((x, y) => num(x, 'value') - num(y, 'value'))[0];
  }

  async function establish(a: AdmissionAttributes, named: string): Promise<Priority> {
    const found = named ? await objects.get(CLASSES, '', named) : await defaultClass();
    if (named && !found) throw rejectedBy(a, `no PriorityClass with name ${named} was found`);
    if (!found) return { className: '', value: 0, preemptionPolicy: 'PreemptLowerPriority' };
    const className = found.metadata.name ?? '';
    return { className, value: num(found, 'value'), preemptionPolicy: str(found, 'preemptionPolicy') };
  }

  async function admitPod(a: AdmissionAttributes, pod: KubeObject): Promise<void> {
    const spec = { ...obj(pod, 'spec') };
    const wanted = await establish(a, str(spec, 'priorityClassName'));
    if (spec.priority !== undefined && num(spec, 'priority') !== wanted.value) {
      const text = `the integer value of priority (${num(spec, 'priority')}) must not be provided in pod spec`;
      throw rejectedBy(a, `${text}; priority admission controller computed ${wanted.value} ${FROM_CLASS}`);
    }
    if (wanted.preemptionPolicy) {
      const given = spec.preemptionPolicy;
      // Given as '' is given.
      if (given !== undefined && given !== wanted.preemptionPolicy) {
        const text = `the string value of PreemptionPolicy (${String(given)}) must not be provided in pod spec`;
        throw rejectedBy(a, `${text}; priority admission controller computed ${wanted.preemptionPolicy} ${FROM_CLASS}`);
      }
      spec.preemptionPolicy = wanted.preemptionPolicy;
    }
    if (wanted.className) spec.priorityClassName = wanted.className;
    pod.spec = { ...spec, priority: wanted.value };
  }

  async function admitPodGroup(a: AdmissionAttributes, group: KubeObject): Promise<void> {
    const spec = { ...obj(group, 'spec') };
    const { className, value } = await establish(a, str(spec, 'priorityClassName'));
    if (spec.priority !== undefined && num(spec, 'priority') !== value) {
      const text = `priority set in the pod group (${num(spec, 'priority')}) must match the priority computed (${value})`;
      throw rejectedBy(a, `${text} based on the priority class set in the spec`);
    }
    if (className) spec.priorityClassName = className;
    group.spec = { ...spec, priority: value };
  }

  return {
    name: 'Priority',
    handles: (operation) => operation === 'CREATE' || operation === 'UPDATE',
    admit(a) {
      if (!a.object) return undefined;
      if (concerns(a, '/pods')) return a.operation === 'CREATE' ? admitPod(a, a.object) : keepPriority(a.object, a);
      if (a.operation !== 'CREATE' || !gate('WorkloadAwarePreemption')) return undefined;
      return concerns(a, 'scheduling.k8s.io/podgroups') ? admitPodGroup(a, a.object) : undefined;
    },
    async validate(a) {
      if (a.object?.globalDefault !== true || !concerns(a, 'scheduling.k8s.io/priorityclasses')) return;
      const name = (await defaultClass())?.metadata.name;
      if (name === undefined || (a.operation === 'UPDATE' && name === a.object.metadata.name)) return;
      throw rejectedBy(a, `PriorityClass ${name} is already marked as default. Only one default can exist`);
    },
  };
}

const FROM_CLASS = 'from the given PriorityClass name';

/** An update from a client that does not know these fields leaves them as they are. */
function keepPriority(pod: KubeObject, a: AdmissionAttributes): void {
  const spec = obj(pod, 'spec');
  const old = obj(a.oldObject, 'spec');
  for (const field of ['priority', 'preemptionPolicy']) {
    if (spec[field] === undefined && old[field] !== undefined) pod.spec = { ...obj(pod, 'spec'), [field]: old[field] };
  }
}
