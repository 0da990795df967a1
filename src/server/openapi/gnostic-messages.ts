import { isJsonObject, type JsonValue } from '../../machinery/json.js';

/** string, bool, int, double, any (YAML text), or the name of a message. */
export type Kind = string;

/** How a JSON value becomes a protobuf message. Field numbers are those of gnostic's OpenAPIv2.proto and OpenAPIv3.proto. */
export interface Message {
  /** JSON key → field number and kind. Arrays are repeated fields. */
  readonly fields?: Readonly<Record<string, readonly [number, Kind]>>;
  /** Other keys are entries of a map, with this field number and kind of value. */
  readonly entries?: readonly [number, Kind];
  /** Field number of keys that start with `x-`. */
  readonly extensions?: number;
  /** The member of a oneof that holds the value; undefined: none can. */
  readonly choose?: (value: JsonValue) => readonly [number, Kind] | undefined;
  /** The value, or each item of an array, is an occurrence of this field. */
  readonly list?: readonly [number, Kind];
}

const entries = (number: number, kind: Kind): Message => ({ entries: [number, kind] });

const isRef = (v: JsonValue): boolean => isJsonObject(v) && v.$ref !== undefined;

/** Either the thing itself (1) or a reference to it (2). */
const orReference = (kind: Kind, reference: Kind): Message => ({
  choose: (v) => (isRef(v) ? [2, reference] : [1, kind]),
});

const SCHEMA_NUMBERS = {
  multipleOf: 'double',
  maximum: 'double',
  exclusiveMaximum: 'bool',
  minimum: 'double',
  exclusiveMinimum: 'bool',
  maxLength: 'int',
  minLength: 'int',
  pattern: 'string',
  maxItems: 'int',
  minItems: 'int',
  uniqueItems: 'bool',
  maxProperties: 'int',
  minProperties: 'int',
  required: 'string',
  enum: 'any',
} as const;

/** The members that schemas have in the same order in both versions. */
function constraints(first: number): Record<string, readonly [number, Kind]> {
  return Object.fromEntries(Object.entries(SCHEMA_NUMBERS).map(([name, kind], i) => [name, [first + i, kind]]));
}

/** What parameters of all places share in version 2, from the number of `type` on. */
function parameterV2(type: number): Message {
  const names = ['type', 'format', 'items', 'collectionFormat', 'default', 'maximum', 'exclusiveMaximum', 'minimum'];
  const more = ['exclusiveMinimum', 'maxLength', 'minLength', 'pattern', 'maxItems', 'minItems', 'uniqueItems', 'enum'];
  const kinds: Record<string, Kind> = { ...SCHEMA_NUMBERS, default: 'any', items: '2.Items' };
  const fields: Record<string, readonly [number, Kind]> = {
    required: [1, 'bool'],
    in: [2, 'string'],
    description: [3, 'string'],
    name: [4, 'string'],
  };
  [...names, ...more, 'multipleOf'].forEach((name, i) => {
    fields[name] = [type + i, kinds[name] ?? 'string'];
  });
  return { fields, extensions: type + 17 };
}

