import { duplicate, Path } from '../../machinery/field.js';
import type { JsonObject } from '../../machinery/json.js';
import { obj, str, stringMap } from '../access.js';
import { type PodCheck, STRICT } from '../core/pod/check.js';
import { containerResources } from '../core/pod/resources.js';
import { DEPRECATED_LABELS } from '../core/pod/warnings.js';
import { toleration } from '../core/scheduling.js';
import type { GroupStrategies } from '../index.js';
import { kind } from '../kind.js';
import {
  dnsLabel,
  each,
  goForm,
  ifPresent,
  immutable,
  labels,
  type Rule,
  required,
  struct,
  whole,
} from '../validation/index.js';

/** What running a pod costs beside its containers: held to the rules of a container's limits. */
const overhead: Rule = whole((o, at, c) => {
  const check: PodCheck = {
    ...c,
    lenient: STRICT,
    pod: undefined,
    spec: {},
    volumes: new Map(),
    claims: new Set(),
    hostUsers: true,
  };
  containerResources({ limits: obj(o, 'podFixed') }, at, check);
});

const distinctTolerations: Rule = (v, at, c) => {
  const seen = new Set<string>();
  (Array.isArray(v) ? (v as JsonObject[]) : []).forEach((t, i) => {
    const key = JSON.stringify(['key', 'operator', 'value', 'effect'].map((name) => str(t, name)));
    if (seen.has(key)) c.errors.push(duplicate(at.index(i), goForm('core.v1.Toleration', t)));
    seen.add(key);
  });
};

const runtimeClass = kind({
  group: 'node.k8s.io',
  kind: 'RuntimeClass',
  rules: struct('node.v1.RuntimeClass', {
    handler: required(dnsLabel),
    overhead: ifPresent(overhead),
    scheduling: ifPresent(
      struct('node.v1.Scheduling', { nodeSelector: labels, tolerations: [each(toleration), distinctTolerations] }),
    ),
  }),
  updateRules: (o, old, c) => immutable(str(o, 'handler'), str(old, 'handler'), new Path('handler'), c),
  onUpdate: ['meta', 'rules', 'change', 'updateRules'],
  warnings: (_, o) =>
    Object.keys(stringMap(obj(o, 'scheduling'), 'nodeSelector'))
      .sort()
      .flatMap((key) => (DEPRECATED_LABELS[key] ? [`scheduling.nodeSelector: ${DEPRECATED_LABELS[key]}`] : [])),
});

export const strategies: GroupStrategies = { RuntimeClass: runtimeClass };
