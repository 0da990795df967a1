import type { DeclField, DeclType } from '../types/decl-type.js';
import {
  BOOL,
  BYTES,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listType,
  mapType,
  objectType,
  STRING,
  TIMESTAMP,
  type Type,
} from '../types/type.js';
import { CelError } from '../values/error.js';
import { toDouble } from '../values/numbers.js';
import { Duration, parseDuration, parseTimestamp } from '../values/time.js';
import { escapeFieldName } from './field-names.js';

/** What the mapping to CEL types reads of an OpenAPI v3 schema. */
export interface CelSchema {
  type?: string;
  format?: string;
  properties?: Readonly<Record<string, CelSchema>>;
  required?: readonly string[];
  items?: CelSchema;
  additionalProperties?: CelSchema | boolean;
  maxLength?: number;
  maxItems?: number;
  maxProperties?: number;
  enum?: readonly unknown[];
  default?: unknown;
  nullable?: boolean;
  'x-kubernetes-int-or-string'?: boolean;
  'x-kubernetes-embedded-resource'?: boolean;
  'x-kubernetes-preserve-unknown-fields'?: boolean;
  'x-kubernetes-list-type'?: string;
  'x-kubernetes-list-map-keys'?: readonly string[];
}

/** Size in bytes of the largest request that costs reckon with. */
export const MAX_REQUEST_BYTES = 3 * 1024 * 1024;
const MAX_TEXT = MAX_REQUEST_BYTES - 2;

/** Most text of a date, time or duration, with quotation marks. */
const DATE_SIZE = 12;
const MAX_DATETIME_SIZE = 32;
const MIN_DATETIME_SIZE = 21;
const MAX_DURATION_SIZE = 32;
const MIN_DURATION_SIZE = 3;

/**
 * The CEL type of a schema, or undefined where expressions cannot see the data (unknown fields, schemas without type).
 * `root` says that it is the schema of a whole resource, which always has apiVersion, kind and metadata. Object types
 * are named after `name` and their place in it.
 * Source: documentation of CRD validation rules ("Available properties, functions and types").
 */
export function schemaType(schema: CelSchema, name: string, root = false): DeclType | undefined {
  if (schema['x-kubernetes-int-or-string']) {
    return simple(DYN, 1, schema.maxLength === undefined ? MAX_TEXT : textSize(schema.maxLength));
  }
  switch (schema.type) {
    case 'array':
      return arrayType(schema, name);
    case 'object':
      return objectSchemaType(root ? withObjectMeta(schema) : schema, name);
    case 'string':
      return textType(schema);
    case 'boolean':
      return simple(BOOL, 4, 0);
    case 'number':
      return { ...simple(DOUBLE, 1, 0), convert: (v) => (typeof v === 'number' ? toDouble(v) : v) };
    case 'integer':
      return simple(INT, 1, 0);
    default:
      return undefined;
  }
}

function simple(type: Type, minSize: number, maxElements: number): DeclType {
  return { type, minSize, maxElements };
}

/** maxLength counts characters, costs count bytes. */
function textSize(maxLength: number): number {
  return Math.max(0, maxLength) * 4;
}

function embedded(schema: CelSchema): boolean {
  return schema['x-kubernetes-embedded-resource'] === true;
}

function arrayType(schema: CelSchema, name: string): DeclType | undefined {
  const { items } = schema;
  const element = items && schemaType(items, `${name}.@idx`, embedded(items));
  if (!element) return undefined;
  const maxElements =
    schema.maxItems === undefined ? Math.floor(MAX_TEXT / (element.minSize + 1)) : Math.max(0, schema.maxItems);
  const decl: DeclType = { type: listType(element.type), minSize: 2, maxElements, element };
  const listKind = schema['x-kubernetes-list-type'];
  if (listKind === 'set' || listKind === 'map') decl.listType = listKind;
  if (listKind === 'map') decl.listMapKeys = schema['x-kubernetes-list-map-keys'] ?? [];
  const { convert } = element;
  if (convert) decl.convert = (value) => (Array.isArray(value) ? value.map(convert) : value);
  return decl;
}

function objectSchemaType(schema: CelSchema, name: string): DeclType | undefined {
  const { additionalProperties } = schema;
  if (typeof additionalProperties === 'object') {
    const element = schemaType(additionalProperties, `${name}.@elem`, embedded(additionalProperties));
    if (!element) return undefined;
    const maxElements =
      schema.maxProperties === undefined
        ? Math.floor(MAX_TEXT / (element.minSize + 6))
        : Math.max(0, schema.maxProperties);
    const decl: DeclType = { type: mapType(STRING, element.type), minSize: 2, maxElements, element };
    const { convert } = element;
    if (convert) decl.convert = (value) => convertValues(value, convert);
    return decl;
  }
  const fields = new Map<string, DeclField>();
  const required = new Set(schema.required);
  let minSize = 2;
  for (const [property, inner] of Object.entries(schema.properties ?? {})) {
    const escaped = escapeFieldName(property);
    const decl = schemaType(inner, `${name}.${escaped ?? property}`, embedded(inner));
    if (!decl) continue;
    if (escaped !== undefined) fields.set(escaped, { name: property, decl });
    if (required.has(property) && inner.default === undefined) {
      minSize += Buffer.byteLength(property) + decl.minSize + 4;
    }
  }
  return { type: objectType(name), minSize, maxElements: 0, fields };
}

