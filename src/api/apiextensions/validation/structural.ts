import { compilePattern } from '../../../machinery/cel/library/regular-expressions.js';
import { CelError } from '../../../machinery/cel/values/error.js';
import { type FieldError, forbiddenField, invalidValue, type Path, required } from '../../../machinery/field.js';
import { compareBytes } from '../../../machinery/go-format.js';
import { equalJson, isJsonObject, type JsonValue } from '../../../machinery/json.js';
import type { SchemaProps } from '../schema/props.js';

// What makes a schema structural. Source: KEP-1979 and the documentation "Specifying a structural schema".

type Level = 'root' | 'item' | 'field';

/** Faults of a schema without unsupported features (see there), in order of their text. */
export function structuralFaults(schema: SchemaProps, at: Path): FieldError[] {
  const errors: FieldError[] = [];
  checkInvariants(schema, 'root', at, errors);
  checkCompleteness(schema, schema, at, at, errors);
  return errors.sort((a, b) => compareBytes(a.toString(), b.toString()));
}

/** Upstream counts what is in `dependencies` here, though elsewhere it refuses them for being there. */
const isEmptyMap = (value: JsonValue): boolean => isJsonObject(value) && Object.keys(value).length === 0;

/** The first thing in a schema that no structural schema can have; undefined when there is none. */
export function unsupportedFeature(schema: SchemaProps): string | undefined {
  for (const name of ['id', '$schema', '$ref', 'patternProperties', 'dependencies', 'additionalItems', 'definitions']) {
    if (schema[name] === undefined || isEmptyMap(schema[name])) continue;
    return `OpenAPIV3Schema '${name === '$schema' ? 'schema' : name}' is not supported`;
  }
  const { not, allOf = [], anyOf = [], oneOf = [], items, properties = {}, additionalProperties } = schema;
  for (const inner of [...(not ? [not] : []), ...allOf, ...anyOf, ...oneOf]) {
    const found = unsupportedFeature(inner);
    if (found) return found;
  }
  if (schema['x-kubernetes-preserve-unknown-fields'] === false) {
    return "internal error: 'x-kubernetes-preserve-unknown-fields' must be true or undefined";
  }
  if (Array.isArray(items)) return "OpenAPIV3Schema 'items' must be a schema, but is an array";
  const below = [items, ...Object.values(properties), additionalProperties];
  for (const inner of below) {
    const found = inner && typeof inner === 'object' ? unsupportedFeature(inner) : undefined;
    if (found) return found;
  }
  return undefined;
}

function checkInvariants(s: SchemaProps, level: Level, at: Path, errors: FieldError[]): void {
  const { type = '', properties = {}, additionalProperties: additional } = s;
  const items = s.items as SchemaProps | undefined;
  const embedded = s['x-kubernetes-embedded-resource'] === true;
  const preserve = s['x-kubernetes-preserve-unknown-fields'] === true;
  const intOrString = s['x-kubernetes-int-or-string'] === true;
  if (type === 'array' && !items) errors.push(required(at.child('items'), 'must be specified'));
  if (items) checkInvariants(items, 'item', at.child('items'), errors);
  for (const [name, inner] of Object.entries(properties)) {
    checkInvariants(inner, 'field', at.child('properties').key(name), errors);
  }
  if (additional !== undefined) {
    const here = at.child('additionalProperties');
    if (level === 'root') errors.push(forbiddenField(here, 'must not be used at the root'));
    if (typeof additional === 'object') checkInvariants(additional, 'field', here, errors);
  }
  const mustBeFalse = 'must be false if x-kubernetes-int-or-string is true';
  if (intOrString && preserve) {
    errors.push(invalidValue(at.child('x-kubernetes-preserve-unknown-fields'), true, mustBeFalse));
  }
  if (intOrString && embedded) errors.push(invalidValue(at.child('x-kubernetes-embedded-resource'), true, mustBeFalse));
  checkValueValidation(s, isIntOrString(s.anyOf), isIntOrString(s.allOf?.[0]?.anyOf), at, errors);
  checkType(type, level, embedded, intOrString || preserve, at.child('type'), errors);
  if (embedded && additional !== undefined) {
    const text = 'must not be used if x-kubernetes-embedded-resource is set';
    errors.push(forbiddenField(at.child('additionalProperties'), text));
  }
  checkMetadata(properties, level, level === 'root' || embedded, at.child('properties'), errors);
  if (embedded && !preserve && Object.keys(properties).length === 0) {
    const text =
      'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields';
    errors.push(required(at.child('properties'), text));
  }
}

const EMPTY_TYPE: Readonly<Record<Level, string>> = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
};

function checkType(
  type: string,
  level: Level,
  embedded: boolean,
  mayBeEmpty: boolean,
  at: Path,
  errors: FieldError[],
): void {
  const text = 'must be object if x-kubernetes-embedded-resource is true';
  if (embedded && type !== 'object') errors.push(type === '' ? required(at, text) : invalidValue(at, type, text));
  else if (type === '' && !mayBeEmpty) errors.push(required(at, EMPTY_TYPE[level]));
  if (level === 'root' && type !== '' && type !== 'object') {
    errors.push(invalidValue(at, type, 'must be object at the root'));
  }
}

