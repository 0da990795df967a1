import { forbiddenField, invalidValue, notSupported, Path, required as requiredError } from '../../machinery/field.js';
import type { JsonObject, KubeObject, ObjectMeta } from '../../machinery/json.js';
import { num, obj, ptr, str, stringMap } from '../access.js';
import { kind } from '../kind.js';
import type { Strategy } from '../strategy.js';
import {
  type Check,
  formats,
  nameIsDnsSubdomain,
  nonNegative,
  required,
  sortedMap,
  struct,
} from '../validation/index.js';
import { templateRules, templateWarnings } from './pod-template.js';

const SPEC = new Path('spec');

/** Templates of controllers that keep pods running for ever. */
export function alwaysRunning(template: JsonObject, at: Path, kindName: string, c: Check): void {
  const spec = obj(template, 'spec');
  if (str(spec, 'restartPolicy') !== 'Always')
    c.errors.push(notSupported(at.child('spec', 'restartPolicy'), str(spec, 'restartPolicy'), ['Always']));
  if (spec.activeDeadlineSeconds !== undefined)
    c.errors.push(
      forbiddenField(
        at.child('spec', 'activeDeadlineSeconds'),
        `activeDeadlineSeconds in ${kindName} is not Supported`,
      ),
    );
}

const counts = struct('core.v1.ReplicationControllerStatus', {
  replicas: nonNegative,
  fullyLabeledReplicas: nonNegative,
  readyReplicas: nonNegative,
  availableReplicas: nonNegative,
  observedGeneration: nonNegative,
});

/** Numbers that a controller reports of its replicas do not contradict each other. */
export function replicaStatusRules(status: JsonObject, c: Check, terminating = false): void {
  const at = new Path('status');
  counts(status, at, c);
  if (terminating && num(status, 'terminatingReplicas') < 0)
    nonNegative(num(status, 'terminatingReplicas'), at.child('terminatingReplicas'), c);
  const atMost = (field: string, max: string, text: string) => {
    if (num(status, field) > num(status, max)) c.errors.push(invalidValue(at.child(field), num(status, field), text));
  };
  for (const field of ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'])
    atMost(field, 'replicas', 'cannot be greater than status.replicas');
  atMost('availableReplicas', 'readyReplicas', 'cannot be greater than readyReplicas');
}

/** Names of workloads become hostnames of their pods. */
export function hostnameWarning(name: string): string[] {
  const faults = formats.dns1123Label(name);
  return faults.length === 0
    ? []
    : [
        `metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [${faults.join(' ')}]`,
      ];
}

const head = struct('core.v1.ReplicationControllerSpec', {
  minReadySeconds: nonNegative,
  selector: required(),
  replicas: nonNegative,
});

export const replicationController: Strategy = kind({
  group: '',
  kind: 'ReplicationController',
  // Prefixes are taken as they are: only the name that comes of one counts.
  name: (name, prefix) => (prefix ? [] : nameIsDnsSubdomain(name, false)),
  rules(v, _, c) {
    const spec = obj(v as KubeObject, 'spec');
    head(spec, SPEC, c);
    const template = ptr(spec, 'template');
    const at = SPEC.child('template');
    if (!template) {
      c.errors.push(requiredError(at));
      return;
    }
    const labels = (obj(template, 'metadata') as ObjectMeta).labels;
    const selector = stringMap(spec, 'selector');
    if (Object.keys(selector).some((key) => labels?.[key] !== selector[key]))
      c.errors.push(
        invalidValue(at.child('metadata', 'labels'), sortedMap(labels), '`selector` does not match template `labels`'),
      );
    templateRules(template, c.old && obj(obj(c.old, 'spec'), 'template'), at, c);
    alwaysRunning(template, at, 'ReplicationController', c);
  },
  warnings: (_, o, old) => [
    ...(old ? [] : hostnameWarning(o.metadata.name ?? '')),
    ...templateWarnings(o, old, 'spec', 'template'),
  ],
  subresources: { status: { rules: (o, _, c) => replicaStatusRules(obj(o, 'status'), c) } },
  strategy: {
    selectableFields: (o) => ({ 'status.replicas': String(num(obj(o, 'status'), 'replicas')) }),
  },
});
