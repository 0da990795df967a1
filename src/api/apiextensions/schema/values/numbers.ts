import { goValue } from '../../../../machinery/go-format.js';
import type { SchemaProps } from '../props.js';
import type { Fault } from './fault.js';

/** As Go prints a number: integers plainly, others in their shortest form. */
export function numberText(n: number | bigint): string {
  return goValue(n);
}

/**
 * multipleOf, minimum, maximum and the range of the format, in the order of upstream's report.
 *
 * @param type '' when the schema has none, or several
 */
export function* checkNumber(
  value: number | bigint,
  props: SchemaProps,
  type: string,
  format: string,
  path: string,
): Iterable<Fault> {
  const { multipleOf, maximum, minimum, exclusiveMaximum, exclusiveMinimum } = props;
  const beyond = (n: number | bigint, what: string): Fault | undefined => outOfRange(n, type, format, what, path);
  const ranged = beyond(value, 'Checked');
  if (ranged) yield ranged;
  if (multipleOf !== undefined) {
    const fault = beyond(multipleOf, 'MultipleOf');
    if (fault) yield fault;
    yield* notMultiple(value, multipleOf, fault === undefined, path);
  }
  const integral = isIntegral(value);
  // An integer is held against the whole part of a bound that is in range.
  const bound = (limit: number, fault: Fault | undefined) => (integral && !fault ? Math.trunc(limit) : limit);
  if (minimum !== undefined) {
    const fault = beyond(minimum, 'Minimum boundary');
    if (fault) yield fault;
    const min = bound(minimum, fault);
    if (exclusiveMinimum ? value <= min : value < min) {
      yield other(path, `should be greater than ${exclusiveMinimum ? '' : 'or equal to '}${numberText(min)}`, value);
    }
  }
  if (maximum !== undefined) {
    const fault = beyond(maximum, 'Maximum boundary');
    if (fault) yield fault;
    const max = bound(maximum, fault);
    if (exclusiveMaximum ? value >= max : value > max) {
      yield other(path, `should be less than ${exclusiveMaximum ? '' : 'or equal to '}${numberText(max)}`, value);
    }
  }
}

function* notMultiple(value: number | bigint, factor: number, inRange: boolean, path: string): Iterable<Fault> {
  const integral = isIntegral(value) && inRange;
  const by = integral ? Math.trunc(factor) : factor;
  if (by <= 0) {
    const text = `factor MultipleOf declared for ${path} must be positive: ${numberText(by)}`;
    yield { code: 'other', path, text, value: by };
  } else if (integral ? BigInt(value) % BigInt(by) !== 0n : !isWhole(Number(value), by)) {
    yield other(path, `should be a multiple of ${numberText(by)}`, value);
  }
}

function isWhole(value: number, factor: number): boolean {
  const quotient = factor < 1 ? (1 / factor) * value : value / factor;
  if (!Number.isFinite(quotient) || Math.abs(quotient) > Number.MAX_SAFE_INTEGER) return false;
  // A little above a whole number counts as one, as in go-openapi: floating-point numbers err.
  const whole = Math.trunc(quotient);
  const difference = Math.abs(quotient - whole);
  return difference === 0 || (whole !== 0 && difference / (Math.abs(quotient) + Math.abs(whole)) < 1e-9);
}

function isIntegral(value: number | bigint): boolean {
  return typeof value === 'bigint' || Number.isSafeInteger(value);
}

const INT32_MAX = 2147483647;
const FLOAT32_MAX = 3.4028234663852886e38;

function outOfRange(n: number | bigint, type: string, format: string, what: string, path: string): Fault | undefined {
  const bad =
    type === 'integer'
      ? !isIntegral(n) && !(typeof n === 'number' && Number.isInteger(n) && Math.abs(n) < 2 ** 63)
        ? true
        : format === 'int32' && (n > INT32_MAX || n < -INT32_MAX - 1)
      : format === 'float' && Math.abs(Number(n)) > FLOAT32_MAX;
  if (!bad) return undefined;
  const wanted = format ? `${type} with format ${format}` : `${type} (default format)`;
  return { code: 'other', path: undefined, text: `${what} value must be of type ${wanted} in ${path}` };
}

function other(path: string, text: string, value: number | bigint): Fault {
  return { code: 'other', path, value, text: `${path} in body ${text}` };
}
