import { forbiddenField, Path } from '../../machinery/field.js';
import type { KubeObject } from '../../machinery/json.js';
import { bool, num } from '../access.js';
import type { GroupStrategies } from '../index.js';
import { kind } from '../kind.js';
import { type Check, ifPresent, immutable, oneOfInOrder, required, struct, whole } from '../validation/index.js';
import { podGroup, workload } from './workload.js';

const HIGHEST_FOR_USERS = 1_000_000_000;
const SYSTEM_PREFIX = 'system-';
/** The classes that the system itself makes, with their values. */
const SYSTEM: Readonly<Record<string, number>> = {
  'system-node-critical': 2_000_001_000,
  'system-cluster-critical': 2_000_000_000,
};

function systemFault(name: string, value: number, globalDefault: boolean): string | undefined {
  const expected = Object.hasOwn(SYSTEM, name) ? SYSTEM[name] : undefined;
  if (expected === undefined) return `${name} is not a known system priority class`;
  if (value !== expected) return `value of ${name} PriorityClass must be ${expected}`;
  return globalDefault ? `globalDefault of ${name} PriorityClass must be false` : undefined;
}

function priority(o: KubeObject, c: Check): void {
  const name = o.metadata.name ?? '';
  const value = num(o, 'value');
  if (name.startsWith(SYSTEM_PREFIX)) {
    const fault = systemFault(name, value, bool(o, 'globalDefault'));
    if (fault)
      c.errors.push(
        forbiddenField(
          'metadata.name',
          `priority class names with '${SYSTEM_PREFIX}' prefix are reserved for system use only. error: ${fault}`,
        ),
      );
  } else if (value > HIGHEST_FOR_USERS)
    c.errors.push(forbiddenField('value', `maximum allowed value of a user defined priority is ${HIGHEST_FOR_USERS}`));
}

const priorityClass = kind({
  group: 'scheduling.k8s.io',
  kind: 'PriorityClass',
  rules: struct('scheduling.v1.PriorityClass', {
    $priority: whole((o, _, c) => priority(o as KubeObject, c)),
    preemptionPolicy: ifPresent(required(oneOfInOrder('PreemptLowerPriority', 'Never'))),
  }),
  updateRules(o, old, c) {
    if (num(o, 'value') !== num(old, 'value'))
      c.errors.push(forbiddenField('value', 'may not be changed in an update.'));
    immutable(o.preemptionPolicy, old.preemptionPolicy, new Path('preemptionPolicy'), c);
  },
  onUpdate: ['change', 'updateRules'],
});

export const strategies: GroupStrategies = { PodGroup: podGroup, PriorityClass: priorityClass, Workload: workload };
