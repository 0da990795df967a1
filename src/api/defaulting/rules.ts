import { tellsEmptyFromUnset } from '../../machinery/codec/typed/empty-lists.js';
import { isJsonObject, type JsonObject, type JsonValue, setOwn } from '../../machinery/json.js';
import type { Field, Type } from '../../machinery/scheme/type.js';
import { computed } from './values.js';

/** What defaulting may ask of the server. */
export interface DefaultingEnv {
  gate(name: string): boolean;
  /** UTC now, whole seconds, RFC 3339. */
  now(): string;
}

export type Condition = readonly [string, ...unknown[]];

/** One rule of `src/catalog/defaults.json`; the notation is explained in the README of the API facts. */
export interface RawRule {
  p?: string;
  v?: JsonValue;
  if?: Condition;
  replace?: boolean;
  writesEmpty?: boolean;
  invisible?: boolean;
  special?: string;
}

export type Defaulter = (obj: JsonObject, env: DefaultingEnv) => void;

type Segment = { readonly name: string } | { readonly each: true } | { readonly key: string };
interface FieldPath {
  readonly segments: readonly Segment[];
  /** The catalog field the path ends at; undefined for a map entry. */
  readonly field: Field | undefined;
}

/** Splits `spec.ports[].protocol` or `metadata.labels[a.b/c]`, following the catalog from `type`. */
function parsePath(type: Type, text: string): FieldPath {
  const segments: Segment[] = [];
  let node: Type | undefined = type;
  let field: Field | undefined;
  for (const token of text.match(/[^.[\]]+|\[[^\]]*\]/g) ?? []) {
    if (token === '[]') segments.push({ each: true });
    else if (token.startsWith('[')) {
      segments.push({ key: token.slice(1, -1) });
      field = undefined;
    } else {
      field = node?.field.get(token);
      if (!field) throw new Error(`default for ${type.name}: no field ${token} in ${text}`);
      segments.push({ name: token });
      node = field.node.kind === 'array' ? field.node.items?.type : field.node.type;
    }
  }
  return { segments, field };
}

/** Reads a path; `indices` gives the element for each `[]`, so that a condition looks at the element being defaulted. */
function read(obj: JsonObject, path: FieldPath, indices: readonly number[]): JsonValue | undefined {
  let v: JsonValue | undefined = obj;
  let next = 0;
  for (const s of path.segments) {
    if ('each' in s) {
      const i: number | undefined = indices[next++];
      v = Array.isArray(v) && i !== undefined ? v[i] : undefined;
    } else if (isJsonObject(v)) {
      const name: string = 'name' in s ? s.name : s.key;
      v = Object.hasOwn(v, name) ? v[name] : undefined;
    } else return undefined;
  }
  return v;
}

function isUnset(v: JsonValue | undefined, field: Field | undefined): boolean {
  if (v === undefined || v === null) return true;
  if (Array.isArray(v)) return v.length === 0 && !(field && tellsEmptyFromUnset(field));
  return !field?.pointer && (v === '' || v === 0);
}

type Predicate = (obj: JsonObject, env: DefaultingEnv, indices: readonly number[]) => boolean;

function compileCondition(type: Type, cond: Condition): Predicate {
  const [op, ...args] = cond;
  if (op === 'and' || op === 'or') {
    const parts = (args as Condition[]).map((c) => compileCondition(type, c));
    return op === 'and'
      ? (o, env, i) => parts.every((p) => p(o, env, i))
      : (o, env, i) => parts.some((p) => p(o, env, i));
  }
  if (op === 'gate') return (_, env) => env.gate(args[0] as string);
  if (op === 'noneSet') {
    // The one union that is named this way: the sources of a volume, which are all its fields but the name.
    const names = type.fields.map((f) => f.name).filter((n) => n !== 'name');
    return (o) => names.every((n) => o[n] === undefined);
  }
  const path = parsePath(type, args[0] as string);
  const get = (o: JsonObject, i: readonly number[]) => read(o, path, i);
  const isEmptyMap = (v: JsonValue | undefined) =>
    path.field?.node.kind === 'map' && isJsonObject(v) && Object.keys(v).length === 0;
  switch (op) {
    case 'eq':
      return (o, _, i) => (get(o, i) ?? (args[1] === false ? false : undefined)) === args[1];
    case 'in':
      return (o, _, i) => (args[1] as unknown[]).includes(get(o, i));
    case 'set':
      return (o, _, i) => !isUnset(get(o, i), path.field) && !isEmptyMap(get(o, i));
    case 'unset':
      return (o, _, i) => isUnset(get(o, i), path.field) || isEmptyMap(get(o, i));
    case 'nil':
      return (o, _, i) => get(o, i) === undefined;
    case 'notnil':
      return (o, _, i) => get(o, i) !== undefined;
    default:
      throw new Error(`default for ${type.name}: unknown condition ${op}`);
  }
}

type ValueOf = (obj: JsonObject, env: DefaultingEnv, indices: readonly number[]) => JsonValue | undefined;

function compileValue(type: Type, v: JsonValue | undefined): ValueOf {
  if (isJsonObject(v) && typeof v.copy === 'string') {
    const from = parsePath(type, v.copy);
    return (o, _, i) => structuredClone(read(o, from, i));
  }
  if (isJsonObject(v) && typeof v.fn === 'string') {
    const fn = computed(v.fn);
    const from = typeof v.of === 'string' ? parsePath(type, v.of) : undefined;
    return (o, env, i) => fn(from ? read(o, from, i) : undefined, env);
  }
  return typeof v === 'object' ? () => structuredClone(v) : () => v;
}

/** Compiles a rule with a path. Undefined when the rule can't be seen: a zero value in a field that is no pointer. */
export function compileRule(type: Type, rule: RawRule): Defaulter | undefined {
  if (rule.invisible || rule.p === undefined) return undefined;
  const path = parsePath(type, rule.p);
  if ((rule.v === '' || rule.v === 0 || rule.v === false) && !path.field?.pointer) return undefined;
  const when = rule.if ? compileCondition(type, rule.if) : undefined;
  const value = compileValue(type, rule.v);
  const last = path.segments.length - 1;

  function assign(obj: JsonObject, holder: JsonObject, name: string, env: DefaultingEnv, indices: readonly number[]) {
    if (!rule.replace && !isClear && !isUnset(holder[name], path.field)) return;
    const v = value(obj, env, indices);
    if (v === undefined) delete holder[name];
    else setOwn(holder, name, v);
  }
  const isClear = isJsonObject(rule.v) && rule.v.fn === 'clear';

  function descend(
    obj: JsonObject,
    at: JsonValue,
    depth: number,
    env: DefaultingEnv,
    indices: readonly number[],
  ): void {
    const s = path.segments[depth]!;
    if ('each' in s) {
      if (Array.isArray(at)) for (let i = 0; i < at.length; i++) descend(obj, at[i]!, depth + 1, env, [...indices, i]);
      return;
    }
    if (!isJsonObject(at)) return;
    const name = 'name' in s ? s.name : s.key;
    if (depth === last) {
      if (!when || when(obj, env, indices)) assign(obj, at, name, env, indices);
      return;
    }
    const next = path.segments[depth + 1]!;
    if (at[name] === undefined) {
      if ('each' in next || isClear || (when && !when(obj, env, indices))) return;
      at[name] = {};
    }
    descend(obj, at[name]!, depth + 1, env, indices);
  }
  return (obj, env) => descend(obj, obj, 0, env, []);
}
