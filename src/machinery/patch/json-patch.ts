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
  try {
    return applyOperations(document, patch);
  } catch (e) {
    if (!(e instanceof PatchFault)) throw e;
    const error = new StatusError(422, 'Invalid', 'the server rejected our request due to an error in our request', {});
    error.cause = e;
    throw error;
  }
}

/**
 * As `applyJsonPatch`, for patches that do not come from the client.
 *
 * @throws PatchFault
 */
export function applyOperations(document: JsonValue, patch: JsonPatch): JsonValue {
  const run = new Run(document);
  for (const op of patch) run.apply(op);
  return run.root;
}

/** Why an operation does not apply, in the words of upstream's library. */
export class PatchFault extends Error {
  /** A `test` operation found another value. */
  readonly testFailed: boolean;
  constructor(message: string, testFailed = false) {
    super(message);
    this.testFailed = testFailed;
  }
}

const MISSING = 'missing value';

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
        this.#add(op);
        break;
      case 'remove':
        this.#remove(op);
        break;
      case 'replace':
        this.#replace(op);
        break;
      case 'move':
        this.#move(op);
        break;
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

  #add(op: JsonObject): void {
    const path = text(op, 'path', () => `add operation failed to decode path: ${MISSING}`);
    const at = this.#find(path, () => `add operation does not apply: doc is missing path: "${path}": ${MISSING}`);
    within(`error in add for path: '${path}'`, () => place(at, cloneJson(op.value ?? null)));
  }

  #remove(op: JsonObject): void {
    const path = text(op, 'path', () => `remove operation failed to decode path: ${MISSING}`);
    const at = this.#find(path, () => `remove operation does not apply: doc is missing path: "${path}": ${MISSING}`);
    within(`error in remove for path: '${path}'`, () => remove(at));
  }

  #replace(op: JsonObject): void {
    const path = text(op, 'path', (why) => `replace operation failed to decode path: ${why}`);
    if (path === '') {
      if (op.value === undefined) throw new PatchFault('replace operation has no value');
      if (isContainer(op.value)) {
        this.root = cloneJson(op.value);
        this.#own.add(this.root as Container);
      }
      return;
    }
    const missing = (what: string) => `replace operation does not apply: doc is missing ${what}: ${path}: ${MISSING}`;
    const { container, key } = this.#find(path, () => missing('path'));
    const value = cloneJson(op.value ?? null);
    if (!Array.isArray(container)) {
      setOwn(container, key, value);
      return;
    }
    const i = indexOf(key, container.length);
    if (typeof i !== 'number') throw new PatchFault(missing('key'));
    container[i] = value;
  }

  #move(op: JsonObject): void {
    const from = text(op, 'from', (why) => `move operation failed to decode from: ${why}`);
    const missing = (what: string, path: string) =>
      `move operation does not apply: doc is missing ${what} path: ${path}: ${MISSING}`;
    const source = this.#find(from, () => missing('from', from));
    const value = within(`error in move for path: '${source.key}'`, () => {
      const found = get(source);
      remove(source);
      return found;
    });
    const path = text(op, 'path', (why) => `move operation failed to decode path: ${why}`);
    const target = this.#find(path, () => missing('destination', path));
    within(`error in move for path: '${path}'`, () => place(target, value ?? null));
  }

  #copy(op: JsonObject): void {
    const from = text(op, 'from', (why) => `copy operation failed to decode from: ${why}`);
    const missing = (what: string, path: string) =>
      `copy operation does not apply: doc is missing ${what} path: ${path}: ${MISSING}`;
    const source = this.#find(from, () => missing('from', from));
    const value = within(`error in copy for from: '${from}'`, () => get(source));
    const path = text(op, 'path', () => `copy operation failed to decode path: ${MISSING}`);
    const target = this.#find(path, () => missing('destination', path));
    if (value !== undefined && value !== null) {
      this.#copied += byteLength(value, MAX_COPIED_BYTES - this.#copied);
      if (this.#copied > MAX_COPIED_BYTES) {
        throw new PatchFault(
          `Unable to complete the copy, the accumulated size increase of copy is ${this.#copied}, exceeding the limit ${MAX_COPIED_BYTES}`,
        );
      }
    }
    within('error while adding value during copy', () => place(target, cloneJson(value ?? null)));
  }

  #test(op: JsonObject): void {
    const path = text(op, 'path', (why) => `test operation failed to decode path: ${why}`);
    let value: JsonValue | undefined = this.root;
    if (path !== '') {
      const at = this.#find(path, () => `test operation does not apply: is missing path: ${path}: ${MISSING}`);
      value = within(`error in test for path: '${path}'`, () => get(at));
    }
    if (op.value === undefined || !equalJson(value ?? null, op.value)) {
      throw new PatchFault(`testing value ${path} failed: test failed`, true);
    }
  }

  /** The container that a pointer leads into, made changeable, and the last part of the pointer. */
  #find(path: string, missing: () => string): Place {
    const parts = path.split('/').slice(1).map(unescapePart);
    const key = parts.pop();
    let container = this.root;
    if (key === undefined || !isContainer(container)) throw new PatchFault(missing());
    for (const part of parts) {
      const own = this.#enter(container, part);
      if (!own) throw new PatchFault(missing());
      container = own;
    }
    return { container, key };
  }

  #enter(container: Container, part: string): Container | undefined {
    if (!Array.isArray(container)) {
      const next = member(container, part);
      if (!isContainer(next)) return undefined;
      const own = this.#owned(next);
      if (own !== next) setOwn(container, part, own);
      return own;
    }
    const i = indexOf(part, container.length);
    const next = typeof i === 'number' ? container[i] : undefined;
    if (typeof i !== 'number' || !isContainer(next)) return undefined;
    const own = this.#owned(next);
    container[i] = own;
    return own;
  }
}

