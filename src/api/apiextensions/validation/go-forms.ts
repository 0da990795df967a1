import { compareBytes } from '../../../machinery/go-format.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../machinery/json.js';
import type { SchemaProps, ValidationRule } from '../schema/props.js';
import type { InternalVersion } from './internal.js';

// How messages print structs of upstream's internal version: all fields, under their Go names, in their order there.

type Read = (value: JsonValue | undefined) => JsonValue;

const pointer: Read = (v) => v ?? null;
const text: Read = (v) => v ?? '';
const flag: Read = (v) => v ?? false;
const number: Read = (v) => v ?? 0;
const listOf =
  (read: Read): Read =>
  (v) =>
    Array.isArray(v) && v.length > 0 ? v.map(read) : null;
const mapOf =
  (read: Read): Read =>
  (v) => {
    if (!isJsonObject(v)) return null;
    const names = Object.keys(v).sort(compareBytes);
    return names.length === 0 ? null : Object.fromEntries(names.map((name) => [name, read(v[name])]));
  };
const struct =
  (fields: readonly (readonly [goName: string, name: string, read: Read])[]): Read =>
  (v) => {
    if (!isJsonObject(v)) return null;
    return Object.fromEntries(fields.map(([goName, name, read]) => [goName, read(v[name])]));
  };

const schema: Read = (v) => schemaForm(v);
const schemaOrBool: Read = (v) =>
  v === undefined ? null : typeof v === 'boolean' ? { Allows: v, Schema: null } : { Allows: true, Schema: schema(v) };
const items: Read = (v) =>
  v === undefined
    ? null
    : Array.isArray(v)
      ? { Schema: null, JSONSchemas: v.map(schema) }
      : { Schema: schema(v), JSONSchemas: null };
const dependency: Read = (v) =>
  Array.isArray(v) ? { Schema: null, Property: v } : { Schema: schema(v), Property: null };

const rule = struct([
  ['Rule', 'rule', text],
  ['Message', 'message', text],
  ['MessageExpression', 'messageExpression', text],
  ['Reason', 'reason', pointer],
  ['FieldPath', 'fieldPath', text],
  ['OptionalOldSelf', 'optionalOldSelf', pointer],
]);

const schemaForm = struct([
  ['ID', 'id', text],
  ['Schema', '$schema', text],
  ['Ref', '$ref', pointer],
  ['Description', 'description', text],
  ['Type', 'type', text],
  ['Nullable', 'nullable', flag],
  ['Format', 'format', text],
  ['Title', 'title', text],
  ['Default', 'default', pointer],
  ['Maximum', 'maximum', pointer],
  ['ExclusiveMaximum', 'exclusiveMaximum', flag],
  ['Minimum', 'minimum', pointer],
  ['ExclusiveMinimum', 'exclusiveMinimum', flag],
  ['MaxLength', 'maxLength', pointer],
  ['MinLength', 'minLength', pointer],
  ['Pattern', 'pattern', text],
  ['MaxItems', 'maxItems', pointer],
  ['MinItems', 'minItems', pointer],
  ['UniqueItems', 'uniqueItems', flag],
  ['MultipleOf', 'multipleOf', pointer],
  ['Enum', 'enum', listOf(pointer)],
  ['MaxProperties', 'maxProperties', pointer],
  ['MinProperties', 'minProperties', pointer],
  ['Required', 'required', listOf(text)],
  ['Items', 'items', items],
  ['AllOf', 'allOf', listOf(schema)],
  ['OneOf', 'oneOf', listOf(schema)],
  ['AnyOf', 'anyOf', listOf(schema)],
  ['Not', 'not', schema],
  ['Properties', 'properties', mapOf(schema)],
  ['AdditionalProperties', 'additionalProperties', schemaOrBool],
  ['PatternProperties', 'patternProperties', mapOf(schema)],
  ['Dependencies', 'dependencies', mapOf(dependency)],
  ['AdditionalItems', 'additionalItems', schemaOrBool],
  ['Definitions', 'definitions', mapOf(schema)],
  [
    'ExternalDocs',
    'externalDocs',
    struct([
      ['Description', 'description', text],
      ['URL', 'url', text],
    ]),
  ],
  ['Example', 'example', pointer],
  ['XPreserveUnknownFields', 'x-kubernetes-preserve-unknown-fields', pointer],
  ['XEmbeddedResource', 'x-kubernetes-embedded-resource', flag],
  ['XIntOrString', 'x-kubernetes-int-or-string', flag],
  ['XListMapKeys', 'x-kubernetes-list-map-keys', listOf(text)],
  ['XListType', 'x-kubernetes-list-type', pointer],
  ['XMapType', 'x-kubernetes-map-type', pointer],
  ['XValidations', 'x-kubernetes-validations', listOf(rule)],
]);

const version = struct([
  ['Name', 'name', text],
  ['Served', 'served', flag],
  ['Storage', 'storage', flag],
  ['Deprecated', 'deprecated', flag],
  ['DeprecationWarning', 'deprecationWarning', pointer],
  ['Schema', 'validation', struct([['OpenAPIV3Schema', 'openAPIV3Schema', schema]])],
  [
    'Subresources',
    'subresources',
    struct([
      ['Status', 'status', struct([])],
      [
        'Scale',
        'scale',
        struct([
          ['SpecReplicasPath', 'specReplicasPath', text],
          ['StatusReplicasPath', 'statusReplicasPath', text],
          ['LabelSelectorPath', 'labelSelectorPath', pointer],
        ]),
      ],
    ]),
  ],
  [
    'AdditionalPrinterColumns',
    'columns',
    listOf(
      struct([
        ['Name', 'name', text],
        ['Type', 'type', text],
        ['Format', 'format', text],
        ['Description', 'description', text],
        ['Priority', 'priority', number],
        ['JSONPath', 'jsonPath', text],
      ]),
    ),
  ],
  ['SelectableFields', 'selectableFields', listOf(struct([['JSONPath', 'jsonPath', text]]))],
]);

export function versionsForm(versions: readonly InternalVersion[]): JsonValue {
  return versions.map((v) => version(v as unknown as JsonObject));
}

export function goSchema(props: SchemaProps): JsonValue {
  return schemaForm(props);
}

export function goRule(value: ValidationRule): JsonValue {
  return rule(value);
}
