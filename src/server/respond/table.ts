import { parseJson } from '../../machinery/codec/json/parse.js';
import { badRequest } from '../../machinery/errors.js';
import type { JsonObject, KubeObject } from '../../machinery/json.js';
import type { Endpoint } from '../../registry/endpoint.js';
import { encodeObject } from './encode.js';
import { type Item, partialGvk, partialOf, valuesAt } from './object.js';
import type { Representation } from './representation.js';

/** What of the object a row carries: `includeObject` of the query. */
type Include = 'None' | 'Metadata' | 'Object';

/** @throws 400 for an unknown `includeObject` */
export function includeOf(query: URLSearchParams): Include {
  const value = query.get('includeObject') || 'Metadata';
  if (value !== 'None' && value !== 'Metadata' && value !== 'Object') {
    throw badRequest(`unrecognized includeObject value: ${JSON.stringify(value)}`);
  }
  return value;
}

/** meta.v1.Table of some objects, as `kubectl get` asks for. */
export async function tableOf(
  endpoint: Endpoint,
  items: readonly Item[],
  form: Representation,
  query: URLSearchParams,
  metadata: JsonObject = {},
): Promise<Buffer> {
  const table = await tableValue(endpoint, items, form, includeOf(query), metadata);
  return encodeObject(table, partialGvk(form), form);
}

/** @param columns false: leave the definitions out, as all events of a watch but the first do */
export async function tableValue(
  endpoint: Endpoint,
  items: readonly Item[],
  form: Representation,
  include: Include,
  metadata: JsonObject,
  columns = true,
): Promise<JsonObject> {
  const { printer } = endpoint;
  const now = Date.now();
  const rows: JsonObject[] = [];
  for (const item of items) {
    const object = parseJson(item.json) as KubeObject;
    const row: JsonObject = { cells: printer.cells(object, now) };
    if (include !== 'None') row.object = await included(endpoint, item, object, form, include);
    rows.push(row);
  }
  const single = items.length === 1 && Object.keys(metadata).length === 0;
  const { resourceVersion } = single ? (parseJson(items[0]!.json) as KubeObject).metadata : metadata;
  return {
    metadata: single && resourceVersion !== undefined ? { resourceVersion } : metadata,
    columnDefinitions: columns ? [...printer.columns] : undefined,
    rows,
  };
}

async function included(
  endpoint: Endpoint,
  item: Item,
  object: KubeObject,
  form: Representation,
  include: Include,
): Promise<JsonObject> {
  if (include === 'Object') return JSON.parse(endpoint.version.encode(await valuesAt(endpoint, item))) as JsonObject;
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${form.asVersion}`, ...partialOf(object) };
}
