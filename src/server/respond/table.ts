import type { Printer } from '../../api/printers/contract.js';
import { jsonEncoder } from '../../machinery/codec/json/encode.js';
import { parseJson } from '../../machinery/codec/json/parse.js';
import { badRequest } from '../../machinery/errors.js';
import { goQuote } from '../../machinery/go-format.js';
import type { JsonObject, KubeObject } from '../../machinery/json.js';
import { catalog } from '../../machinery/scheme/catalog.js';
import type { Endpoint } from '../../registry/endpoint.js';
import type { ApiRequest } from '../api-request.js';
import { encodeObject } from './encode.js';
import { type Item, itemsOf, jsonAt, partialGvk, partialOf } from './object.js';
import type { Representation } from './representation.js';
import { sendBytes } from './send.js';
import { type Listing, streamList } from './stream.js';

/** Rows are the last of a table. */
const TAIL = ']}\n';

/** What of the object a row carries: `includeObject` of the query. */
type Include = 'None' | 'Metadata' | 'Object';

/** @throws 400 for an unknown `includeObject` */
export function includeOf(query: URLSearchParams): Include {
  const value = query.get('includeObject') || 'Metadata';
  if (value !== 'None' && value !== 'Metadata' && value !== 'Object') {
    throw badRequest(
      `Unable to convert to Table as requested: includeObject: Invalid value: ${goQuote(value)}: must be 'Metadata', 'Object', 'None', or empty`,
    );
  }
  return value;
}

/**
 * meta.v1.Table of one object.
 *
 * @param columns false: leave the definitions out, as all events of a watch but the first do
 */
export async function tableValue(
  endpoint: Endpoint,
  item: Item,
  form: Representation,
  include: Include,
  columns = true,
): Promise<JsonObject> {
  const object = parseJson(item.json) as KubeObject;
  const row = await rowOf(endpoint, item, object, form, include, Date.now());
  const { resourceVersion } = object.metadata;
  return {
    metadata: resourceVersion === undefined ? {} : { resourceVersion },
    columnDefinitions: columns ? [...printerOf(endpoint).columns] : undefined,
    rows: [row],
  };
}

/** A list as `kubectl get` asks for it. */
export async function sendTable(
  request: ApiRequest,
  endpoint: Endpoint,
  list: Listing,
  form: Representation,
  metadata: JsonObject,
): Promise<void> {
  const include = includeOf(request.query);
  const { columns, compare, nullRows } = printerOf(endpoint);
  const now = Date.now();
  const table = { metadata, columnDefinitions: [...columns] };
  const gvk = partialGvk(form);
  if (form.format === 'json' && !form.pretty && !compare) {
    const encode = jsonEncoder(catalog().type('io.k8s.apimachinery.pkg.apis.meta.v1.TableRow'));
    const without = encodeObject({ ...table, rows: [] }, gvk, form).toString();
    const empty = nullRows ? encodeObject(table, gvk, form).toString() : undefined;
    return streamList(request, list, form, {
      head: without.slice(0, -TAIL.length),
      tail: TAIL,
      empty,
      bodies: async (objects) => {
        const rows: Buffer[] = [];
        for (const item of await itemsOf(endpoint, objects)) {
          const row = await rowOf(endpoint, item, parseJson(item.json) as KubeObject, form, include, now);
          rows.push(Buffer.from(encode(row).slice(1)));
        }
        return rows;
      },
    });
  }
  const items: { item: Item; object: KubeObject }[] = [];
  for await (const batch of list.batches()) {
    for (const item of await itemsOf(endpoint, batch)) {
      items.push({ item, object: parseJson(item.json) as KubeObject });
    }
  }
  if (compare) items.sort((a, b) => compare(a.object, b.object));
  const rows: JsonObject[] = [];
  for (const { item, object } of items) rows.push(await rowOf(endpoint, item, object, form, include, now));
  const whole = { ...table, rows: rows.length === 0 && nullRows ? undefined : rows };
  return sendBytes(request, 200, encodeObject(whole, gvk, form), form);
}

function printerOf({ printer, resource, subresource }: Endpoint): Printer {
  // Tables are only negotiated where there is one.
  if (!printer) throw new Error(`${resource.resource}/${subresource} has no tables`);
  return printer;
}

/** meta.v1.TableRow of one object. */
async function rowOf(
  endpoint: Endpoint,
  item: Item,
  object: KubeObject,
  form: Representation,
  include: Include,
  now: number,
): Promise<JsonObject> {
  const printer = printerOf(endpoint);
  return {
    cells: printer.cells(object, now),
    conditions: printer.conditions?.(object),
    object: await included(endpoint, item, object, form, include),
  };
}

async function included(
  endpoint: Endpoint,
  item: Item,
  object: KubeObject,
  form: Representation,
  include: Include,
): Promise<JsonObject | undefined> {
  if (include === 'Object') return parseJson(await jsonAt(endpoint, item)) as JsonObject;
  if (include === 'None' && !endsInitialEvents(object)) return undefined;
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${form.asVersion}`, ...partialOf(endpoint, object) };
}

/** The bookmark after which a watch has told all there was: a client that wants no objects must see it too. */
const endsInitialEvents = ({ metadata }: KubeObject): boolean =>
  metadata.annotations?.['k8s.io/initial-events-end'] === 'true';