/** What a pointer leads to: a member or an element of a container. */
interface Place {
  readonly container: Container;
  readonly key: string;
}

/** Says where a fault was found. */
function within<T>(where: string, run: () => T): T {
  try {
    return run();
  } catch (e) {
    throw e instanceof PatchFault ? new PatchFault(`${where}: ${e.message}`) : e;
  }
}

/** A member that must be text. Absent or null is a fault, as is another type. */
function text(op: JsonObject, name: 'path' | 'from', fault: (why: string) => string): string {
  const value = op[name];
  if (typeof value === 'string') return value;
  const why =
    value !== undefined && value !== null
      ? `json: cannot unmarshal ${jsonKind(value)} into Go value of type string`
      : `operation${name === 'from' ? ',' : ''} missing ${name} field: ${MISSING}`;
  throw new PatchFault(fault(why));
}

function unescapePart(part: string): string {
  return part.includes('~') ? part.replace(/~1|~0/g, (m) => (m === '~1' ? '/' : '~')) : part;
}

function member(object: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function get({ container, key }: Place): JsonValue | undefined {
  return Array.isArray(container) ? container[known(indexOf(key, container.length))] : member(container, key);
}

function remove({ container, key }: Place): void {
  if (Array.isArray(container)) container.splice(known(indexOf(key, container.length)), 1);
  else if (Object.hasOwn(container, key)) delete container[key];
  else throw new PatchFault(`Unable to remove nonexistent key: ${key}: ${MISSING}`);
}

function place({ container, key }: Place, value: JsonValue): void {
  if (!Array.isArray(container)) setOwn(container, key, value);
  else if (key === '-') container.push(value);
  else {
    const i = indexOf(key, container.length + 1);
    if (typeof i === 'object' && i.notANumber) {
      throw new PatchFault(`value was not a proper array index: '${key}': ${i.fault}`);
    }
    container.splice(known(i), 0, value);
  }
}

interface BadIndex {
  readonly fault: string;
  readonly notANumber: boolean;
}

/** A list index; a negative one counts back from `length`. */
function indexOf(key: string, length: number): number | BadIndex {
  if (!/^[+-]?\d+$/.test(key)) {
    return { fault: `strconv.Atoi: parsing ${JSON.stringify(key)}: invalid syntax`, notANumber: true };
  }
  const i = Number(key);
  if (i < -length || i >= length) {
    return { fault: `Unable to access invalid index: ${i}: invalid index referenced`, notANumber: false };
  }
  return i < 0 ? i + length : i + 0;
}

function known(index: number | BadIndex): number {
  if (typeof index === 'number') return index;
  throw new PatchFault(index.fault);
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
