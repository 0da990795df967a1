import type { JsonValue } from '../json.js';

export type NodeKind = 'string' | 'integer' | 'number' | 'boolean' | 'array' | 'map' | 'struct' | 'any';

/** What a value may be, and how lists and maps of it merge. Built-in types and CRD schemas are both made of these. */
export interface SchemaNode {
  readonly kind: NodeKind;
  /** int32, int64, double, byte (base64 text). */
  readonly format?: string;
  /** kind `struct`, and `any` for types with a form of their own (Quantity, Time, RawExtension): the named type. */
  readonly type?: Type;
  /** kind `array`. */
  readonly items?: SchemaNode;
  /** kind `map`. */
  readonly values?: SchemaNode;
  /** x-kubernetes-list-type of an array. Unset means atomic. */
  readonly listType?: 'atomic' | 'set' | 'map';
  readonly listKeys?: readonly string[];
  /** x-kubernetes-map-type of a map or struct. */
  readonly mapType?: 'atomic' | 'granular';
}

/** One field of a struct, in Go order = JSON output order. */
export interface Field {
  readonly name: string;
  readonly node: SchemaNode;
  readonly required: boolean;
  readonly nullable: boolean;
  /** Go pointer: false, 0, "" and {} differ from unset. */
  readonly pointer: boolean;
  /** JSON value that is written when the field is unset; undefined = the field is left out. `{}`: a struct by value. */
  readonly zero: JsonValue | undefined;
  readonly enum?: readonly string[];
  /** Default that OpenAPI publishes. Real defaulting is elsewhere. */
  readonly published?: JsonValue;
  readonly patchStrategy?: string;
  readonly patchMergeKey?: string;
  readonly gate?: string;
  /** Names of the Go inline parts that the field comes from, outermost first. */
  readonly inline?: readonly string[];
  /** Protobuf: [number, wire type name, label, presence 'always' | 'nil' | 'none']; the number is within `inline` if set. */
  readonly protobuf?: readonly [number, string, string, string?];
}

/** A named type. Special forms (Quantity, Time, …) have no fields and a `special` name. */
export interface Type {
  readonly name: string;
  readonly fields: readonly Field[];
  readonly field: ReadonlyMap<string, Field>;
  /** Short name for types whose JSON is not a struct: Quantity, Time, MicroTime, IntOrString, RawExtension, FieldsV1, JSON, … */
  readonly special?: string;
  readonly mapType?: 'atomic' | 'granular';
  /** [group, version, kind] triples that this type is served as. */
  readonly gvk: readonly (readonly [string, string, string])[];
  /** Go inline parts: [type name, protobuf number, protobuf name]. */
  readonly inlineParts: readonly (readonly [string, number, string])[];
  /** x-kubernetes-unions as published. */
  readonly unions?: JsonValue;
  /** False for Go-only types that OpenAPI does not publish. */
  readonly published: boolean;
}
