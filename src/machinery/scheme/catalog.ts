import { readFileSync } from 'node:fs';
import type { JsonValue } from '../json.js';
import type { Field, SchemaNode, Type } from './type.js';

interface RawNode {
  k: string;
  fmt?: string;
  ref?: string;
  items?: RawNode;
  addl?: RawNode;
  lt?: 'atomic' | 'set' | 'map';
  lk?: string[];
  mt?: 'atomic' | 'granular';
}
interface RawField extends RawNode {
  n: string;
  req?: 1;
  nullable?: 1;
  def?: JsonValue;
  enum?: string[];
  pk?: string;
  ps?: string;
  gate?: string;
  in?: string[];
  pb?: [number, string, string, string?];
  ptr?: 1;
  z?: JsonValue;
}
interface RawType {
  live?: 0;
  fields?: RawField[];
  gvk?: [string, string, string][] | 'every-group-version';
  /** Registered under these too, but not served. */
  reg?: [string, string, string][] | 'every-group-version';
  mt?: 'atomic' | 'granular';
  inline?: [string, number, string][];
  schema?: { k: string };
  jsonForms?: string[];
  unions?: JsonValue;
}

/** Reads one of the generated files beside the compiled code. */
export function readCatalogFile(name: string): string {
  return readFileSync(new URL(`../../catalog/${name}`, import.meta.url), 'utf8');
}

/**
 * The built-in types, from `src/catalog/types.json`. Types are made on first use and refer to each other, so that
 * recursive ones (JSONSchemaProps) work and a server that never touches a group does not pay for it.
 */
export class Catalog {
  readonly #raw: Record<string, RawType>;
  readonly #types = new Map<string, Type>();
  readonly #byGvk = new Map<string, string>();
  /** Kinds such as DeleteOptions that belong to every group and version. */
  readonly #everywhere = new Map<string, string>();
  readonly #versions = new Set<string>();

  constructor(raw: Record<string, RawType> = JSON.parse(readCatalogFile('types.json'))) {
    this.#raw = raw;
    for (const [name, type] of Object.entries(raw)) {
      for (const names of [type.gvk, type.reg]) {
        if (names === 'every-group-version') this.#everywhere.set(name.slice(name.lastIndexOf('.') + 1), name);
        else for (const gvk of names ?? []) this.#register(name, ...gvk);
      }
    }
  }

  names(): string[] {
    return Object.keys(this.#raw);
  }

  /** The type of that full name (`io.k8s.api.core.v1.Pod`); throws when the catalog does not know it. */
  type(name: string): Type {
    const known = this.find(name);
    if (!known) throw new Error(`type ${name} is not in the catalog`);
    return known;
  }

  find(name: string): Type | undefined {
    const known = this.#types.get(name);
    if (known) return known;
    const raw = this.#raw[name];
    return raw ? this.#make(name, raw) : undefined;
  }

  /** The type that a group, version and kind name, if it is a built-in one, served or only known. */
  byGvk(group: string, version: string, kind: string): Type | undefined {
    const name =
      this.#byGvk.get(`${group}/${version}/${kind}`) ??
      (this.#versions.has(`${group}/${version}`) ? this.#everywhere.get(kind) : undefined);
    return name === undefined ? undefined : this.type(name);
  }

  #register(name: string, group: string, version: string, kind: string): void {
    const key = `${group}/${version}/${kind}`;
    if (!this.#byGvk.has(key)) this.#byGvk.set(key, name);
    this.#versions.add(`${group}/${version}`);
  }

  #make(name: string, raw: RawType): Type {
    const fields: Field[] = [];
    const type: Type = {
      name,
      fields,
      field: new Map(),
      special:
        raw.fields || (raw.schema?.k === 'object' && !SPECIAL_OBJECTS.has(short(name))) ? undefined : short(name),
      mapType: raw.mt,
      gvk: Array.isArray(raw.gvk) ? raw.gvk : [],
      inlineParts: raw.inline ?? [],
      unions: raw.unions,
      published: raw.live !== 0,
    };
    this.#types.set(name, type); // before the fields, so that a recursive type finds itself
    for (const f of raw.fields ?? []) {
      const field = this.#field(f);
      fields.push(field);
      (type.field as Map<string, Field>).set(field.name, field);
    }
    return type;
  }

  #field(raw: RawField): Field {
    return {
      name: raw.n,
      node: this.#node(raw),
      required: raw.req === 1,
      nullable: raw.nullable === 1,
      pointer: raw.ptr === 1,
      zero: raw.z,
      enum: raw.enum,
      published: raw.def,
      patchStrategy: raw.ps,
      patchMergeKey: raw.pk,
      gate: raw.gate,
      inline: raw.in,
      protobuf: raw.pb,
    };
  }

  #node(raw: RawNode): SchemaNode {
    switch (raw.k) {
      case 'ref': {
        const type = this.type(raw.ref!);
        return { kind: type.special ? 'any' : 'struct', type, mapType: raw.mt ?? type.mapType };
      }
      case 'array':
        return { kind: 'array', items: this.#node(raw.items!), listType: raw.lt, listKeys: raw.lk };
      case 'map':
        return { kind: 'map', values: this.#node(raw.addl!), mapType: raw.mt };
      case 'object':
        return { kind: 'map', values: { kind: 'any' }, mapType: raw.mt };
      case 'string':
      case 'integer':
      case 'number':
      case 'boolean':
        return { kind: raw.k, format: raw.fmt };
      default:
        return { kind: 'any' };
    }
  }
}

/** Schema objects without fields whose JSON is free-form; the other field-less ones are empty structs. */
const SPECIAL_OBJECTS = new Set(['FieldsV1', 'Patch', 'RawExtension']);

function short(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}

let shared: Catalog | undefined;
/** The catalog of this release, loaded once a process: it is immutable. */
export function catalog(): Catalog {
  shared ??= new Catalog();
  return shared;
}

/** The full name of a list type of this item type, e.g. `io.k8s.api.core.v1.PodList`. */
export function listTypeName(itemType: string): string {
  return `${itemType}List`;
}
