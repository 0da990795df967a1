import {
  duplicate,
  forbiddenField,
  invalidValue,
  type Path,
  required as requiredError,
  tooMany,
} from '../../machinery/field.js';
import type { JsonObject } from '../../machinery/json.js';
import { Quantity } from '../../machinery/quantity.js';
import { ptr, strings } from '../access.js';
import { quantity } from '../core/pod/resources.js';
import type { Check } from '../validation/index.js';

const MAX_OPTIONS = 10;

function validValues(preset: Quantity, total: Quantity, options: readonly Quantity[], at: Path, c: Check): void {
  options.slice(1).forEach((option, i) => {
    if (options[i]!.compare(option) > 0)
      c.errors.push(invalidValue(at.index(i + 1), option.toString(), 'values must be sorted in ascending order'));
  });
  let found = false;
  if (options.length > MAX_OPTIONS) c.errors.push(tooMany(at, options.length, MAX_OPTIONS));
  else {
    const seen = new Set<string>();
    options.forEach((option, i) => {
      if (option.compare(total) > 0)
        c.errors.push(invalidValue(at.index(i), option.toString(), `option is larger than capacity value: ${total}`));
      if (option.compare(preset) === 0) found = true;
    });
    options.forEach((option, i) => {
      const key = option.valueRounded().toString();
      if (seen.has(key)) c.errors.push(duplicate(at.index(i), key));
      seen.add(key);
    });
  }
  if (!found)
    c.errors.push(invalidValue(at, preset.toString(), 'default value is not valid according to the requestPolicy'));
}

function validRange(preset: Quantity, total: Quantity, range: JsonObject, at: Path, c: Check): void {
  const fault = (field: string, value: Quantity, text: string) =>
    c.errors.push(invalidValue(at.child(field), value.toString(), text));
  if (range.min === undefined) {
    c.errors.push(requiredError(at.child('min'), 'required when validRange is defined'));
    return;
  }
  const min = quantity(range.min);
  const max = range.max === undefined ? undefined : quantity(range.max);
  if (min.compare(total) > 0) fault('min', min, `min is larger than capacity value: ${total}`);
  if (preset.compare(min) < 0) fault('min', preset, `default is less than min: ${min}`);
  if (max) {
    if (min.compare(max) > 0) fault('max', min, `min is larger than max: ${max}`);
    if (max.compare(total) > 0) fault('max', max, `max is larger than capacity value: ${total}`);
    if (preset.compare(max) > 0) fault('max', preset, `default is more than max: ${max}`);
  }
  if (range.step === undefined) return;
  const step = quantity(range.step);
  const first = min.add(step);
  if (first.compare(total) > 0) fault('step', step, `one step ${first} is larger than capacity value: ${total}`);
  for (const value of max ? [preset, max] : [preset]) {
    const size = step.valueRounded();
    // A step of nothing is a step to everywhere: the real server fails on it.
    if (size !== 0n && (value.valueRounded() - min.valueRounded()) % size !== 0n)
      fault('step', value, `value is not a multiple of a given step (${step}) from (${min})`);
  }
}

/** How much of a capacity may be asked for: one of some values, or steps within a range. */
export function requestPolicy(total: Quantity, policy: JsonObject, at: Path, c: Check): void {
  const values = strings(policy, 'validValues');
  const range = ptr(policy, 'validRange');
  const missing = (field: string) =>
    c.errors.push(requiredError(at.child('default'), `required when ${field} is defined`));
  const preset = policy.default === undefined ? undefined : quantity(policy.default);
  if (values.length > 0 && range)
    c.errors.push(
      forbiddenField(
        at,
        'exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time',
      ),
    );
  else if (values.length > 0) {
    if (preset)
      validValues(
        preset,
        total,
        values.map((v) => Quantity.parse(v)),
        at.child('validValues'),
        c,
      );
    else missing('validValues');
  } else if (range) {
    if (preset) validRange(preset, total, range, at.child('validRange'), c);
    else missing('validRange');
  }
}
