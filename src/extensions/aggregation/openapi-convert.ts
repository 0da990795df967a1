import { isJsonObject, type JsonObject, type JsonValue } from '../../machinery/json.js';

const METHODS = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch']);
const IN_PARAMETER = new Set(['name', 'in', 'description', 'required', '$ref']);
const JSON_ONLY = ['application/json'];

/**
 * A Swagger 2.0 document as OpenAPI 3.0, for servers that know only the former. What has no counterpart is left out:
 * form parameters, and collection formats, which nobody in Kubernetes uses.
 */
export function convertToV3(document: JsonObject): JsonObject {
  return {
    openapi: '3.0.0',
    info: document.info ?? { title: 'Kubernetes', version: 'unversioned' },
    paths: mapValues(part(document.paths), path),
    components: { schemas: mapValues(part(document.definitions), moved), parameters: parameters(document) },
  };
}

function parameters(document: JsonObject): JsonObject {
  const all = Object.entries(part(document.parameters)).filter(([, p]) => part(p).in !== 'body');
  return Object.fromEntries(all.map(([name, p]) => [name, parameter(part(p))]));
}

function path(item: JsonValue): JsonValue {
  const out: JsonObject = {};
  for (const [key, value] of Object.entries(part(item))) {
    if (METHODS.has(key)) out[key] = operation(part(value));
    else if (key === 'parameters') out.parameters = others(value);
    else out[key] = moved(value ?? null);
  }
  return out;
}

function operation(from: JsonObject): JsonObject {
  const { consumes, produces, schemes: _schemes, parameters: given, responses, ...rest } = from;
  const out = moved(rest) as JsonObject;
  const body = parts(given).find((p) => p.in === 'body');
  if (parts(given).length > 0) out.parameters = others(given);
  if (body) {
    const { description, required } = body;
    out.requestBody = { description, required, content: content(body.schema, consumes) };
  }
  out.responses = mapValues(part(responses), (r) => {
    const { schema, ...other } = part(r);
    return schema === undefined ? moved(other) : { ...part(moved(other)), content: content(schema, produces) };
  });
  return out;
}

function others(given: JsonValue | undefined): JsonObject[] {
  return parts(given)
    .filter((p) => p.in !== 'body' && p.in !== 'formData')
    .map(parameter);
}

function parameter(from: JsonObject): JsonObject {
  const out: JsonObject = {};
  const schema: JsonObject = {};
  for (const [key, value] of Object.entries(moved(from) as JsonObject)) {
    if (IN_PARAMETER.has(key) || key.startsWith('x-')) out[key] = value;
    else if (key !== 'collectionFormat') schema[key] = value;
  }
  return out.$ref === undefined ? { ...out, schema } : { $ref: out.$ref };
}

function content(schema: JsonValue | undefined, media: JsonValue | undefined): JsonObject {
  const types = Array.isArray(media) && media.length > 0 ? media.map(String) : JSON_ONLY;
  return Object.fromEntries(types.map((type) => [type, { schema: moved(schema ?? {}) }]));
}

/** References to where things are in OpenAPI 3.0. */
function moved(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(moved);
  if (!isJsonObject(value)) return value;
  return mapValues(value, (inner, key) => {
    if (key !== '$ref' || typeof inner !== 'string') return moved(inner);
    return inner
      .replace(/^#\/definitions\//, '#/components/schemas/')
      .replace(/^#\/parameters\//, '#/components/parameters/');
  });
}

function mapValues(o: JsonObject, change: (value: JsonValue, key: string) => JsonValue): JsonObject {
  return Object.fromEntries(Object.entries(o).map(([key, value]) => [key, change(value ?? null, key)]));
}

function part(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}
function parts(value: JsonValue | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}