function convertValues(value: unknown, convert: (v: unknown) => unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const out: Record<string, unknown> = Object.create(null);
  for (const [key, inner] of Object.entries(value)) out[key] = convert(inner);
  return out;
}

const TEXT: CelSchema = { type: 'string' };

/** A resource's schema with what expressions may always use: apiVersion, kind, metadata.name and generateName. */
function withObjectMeta(schema: CelSchema): CelSchema {
  const { apiVersion, kind, metadata } = schema.properties ?? {};
  const meta = metadata?.properties;
  const complete =
    kind?.type === 'string' &&
    apiVersion?.type === 'string' &&
    metadata?.type === 'object' &&
    meta?.name?.type === 'string' &&
    meta.generateName?.type === 'string';
  if (complete) return schema;
  return {
    ...schema,
    properties: {
      ...schema.properties,
      apiVersion: TEXT,
      kind: TEXT,
      metadata: { type: 'object', properties: { name: TEXT, generateName: TEXT } },
    },
  };
}

function textType(schema: CelSchema): DeclType {
  switch (schema.format) {
    case 'byte': {
      const max = schema.maxLength === undefined ? MAX_TEXT : Math.max(0, schema.maxLength);
      return { ...simple(BYTES, 2, max), convert: text(fromBase64) };
    }
    case 'duration':
      return { ...simple(DURATION, MIN_DURATION_SIZE, MAX_DURATION_SIZE), convert: text(fromDuration) };
    case 'date':
      return { ...simple(TIMESTAMP, DATE_SIZE, DATE_SIZE), convert: text(fromDate) };
    case 'date-time':
      return { ...simple(TIMESTAMP, MIN_DATETIME_SIZE, MAX_DATETIME_SIZE), convert: text(fromDateTime) };
  }
  if (schema.maxLength !== undefined) return simple(STRING, 2, textSize(schema.maxLength));
  const choices = schema.enum ?? [];
  if (choices.length === 0) return simple(STRING, 2, MAX_TEXT);
  return simple(STRING, 2, Math.max(0, ...choices.map((c) => (typeof c === 'string' ? Buffer.byteLength(c) : 0))));
}

function text(convert: (text: string) => unknown) {
  return (value: unknown) => (typeof value === 'string' ? convert(value) : value);
}

function fromBase64(value: string): Uint8Array {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(value)) throw new CelError(`Invalid byte formatted string ${value}`);
  return new Uint8Array(Buffer.from(value, 'base64'));
}

function fromDate(value: string): unknown {
  const found = parseTimestamp(`${value}T00:00:00Z`);
  if (!found) throw new CelError(`Invalid date formatted string ${value}`);
  return found;
}

function fromDateTime(value: string): unknown {
  const found = parseTimestamp(value.replace(' ', 'T').replace(/[tz]/g, (c) => c.toUpperCase()));
  if (!found) throw new CelError(`Invalid date-time formatted string ${value}`);
  return found;
}

const UNITS: Record<string, bigint> = {
  ns: 1n,
  us: 1000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
  d: 86_400_000_000_000n,
  w: 604_800_000_000_000n,
};
const UNIT_NAMES: Record<string, string> = {
  nano: 'ns',
  nanos: 'ns',
  nanosecond: 'ns',
  nanoseconds: 'ns',
  µs: 'us',
  micro: 'us',
  micros: 'us',
  microsecond: 'us',
  microseconds: 'us',
  milli: 'ms',
  millis: 'ms',
  millisecond: 'ms',
  milliseconds: 'ms',
  sec: 's',
  secs: 's',
  second: 's',
  seconds: 's',
  min: 'm',
  mins: 'm',
  minute: 'm',
  minutes: 'm',
  hr: 'h',
  hrs: 'h',
  hour: 'h',
  hours: 'h',
  day: 'd',
  days: 'd',
  wk: 'w',
  week: 'w',
  weeks: 'w',
};

/** Durations as Go writes them, or with words (`3 days`). */
function fromDuration(value: string): Duration {
  const go = parseDuration(value);
  if (go) return go;
  let total = 0n;
  let rest = value.trim();
  while (rest !== '') {
    const m = /^(\d{1,18})\s*([A-Za-zµ]+)[\s,]*/.exec(rest);
    const unit = m && UNITS[UNIT_NAMES[m[2]!.toLowerCase()] ?? m[2]!.toLowerCase()];
    if (!m || !unit) throw new CelError(`Invalid duration ${value}: unable to parse ${value} as duration`);
    total += BigInt(m[1]!) * unit;
    rest = rest.slice(m[0].length);
  }
  if (value.trim() === '') throw new CelError(`Invalid duration ${value}: unable to parse ${value} as duration`);
  return new Duration(total);
}

/**
 * How often data of a type can occur in one request at most, for the cost of rules under lists and maps without limit.
 */
export function maxCardinality(decl: DeclType): number {
  return Math.floor(MAX_REQUEST_BYTES / (decl.minSize + 1));
}
