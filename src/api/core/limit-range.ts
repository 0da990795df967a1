import { duplicate, forbiddenField, invalidValue, Path, required } from '../../machinery/field.js';
import { getOwn, type JsonObject, type KubeObject } from '../../machinery/json.js';
import type { Quantity } from '../../machinery/quantity.js';
import { list, obj, str } from '../access.js';
import { kind } from '../kind.js';
import type { Strategy } from '../strategy.js';
import { type Check, formats, invalidEach } from '../validation/index.js';
import { mayOvercommit, quantity, validateContainerResourceName, validateResourceName } from './pod/resources.js';

const LIMITS = new Path('spec.limits');
const TYPES = ['Pod', 'Container', 'PersistentVolumeClaim'];
/** Above this, thousandths do not fit 64 bits. */
const MAX_MILLI = 9223372036854775n;

function typeName(type: string, at: Path, c: Check): void {
  const faults = formats.qualifiedName(type);
  invalidEach(c, at, type, faults);
  if (faults.length === 0 && !type.includes('/') && !TYPES.includes(type))
    c.errors.push(invalidValue(at, type, 'must be a standard limit type or fully qualified'));
}

/** Units of `10^scale` in 64 bits, of which larger numbers keep the lowest, as the real server's arithmetic does. */
const int64 = (q: Quantity, scale: number): bigint =>
  q.scale >= scale ? BigInt.asIntN(64, q.value * 10n ** BigInt(q.scale - scale)) : q.scaledValue(scale);

/** Ratio of two amounts, and the allowed one, exact to thousandths where that fits. */
function ratios(ratio: Quantity, min: Quantity, max: Quantity): [number, number] {
  const small = [ratio, min, max].every((q) => int64(q, 0) < MAX_MILLI);
  const [r, low, high] = [ratio, min, max].map((q) => Number(int64(q, small ? -3 : 0))) as [number, number, number];
  return [small ? r / 1000 : r, high / low];
}

/** What is said of one resource agrees: min ≤ default request ≤ default ≤ max. */
function agree(name: string, limit: JsonObject, at: Path, c: Check): void {
  const amount = (field: string) => {
    const v = getOwn(obj(limit, field), name);
    return v === undefined ? undefined : quantity(v);
  };
  const pod = str(limit, 'type') === 'Pod';
  const [min, max, ratio] = [amount('min'), amount('max'), amount('maxLimitRequestRatio')];
  const preset = pod ? undefined : amount('default');
  const request = pod ? undefined : amount('defaultRequest');
  const above = (a: Quantity | undefined, b: Quantity | undefined) => a && b && a.compare(b) > 0;
  const fault = (field: string, q: Quantity, text: string) =>
    c.errors.push(invalidValue(at.child(field).key(name), q.toString(), text));
  if (above(min, max)) fault('min', min!, `min value ${min} is greater than max value ${max}`);
  if (above(min, request))
    fault('defaultRequest', request!, `min value ${min} is greater than default request value ${request}`);
  if (above(request, max))
    fault('defaultRequest', request!, `default request value ${request} is greater than max value ${max}`);
  if (above(request, preset))
    fault('defaultRequest', request!, `default request value ${request} is greater than default limit value ${preset}`);
  if (above(min, preset)) fault('default', min!, `min value ${min} is greater than default value ${preset}`);
  if (above(preset, max)) fault('default', max!, `default value ${preset} is greater than max value ${max}`);
  if (ratio && ratio.compare(quantity('1')) < 0) fault('maxLimitRequestRatio', ratio, `ratio ${ratio} is less than 1`);
  if (ratio && min && max) {
    const [is, allowed] = ratios(ratio, min, max);
    if (is > allowed)
      fault('maxLimitRequestRatio', ratio, `ratio ${ratio} is greater than max/min = ${goFloat(allowed)}`);
  }
  if (!mayOvercommit(name) && preset && request && preset.compare(request) !== 0)
    fault(
      'defaultRequest',
      request,
      `default value ${preset} must equal to defaultRequest value ${request} in ${name}`,
    );
}
const goFloat = (n: number): string =>
  Number.isFinite(n) ? n.toFixed(6) : n > 0 ? '+Inf' : Number.isNaN(n) ? 'NaN' : '-Inf';

function limitRules(limit: JsonObject, at: Path, c: Check): void {
  const type = str(limit, 'type');
  const checkName = type === 'Pod' || type === 'Container' ? validateContainerResourceName : validateResourceName;
  const names = new Set<string>();
  const check = (field: string) => {
    for (const name of Object.keys(obj(limit, field)).sort()) {
      checkName(name, at.child(field).key(name), c);
      names.add(name);
    }
  };
  check('max');
  check('min');
  for (const field of ['default', 'defaultRequest']) {
    if (type !== 'Pod') check(field);
    else if (Object.keys(obj(limit, field)).length > 0)
      c.errors.push(forbiddenField(at.child(field), "may not be specified when `type` is 'Pod'"));
  }
  if (
    type === 'PersistentVolumeClaim' &&
    obj(limit, 'min').storage === undefined &&
    obj(limit, 'max').storage === undefined
  )
    c.errors.push(
      required(at.child('limits'), 'either minimum or maximum storage value is required, but neither was provided'),
    );
  check('maxLimitRequestRatio');
  for (const name of [...names].sort()) agree(name, limit, at, c);
}

export const limitRange: Strategy = kind({
  group: '',
  kind: 'LimitRange',
  rules(v, _, c) {
    const types = new Set<string>();
    list(obj(v as KubeObject, 'spec'), 'limits').forEach((limit, i) => {
      const at = LIMITS.index(i);
      const type = str(limit, 'type');
      typeName(type, at.child('type'), c);
      if (types.has(type)) c.errors.push(duplicate(at.child('type'), type));
      types.add(type);
      limitRules(limit, at, c);
    });
  },
  onUpdate: ['meta', 'rules'],
  // Limits have long been written without a name.
  prepareForCreate(ctx, o) {
    o.metadata.name ||= ctx.newUid();
  },
});
