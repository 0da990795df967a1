import type { ObjectTypes } from '../environment.js';
import { type Overload, overload } from '../types/declarations.js';
import { DYN, objectType, STRING, type Type } from '../types/type.js';
import { equals } from '../values/compare.js';
import { LazyObject, type PlainObject } from '../values/containers.js';
import { CelError } from '../values/error.js';
import { runtimeType } from '../values/runtime-type.js';
import { toJson } from './to-json.js';

const JSON_PATCH = 'JSONPatch';

/** What `Object{…}` and `Object.spec{…}` make: a part of an object to be applied. */
export class ObjectValue extends LazyObject {
  override readonly typeName: string;
  readonly fields: ReadonlyMap<string, unknown>;

  constructor(typeName: string, fields: ReadonlyMap<string, unknown>) {
    super();
    this.typeName = typeName;
    this.fields = fields;
  }

  field(name: string): unknown {
    return this.fields.get(name);
  }

  /** Numbers of different kinds make a difference here. */
  override equals(other: ObjectValue): boolean {
    if (this.typeName !== other.typeName || this.fields.size !== other.fields.size) return false;
    return [...this.fields].every(([name, value]) => {
      const theirs = other.fields.get(name);
      return theirs !== undefined && equals(value, theirs) && runtimeType(value).name === runtimeType(theirs).name;
    });
  }

  /**
   * Complaints about parts whose type name does not say where they are (`Object.spec` under `metadata`).
   */
  misplaced(): string[] {
    return misplaced(this, ['Object']);
  }

  /** The value as JSON. Fails with CelError where it has none. */
  toJson(): PlainObject {
    const out: PlainObject = {};
    for (const [name, value] of this.fields) {
      Object.defineProperty(out, name, { value: toJson(value), writable: true, enumerable: true, configurable: true });
    }
    return out;
  }
}

function misplaced(value: unknown, path: readonly string[]): string[] {
  if (Array.isArray(value)) return value.flatMap((element) => misplaced(element, path));
  if (!(value instanceof ObjectValue)) return [];
  const expected = path.join('.');
  const found =
    value.typeName === expected
      ? []
      : [
          `unexpected type name "${value.typeName}", expected "${expected}", which matches field name path from root Object type`,
        ];
  return [...found, ...[...value.fields].flatMap(([name, inner]) => misplaced(inner, [...path, name]))];
}

/** What `JSONPatch{…}` makes: one operation of a JSON patch. */
export class JsonPatchValue extends LazyObject {
  override readonly typeName = JSON_PATCH;
  readonly op: string;
  readonly path: string;
  readonly from: string;
  /** Undefined when there is none. */
  readonly value: unknown;

  constructor(fields: ReadonlyMap<string, unknown>) {
    super();
    this.op = text(fields, 'op');
    this.path = text(fields, 'path');
    this.from = text(fields, 'from');
    this.value = fields.get('value');
  }

  field(name: string): unknown {
    if (name === 'value') return this.value;
    return name === 'op' ? this.op : name === 'path' ? this.path : name === 'from' ? this.from : undefined;
  }

  override has(name: string): boolean {
    return Boolean(name === 'value' ? this.value !== undefined : this.field(name));
  }

  override equals(other: JsonPatchValue): boolean {
    if (this.op !== other.op || this.path !== other.path || this.from !== other.from) return false;
    if (this.value === undefined || other.value === undefined) return this.value === other.value;
    return equals(this.value, other.value);
  }
}

function text(fields: ReadonlyMap<string, unknown>, name: string): string {
  const value = fields.get(name) ?? '';
  if (typeof value === 'string') return value;
  throw new CelError(`unexpected type ${runtimeType(value).name} for JSONPatchType '${name}' field`);
}

const isObject = (name: string) => name === 'Object' || name.startsWith('Object.');

/** Types of mutating admission policies. */
export const MUTATION_TYPES: ObjectTypes = {
  findStruct: (name) => (name === JSON_PATCH || isObject(name) ? objectType(name) : undefined),
  findField(structName: string, field: string): Type | undefined {
    if (isObject(structName)) return DYN;
    if (field === 'op' || field === 'path' || field === 'from') return STRING;
    return field === 'value' ? DYN : undefined;
  },
  construct: (typeName, fields) =>
    typeName === JSON_PATCH ? new JsonPatchValue(fields) : new ObjectValue(typeName, fields),
};

/** Kubernetes' jsonpatch library. */
export const JSON_PATCHES: Record<string, Overload[]> = {
  'jsonpatch.escapeKey': [
    overload('string_jsonpatch_escapeKey_string', [STRING], STRING, (key: string) =>
      key.replace(/[~/]/g, (char) => (char === '~' ? '~0' : '~1')),
    ),
  ],
};
