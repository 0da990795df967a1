import { forbiddenField, invalidValue, Path, required } from '../../machinery/field.js';
import { cloneJson, equalJson, type JsonObject, type KubeObject } from '../../machinery/json.js';
import { list, obj, ptr, str } from '../access.js';
import { claimSpec } from '../core/claim-spec.js';
import { templateMetadataRules, templateRules, templateWarnings } from '../core/pod-template.js';
import { alwaysRunning } from '../core/replication-controller.js';
import { kind } from '../kind.js';
import type { Strategy } from '../strategy.js';
import {
  type Check,
  dnsLabel,
  goForm,
  ifPresent,
  nonNegative,
  oneOfInOrder,
  type Rule,
  struct,
  whole,
} from '../validation/index.js';
import { collisionCountGrows, notMoreThan } from './deployment.js';
import { amountOf, atMost100Percent, intOrPercent } from './int-or-percent.js';
import { isEmptySelector, mustMatchTemplate, workloadSelector } from './selector.js';

const SPEC = new Path('spec');
const STATUS = new Path('status');

const rollingUpdate = struct('apps.v1.RollingUpdateStatefulSetStrategy', {
  partition: ifPresent(nonNegative),
  maxUnavailable: ifPresent(intOrPercent, atMost100Percent, (v, at, c) => {
    if (amountOf(v) === 0) c.errors.push(invalidValue(at, v, 'cannot be 0'));
  }),
});

const updateStrategy: Rule = (v, at, c) => {
  const s = (v ?? {}) as JsonObject;
  const update = ptr(s, 'rollingUpdate');
  const here = at.child('rollingUpdate');
  switch (str(s, 'type')) {
    case '':
      c.errors.push(required(at));
      break;
    case 'OnDelete':
      if (update)
        c.errors.push(
          invalidValue(
            here,
            goForm('apps.v1.RollingUpdateStatefulSetStrategy', update),
            "only allowed for updateStrategy 'RollingUpdate'",
          ),
        );
      break;
    case 'RollingUpdate':
      if (update) rollingUpdate(update, here, c);
      break;
    default:
      c.errors.push(
        invalidValue(at, goForm('apps.v1.StatefulSetUpdateStrategy', s), "must be 'RollingUpdate' or 'OnDelete'"),
      );
  }
};

const retention = oneOfInOrder('Retain', 'Delete');

const head = struct('apps.v1.StatefulSetSpec', {
  podManagementPolicy: (v, at, c) => {
    if (v === '') c.errors.push(required(at));
    else if (v !== 'OrderedReady' && v !== 'Parallel')
      c.errors.push(invalidValue(at, v, "must be 'OrderedReady' or 'Parallel'"));
  },
  updateStrategy,
  persistentVolumeClaimRetentionPolicy: ifPresent(
    struct('apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy', {
      whenDeleted: retention,
      whenScaled: retention,
    }),
  ),
  $replicas: whole((o, at, c) => nonNegative(o.replicas ?? 0, at.child('replicas'), c)),
  minReadySeconds: nonNegative,
  serviceName: (v, at, c) => {
    if (!c.old && str({ v }, 'v') !== '') dnsLabel(v, at, c);
  },
  ordinals: ifPresent((v, at, c) => nonNegative((v as JsonObject).start ?? 0, at.child('start'), c)),
});

const counts = struct('apps.v1.StatefulSetStatus', {
  replicas: nonNegative,
  readyReplicas: nonNegative,
  currentReplicas: nonNegative,
  updatedReplicas: nonNegative,
  availableReplicas: nonNegative,
  observedGeneration: nonNegative,
  collisionCount: ifPresent(nonNegative),
});

/** Fields that may change; the others decide the identity of pods and claims that exist. */
const MUTABLE = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
];

function change(o: KubeObject, old: KubeObject, c: Check): void {
  const spec = cloneJson(obj(o, 'spec'));
  const before = obj(old, 'spec');
  for (const field of MUTABLE) {
    if (before[field] === undefined) delete spec[field];
    else spec[field] = before[field];
  }
  if (!equalJson(spec, before))
    c.errors.push(
      forbiddenField(
        SPEC,
        "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
      ),
    );
}

/** The template with what its pods will have besides: a volume for each claim, before others of the same name. */
function podTemplateOf(spec: JsonObject): JsonObject {
  const template = obj(spec, 'template');
  // Names of hosts are made from those of the set and its service.
  const { hostname: _h, subdomain: _s, ...pod } = obj(template, 'spec');
  const claims = [...new Set(list(spec, 'volumeClaimTemplates').map((claim) => str(obj(claim, 'metadata'), 'name')))];
  if (claims.length > 0)
    pod.volumes = [
      ...claims.map((name) => ({ name, persistentVolumeClaim: { claimName: name } })),
      ...list(pod, 'volumes').filter((v) => !claims.includes(str(v, 'name'))),
    ];
  return { ...template, spec: pod };
}

/** Claims never change, so stored ones are as good as they will get. */
function claimTemplates(spec: JsonObject, c: Check): void {
  if (c.old) return;
  list(spec, 'volumeClaimTemplates').forEach((claim, i) => {
    claimSpec(claim.spec, SPEC.child('volumeClaimTemplates').index(i).child('spec'), c);
  });
}

export const statefulSet: Strategy = kind({
  group: 'apps',
  kind: 'StatefulSet',
  rules(v, _, c) {
    const spec = obj(v as KubeObject, 'spec');
    head(spec, SPEC, c);
    const at = SPEC.child('template');
    const template = obj(spec, 'template');
    const texts = { empty: 'empty selector is invalid for statefulset', broken: '' };
    if (workloadSelector(spec.selector, SPEC.child('selector'), texts, c)) {
      const selector = ptr(spec, 'selector');
      if (!selector || !isEmptySelector(selector)) mustMatchTemplate(selector, template, at, c);
      const old = c.old && obj(obj(c.old, 'spec'), 'template');
      templateMetadataRules(template, old, at, c);
      templateRules(podTemplateOf(spec), old, at, c);
    }
    claimTemplates(spec, c);
    alwaysRunning(template, at, 'StatefulSet', c);
  },
  updateRules: change,
  warnings: (_, o, old) => templateWarnings(o, old, 'spec', 'template'),
  subresources: {
    status: {
      rules(o, old, c) {
        const status = obj(o, 'status');
        counts(status, STATUS, c);
        notMoreThan(
          status,
          [
            ['readyReplicas', 'replicas'],
            ['currentReplicas', 'replicas'],
            ['updatedReplicas', 'replicas'],
            ['availableReplicas', 'replicas'],
            ['availableReplicas', 'readyReplicas'],
          ],
          c,
        );
        collisionCountGrows(o, old, c);
      },
    },
  },
});
