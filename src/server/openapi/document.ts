import { encodeRaw } from '../../machinery/codec/json/encode.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../../machinery/json.js';
import { catalog } from '../../machinery/scheme/catalog.js';
import { type Dialect, type OpenApiPart, refTo } from './contract.js';
import { mergeV2 } from './merge.js';
import { Pace } from './pace.js';
import { renderPath, SharedParameters } from './render.js';
import { typeSchema } from './schema.js';

/** The OpenAPI 3.0 document of one part: its paths, and the schemas that they need. */
export async function documentV3(part: OpenApiPart): Promise<JsonObject> {
  const foreign = part.foreign?.(3);
  if (foreign) return foreign;
  const pace = new Pace();
  const paths: JsonObject = {};
  for (const [path, item] of [...part.paths()].sort(byName)) {
    paths[path] = renderPath(item, 3);
    await pace.step();
  }
  const schemas = await schemasOf(paths, [part], 3, pace);
  if (part.info) return { openapi: '3.0.0', info: { ...part.info }, paths, components: { schemas } };
  const bearer = { type: 'apiKey', description: 'Bearer Token authentication', name: 'authorization', in: 'header' };
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'unversioned' },
    paths,
    components: { schemas, securitySchemes: { BearerToken: bearer } },
  };
}

/** The Swagger 2.0 document of everything. `version` as `/version` says it. */
export async function documentV2(parts: readonly OpenApiPart[], version: string): Promise<JsonObject> {
  const pace = new Pace();
  const shared = new SharedParameters();
  const paths: JsonObject = {};
  const all = parts.flatMap((p) => [...p.paths()]).sort(byName);
  for (const [path, item] of all) {
    paths[path] = renderPath(item, 2, shared);
    await pace.step();
  }
  const definitions = await schemasOf(paths, parts, 2, pace);
  const document: JsonObject = {
    swagger: '2.0',
    info: { title: 'Kubernetes', version },
    paths,
    definitions,
    parameters: shared.definitions,
    securityDefinitions: {
      BearerToken: { description: 'Bearer Token authentication', in: 'header', name: 'authorization', type: 'apiKey' },
    },
    security: [{ BearerToken: [] }],
  };
  for (const part of parts) {
    const foreign = part.foreign?.(2);
    if (foreign) mergeV2(document, foreign);
    await pace.step();
  }
  return document;
}

/** A document's text, in steps. Schemas of custom resources may hold integers of any size. */
export async function documentText(document: JsonObject): Promise<Buffer> {
  const pace = new Pace();
  const pieces: string[] = [];
  const write = async (value: JsonValue, depth: number): Promise<void> => {
    if (depth === 0 || !isJsonObject(value)) {
      pieces.push(encodeRaw(value));
      await pace.step();
      return;
    }
    let separator = '{';
    for (const [key, part] of Object.entries(value)) {
      if (part === undefined) continue;
      pieces.push(separator, JSON.stringify(key), ':');
      separator = ',';
      await write(part, depth - 1);
    }
    pieces.push(separator === '{' ? '{}' : '}');
  };
  await write(document, 3);
  return Buffer.from(pieces.join(''));
}

/** The schemas that paths refer to, and those that they refer to. */
async function schemasOf(
  paths: JsonObject,
  parts: readonly OpenApiPart[],
  dialect: Dialect,
  pace: Pace,
): Promise<JsonObject> {
  const prefix = refTo('', dialect);
  const found = new Map<string, JsonObject>();
  const waiting: string[] = [];
  const seen = new Set<string>();
  const collect = (v: JsonValue | undefined): void => {
    if (Array.isArray(v)) v.forEach(collect);
    else if (isJsonObject(v)) {
      for (const [key, part] of Object.entries(v)) {
        if (key !== '$ref' || typeof part !== 'string' || !part.startsWith(prefix)) collect(part);
        else if (!seen.has(part)) {
          seen.add(part);
          waiting.push(part.slice(prefix.length));
        }
      }
    }
  };
  for (const item of Object.values(paths)) {
    collect(item);
    await pace.step();
  }
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const schema = schemaOf(name, parts, dialect);
    collect(schema);
    found.set(name, schema);
    await pace.step();
  }
  return Object.fromEntries([...found].sort(byName));
}

function schemaOf(name: string, parts: readonly OpenApiPart[], dialect: Dialect): JsonObject {
  for (const part of parts) {
    const own = part.schema?.(name, dialect);
    if (own) return own;
  }
  return typeSchema(catalog().type(name), dialect);
}

function byName(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  return a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0;
}
