import { badRequest, StatusError, tooLarge } from '../errors.js';
import { cloneJson, equalJson, isJsonObject, type JsonObject, type JsonValue, setOwn } from '../json.js';
import { openCopy } from './patched.js';

/** A list of operations, each an object; what is wrong inside one shows when it is applied. */
export type JsonPatch = readonly JsonObject[];

export const MAX_OPERATIONS = 10_000;
/** Bytes that all `copy` operations of a patch may add. */
export const MAX_COPIED_BYTES = 3 * 1024 * 1024;

const MEMBERS = ['op', 'path', 'from', 'value'];
const jsonKind = (v: JsonValue): string =>
  Array.isArray(v) ? 'array' : typeof v === 'boolean' ? 'bool' : typeof v === 'bigint' ? 'number' : typeof v;

/**
 * Checks the shape of a JSON patch body (RFC 6902).
 *
 * @param strict with fieldValidation Strict or Warn, where upstream decodes the body twice and says more
 * @throws StatusError 400 for what is no list of operations, 413 for more than 10,000 of them
 */
export function parseJsonPatch(body: JsonValue, strict = true): JsonPatch {
  const wrong = (v: JsonValue, goType: string, where = 'value of'): StatusError =>
    badRequest(
      `${strict ? 'error decoding patch: ' : ''}json: cannot unmarshal ${jsonKind(v)} into Go ${where} type ${goType}`,
    );
  if (body === null) return [];
  if (!Array.isArray(body)) throw wrong(body, strict ? '[]handlers.jsonPatchOp' : 'jsonpatch.Patch');
  for (const op of body) {
    if (op === null) continue;
    if (!isJsonObject(op)) throw wrong(op, strict ? 'handlers.jsonPatchOp' : 'jsonpatch.Operation');
    if (!strict) continue;
    for (const [key, v] of Object.entries(op)) {
      if (
        (key === 'op' || key === 'path' || key === 'from') &&
        v !== null &&
        v !== undefined &&
        typeof v !== 'string'
      ) {
        throw wrong(v, 'string', `struct field jsonPatchOp.${key} of`);
      }
    }
  }
  if (body.length > MAX_OPERATIONS) {
    throw tooLarge(`The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${body.length}`);
  }
  return body.map((op) => (op as JsonObject | null) ?? {});
}

/** Members that no operation has, as fieldValidation reports them: `json patch unknown field "[0].bogus"`. */
export function unknownPatchFields(patch: JsonPatch): string[] {
  return patch.flatMap((op, i) =>
    Object.keys(op)
      .filter((key) => !MEMBERS.includes(key))
      .map((key) => `json patch unknown field "[${i}].${key}"`),
  );
}

/**
 * Applies a JSON patch as kube-apiserver does: RFC 6902 with the leniency of its library. `replace` of a missing member
 * adds it, `copy` of one adds null, indices may be negative (from the end), a path without a leading slash loses its
 * first part, and `replace` of the whole document by a scalar does nothing.
 *
 * @param document stays as it is; the result shares what was not changed
 * @throws StatusError 422. kube-apiserver does not tell the client which operation failed; `cause` does.
 */
export function applyJsonPatch(document: JsonValue, patch: JsonPatch): JsonValue {
  const run = new Run(document);
  for (const op of patch) {
    try {
      run.apply(op);
    } catch (e) {
      if (!(e instanceof PatchFault)) throw e;
      const error = new StatusError(
        422,
        'Invalid',
        'the server rejected our request due to an error in our request',
        {},
      );
      error.cause = e;
      throw error;
    }
  }
  return run.root;
}

/** Why an operation does not apply. */
class PatchFault extends Error {}

type Container = JsonObject | JsonValue[];
const isContainer = (v: JsonValue | undefined): v is Container => typeof v === 'object' && v !== null;

class Run {
  root: JsonValue;
  /** Containers made by this run, which may be changed. */
  readonly #own = new Set<Container>();
  #copied = 0;

  constructor(document: JsonValue) {
    this.root = isContainer(document) ? this.#owned(document) : document;
  }

  #owned(container: Container): Container {
    if (this.#own.has(container)) return container;
    const copy = openCopy(container);
    this.#own.add(copy);
    return copy;
  }

  apply(op: JsonObject): void {
    switch (op.op) {
      case 'add':
        this.#place('add', text(op, 'path'), cloneJson(op.value ?? null));
        break;
      case 'remove': {
        const { at, key } = this.#find('remove', text(op, 'path'));
        remove(at, key);
        break;
      }
      case 'replace':
        this.#replace(op);
        break;
      case 'move': {
        const { at, key } = this.#find('move', text(op, 'from'));
        const value = get(at, key);
        remove(at, key);
        this.#place('move', text(op, 'path'), value ?? null);
        break;
      }
      case 'copy':
        this.#copy(op);
        break;
      case 'test':
        this.#test(op);
        break;
      default:
        throw new PatchFault(`Unexpected kind: ${typeof op.op === 'string' ? op.op : 'unknown'}`);
    }
  }

