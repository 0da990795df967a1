import type { StatusCause } from './errors.js';
import type { JsonValue } from './json.js';

export type FieldErrorType =
  | 'FieldValueNotFound'
  | 'FieldValueRequired'
  | 'FieldValueDuplicate'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueTypeInvalid'
  | 'InternalError';

const TITLES: Record<FieldErrorType, string> = {
  FieldValueNotFound: 'Not found',
  FieldValueRequired: 'Required value',
  FieldValueDuplicate: 'Duplicate value',
  FieldValueInvalid: 'Invalid value',
  FieldValueNotSupported: 'Unsupported value',
  FieldValueForbidden: 'Forbidden',
  FieldValueTooLong: 'Too long',
  FieldValueTooMany: 'Too many',
  FieldValueTypeInvalid: 'Invalid value',
  InternalError: 'Internal error',
};

/** One fault of one field. `text` is the message without the field path, e.g. `Invalid value: "x": must be …`. */
export class FieldError {
  readonly type: FieldErrorType;
  readonly field: string;
  readonly text: string;

  constructor(type: FieldErrorType, field: string, text: string) {
    this.type = type;
    this.field = field;
    this.text = text;
  }
  toString(): string {
    return `${this.field}: ${this.text}`;
  }
  toCause(): StatusCause {
    return { reason: this.type, message: this.text, field: this.field };
  }
}

/** Joins errors as the aggregate of upstream does: one alone, several in brackets, repeated messages once. */
export function fieldErrorsMessage(errors: readonly FieldError[]): string {
  const unique = [...new Set(errors.map(String))];
  return unique.length === 1 ? unique[0]! : `[${unique.join(', ')}]`;
}

/** A field path: `new Path('spec').child('containers').index(0).child('env').key('x')` reads `spec.containers[0].env[x]`. */
export class Path {
  readonly text: string;
  constructor(text = '') {
    this.text = text;
  }
  child(...names: string[]): Path {
    let text = this.text;
    for (const name of names) text = text === '' ? name : `${text}.${name}`;
    return new Path(text);
  }
  index(i: number): Path {
    return new Path(`${this.text}[${i}]`);
  }
  key(k: string): Path {
    return new Path(`${this.text}[${k}]`);
  }
  toString(): string {
    return this.text;
  }
}

type Where = Path | string;
const at = (where: Where): string => (typeof where === 'string' ? where : where.text) || '<nil>';

function make(type: FieldErrorType, where: Where, detail: string, value?: string): FieldError {
  let text = TITLES[type];
  if (value !== undefined) text += `: ${value}`;
  if (detail) text += `: ${detail}`;
  return new FieldError(type, at(where), text);
}

export const required = (where: Where, detail = ''): FieldError => make('FieldValueRequired', where, detail);
export const forbiddenField = (where: Where, detail: string): FieldError => make('FieldValueForbidden', where, detail);
export const invalidValue = (where: Where, value: JsonValue | undefined, detail: string): FieldError =>
  make('FieldValueInvalid', where, detail, formatValue(value));
export const typeInvalid = (where: Where, value: JsonValue | undefined, detail: string): FieldError =>
  make('FieldValueTypeInvalid', where, detail, formatValue(value));
export const duplicate = (where: Where, value: JsonValue | undefined): FieldError =>
  make('FieldValueDuplicate', where, '', formatValue(value));
export const notFoundValue = (where: Where, value: JsonValue | undefined): FieldError =>
  make('FieldValueNotFound', where, '', formatValue(value));
/** Supported values are printed quoted, in the order given. */
export function notSupported(where: Where, value: JsonValue | undefined, supported: readonly string[]): FieldError {
  const detail = supported.length > 0 ? `supported values: ${supported.map((s) => JSON.stringify(s)).join(', ')}` : '';
  return make('FieldValueNotSupported', where, detail, formatValue(value));
}
/** `max` counts bytes; a negative one leaves the number out. The value itself is never printed. */
export const tooLong = (where: Where, max: number): FieldError =>
  make('FieldValueTooLong', where, max >= 0 ? `may not be more than ${max} bytes` : 'value is too long');
export const tooMany = (where: Where, actual: number, max: number): FieldError =>
  make(
    'FieldValueTooMany',
    where,
    max >= 0 ? `must have at most ${max} item${max === 1 ? '' : 's'}` : 'has too many items',
    actual >= 0 ? `${actual}` : undefined,
  );
export const internalFieldError = (where: Where, message: string): FieldError => make('InternalError', where, message);

/** A value as Go's field errors print it: strings quoted, scalars bare, objects and lists as JSON. */
export function formatValue(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return 'null';
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'object') {
    const text = JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? Number(v) : v));
    return text.replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
  }
  return String(value);
}
