import { parseJson } from '../../machinery/codec/json/parse.js';
import { StatusError } from '../../machinery/errors.js';
import type { KubeObject } from '../../machinery/json.js';
import type { Endpoint } from '../../registry/endpoint.js';
import { encodeObject, encodeText } from './encode.js';
import { goType, gvkOf, type Item, isVerbatim, jsonAt, partialGvk, partialOf, valuesAt } from './object.js';
import type { Representation } from './representation.js';
import { includeOf, tableValue } from './table.js';

const NEWLINE = Buffer.from('\n');

/** The whole answer for one stored object. */
export async function renderObject(
  endpoint: Endpoint,
  item: Item,
  form: Representation,
  query: URLSearchParams,
): Promise<Buffer> {
  if (isVerbatim(endpoint, form) && !form.pretty) return Buffer.concat([item.json, NEWLINE]);
  if (form.as === 'PartialObjectMetadataList') throw isNoList(endpoint);
  if (form.as === 'Table') {
    const table = await tableValue(endpoint, item, form, includeOf(query));
    return encodeObject(table, partialGvk(form), form);
  }
  if (form.as !== '')
    return encodeObject(partialOf(endpoint, parseJson(item.json) as KubeObject), partialGvk(form), form);
  if (form.format === 'json') return encodeText(await jsonAt(endpoint, item), form);
  return encodeObject(await valuesAt(endpoint, item), gvkOf(endpoint.version), form);
}

/** 406: the metadata of a list were asked of one object. */
function isNoList(endpoint: Endpoint): StatusError {
  return new StatusError(
    406,
    'NotAcceptable',
    `you requested PartialObjectMetadataList, but the requested object is not a list (${goType(endpoint)})`,
  );
}
