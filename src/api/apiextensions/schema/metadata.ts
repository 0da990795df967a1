import { DecodeError } from '../../../machinery/codec/errors.js';
import { encodeUnstructured } from '../../../machinery/codec/json/encode.js';
import { decodeTyped } from '../../../machinery/codec/typed/decode.js';
import { type FieldError, invalidValue, type Path, required } from '../../../machinery/field.js';
import { isJsonObject, type JsonObject, type JsonValue, type ObjectMeta } from '../../../machinery/json.js';
import { catalog } from '../../../machinery/scheme/catalog.js';
import { formats, nameIsPathSegment, newCheck, validateObjectMeta } from '../../validation/index.js';
import { additionalSchema, type Structural } from './structural.js';

const OBJECT_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';

export interface CoerceOptions {
  /** Members of a wrong type are dropped instead of refused: what an older server let into the store. */
  readonly dropInvalid?: boolean;
  /** Told of unknown members, by path: `metadata.x`. */
  readonly unknown?: (path: string) => void;
}

/**
 * ObjectMeta as its Go type reads it: unknown members dropped, times canonical.
 *
 * @param path of the metadata, for `unknown`
 * @throws DecodeError for a member of a wrong type
 */
export function readObjectMeta(value: JsonValue, path: string, options: CoerceOptions = {}): ObjectMeta {
  try {
    return decodeMeta(value, path, options.unknown);
  } catch (e) {
    if (!options.dropInvalid || !(e instanceof DecodeError) || !isJsonObject(value)) throw e;
  }
  const kept: ObjectMeta = {};
  for (const name of Object.keys(value)) {
    try {
      Object.assign(kept, decodeMeta({ [name]: value[name] }, path, options.unknown));
    } catch (e) {
      if (!(e instanceof DecodeError)) throw e;
    }
  }
  return kept;
}

function decodeMeta(value: JsonValue, path: string, unknown: CoerceOptions['unknown']): ObjectMeta {
  const decoded = decodeTyped(catalog().type(OBJECT_META), value, { strict: unknown !== undefined });
  for (const text of decoded.unknown) {
    const name = /^unknown field "(.*)"$/.exec(text)?.[1];
    if (name !== undefined) unknown?.(`${path}.${name}`);
  }
  return decoded.object as ObjectMeta;
}

/**
 * Checks the types of apiVersion, kind and metadata of the resources embedded in a value, and brings their metadata into
 * form, in place. The fault is undefined when all is well.
 */
export function coerceEmbedded(
  value: JsonValue | undefined,
  schema: Structural | undefined,
  at: Path,
  options: CoerceOptions,
): FieldError | undefined {
  if (!schema) return undefined;
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) {
      const fault = coerceEmbedded(item, schema.items, at.index(i), options);
      if (fault) return fault;
    }
    return undefined;
  }
  return isJsonObject(value) ? coerceObject(value, schema, at, options) : undefined;
}

function coerceObject(value: JsonObject, schema: Structural, at: Path, options: CoerceOptions): FieldError | undefined {
  for (const name of Object.keys(value)) {
    const fault = schema.embedded ? coerceMember(value, name, at, options) : undefined;
    if (fault) return fault;
    const property = schema.properties.get(name);
    const inner = property
      ? coerceEmbedded(value[name], property, at.child(name), options)
      : coerceEmbedded(value[name], additionalSchema(schema), at.key(name), options);
    if (inner) return inner;
  }
  return undefined;
}

/** As Go writes maps in messages: members sorted. */
function asGoMap(value: JsonValue): JsonValue {
  return JSON.parse(encodeUnstructured(value)) as JsonValue;
}

function coerceMember(value: JsonObject, name: string, at: Path, options: CoerceOptions): FieldError | undefined {
  const member = value[name];
  if (name === 'apiVersion' || name === 'kind') {
    if (typeof member === 'string') return undefined;
    if (!options.dropInvalid) return invalidValue(at.child(name), member, 'must be a string');
    delete value[name];
  } else if (name === 'metadata' && member !== undefined) {
    try {
      value.metadata = readObjectMeta(member, at.child('metadata').text, options);
    } catch (e) {
      if (!(e instanceof DecodeError)) throw e;
      if (!options.dropInvalid) return invalidValue(at.child('metadata'), asGoMap(member), e.message);
    }
  }
  return undefined;
}

/** Faults of the resources embedded in a value: apiVersion and kind must be there, the metadata must be valid. */
export function validateEmbedded(
  value: JsonValue | undefined,
  schema: Structural | undefined,
  at: Path,
  gate: (name: string) => boolean,
): FieldError[] {
  const errors: FieldError[] = [];
  const visit = (v: JsonValue | undefined, s: Structural | undefined, path: Path): void => {
    if (!s) return;
    if (Array.isArray(v)) {
      for (const [i, item] of v.entries()) visit(item, s.items, path.index(i));
    } else if (isJsonObject(v)) {
      if (s.embedded) validateResource(v, path, errors, gate);
      for (const name of Object.keys(v)) {
        const property = s.properties.get(name);
        if (property) visit(v[name], property, path.child(name));
        else visit(v[name], additionalSchema(s), path.key(name));
      }
    }
  };
  visit(value, schema, at);
  return errors;
}

function validateResource(value: JsonObject, at: Path, errors: FieldError[], gate: (name: string) => boolean): void {
  const { apiVersion, kind, metadata } = value;
  if (apiVersion === undefined) errors.push(required(at.child('apiVersion')));
  if (kind === undefined) errors.push(required(at.child('kind')));
  if (apiVersion !== undefined) validateApiVersion(apiVersion, at.child('apiVersion'), errors);
  if (kind !== undefined) validateKind(kind, at.child('kind'), errors);
  if (metadata === undefined) return;
  try {
    const meta = readObjectMeta(metadata, 'metadata');
    meta.name ??= 'any';
    const namespaced = Boolean(meta.namespace);
    const check = { ...newCheck(gate), errors };
    validateObjectMeta(
      meta,
      { namespaced, name: nameIsPathSegment, standardFinalizers: false },
      check,
      at.child('metadata'),
    );
  } catch (e) {
    if (!(e instanceof DecodeError)) throw e;
    errors.push(invalidValue(at.child('metadata'), asGoMap(metadata), e.message));
  }
}

function validateApiVersion(value: JsonValue, at: Path, errors: FieldError[]): void {
  if (typeof value !== 'string') errors.push(invalidValue(at, value, 'must be a string'));
  else if (value === '') errors.push(invalidValue(at, value, 'must not be empty'));
  else if (value.split('/').length > 2) {
    errors.push(invalidValue(at, value, `unexpected GroupVersion string: ${value}`));
  }
}

function validateKind(value: JsonValue, at: Path, errors: FieldError[]): void {
  if (typeof value !== 'string') errors.push(invalidValue(at, value, 'must be a string'));
  else if (value === '') errors.push(invalidValue(at, value, 'must not be empty'));
  else {
    const faults = formats.dns1035Label(value.toLowerCase());
    const text = `may have mixed case, but should otherwise match: ${faults.join(',')}`;
    if (faults.length > 0) errors.push(invalidValue(at, value, text));
  }
}