const V2: Record<string, Message> = {
  Document: {
    fields: {
      swagger: [1, 'string'],
      info: [2, '2.Info'],
      paths: [8, '2.Paths'],
      definitions: [9, '2.Definitions'],
      parameters: [10, '2.ParameterDefinitions'],
      security: [12, '2.SecurityRequirement'],
      securityDefinitions: [13, '2.SecurityDefinitions'],
    },
    extensions: 16,
  },
  Info: { fields: { title: [1, 'string'], version: [2, 'string'], description: [3, 'string'] }, extensions: 7 },
  Paths: { entries: [2, '2.PathItem'], extensions: 1 },
  PathItem: {
    fields: {
      get: [2, '2.Operation'],
      put: [3, '2.Operation'],
      post: [4, '2.Operation'],
      delete: [5, '2.Operation'],
      options: [6, '2.Operation'],
      head: [7, '2.Operation'],
      patch: [8, '2.Operation'],
      parameters: [9, '2.ParametersItem'],
    },
    extensions: 10,
  },
  Operation: {
    fields: {
      tags: [1, 'string'],
      summary: [2, 'string'],
      description: [3, 'string'],
      operationId: [5, 'string'],
      produces: [6, 'string'],
      consumes: [7, 'string'],
      parameters: [8, '2.ParametersItem'],
      responses: [9, '2.Responses'],
      schemes: [10, 'string'],
      deprecated: [11, 'bool'],
    },
    extensions: 13,
  },
  ParametersItem: orReference('2.Parameter', 'Reference'),
  ParameterDefinitions: entries(1, '2.Parameter'),
  Parameter: {
    choose: (v) => (isJsonObject(v) && v.in === 'body' ? [1, '2.BodyParameter'] : [2, '2.NonBodyParameter']),
  },
  BodyParameter: {
    fields: {
      description: [1, 'string'],
      name: [2, 'string'],
      in: [3, 'string'],
      required: [4, 'bool'],
      schema: [5, '2.Schema'],
    },
    extensions: 6,
  },
  NonBodyParameter: {
    choose: (v) => (isJsonObject(v) && v.in === 'path' ? [4, '2.PathParameter'] : [3, '2.QueryParameter']),
  },
  PathParameter: parameterV2(5),
  QueryParameter: parameterV2(6),
  Responses: { entries: [1, '2.ResponseValue'], extensions: 2 },
  ResponseValue: orReference('2.Response', 'Reference'),
  Response: { fields: { description: [1, 'string'], schema: [2, '2.SchemaItem'] }, extensions: 5 },
  SchemaItem: { choose: () => [1, '2.Schema'] },
  Definitions: entries(1, '2.Schema'),
  Schema: {
    fields: {
      $ref: [1, 'string'],
      format: [2, 'string'],
      title: [3, 'string'],
      description: [4, 'string'],
      default: [5, 'any'],
      ...constraints(6),
      additionalProperties: [21, '2.AdditionalProperties'],
      type: [22, '2.Type'],
      items: [23, '2.Items'],
      allOf: [24, '2.Schema'],
      properties: [25, '2.Properties'],
      example: [30, 'any'],
    },
    extensions: 31,
  },
  AdditionalProperties: { choose: (v) => (typeof v === 'boolean' ? [2, 'bool'] : [1, '2.Schema']) },
  Type: { list: [1, 'string'] },
  Items: { list: [1, '2.Schema'] },
  Properties: entries(1, '2.Schema'),
  SecurityDefinitions: entries(1, '2.SecurityDefinitionsItem'),
  SecurityDefinitionsItem: { choose: () => [2, '2.ApiKeySecurity'] },
  ApiKeySecurity: {
    fields: { type: [1, 'string'], name: [2, 'string'], in: [3, 'string'], description: [4, 'string'] },
    extensions: 5,
  },
  SecurityRequirement: entries(1, 'Strings'),
};

