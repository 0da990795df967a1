import { isJsonObject, type JsonObject, type JsonValue } from '../json.js';
import { compareElements, elementText, type PathElement, parseElement, sortElements } from './path-element.js';

/**
 * A set of field paths in the form that `fieldsV1` has on the wire: a tree whose keys are path elements. A node that is
 * empty or has `.` is itself a member. At the top, `{}` is the empty set. Keys are in canonical order. Immutable:
 * operations share what they do not change, so that a set read from storage is usually written back as it is.
 */
export type FieldSet = JsonObject;
export type Path = readonly PathElement[];

export const EMPTY: FieldSet = Object.freeze({});
const MEMBER = '.';
/** As deep as JSON is read; guards the recursions against what a client sends. */
const MAX_DEPTH = 1000;

function isEmptyNode(node: FieldSet): boolean {
  for (const _ in node) return false;
  return true;
}

export const isEmptySet = isEmptyNode;

const child = (node: FieldSet, key: string): FieldSet | undefined => node[key] as FieldSet | undefined;
const isMember = (node: FieldSet): boolean => MEMBER in node || isEmptyNode(node);
const hasChildren = (node: FieldSet): boolean => {
  for (const key in node) if (key !== MEMBER) return true;
  return false;
};

/** A node with these children, a member or not; undefined when it would say nothing. */
function nodeOf(member: boolean, children: FieldSet | undefined): FieldSet | undefined {
  if (!children || isEmptyNode(children)) return member ? EMPTY : undefined;
  return member ? { [MEMBER]: EMPTY, ...children } : children;
}

/** Collects paths. `done` gives the set; the builder must not be used after that. */
export class FieldSetBuilder {
  readonly #root: JsonObject = {};
  /** The nodes on the way to the last path, as walks add paths that begin alike one after the other. */
  readonly #nodes: JsonObject[] = [this.#root];
  readonly #last: PathElement[] = [];

  /** Adds the first `depth` elements of `path` as one path. The empty path is no member of any set. */
  add(path: Path, depth = path.length): void {
    if (depth === 0) return;
    let i = 0;
    while (i < depth - 1 && i + 1 < this.#nodes.length && this.#last[i] === path[i]) i++;
    let node = this.#nodes[i]!;
    this.#nodes.length = i + 1;
    for (; i < depth - 1; i++) {
      const key = path[i]!;
      let next = child(node, key);
      if (next === undefined) {
        next = {};
        node[key] = next;
      } else if (isEmptyNode(next)) next[MEMBER] = EMPTY;
      this.#last[i] = key;
      this.#nodes.push(next);
      node = next;
    }
    const last = path[depth - 1]!;
    const known = child(node, last);
    if (known === undefined) node[last] = {};
    else if (!isEmptyNode(known)) known[MEMBER] = EMPTY;
  }

  get empty(): boolean {
    return isEmptyNode(this.#root);
  }

  done(): FieldSet {
    return this.empty ? EMPTY : inOrder(this.#root);
  }
}

/** The same set with all keys in canonical order. */
function inOrder(node: FieldSet): FieldSet {
  const keys = Object.keys(node);
  const sorted = keys.every((k, i) => i === 0 || before(keys[i - 1]!, k));
  let out = node;
  if (!sorted) {
    out = MEMBER in node ? { [MEMBER]: EMPTY } : {};
    for (const key of sortElements(keys.filter((k) => k !== MEMBER))) out[key] = node[key];
  }
  for (const key of keys) {
    const next = child(node, key)!;
    const ordered = inOrder(next);
    if (ordered !== next) out[key] = ordered;
  }
  return out;
}

function before(a: string, b: string): boolean {
  if (a === MEMBER || b === MEMBER) return a === MEMBER;
  return compareElements(a, b) < 0;
}

/**
 * Reads fieldsV1 that somebody else wrote, into canonical form. Elements of unknown kinds are dropped.
 * @throws Error when it is malformed
 */
export function parseFieldSet(value: JsonValue | undefined, depth = 0): FieldSet {
  if (value === null || value === undefined) return EMPTY;
  if (!isJsonObject(value)) throw new Error('expect { or n, but found another value');
  if (depth > MAX_DEPTH) throw new Error('exceeded max depth');
  const out: JsonObject = {};
  let member = false;
  for (const key of Object.keys(value)) {
    if (key === MEMBER) {
      member = true;
      continue;
    }
    const element = parseElement(key);
    if (element !== undefined) out[element] = parseFieldSet(value[key], depth + 1);
  }
  if (isEmptyNode(out)) return EMPTY;
  if (member && depth > 0) out[MEMBER] = EMPTY;
  return depth === 0 ? inOrder(out) : out;
}

export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmptyNode(a) || a === b) return b;
  if (isEmptyNode(b)) return a;
  return unionNodes(a, b);
}

/** The union of many sets, two by two: one after the other would go over what there is already for each of them. */
export function unionOf(sets: readonly FieldSet[]): FieldSet {
  let left = sets;
  while (left.length > 1) {
    const pairs: FieldSet[] = [];
    for (let i = 0; i < left.length; i += 2) pairs.push(union(left[i]!, left[i + 1] ?? EMPTY));
    left = pairs;
  }
  return left[0] ?? EMPTY;
}

/** Both nodes have something below them. */
function unionNodes(a: FieldSet, b: FieldSet): FieldSet {
  const out: JsonObject = {};
  let same = true;
  const merged = (key: string): FieldSet => {
    const x = child(a, key);
    const y = child(b, key);
    let node = x ?? y!;
    if (x && y && x !== y && key !== MEMBER) {
      if (isEmptyNode(y)) node = asMember(x);
      else if (isEmptyNode(x)) node = asMember(y);
      else node = unionNodes(x, y);
    }
    if (node !== x) same = false;
    return node;
  };
  // Both are in order: step through them together.
  const ka = Object.keys(a);
  const kb = Object.keys(b);
  let i = 0;
  let j = 0;
  while (i < ka.length || j < kb.length) {
    const x = ka[i];
    const y = kb[j];
    let key: string;
    if (x !== undefined && (x === y || y === undefined || before(x, y))) {
      key = x;
      i++;
      if (x === y) j++;
    } else {
      key = y!;
      j++;
    }
    out[key] = merged(key);
  }
  return same ? a : out;
}

function asMember(node: FieldSet): FieldSet {
  return isMember(node) ? node : { [MEMBER]: EMPTY, ...node };
}

export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  return intersectNodes(a, b) ?? EMPTY;
}

