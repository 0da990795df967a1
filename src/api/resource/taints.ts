import { invalidValue, notSupported, Path, required as requiredError, tooMany } from '../../machinery/field.js';
import { equalJson, type KubeObject } from '../../machinery/json.js';
import { edit, list, obj, str } from '../access.js';
import { kind } from '../kind.js';
import type { Strategy } from '../strategy.js';
import {
  type Check,
  conditions,
  dnsLabel,
  format,
  formats,
  ifPresent,
  ifSet,
  labelValue,
  oneOf,
  type Rule,
  required,
  struct,
  whole,
} from '../validation/index.js';
import { driverName, poolName } from './names.js';

const EFFECTS = ['NoExecute', 'NoSchedule', 'None'];
const MAX_CONDITIONS = 8;

export const taint = struct('resource.v1.DeviceTaint', {
  key: format(formats.qualifiedName),
  value: ifSet(labelValue),
  effect: required(oneOf(...EFFECTS)),
});

export const toleration: Rule = struct('resource.v1.DeviceToleration', {
  key: ifSet(format(formats.qualifiedName)),
  $operator: whole((o, at, c) => {
    const operator = str(o, 'operator');
    const value = str(o, 'value');
    if (operator === '') c.errors.push(requiredError(at.child('operator')));
    else if (operator === 'Equal') labelValue(value, at.child('value'), c);
    else if (operator !== 'Exists') c.errors.push(notSupported(at.child('operator'), operator, ['Equal', 'Exists']));
    else if (value !== '') c.errors.push(invalidValue(at.child('value'), value, 'must be empty for operator `Exists`'));
  }),
  effect: ifSet(oneOf(...EFFECTS)),
});

const ruleSelector = struct('resource.v1beta2.DeviceTaintSelector', {
  driver: ifPresent(driverName),
  pool: ifPresent(poolName),
  device: ifPresent(dnsLabel),
});

function rules(o: KubeObject, c: Check): void {
  const spec = obj(o, 'spec');
  const at = new Path('spec');
  ifPresent(ruleSelector)(spec.deviceSelector, at.child('deviceSelector'), c);
  const now = obj(spec, 'taint');
  // An effect that is stored already stays.
  const same = c.old && str(obj(obj(c.old, 'spec'), 'taint'), 'effect') === str(now, 'effect');
  taint(same ? { ...now, effect: EFFECTS[0] } : now, at.child('taint'), c);
}

export const deviceTaintRule: Strategy = kind({
  group: 'resource.k8s.io',
  kind: 'DeviceTaintRule',
  rules: (v, _, c) => rules(v as KubeObject, c),
  prepareForUpdate(ctx, o, old) {
    const was = obj(obj(old, 'spec'), 'taint');
    edit(o, 'spec', (spec) =>
      edit(spec, 'taint', (now) => {
        if (str(now, 'effect') !== str(was, 'effect') && equalJson(now.timeAdded, was.timeAdded))
          now.timeAdded = ctx.now();
      }),
    );
  },
  subresources: {
    status: {
      rules(o, _, c) {
        const at = new Path('status').child('conditions');
        const all = list(obj(o, 'status'), 'conditions');
        conditions(all, at, c);
        if (all.length > MAX_CONDITIONS) c.errors.push(tooMany(at, all.length, MAX_CONDITIONS));
      },
    },
  },
});
