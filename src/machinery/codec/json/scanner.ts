import { type JsonObject, type JsonValue, setOwn } from '../../json.js';
import { DecodeError } from '../errors.js';

/** A key that came again in the same object: its name and how many different keys had come before. */
export interface DuplicateKey {
  key: string;
  after: number;
}
/** The repeated keys of the objects of one parsed text, by the parsed object. */
export type Duplicates = Map<JsonObject, DuplicateKey[]>;

/** Longer integers are not worth exactness: nothing in the API holds them. */
const MAX_EXACT_DIGITS = 64;

/**
 * Builds the value of a text that `JSON.parse` has accepted and whose depth is bounded: keeps integers exact (bigint
 * outside the safe range), replaces lone surrogates by U+FFFD as Go does, and notes repeated keys. The last one wins.
 */
export function scanJson(text: string, duplicates?: Duplicates): JsonValue {
  let i = 0;
  space();
  return value();

  function space(): void {
    for (;;) {
      const c = text.charCodeAt(i);
      if (c !== 32 && c !== 10 && c !== 13 && c !== 9) return;
      i++;
    }
  }

  function value(): JsonValue {
    switch (text[i]) {
      case '{':
        return object();
      case '[':
        return array();
      case '"':
        return string();
      case 't':
        i += 4;
        return true;
      case 'f':
        i += 5;
        return false;
      case 'n':
        i += 4;
        return null;
      default:
        return number();
    }
  }

  function object(): JsonObject {
    const out: JsonObject = {};
    let repeated: DuplicateKey[] | undefined;
    let count = 0;
    i++;
    space();
    while (text[i] !== '}') {
      const key = string();
      space();
      i++;
      space();
      if (Object.hasOwn(out, key)) {
        repeated ??= [];
        repeated.push({ key, after: count });
      } else count++;
      setOwn(out, key, value());
      space();
      if (text[i] === ',') {
        i++;
        space();
      }
    }
    i++;
    if (repeated) duplicates?.set(out, repeated);
    return out;
  }

  function array(): JsonValue[] {
    const out: JsonValue[] = [];
    i++;
    space();
    while (text[i] !== ']') {
      out.push(value());
      space();
      if (text[i] === ',') {
        i++;
        space();
      }
    }
    i++;
    return out;
  }

  function string(): string {
    const start = i;
    let end = text.indexOf('"', i + 1);
    while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
    i = end + 1;
    const raw = text.slice(start + 1, end);
    if (!raw.includes('\\')) return raw;
    const unescaped = JSON.parse(`"${raw}"`) as string;
    return raw.includes('\\u') ? Buffer.from(unescaped, 'utf8').toString('utf8') : unescaped;
  }

  function number(): number | bigint {
    const start = i;
    let integer = true;
    for (; ; i++) {
      const c = text.charCodeAt(i);
      if (c >= 48 && c <= 57) continue;
      if (c === 45 && i === start) continue;
      if (c === 43 || c === 45 || c === 46 || c === 69 || c === 101) integer = false;
      else break;
    }
    const literal = text.slice(start, i);
    const n = Number(literal);
    if (integer && !Number.isSafeInteger(n) && literal.length <= MAX_EXACT_DIGITS) return BigInt(literal);
    if (!Number.isFinite(n)) {
      throw new DecodeError(`json: cannot unmarshal number ${literal} into Go value of type float64`);
    }
    return n;
  }
}

/** Whether an odd number of backslashes stands before the position. */
export function isEscaped(text: string, at: number): boolean {
  let n = 0;
  while (text.charCodeAt(at - 1 - n) === 0x5c) n++;
  return n % 2 === 1;
}
