import { invalidValue } from '../../machinery/field.js';
import type { JsonValue } from '../../machinery/json.js';
import { formats, invalidEach, nonNegative, type Rule } from '../validation/index.js';

const PERCENT = /^([0-9]+)%$/;

/** Number or percentage, as numbers that can be compared with 0; text that is neither counts as 0. */
export function amountOf(v: JsonValue | undefined): number {
  if (typeof v === 'number') return v;
  const percent = typeof v === 'string' ? PERCENT.exec(v) : null;
  return percent ? Number(percent[1]) : 0;
}

/** Not negative, or a percentage. */
export const intOrPercent: Rule = (v, at, c) => {
  if (typeof v === 'string') invalidEach(c, at, v, formats.percent(v));
  else nonNegative(v, at, c);
};

export const atMost100Percent: Rule = (v, at, c) => {
  const percent = typeof v === 'string' ? PERCENT.exec(v) : null;
  if (percent && Number(percent[1]) > 100) c.errors.push(invalidValue(at, v, 'must not be greater than 100%'));
};