const V3: Record<string, Message> = {
  Document: {
    fields: { openapi: [1, 'string'], info: [2, '3.Info'], paths: [4, '3.Paths'], components: [5, '3.Components'] },
    extensions: 9,
  },
  Info: { fields: { title: [1, 'string'], description: [2, 'string'], version: [6, 'string'] }, extensions: 7 },
  Paths: { entries: [1, '3.PathItem'], extensions: 2 },
  PathItem: {
    fields: {
      get: [4, '3.Operation'],
      put: [5, '3.Operation'],
      post: [6, '3.Operation'],
      delete: [7, '3.Operation'],
      options: [8, '3.Operation'],
      head: [9, '3.Operation'],
      patch: [10, '3.Operation'],
      trace: [11, '3.Operation'],
      parameters: [13, '3.ParameterOrReference'],
    },
    extensions: 14,
  },
  Operation: {
    fields: {
      tags: [1, 'string'],
      summary: [2, 'string'],
      description: [3, 'string'],
      operationId: [5, 'string'],
      parameters: [6, '3.ParameterOrReference'],
      requestBody: [7, '3.RequestBodyOrReference'],
      responses: [8, '3.Responses'],
      deprecated: [10, 'bool'],
    },
    extensions: 13,
  },
  ParameterOrReference: orReference('3.Parameter', 'Reference'),
  Parameter: {
    fields: {
      name: [1, 'string'],
      in: [2, 'string'],
      description: [3, 'string'],
      required: [4, 'bool'],
      schema: [10, '3.SchemaOrReference'],
    },
    extensions: 14,
  },
  RequestBodyOrReference: orReference('3.RequestBody', 'Reference'),
  RequestBody: {
    fields: { description: [1, 'string'], content: [2, '3.MediaTypes'], required: [3, 'bool'] },
    extensions: 4,
  },
  MediaTypes: entries(1, '3.MediaType'),
  MediaType: { fields: { schema: [1, '3.SchemaOrReference'] }, extensions: 5 },
  Responses: {
    fields: { default: [1, '3.ResponseOrReference'] },
    entries: [2, '3.ResponseOrReference'],
    extensions: 3,
  },
  ResponseOrReference: orReference('3.Response', 'Reference'),
  Response: { fields: { description: [1, 'string'], content: [3, '3.MediaTypes'] }, extensions: 5 },
  Components: {
    fields: { schemas: [1, '3.Schemas'], securitySchemes: [7, '3.SecuritySchemes'] },
    extensions: 10,
  },
  Schemas: entries(1, '3.SchemaOrReference'),
  SchemaOrReference: orReference('3.Schema', 'Reference'),
  Schema: {
    fields: {
      nullable: [1, 'bool'],
      readOnly: [3, 'bool'],
      writeOnly: [4, 'bool'],
      example: [7, 'any'],
      deprecated: [8, 'bool'],
      title: [9, 'string'],
      ...constraints(10),
      type: [25, 'string'],
      allOf: [26, '3.SchemaOrReference'],
      oneOf: [27, '3.SchemaOrReference'],
      anyOf: [28, '3.SchemaOrReference'],
      not: [29, '3.Schema'],
      items: [30, '3.Items'],
      properties: [31, '3.Schemas'],
      additionalProperties: [32, '3.AdditionalProperties'],
      default: [33, '3.DefaultType'],
      description: [34, 'string'],
      format: [35, 'string'],
    },
    extensions: 36,
  },
  Items: { list: [1, '3.SchemaOrReference'] },
  AdditionalProperties: { choose: (v) => (typeof v === 'boolean' ? [2, 'bool'] : [1, '3.SchemaOrReference']) },
  // Defaults that are objects or lists have no place in this form.
  DefaultType: {
    choose: (v) => {
      if (typeof v === 'number') return [1, 'double'];
      if (typeof v === 'boolean') return [2, 'bool'];
      return typeof v === 'string' ? [3, 'string'] : undefined;
    },
  },
  SecuritySchemes: entries(1, '3.SecuritySchemeOrReference'),
  SecuritySchemeOrReference: orReference('3.SecurityScheme', 'Reference'),
  SecurityScheme: {
    fields: { type: [1, 'string'], description: [2, 'string'], name: [3, 'string'], in: [4, 'string'] },
    extensions: 9,
  },
};

const withPrefix = (prefix: string, messages: Record<string, Message>): [string, Message][] =>
  Object.entries(messages).map(([name, message]) => [`${prefix}.${name}`, message]);

export const MESSAGES: Readonly<Record<string, Message>> = {
  Reference: { fields: { $ref: [1, 'string'] } },
  Strings: { list: [1, 'string'] },
  ...Object.fromEntries([...withPrefix('2', V2), ...withPrefix('3', V3)]),
};
