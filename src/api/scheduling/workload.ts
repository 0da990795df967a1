import { forbiddenField, invalidValue, Path } from '../../machinery/field.js';
import { equalJson, type JsonObject, type KubeObject } from '../../machinery/json.js';
import { list, obj, ptr, str } from '../access.js';
import { kind } from '../kind.js';
import type { Strategy } from '../strategy.js';
import {
  type Check,
  changed,
  conditions,
  dnsLabel,
  dnsSubdomain,
  each,
  format,
  formats,
  ifPresent,
  ifSet,
  maxItems,
  maximum,
  minimum,
  nameIsDnsSubdomain,
  oneOf,
  pathSegment,
  type Rule,
  required,
  struct,
  union,
  uniqueKey,
} from '../validation/index.js';

// Pods that are scheduled together (KEP-4671). All rules are declarative upstream.

const GROUP = 'scheduling.k8s.io';
const V = 'scheduling.v1alpha2';
const SPEC = new Path('spec');

const PREEMPTION = 'WorkloadAwarePreemption';
const TOPOLOGY = 'TopologyAwareWorkloadScheduling';

/** Looks into a list only when it is not too long. */
function limited(max: number, ...rules: readonly Rule[]): Rule {
  return (v, at, c) => {
    if (Array.isArray(v) && v.length > max) maxItems(max)(v, at, c);
    else for (const rule of rules) rule(v, at, c);
  };
}

const resourceClaim = struct(`${V}.PodGroupResourceClaim`, {
  $one: union('resourceClaimName', 'resourceClaimTemplateName'),
  name: required(dnsLabel),
  resourceClaimName: ifPresent(dnsSubdomain),
  resourceClaimTemplateName: ifPresent(dnsSubdomain),
});
const resourceClaims = limited(4, uniqueKey(`${V}.PodGroupResourceClaim`, 'name'), each(resourceClaim));

const schedulingPolicy = struct(`${V}.PodGroupSchedulingPolicy`, {
  $one: union('basic', 'gang'),
  gang: ifPresent(struct(`${V}.GangSchedulingPolicy`, { minCount: required(minimum(1)) })),
});
const schedulingConstraints = ifPresent(
  struct(`${V}.PodGroupSchedulingConstraints`, {
    topology: limited(1, each(struct(`${V}.TopologyConstraint`, { key: required(format(formats.qualifiedName)) }))),
  }),
);
/** What a group and a template of groups have in common. Fields whose feature is off were dropped before. */
const common = {
  schedulingPolicy,
  schedulingConstraints,
  resourceClaims,
  disruptionMode: ifPresent(oneOf('Pod', 'PodGroup')),
  priorityClassName: ifSet(dnsSubdomain),
  priority: ifPresent(maximum(1_000_000_000)),
};

const podGroupSpec = struct(`${V}.PodGroupSpec`, {
  podGroupTemplateRef: ifPresent(
    struct(`${V}.PodGroupTemplateReference`, {
      $one: union('workload'),
      workload: ifPresent(
        struct(`${V}.WorkloadPodGroupTemplateReference`, {
          workloadName: required(dnsSubdomain),
          podGroupTemplateName: required(dnsLabel),
        }),
      ),
    }),
  ),
  ...common,
});

/** Gate of a field, when it has one. */
const POD_GROUP_FIELDS: Readonly<Record<string, string>> = {
  podGroupTemplateRef: '',
  schedulingPolicy: '',
  schedulingConstraints: TOPOLOGY,
  resourceClaims: '',
  disruptionMode: PREEMPTION,
  priorityClassName: PREEMPTION,
  priority: PREEMPTION,
};

/** Nothing of a spec changes; what a feature that is off left behind may go. */
function fixed(fields: Readonly<Record<string, string>>, o: KubeObject, old: KubeObject, c: Check): void {
  for (const [name, gate] of Object.entries(fields)) {
    const value = obj(o, 'spec')[name];
    if (equalJson(value, obj(old, 'spec')[name])) continue;
    if (gate === '' || c.gate(gate)) changed(SPEC.child(name), c);
    else if (value !== undefined) c.errors.push(forbiddenField(SPEC.child(name), ''));
  }
}

const claimStatus = struct(`${V}.PodGroupResourceClaimStatus`, { resourceClaimName: ifPresent(dnsSubdomain) });

function status(o: KubeObject, old: KubeObject, c: Check): void {
  const at = new Path('status');
  conditions(obj(o, 'status').conditions, at.child('conditions'), c);
  const statuses = list(obj(o, 'status'), 'resourceClaimStatuses');
  const before = list(obj(old, 'status'), 'resourceClaimStatuses');
  const claims = new Set(list(obj(o, 'spec'), 'resourceClaims').map((claim) => str(claim, 'name')));
  const here = at.child('resourceClaimStatuses');
  statuses.forEach((s, i) => {
    const name = str(s, 'name');
    if (!claims.has(name))
      c.errors.push(
        invalidValue(here.index(i).child('name'), name, 'must match the name of an entry in `spec.resourceClaims`'),
      );
  });
  if (equalJson(statuses, before)) return;
  limited(4, uniqueKey(`${V}.PodGroupResourceClaimStatus`, 'name'), () => {
    statuses.forEach((s, i) => {
      if (!before.some((b) => equalJson(b, s))) claimStatus(s, here.index(i), c);
    });
  })(statuses, here, c);
}

export const podGroup: Strategy = kind({
  group: GROUP,
  kind: 'PodGroup',
  name: nameIsDnsSubdomain,
  rules: (v, _, c) => podGroupSpec(obj(v as KubeObject, 'spec'), SPEC, c),
  updateRules: (o, old, c) => fixed(POD_GROUP_FIELDS, o, old, c),
  onUpdate: ['change', 'updateRules'],
  subresources: { status: { rules: status } },
});

const template = struct(`${V}.PodGroupTemplate`, { name: required(dnsLabel), ...common });
const workloadSpec = struct(`${V}.WorkloadSpec`, {
  controllerRef: ifPresent(
    struct(`${V}.TypedLocalObjectReference`, {
      apiGroup: ifSet(dnsSubdomain),
      kind: required(pathSegment),
      name: required(pathSegment),
    }),
  ),
  podGroupTemplates: required(limited(8, uniqueKey(`${V}.PodGroupTemplate`, 'name'), each(template))),
});

export const workload: Strategy = kind({
  group: GROUP,
  kind: 'Workload',
  name: nameIsDnsSubdomain,
  rules: (v, _, c) => workloadSpec(ptr(v as JsonObject, 'spec'), SPEC, c),
  updateRules: (o, old, c) => fixed({ controllerRef: '', podGroupTemplates: '' }, o, old, c),
  onUpdate: ['change', 'updateRules'],
});
