import { FieldError, invalidValue, type Path } from '../../machinery/field.js';
import type { JsonObject, JsonValue, KubeObject } from '../../machinery/json.js';
import { isJsonObject } from '../../machinery/json.js';
import { catalog } from '../../machinery/scheme/catalog.js';
import type { Field, Type } from '../../machinery/scheme/type.js';

/** One run over one object: where faults are collected, and what rules may ask. Groups extend it with their own facts. */
export interface Check {
  readonly errors: FieldError[];
  gate(name: string): boolean;
  /** What is stored, when the object is being changed: it may keep faults that it already has. */
  readonly old?: KubeObject;
  /** apiVersion that the client speaks, for the few rules that differ by it. */
  readonly requestVersion?: string;
}

export function newCheck(gate: (name: string) => boolean, old?: KubeObject, requestVersion?: string): Check {
  return { errors: [], gate, old, requestVersion };
}

/**
 * Looks at one value and pushes what is wrong with it. The value is as Go sees it: an absent scalar that is no pointer
 * comes as its zero value, an absent pointer, list, map or struct as undefined.
 */
export type Rule<C extends Check = Check> = (value: JsonValue | undefined, at: Path, check: C) => void;
/** A check of a whole struct, for what lies between its fields. An absent struct comes as an empty one. */
export type StructRule<C extends Check = Check> = (value: JsonObject, at: Path, check: C) => void;

/** Field name → rules, run in the order of the table; a key that starts with `$` names a check of the whole struct. */
export type RuleTable<C extends Check> = { readonly [field: string]: Rule<C> | readonly Rule<C>[] };

/** Makes a rule of a check between the fields of a struct. */
export function whole<C extends Check>(check: StructRule<C>): Rule<C> {
  return (v, at, c) => check(isJsonObject(v) ? v : EMPTY, at, c);
}

const EMPTY: JsonObject = Object.freeze({});
const pending: (() => void)[] = [];

/** Full name of a catalog type; `core.v1.Pod` is short for `io.k8s.api.core.v1.Pod`. */
export function typeNamed(name: string): Type {
  return catalog().type(name.startsWith('io.') ? name : `io.k8s.api.${name}`);
}

function zeroOf(field: Field): JsonValue | undefined {
  if (field.pointer) return undefined;
  switch (field.node.kind) {
    case 'string':
      return '';
    case 'integer':
    case 'number':
      return 0;
    case 'boolean':
      return false;
    default:
      return field.node.type?.special === 'IntOrString' ? 0 : undefined;
  }
}

/**
 * Rules of a struct type of the catalog, in the order in which the real server reports faults. An absent struct is
 * checked as an empty one: wrap it in `ifPresent` where it is a pointer. A field that the type lacks is an error.
 */
export function struct<C extends Check = Check>(typeName: string, table: RuleTable<C>): Rule<C> {
  type Step = (o: JsonObject, at: Path, c: C) => void;
  let steps: Step[] | undefined;
  const compile = (): Step[] => {
    const type = typeNamed(typeName);
    return Object.entries(table).map(([name, entry]): Step => {
      const rule = all(...(Array.isArray(entry) ? (entry as Rule<C>[]) : [entry as Rule<C>]));
      if (name.startsWith('$')) return rule;
      const field = type.field.get(name);
      if (!field) throw new Error(`rules of ${type.name}: no field ${name}`);
      const zero = zeroOf(field);
      return (o, at, c) => rule(o[name] ?? zero, at.child(name), c);
    });
  };
  pending.push(() => {
    steps ??= compile();
  });
  return (value, at, c) => {
    steps ??= compile();
    const o = isJsonObject(value) ? value : EMPTY;
    for (const step of steps) step(o, at, c);
  };
}

/** Compiles every table made so far and tells what is wrong with them, so that a misspelt field shows in a test. */
export function compileAllRules(): string[] {
  return pending.flatMap((compile) => {
    try {
      compile();
      return [];
    } catch (e) {
      return [(e as Error).message];
    }
  });
}

/** Runs all of the rules on the same value. */
export function all<C extends Check>(...rules: readonly Rule<C>[]): Rule<C> {
  if (rules.length === 1) return rules[0]!;
  return (v, at, c) => {
    for (const rule of rules) rule(v, at, c);
  };
}

/** Unset as upstream's `len(x) == 0`, `x == 0` or `x == nil` see it. */
export function isZero(v: JsonValue | undefined): boolean {
  if (v === undefined || v === null || v === '' || v === 0 || v === false) return true;
  if (Array.isArray(v)) return v.length === 0;
  return isJsonObject(v) && Object.keys(v).length === 0;
}

/** Something is wrong with a struct as a whole; its value is not printed. */
export function invalidWhole(c: Check, at: Path, text: string): void {
  c.errors.push(new FieldError('FieldValueInvalid', at.text, `Invalid value: ${text}`));
}

/** Reports each message of a format check as an invalid value. */
export function invalidEach(c: Check, at: Path, value: JsonValue | undefined, messages: readonly string[]): void {
  for (const m of messages) c.errors.push(invalidValue(at, value, m));
}
