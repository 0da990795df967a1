import { invalidValue, notSupported, Path, required } from '../../machinery/field.js';
import { equalJson, type JsonObject, type KubeObject } from '../../machinery/json.js';
import { obj, ptr, str } from '../access.js';
import { templateRules, templateWarnings } from '../core/pod-template.js';
import { alwaysRunning } from '../core/replication-controller.js';
import { TEMPLATE_GENERATION } from '../defaulting/special.js';
import { kind } from '../kind.js';
import type { Strategy } from '../strategy.js';
import { goForm, ifPresent, labelSelector, nonNegative, type Rule, struct, whole } from '../validation/index.js';
import { collisionCountGrows } from './deployment.js';
import { amountOf, atMost100Percent, intOrPercent } from './int-or-percent.js';
import { readOnlyDisks } from './replica-set.js';
import {
  isEmptySelector,
  isUsableSelector,
  LABEL_SELECTOR,
  mustMatchTemplate,
  selectorIsImmutable,
} from './selector.js';

const SPEC = new Path('spec');

const rollingUpdate = struct('apps.v1.RollingUpdateDaemonSet', {
  maxUnavailable: ifPresent(intOrPercent),
  maxSurge: ifPresent(intOrPercent),
  $limits: whole((o, at, c) => {
    for (const field of ['maxUnavailable', 'maxSurge']) atMost100Percent(o[field], at.child(field), c);
    const unavailable = amountOf(o.maxUnavailable) !== 0;
    const surge = amountOf(o.maxSurge) !== 0;
    if (unavailable && surge)
      c.errors.push(invalidValue(at.child('maxSurge'), o.maxSurge, 'may not be set when maxUnavailable is non-zero'));
    if (!unavailable && !surge) c.errors.push(required(at.child('maxUnavailable'), 'cannot be 0 when maxSurge is 0'));
  }),
});

const updateStrategy: Rule = (v, at, c) => {
  const s = (v ?? {}) as JsonObject;
  const type = str(s, 'type');
  if (type === 'RollingUpdate') {
    const update = ptr(s, 'rollingUpdate');
    if (update) rollingUpdate(update, at.child('rollingUpdate'), c);
    else c.errors.push(required(at.child('rollingUpdate')));
  } else if (type !== 'OnDelete')
    c.errors.push(notSupported(at, goForm('apps.v1.DaemonSetUpdateStrategy', s), ['RollingUpdate', 'OnDelete']));
};

const tail = struct('apps.v1.DaemonSetSpec', {
  minReadySeconds: nonNegative,
  updateStrategy,
  revisionHistoryLimit: ifPresent(nonNegative),
});

const counts = struct('apps.v1.DaemonSetStatus', {
  currentNumberScheduled: nonNegative,
  numberMisscheduled: nonNegative,
  desiredNumberScheduled: nonNegative,
  numberReady: nonNegative,
  observedGeneration: nonNegative,
  updatedNumberScheduled: nonNegative,
  numberAvailable: nonNegative,
  numberUnavailable: nonNegative,
  collisionCount: ifPresent(nonNegative),
});

function setTemplateGeneration(o: KubeObject, n: number): void {
  o.metadata.annotations = { ...o.metadata.annotations, [TEMPLATE_GENERATION]: `${n}` };
}
const templateGeneration = (o: KubeObject): number => {
  const text = o.metadata.annotations?.[TEMPLATE_GENERATION] ?? '';
  return /^[0-9]{1,15}$/.test(text) ? Number(text) : 0;
};

export const daemonSet: Strategy = kind({
  group: 'apps',
  kind: 'DaemonSet',
  rules(v, _, c) {
    const spec = obj(v as KubeObject, 'spec');
    const selector = ptr(spec, 'selector');
    const template = obj(spec, 'template');
    const at = SPEC.child('template');
    const here = SPEC.child('selector');
    labelSelector(spec.selector, here, c);
    if (!selector || isUsableSelector(selector, here)) mustMatchTemplate(selector, template, at, c);
    if (selector && isEmptySelector(selector))
      c.errors.push(invalidValue(here, goForm(LABEL_SELECTOR, selector), 'empty selector is invalid for daemonset'));
    const old = c.old && obj(obj(c.old, 'spec'), 'template');
    templateRules(template, old, at, c);
    readOnlyDisks(template, old, at, c);
    alwaysRunning(template, at, 'DaemonSet', c);
    tail(spec, SPEC, c);
  },
  updateRules: (o, old, c) => selectorIsImmutable(obj(o, 'spec'), obj(old, 'spec'), SPEC.child('selector'), c),
  onUpdate: ['change', 'updateRules', 'rules'],
  prepareForCreate(_, o) {
    setTemplateGeneration(o, Math.max(1, templateGeneration(o)));
  },
  prepareForUpdate(_, o, old) {
    const changed = !equalJson(obj(o, 'spec').template, obj(old, 'spec').template);
    setTemplateGeneration(o, templateGeneration(old) + (changed ? 1 : 0));
  },
  warnings: (_, o, old) => templateWarnings(o, old, 'spec', 'template'),
  subresources: {
    status: {
      prepare: (_, o, old) => setTemplateGeneration(o, templateGeneration(old)),
      rules(o, old, c) {
        counts(obj(o, 'status'), new Path('status'), c);
        collisionCountGrows(o, old, c);
      },
    },
  },
});
