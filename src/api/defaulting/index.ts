import { isJsonObject, type JsonObject, type JsonValue } from '../../machinery/json.js';
import { catalog, readCatalogFile } from '../../machinery/scheme/catalog.js';
import type { SchemaNode, Type } from '../../machinery/scheme/type.js';
import { compileRule, type Defaulter, type DefaultingEnv, type RawRule } from './rules.js';
import { specialDefaults } from './special.js';

export type { DefaultingEnv } from './rules.js';

type Visitor = (value: JsonValue, env: DefaultingEnv) => void;

interface Compiled {
  own: Defaulter[];
  /** `byValue`: a struct that exists even when it is absent from the JSON. */
  below: { name: string; visit: Visitor; byValue: boolean }[];
}

let rules: Record<string, RawRule[]> | undefined;
const compiled = new Map<Type, Compiled>();
const reaches = new Map<Type, boolean>();

function rulesOf(type: Type): RawRule[] {
  rules ??= JSON.parse(readCatalogFile('defaults.json')) as Record<string, RawRule[]>;
  return rules[type.name] ?? [];
}

/** Types whose fields are written as the type's own. */
function inlineTypes(type: Type): Type[] {
  return type.inlineParts.flatMap(([name]) => {
    const part = catalog().find(name);
    return part ? [part, ...inlineTypes(part)] : [];
  });
}

/** The struct type at the end of lists and maps of a node. */
function elementType(node: SchemaNode): Type | undefined {
  const inner = node.items ?? node.values;
  if (inner) return elementType(inner);
  return node.kind === 'struct' ? node.type : undefined;
}

/** Whether a type or anything below it has a default; types that refer to themselves count once. */
function hasDefaults(type: Type, path: Set<Type> = new Set()): boolean {
  const known = reaches.get(type);
  if (known !== undefined) return known;
  if (path.has(type)) return false;
  path.add(type);
  const yes =
    [type, ...inlineTypes(type)].some((t) => rulesOf(t).length > 0) ||
    specialDefaults(type).length > 0 ||
    type.fields.some((f) => {
      const t = elementType(f.node);
      return t !== undefined && hasDefaults(t, path);
    });
  path.delete(type);
  if (yes || path.size === 0) reaches.set(type, yes);
  return yes;
}

function compile(type: Type): Compiled {
  const known = compiled.get(type);
  if (known) return known;
  const self: Compiled = { own: [], below: [] };
  compiled.set(type, self);
  self.own = [
    ...specialDefaults(type),
    ...[type, ...inlineTypes(type)].flatMap((t) => rulesOf(t).flatMap((r) => compileRule(t, r) ?? [])),
  ];
  for (const field of type.fields) {
    const t = elementType(field.node);
    if (!t || !hasDefaults(t)) continue;
    const byValue = field.node.kind === 'struct' && !field.pointer;
    self.below.push({ name: field.name, visit: visitor(field.node), byValue });
  }
  return self;
}

function visitor(node: SchemaNode): Visitor {
  if (node.kind === 'array') {
    const visit = visitor(node.items!);
    return (v, env) => {
      if (Array.isArray(v)) for (const e of v) visit(e, env);
    };
  }
  if (node.kind === 'map') {
    const visit = visitor(node.values!);
    return (v, env) => {
      if (isJsonObject(v)) for (const e of Object.values(v)) if (e !== undefined) visit(e, env);
    };
  }
  const target = compile(node.type!);
  return (v, env) => {
    if (isJsonObject(v)) run(target, v, env);
  };
}

function run(c: Compiled, obj: JsonObject, env: DefaultingEnv): void {
  for (const rule of c.own) rule(obj, env);
  for (const { name, visit, byValue } of c.below) {
    const v = obj[name];
    if (v !== undefined) visit(v, env);
    else if (byValue) {
      const made: JsonObject = {};
      visit(made, env);
      if (Object.keys(made).length > 0) obj[name] = made;
    }
  }
}

/**
 * Writes the defaults of a versioned object in minimal form, in place: outer type first, then what is below it, once
 * for each occurrence. Rules are data (`src/catalog/defaults.json`); `special.ts` has those that data can't say.
 * Compiled once a type, so that a subtree without rules costs nothing.
 */
export function applyDefaults(type: Type, obj: JsonObject, env: DefaultingEnv): void {
  run(compile(type), obj, env);
}
