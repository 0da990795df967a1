import type { JsonValue } from '../json.js';
import type { Field, SchemaNode, Type } from '../scheme/type.js';

// What a value means to ownership: which parts are owned one by one and which as a whole. Compiled from the same nodes
// as everything else, once per type. Source: KEP-555 and the OpenAPI extensions x-kubernetes-list-type, -list-map-keys,
// -map-type and -patch-strategy.

export type ScalarKind = 'numeric' | 'string' | 'boolean' | 'untyped';

/** A value may be of each kind that is set; most allow one. */
export interface Atom {
  scalar?: ScalarKind;
  list?: ListAtom;
  map?: MapAtom;
}

export interface ListAtom {
  readonly atomic: boolean;
  readonly element: Atom;
  /** Names of the keys that tell elements apart, as declared; empty for sets and atomic lists. */
  readonly keys: readonly string[];
  /** The same, sorted, with what stands for a key that is left out. */
  readonly keyFields: readonly {
    readonly name: string;
    readonly fallback: JsonValue | undefined;
    readonly field: FieldAtom | undefined;
  }[];
}

export interface MapAtom {
  readonly atomic: boolean;
  /** Declared members by name. */
  readonly fields: ReadonlyMap<string, FieldAtom>;
  /** The same in order of name: the order of fieldsV1. */
  readonly sorted: readonly FieldAtom[];
  /** Other members; undefined: there may be none. */
  readonly element: Atom | undefined;
  /** Neither declared members nor a declared type of the others. */
  readonly deduced: boolean;
}

export interface FieldAtom {
  readonly name: string;
  readonly element: string;
  readonly atom: Atom;
  /** What Go has in the field when nobody sets it; undefined: the field is absent then. */
  readonly zero: JsonValue | undefined;
  /** Whether an empty value (0, "", false, [], {}) differs from an absent one. */
  readonly pointer: boolean;
  /** Every JavaScript object seems to have a member of this name (`constructor`). */
  readonly inherited: boolean;
}

const NO_FIELDS: ReadonlyMap<string, FieldAtom> = new Map();

function mapOf(element: Atom | undefined, atomic: boolean, deduced = false): MapAtom {
  return { atomic, fields: NO_FIELDS, sorted: [], element, deduced };
}
function listOf(element: Atom, atomic = true): ListAtom {
  return { atomic, element, keys: [], keyFields: [] };
}

/** Free-form, owned as a whole. */
const WHOLE: Atom = { scalar: 'untyped' };
WHOLE.list = listOf(WHOLE);
WHOLE.map = mapOf(WHOLE, true);

/** Free-form: maps member by member, lists as a whole. */
const DEDUCED: Atom = { scalar: 'untyped', list: listOf(WHOLE) };
DEDUCED.map = mapOf(DEDUCED, false, true);

const UNTYPED_SCALAR: Atom = { scalar: 'untyped' };
const SCALARS: Readonly<Record<string, Atom>> = {
  integer: { scalar: 'numeric' },
  number: { scalar: 'numeric' },
  boolean: { scalar: 'boolean' },
  string: { scalar: 'string' },
};
const SPECIAL: Readonly<Record<string, Atom>> = {
  Quantity: UNTYPED_SCALAR,
  Time: UNTYPED_SCALAR,
  MicroTime: UNTYPED_SCALAR,
  RawExtension: WHOLE,
  FieldsV1: { map: mapOf(DEDUCED, false, true) },
  Patch: { map: mapOf(DEDUCED, false, true) },
};

const structs = new WeakMap<Type, { atomic?: Atom; granular?: Atom }>();
const nodes = new WeakMap<SchemaNode, Atom>();

/** The meaning of a node. */
export function atomOf(node: SchemaNode, field?: Field): Atom {
  const known = nodes.get(node);
  if (known) return known;
  if (node.kind === 'struct' && !node.values) return structAtom(node.type!, node.mapType === 'atomic');
  const atom: Atom = {};
  nodes.set(node, atom); // before what is below, so that schemas which refer to themselves work
  return Object.assign(atom, makeAtom(node, field));
}