/** Metadata is what it is for all objects: a schema may only narrow the two names at the root. */
function checkMetadata(
  properties: Readonly<Record<string, SchemaProps>>,
  level: Level,
  isResource: boolean,
  at: Path,
  errors: FieldError[],
): void {
  for (const name of isResource ? ['kind', 'apiVersion'] : []) {
    if (!Object.hasOwn(properties, name)) continue;
    const { type = '' } = properties[name]!;
    if (type !== 'string') errors.push(invalidValue(at.key(name).child('type'), type, 'must be string'));
  }
  if (!Object.hasOwn(properties, 'metadata')) return;
  const { type = '', default: _, properties: inner = {}, ...rest } = properties.metadata!;
  const here = at.key('metadata');
  if (isResource && type !== 'object') errors.push(invalidValue(here.child('type'), type, 'must be object'));
  const others = Object.keys(inner).filter((name) => name !== 'name' && name !== 'generateName');
  if (level === 'root' && (others.length > 0 || Object.keys(rest).length > 0)) {
    const text = 'must not specify anything other than name and generateName, but metadata is implicitly specified';
    errors.push(forbiddenField(here, text));
  }
}

function isIntOrString(anyOf: readonly SchemaProps[] | undefined): boolean {
  return anyOf !== undefined && equalJson([...anyOf], [{ type: 'integer' }, { type: 'string' }]);
}

function checkValueValidation(
  s: SchemaProps,
  skipAnyOf: boolean,
  skipFirstAllOfAnyOf: boolean,
  at: Path,
  errors: FieldError[],
): void {
  const { anyOf = [], allOf = [], oneOf = [], not, pattern } = s;
  if (!skipAnyOf) for (const [i, v] of anyOf.entries()) checkNested(v, false, at.child('anyOf').index(i), errors);
  for (const [i, v] of allOf.entries()) {
    checkNested(v, skipFirstAllOfAnyOf && i === 0, at.child('allOf').index(i), errors);
  }
  for (const [i, v] of oneOf.entries()) checkNested(v, false, at.child('oneOf').index(i), errors);
  if (not) checkNested(not, false, at.child('not'), errors);
  if (!pattern) return;
  try {
    compilePattern(pattern);
  } catch (e) {
    if (!(e instanceof CelError)) throw e;
    const text = `must be a valid regular expression, but isn't: ${e.message}`;
    errors.push(invalidValue(at.child('pattern'), pattern, text));
  }
}

/** What schemas in allOf, anyOf, oneOf and not leave to the schema around them. */
const FORBIDDEN_IN_NESTED: readonly (readonly [name: string, text: string])[] = [
  ['default', 'must be undefined to be structural'],
  ['title', 'must be empty to be structural'],
  ['description', 'must be empty to be structural'],
  ['nullable', 'must be false to be structural'],
  ['x-kubernetes-preserve-unknown-fields', 'must be false to be structural'],
  ['x-kubernetes-embedded-resource', 'must be false to be structural'],
  ['x-kubernetes-int-or-string', 'must be false to be structural'],
  ['x-kubernetes-list-map-keys', 'must be empty to be structural'],
  ['x-kubernetes-list-type', 'must be undefined to be structural'],
  ['x-kubernetes-map-type', 'must be undefined to be structural'],
  ['x-kubernetes-validations', 'must be empty to be structural'],
];

function checkNested(v: SchemaProps, skipAnyOf: boolean, at: Path, errors: FieldError[]): void {
  checkValueValidation(v, skipAnyOf, false, at, errors);
  if (v.items) checkNested(v.items as SchemaProps, false, at.child('items'), errors);
  const { properties = {}, additionalProperties } = v;
  for (const [name, inner] of Object.entries(properties)) {
    checkNested(inner, false, at.child('properties').key(name), errors);
  }
  if (v.type) errors.push(forbiddenField(at.child('type'), 'must be empty to be structural'));
  if (additionalProperties) {
    errors.push(forbiddenField(at.child('additionalProperties'), 'must be undefined to be structural'));
  }
  for (const [name, text] of FORBIDDEN_IN_NESTED) {
    if (v[name] !== undefined && v[name] !== null) errors.push(forbiddenField(at.child(name), text));
  }
  if (Object.hasOwn(properties, 'metadata')) {
    const here = at.child('properties').key('metadata');
    errors.push(forbiddenField(here, 'must not be specified in a nested context'));
  }
}

/** Fields that validations of the root speak of must be declared. Upstream looks at the root alone. */
function checkCompleteness(v: SchemaProps, s: SchemaProps, sAt: Path, vAt: Path, errors: FieldError[]): void {
  const { not, allOf = [], anyOf = [], oneOf = [] } = v;
  if (not) checkNestedCompleteness(not, s, sAt, vAt.child('not'), errors);
  for (const [name, list] of [
    ['allOf', allOf],
    ['anyOf', anyOf],
    ['oneOf', oneOf],
  ] as const) {
    for (const [i, inner] of list.entries()) {
      checkNestedCompleteness(inner, s, sAt, vAt.child(name).index(i), errors);
    }
  }
}

function checkNestedCompleteness(
  v: SchemaProps,
  s: SchemaProps | undefined,
  sAt: Path,
  vAt: Path,
  errors: FieldError[],
): void {
  if (!s) {
    errors.push(required(sAt, `because it is defined in ${vAt}`));
    return;
  }
  checkCompleteness(v, s, sAt, vAt, errors);
  if (v.items) {
    const inner = s.items as SchemaProps | undefined;
    checkNestedCompleteness(v.items as SchemaProps, inner, sAt.child('items'), vAt.child('items'), errors);
  }
  for (const [name, inner] of Object.entries(v.properties ?? {})) {
    const declared = s.properties && Object.hasOwn(s.properties, name) ? s.properties[name] : undefined;
    const vHere = vAt.child('properties').key(name);
    checkNestedCompleteness(inner, declared, sAt.child('properties').key(name), vHere, errors);
  }
}
