import type { JsonValue } from '../../json.js';
import { DecodeError } from '../errors.js';
import { type Duplicates, isEscaped, scanJson } from './scanner.js';
import { jsonSyntaxError } from './syntax.js';

/**
 * Containers may nest this deep. Upstream allows 10,000; here every walker of values may recurse, so the limit keeps
 * them far from the end of the stack. No type of the API comes near it.
 */
export const MAX_DEPTH = 1000;

/** Texts that `JSON.parse` reads differently from Go: long integers, lone surrogates, numbers beyond a double. */
const NEEDS_SCANNER = /\d{16}|\\u[dD][89a-fA-F]|\d[eE]\+?\d{3,}\s*[,}\]]/;

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
  const members = survey(text);
  if (NEEDS_SCANNER.test(text)) return scanJson(text, duplicates);
  if (duplicates && countMembers(value) !== members) return scanJson(text, duplicates);
  return value;
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Counts the object members of a valid text and refuses one that nests too deep. */
function survey(text: string): number {
  let members = 0;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case 0x22: {
        let end = text.indexOf('"', i + 1);
        while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
        i = end;
        break;
      }
      case 0x3a:
        members++;
        break;
      case 0x7b:
      case 0x5b:
        if (++depth > MAX_DEPTH) throw new DecodeError(`invalid character '${text[i]}' exceeded max depth`);
        break;
      case 0x7d:
      case 0x5d:
        depth--;
    }
  }
  return members;
}

function countMembers(value: JsonValue): number {
  if (typeof value !== 'object' || value === null) return 0;
  let n = 0;
  if (Array.isArray(value)) {
    for (const e of value) if (typeof e === 'object' && e !== null) n += countMembers(e);
    return n;
  }
  for (const key in value) {
    n++;
    const e = value[key];
    if (typeof e === 'object' && e !== null) n += countMembers(e);
  }
  return n;
}