function makeAtom(node: SchemaNode, field: Field | undefined): Atom {
  switch (node.kind) {
    case 'string':
      return !node.format || node.format === 'byte' ? SCALARS.string! : UNTYPED_SCALAR;
    case 'integer':
    case 'number':
    case 'boolean':
      return SCALARS[node.kind]!;
    case 'array':
      return { list: listAtom(node, field) };
    case 'map':
      return {
        map: mapOf(node.values ? atomOf(node.values) : DEDUCED, node.mapType === 'atomic', isFree(node.values)),
      };
    case 'struct':
      return { map: structMap(node.type!, node.mapType === 'atomic', atomOf(node.values!)) };
    case 'any':
      return SPECIAL[node.type?.special ?? ''] ?? DEDUCED;
  }
}

const isFree = (node: SchemaNode | undefined): boolean => !node || (node.kind === 'any' && !node.type);

function structAtom(type: Type, atomic: boolean): Atom {
  const known = structs.get(type) ?? {};
  structs.set(type, known);
  const kind = atomic ? 'atomic' : 'granular';
  const atom = known[kind];
  if (atom) return atom;
  const made: Atom = {};
  known[kind] = made;
  made.map = structMap(type, atomic, undefined);
  return made;
}

function structMap(type: Type, atomic: boolean, others: Atom | undefined): MapAtom {
  const list = type.fields.map(
    (f): FieldAtom => ({
      name: f.name,
      element: `f:${f.name}`,
      atom: atomOf(f.node, f),
      zero: f.zero,
      pointer: f.pointer,
      inherited: f.name in Object.prototype,
    }),
  );
  const empty = list.length === 0; // an object without declared members is free-form
  return {
    atomic,
    fields: new Map(list.map((f) => [f.name, f])),
    sorted: list.sort((a, b) => (a.name < b.name ? -1 : 1)),
    element: others ?? (empty ? DEDUCED : undefined),
    deduced: empty && (!others || others === DEDUCED),
  };
}

/** A list without a list type falls back to its patch strategy, as upstream's schema conversion does. */
function listAtom(node: SchemaNode, field: Field | undefined): ListAtom {
  const element = node.items ? atomOf(node.items) : WHOLE;
  let keys = node.listType === 'map' ? (node.listKeys ?? []) : [];
  let atomic = node.listType !== 'map' && node.listType !== 'set';
  if (!node.listType && field?.patchStrategy?.split(',').includes('merge')) {
    atomic = false;
    keys = field.patchMergeKey ? [field.patchMergeKey] : [];
  }
  const declared = node.items?.type?.field;
  const keyFields = [...keys].sort().map((name) => ({
    name,
    fallback: declared?.get(name)?.published,
    field: element.map?.fields.get(name),
  }));
  return { atomic, element, keys, keyFields };
}

const MAP = 1;
const SCALAR = 2;
const LIST = 4;
export type Kinds = number;

/** Of the kinds that the atom allows, the one that the value is; all of them when it is absent, null or another. */
export function kindsOf(atom: Atom, value: JsonValue | undefined): Kinds {
  let kinds = 0;
  if (value !== null && value !== undefined) {
    if (typeof value !== 'object') kinds = atom.scalar ? SCALAR : 0;
    else if (Array.isArray(value)) kinds = atom.list ? LIST : 0;
    else kinds = atom.map ? MAP : 0;
  }
  return kinds || (atom.map ? MAP : 0) | (atom.scalar ? SCALAR : 0) | (atom.list ? LIST : 0);
}

/** How to treat a value whose kind is open: as a map if it may be one, else as a scalar, else as a list. */
export function treatAs(kinds: Kinds): 'map' | 'scalar' | 'list' {
  if (kinds & MAP) return 'map';
  return kinds & SCALAR ? 'scalar' : 'list';
}
