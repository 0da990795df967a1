import type { JsonValue } from '../../json.js';
import { DecodeError } from '../errors.js';
import { type Duplicates, scanJson } from './scanner.js';
import { jsonSyntaxError } from './syntax.js';

/**
 * Containers may nest this deep. Upstream allows 10,000; here every walker of values may recurse, so the limit keeps
 * them far from the end of the stack. No type of the API comes near it.
 */
export const MAX_DEPTH = 1000;

/** An escape that may stand for half a pair of surrogates. */
const SURROGATE = /\\u[dD][89a-fA-F]/;

/**
 * Parses a JSON text: integers stay exact (bigint outside the safe range), nesting is bounded. Bytes are read as UTF-8
 * with invalid sequences replaced. Repeated keys are noted in `duplicates` when it is given; the last value wins.
 * Throws DecodeError with Go's message for a syntax error.
 */
export function parseJson(input: Uint8Array | string, duplicates?: Duplicates): JsonValue {
  const text = typeof input === 'string' ? input : bufferOf(input).toString('utf8');
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch {
    const bytes = typeof input === 'string' ? Buffer.from(input, 'utf8') : bufferOf(input);
    throw new DecodeError(jsonSyntaxError(bytes.toString('latin1'), MAX_DEPTH) ?? 'invalid JSON');
  }
  const facts: Facts = { members: 0, inexact: false };
  inspect(value, 1, facts);
  const misread = facts.inexact || (text.includes('\\u') && SURROGATE.test(text));
  if (misread || (duplicates && mayRepeatKeys(text, facts.members))) return scanJson(text, duplicates);
  return value;
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

interface Facts {
  /** Members of all objects, repeated keys counted once. */
  members: number;
  /** Some number is not exactly what the text says. */
  inexact: boolean;
}

/** Looks through a parsed value and refuses one that nests too deep. */
function inspect(value: JsonValue | undefined, depth: number, facts: Facts): void {
  if (typeof value === 'number') {
    if (value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER) facts.inexact = true;
  } else if (typeof value === 'object' && value !== null) {
    if (depth > MAX_DEPTH) {
      throw new DecodeError(`invalid character '${Array.isArray(value) ? '[' : '{'}' exceeded max depth`);
    }
    if (Array.isArray(value)) for (const e of value) inspect(e, depth + 1, facts);
    else {
      for (const key in value) {
        facts.members++;
        inspect(value[key], depth + 1, facts);
      }
    }
  }
}

/** Compares the `":` of a text with the members that parsing kept. May be wrong only by asking for the slow way. */
function mayRepeatKeys(text: string, members: number): boolean {
  if (/"\s+:/.test(text)) return true;
  let n = 0;
  for (let i = text.indexOf('":'); i >= 0; i = text.indexOf('":', i + 2)) n++;
  return n !== members;
}