  #replace(op: JsonObject): void {
    const path = text(op, 'path');
    if (path === '') {
      if (op.value === undefined) throw new PatchFault('replace operation has no value');
      if (isContainer(op.value)) {
        this.root = cloneJson(op.value);
        this.#own.add(this.root as Container);
      }
      return;
    }
    const { at, key } = this.#find('replace', path);
    const value = cloneJson(op.value ?? null);
    if (Array.isArray(at)) at[index(key, at.length, at.length - 1)] = value;
    else setOwn(at, key, value);
  }

  #copy(op: JsonObject): void {
    const source = this.#find('copy', text(op, 'from'));
    const value = get(source.at, source.key);
    const path = text(op, 'path');
    if (value !== undefined && value !== null) {
      this.#copied += byteLength(value, MAX_COPIED_BYTES - this.#copied);
      if (this.#copied > MAX_COPIED_BYTES) {
        throw new PatchFault(`the accumulated size increase of copy exceeds the limit ${MAX_COPIED_BYTES}`);
      }
    }
    this.#place('copy', path, cloneJson(value ?? null));
  }

  #test(op: JsonObject): void {
    const path = text(op, 'path');
    let value: JsonValue | undefined = this.root;
    if (path !== '') {
      const { at, key } = this.#find('test', path);
      value = get(at, key);
    }
    if (op.value === undefined || !equalJson(value ?? null, op.value)) {
      throw new PatchFault(`testing value ${path} failed`);
    }
  }

  #place(what: string, path: string, value: JsonValue): void {
    const { at, key } = this.#find(what, path);
    if (!Array.isArray(at)) setOwn(at, key, value);
    else if (key === '-') at.push(value);
    else at.splice(index(key, at.length + 1, at.length), 0, value);
  }

  /** The container that a pointer leads into, made changeable, and the last part of the pointer. */
  #find(what: string, path: string): { at: Container; key: string } {
    const parts = path.split('/').slice(1).map(unescapePart);
    const key = parts.pop();
    let at = this.root;
    if (key === undefined || !isContainer(at)) throw new PatchFault(`${what}: document is missing path: "${path}"`);
    for (const part of parts) {
      const next = get(at, part);
      if (!isContainer(next)) throw new PatchFault(`${what}: document is missing path: "${path}"`);
      const own = this.#owned(next);
      if (own !== next) {
        if (Array.isArray(at)) at[index(part, at.length, at.length - 1)] = own;
        else setOwn(at, part, own);
      }
      at = own;
    }
    return { at, key };
  }
}

/** A member that must be text. Absent or null is a fault, as is another type. */
function text(op: JsonObject, name: 'path' | 'from'): string {
  const value = op[name];
  if (typeof value !== 'string') throw new PatchFault(`${op.op} operation failed to decode ${name}`);
  return value;
}

function unescapePart(part: string): string {
  return part.includes('~') ? part.replace(/~1|~0/g, (m) => (m === '~1' ? '/' : '~')) : part;
}

function get(at: Container, key: string): JsonValue | undefined {
  if (Array.isArray(at)) return at[index(key, at.length, at.length - 1)];
  return Object.hasOwn(at, key) ? at[key] : undefined;
}

function remove(at: Container, key: string): void {
  if (Array.isArray(at)) at.splice(index(key, at.length, at.length - 1), 1);
  else if (Object.hasOwn(at, key)) delete at[key];
  else throw new PatchFault(`Unable to remove nonexistent key: ${key}`);
}

/** A list index; a negative one counts back from `length`. */
function index(key: string, length: number, max: number): number {
  if (!/^[+-]?\d+$/.test(key)) throw new PatchFault(`value was not a proper array index: '${key}'`);
  const i = Number(key);
  if (i > max || i < -length) throw new PatchFault(`Unable to access invalid index: ${key}`);
  return i < 0 ? i + length : i + 0;
}

/** Bytes of the value as JSON, counted no further than just past `limit`. */
function byteLength(value: JsonValue | undefined, limit: number): number {
  if (value === undefined) return 0;
  if (typeof value === 'string') return Buffer.byteLength(JSON.stringify(value));
  if (value === null || typeof value !== 'object') return `${value}`.length;
  let size = 2;
  const entries: Iterable<[string, JsonValue | undefined]> = Array.isArray(value)
    ? value.map((v): [string, JsonValue] => ['', v])
    : Object.entries(value);
  for (const [key, v] of entries) {
    if (v === undefined) continue;
    size += byteLength(v, limit - size) + (Array.isArray(value) ? 0 : Buffer.byteLength(JSON.stringify(key)) + 1);
    size += 1;
    if (size > limit) return size;
  }
  return size === 2 ? size : size - 1;
}
