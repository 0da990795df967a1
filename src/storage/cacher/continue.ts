import { posix } from 'node:path';
import { parseJson } from '../../machinery/codec/json/parse.js';
import { badRequest, type Status, StatusError } from '../../machinery/errors.js';
import { goType } from '../../machinery/go-format.js';
import { isJsonObject, type JsonValue } from '../../machinery/json.js';

/** Where a list goes on: a public format, since tokens outlive servers and may come from another one. */
export interface Continue {
  /** Full key of the first object that may follow. */
  readonly start: string;
  /** The revision of the first page; negative: go on at the newest one. */
  readonly revision: number;
}

/** The token for going on behind `lastKey`. */
export function encodeContinue(lastKey: string, prefix: string, revision: number): string {
  return encodeStart(`${lastKey}\0`, prefix, revision);
}

export function encodeStart(start: string, prefix: string, revision: number): string {
  const token = JSON.stringify({ v: 'meta.k8s.io/v1', rv: revision, start: start.slice(prefix.length) });
  return Buffer.from(token).toString('base64url');
}

/** Throws BadRequest in the words of the real server. */
export function decodeContinue(token: string, prefix: string): Continue {
  const fail = (why: string) => badRequest(`invalid continue token: continue key is not valid: ${why}`);
  const bad = invalidBase64At(token);
  if (bad >= 0) throw fail(`illegal base64 data at input byte ${bad}`);
  let value: JsonValue;
  try {
    value = parseJson(Buffer.from(token, 'base64url'));
  } catch (e) {
    throw fail(e instanceof Error ? e.message : String(e));
  }
  const wrong = typeError(value);
  if (wrong) throw fail(wrong);
  const { v = '', rv = 0, start = '' } = (value ?? {}) as { v?: string; rv?: number | bigint; start?: string };
  if (v !== 'meta.k8s.io/v1') throw fail(`server does not recognize this encoded version ${v}`);
  if (rv === 0) throw fail('incorrect encoded start resourceVersion (version meta.k8s.io/v1)');
  if (start === '') throw fail('encoded start key empty (version meta.k8s.io/v1)');
  // The start must not lead out of the prefix.
  const path = start.startsWith('/') ? start : `/${start}`;
  if (cleanPath(path) !== path) throw fail(start);
  return { start: prefix + path.slice(1), revision: Number(rv) };
}

/** Base64 without padding, as Go checks it: line breaks are skipped, a single left-over character is an error. */
function invalidBase64At(token: string): number {
  let digits = 0;
  for (let i = 0; i < token.length; i++) {
    if (token[i] === '\n' || token[i] === '\r') continue;
    if (!/[A-Za-z0-9_-]/.test(token[i]!)) return Buffer.byteLength(token.slice(0, i));
    digits++;
  }
  return digits % 4 === 1 ? token.length - 1 : -1;
}

/** Go's complaint about a token whose parts have the wrong types. */
function typeError(value: JsonValue): string | undefined {
  const cannot = (what: string, where: string) => `json: cannot unmarshal ${what} into Go ${where}`;
  if (value === null) return undefined;
  if (!isJsonObject(value)) return cannot(jsonType(value), 'value of type storage.continueToken');
  for (const [name, type] of [
    ['v', 'string'],
    ['rv', 'int64'],
    ['start', 'string'],
  ] as const) {
    const field = value[name];
    if (field === undefined || field === null || goType(field) === type) continue;
    const what = typeof field === 'number' && type === 'int64' ? `number ${field}` : jsonType(field);
    return cannot(what, `struct field continueToken.${name} of type ${type}`);
  }
  return undefined;
}

function jsonType(value: JsonValue): string {
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string') return 'string';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'object' ? 'object' : 'number';
}

/** Go's path.Clean of an absolute path: POSIX rules, and no slash at the end. */
function cleanPath(path: string): string {
  const clean = posix.normalize(path);
  return clean.length > 1 && clean.endsWith('/') ? clean.slice(0, -1) : clean;
}

const INCONSISTENT =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without ' +
  'the continue parameter, or use the continue token in this response to retrieve the remainder of the results. ' +
  'Continuing with the provided token results in an inconsistent list - objects that were created, modified, or ' +
  'deleted between the time the first chunk was returned and now may show up in the list.';

/** 410: the token's revision is compacted. Its Status carries a token that goes on at the newest revision. */
export class ContinueExpiredError extends StatusError {
  readonly continue: string;

  constructor(start: string, prefix: string) {
    super(410, 'Expired', INCONSISTENT);
    this.continue = encodeStart(start, prefix, -1);
  }

  override toStatus(): Status {
    return { ...super.toStatus(), metadata: { continue: this.continue } };
  }
}
