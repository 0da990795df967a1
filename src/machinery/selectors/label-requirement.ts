import { type FieldError, fieldErrorsMessage, invalidValue, notSupported, Path } from '../field.js';
import { compareBytes } from '../go-format.js';
import { labelKeyErrors, labelValueErrors } from './label-format.js';

export type Labels = Readonly<Record<string, string | undefined>>;
export type LabelOperator = '=' | '==' | '!=' | 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt';

/** One condition on one label. Values are sorted and unique when they come from a parsed text. */
export interface LabelRequirement {
  readonly key: string;
  readonly operator: LabelOperator;
  readonly values: readonly string[];
}

const OPERATORS: readonly LabelOperator[] = ['in', 'notin', '=', '==', '!=', 'gt', 'lt', 'exists', '!'];

/** Checks a requirement; throws an Error whose message is that of upstream's aggregated field errors. */
export function checkRequirement(r: LabelRequirement): LabelRequirement {
  const errors: FieldError[] = [];
  const keyErrors = labelKeyErrors(r.key);
  if (keyErrors.length > 0) errors.push(invalidValue('key', r.key, keyErrors.join('; ')));
  const values = new Path('values');
  const list = [...r.values];
  const wrongCount = (text: string): unknown => errors.push(invalidValue(values, list, text));
  switch (r.operator) {
    case 'in':
    case 'notin':
      if (list.length === 0) wrongCount("for 'in', 'notin' operators, values set can't be empty");
      break;
    case '=':
    case '==':
    case '!=':
      if (list.length !== 1) wrongCount('exact-match compatibility requires one single value');
      break;
    case 'exists':
    case '!':
      if (list.length !== 0) wrongCount('values set must be empty for exists and does not exist');
      break;
    case 'gt':
    case 'lt':
      if (list.length !== 1) wrongCount("for 'Gt', 'Lt' operators, exactly one value is required");
      for (const [i, v] of list.entries()) {
        if (parseInt64(v) === undefined) {
          errors.push(invalidValue(values.index(i), v, "for 'Gt', 'Lt' operators, the value must be an integer"));
        }
      }
      break;
    default:
      errors.push(notSupported('operator', r.operator, OPERATORS));
  }
  for (const [i, v] of list.entries()) {
    const valueErrors = labelValueErrors(v);
    if (valueErrors.length > 0) errors.push(invalidValue(values.index(i).key(r.key), v, valueErrors.join('; ')));
  }
  if (errors.length > 0) throw new Error(fieldErrorsMessage(errors));
  return r;
}

/** A base 10 int64 as Go's ParseInt reads it. */
function parseInt64(text: string): bigint | undefined {
  if (!/^[+-]?[0-9]+$/.test(text) || text.length > 64) return undefined;
  const value = BigInt(text.startsWith('+') ? text.slice(1) : text);
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

export type LabelPredicate = (labels: Labels) => boolean;

/** A predicate for one requirement. Labels may have been parsed from any JSON: only strings count as values. */
export function compileRequirement({ key, operator, values }: LabelRequirement): LabelPredicate {
  const first = values[0];
  switch (operator) {
    case '=':
    case '==':
      return (labels) => labels[key] === first;
    case '!=':
      return (labels) => labels[key] !== first;
    case 'in': {
      if (values.length === 1) return (labels) => labels[key] === first;
      const set = new Set(values);
      return (labels) => set.has(labels[key] as string);
    }
    case 'notin': {
      if (values.length === 1) return (labels) => labels[key] !== first;
      const set = new Set(values);
      return (labels) => !set.has(labels[key] as string);
    }
    case 'exists':
      return (labels) => typeof labels[key] === 'string';
    case '!':
      return (labels) => typeof labels[key] !== 'string';
    case 'gt':
    case 'lt': {
      const bound = parseInt64(first ?? '');
      return (labels) => {
        const text = labels[key];
        const value = typeof text === 'string' ? parseInt64(text) : undefined;
        if (value === undefined || bound === undefined) return false;
        return operator === 'gt' ? value > bound : value < bound;
      };
    }
  }
}

/** `a in (b,c)`, `!d`, `e!=f`: the form that Parse reads back. */
export function requirementText({ key, operator, values }: LabelRequirement): string {
  switch (operator) {
    case 'exists':
      return key;
    case '!':
      return `!${key}`;
    case 'in':
    case 'notin':
      return `${key} ${operator} (${[...values].sort(compareBytes).join(',')})`;
    case 'gt':
      return `${key}>${values.join(',')}`;
    case 'lt':
      return `${key}<${values.join(',')}`;
    default:
      return `${key}${operator}${values.join(',')}`;
  }
}
