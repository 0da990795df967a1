import type { JsonValue } from '../../json.js';
import { canonicalQuantity } from '../../quantity.js';
import { catalog } from '../../scheme/catalog.js';
import type { Type } from '../../scheme/type.js';
import { DecodeError } from '../errors.js';
import { parseMicroTime, parseTime } from '../time.js';
import { type DecodeContext, kindOf } from './context.js';

/** Turns a value that is not null into its canonical form; undefined stands for the type's zero value. */
export type Decode = (value: JsonValue, context: DecodeContext) => JsonValue | undefined;

/** Types whose JSON is a scalar with a notation of its own. Their faults end decoding at once, as in Go. */
export const SPECIAL_SCALARS: Record<string, Decode> = {
  Quantity: (value) => {
    if (typeof value === 'string') return quantity(value.trim());
    // A number's own text is gone here; its shortest form has the same value.
    return quantity(typeof value === 'number' || typeof value === 'bigint' ? `${value}` : 'x');
  },
  Time: (value, context) => parseTime(text(value, context)),
  MicroTime: (value, context) => parseMicroTime(text(value, context)),
  IntOrString: (value, context) => {
    if (typeof value === 'string') return value;
    const n = integer(value, -2147483648, 2147483647);
    if (n !== undefined) return n;
    const shown = typeof value === 'number' || typeof value === 'bigint' ? `number ${value}` : kindOf(value);
    throw context.typeError(shown, 'int32');
  },
};

/** The integer that a JSON number is, within bounds; undefined when it is none. */
export function integer(value: JsonValue, min: number, max: number): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max ? value + 0 : undefined;
}

/** The type of the schemas inside JSONSchemaPropsOrBool, -OrArray and -OrStringArray. */
export function schemaPropsOf(type: Type): Type {
  return catalog().type(type.name.replace(/Or(Bool|Array|StringArray)$/, ''));
}

/** Standard base64 as Go reads it: padding needed, line breaks ignored. Returns the canonical text. */
export function canonicalBase64(value: string): string {
  const plain = /[\r\n]/.test(value) ? value.replace(/[\r\n]/g, '') : value;
  const bad = base64Fault(plain);
  if (bad >= 0) {
    let at = bad;
    for (let i = 0; i <= at && i < value.length; i++) if (value[i] === '\n' || value[i] === '\r') at++;
    throw new DecodeError(`illegal base64 data at input byte ${at}`);
  }
  return plain.endsWith('=') ? Buffer.from(plain, 'base64').toString('base64') : plain;
}

/** Where base64 text without line breaks goes wrong, in bytes; -1 when it is right. */
function base64Fault(text: string): number {
  const odd = text.search(/[^A-Za-z0-9+/]/);
  if (odd < 0) return text.length % 4 === 0 ? -1 : text.length - (text.length % 4);
  if (text[odd] !== '=' || odd % 4 < 2) return odd;
  const needed = 4 - (odd % 4);
  for (let i = 1; i < needed; i++) if (text[odd + i] !== '=') return odd + i;
  return odd + needed < text.length ? odd + needed : -1;
}

function quantity(value: string): string {
  try {
    return canonicalQuantity(value);
  } catch (e) {
    throw new DecodeError((e as Error).message);
  }
}

function text(value: JsonValue, context: DecodeContext): string {
  if (typeof value !== 'string') throw context.typeError(kindOf(value), 'string');
  return value;
}