function intersectNodes(a: FieldSet, b: FieldSet): FieldSet | undefined {
  let out: JsonObject | undefined;
  for (const key in a) {
    if (key === MEMBER) continue;
    const x = child(a, key)!;
    const y = child(b, key);
    if (!y) continue;
    const node = nodeOf(isMember(x) && isMember(y), intersectNodes(x, y));
    if (node) {
      out ??= {};
      out[key] = node;
    }
  }
  return out;
}

/** The paths of `a` that are not in `b`. Taking a path away leaves what is below it. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  return differNodes(a, b, false);
}

/** The paths of `a` that are neither in `b` nor below a path of `b`. */
export function recursiveDifference(a: FieldSet, b: FieldSet): FieldSet {
  return differNodes(a, b, true);
}

/** `a` without what `b` takes away from below it; `a` itself when that is nothing. */
function differNodes(a: FieldSet, b: FieldSet, recursive: boolean): FieldSet {
  let changed: Map<string, FieldSet | undefined> | undefined;
  for (const key in b) {
    if (key === MEMBER) continue;
    const x = child(a, key);
    if (!x) continue;
    const y = child(b, key)!;
    const gone = isMember(y);
    const node = gone && recursive ? undefined : settled(differNodes(x, y, recursive), isMember(x) && !gone);
    if (node === x) continue;
    changed ??= new Map();
    changed.set(key, node);
  }
  if (!changed) return a;
  // Built anew: an object that something is deleted from is slow ever after.
  const out: JsonObject = {};
  for (const key in a) {
    const node = changed.has(key) ? changed.get(key) : a[key];
    if (node !== undefined) out[key] = node;
  }
  return out;
}

/** The node as a member or not, keeping what is below it; undefined when nothing is left. */
function settled(node: FieldSet, member: boolean): FieldSet | undefined {
  if (!hasChildren(node)) return member ? EMPTY : undefined;
  return member || !(MEMBER in node) ? node : childrenOf(node);
}

function childrenOf(node: FieldSet): FieldSet {
  if (!(MEMBER in node)) return node;
  const rest: JsonObject = {};
  for (const key in node) if (key !== MEMBER) rest[key] = node[key]!;
  return rest;
}

export function hasPath(set: FieldSet, path: Path): boolean {
  let node: FieldSet | undefined = set;
  for (const element of path) {
    node = child(node, element);
    if (!node) return false;
  }
  return path.length > 0 && isMember(node);
}

/** Whether the element itself is a member, and the set of what is below it. */
export function descend(set: FieldSet, element: PathElement): { member: boolean; below: FieldSet } | undefined {
  const node = child(set, element);
  return node && { member: isMember(node), below: childrenOf(node) };
}

/** The elements at the top of a set, in order. */
export function elements(set: FieldSet): PathElement[] {
  return Object.keys(set).filter((key) => key !== MEMBER);
}

/** All paths: at each level the members first, then what is below each element. */
export function* paths(set: FieldSet, prefix: Path = []): Generator<Path> {
  for (const key of elements(set)) if (isMember(child(set, key)!)) yield [...prefix, key];
  for (const key of elements(set)) {
    const node = child(set, key)!;
    if (hasChildren(node)) yield* paths(node, [...prefix, key]);
  }
}

export function setOfPaths(list: readonly Path[]): FieldSet {
  const builder = new FieldSetBuilder();
  for (const path of list) builder.add(path);
  return builder.done();
}

/** `.spec.containers[name="a"].image` */
export function pathText(path: Path): string {
  return path.map(elementText).join('');
}
