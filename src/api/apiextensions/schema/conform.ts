import { DecodeError } from '../../../machinery/codec/errors.js';
import { Path } from '../../../machinery/field.js';
import type { JsonObject, KubeObject } from '../../../machinery/json.js';
import { type CoerceOptions, coerceEmbedded, readObjectMeta } from './metadata.js';
import { dropNulls, prune } from './prune.js';
import { asResource, type Structural } from './structural.js';

/**
 * What decoding into a Go type does for built-in kinds: an object as its schema knows it, in place. Unknown fields and
 * nulls that mean nothing are dropped, metadata (its own and that of embedded resources) is typed.
 *
 * @param schema undefined: nothing is known of the version, nothing but the metadata stays
 * @throws DecodeError for metadata of a wrong type
 */
export function conform(object: JsonObject, schema: Structural | undefined, options: CoerceOptions = {}): KubeObject {
  const { kind, apiVersion, metadata } = object;
  const meta = metadata === undefined ? undefined : readObjectMeta(metadata, 'metadata', options);
  const found: string[] = [];
  const unknown = options.unknown && ((path: string) => void found.push(path));
  prune(object, schema ? asResource(schema) : EMPTY_RESOURCE, unknown);
  if (unknown) report(found, options);
  dropNulls(object, schema);
  const fault = coerceEmbedded(object, schema, new Path(), { ...options, unknown });
  if (fault) throw new DecodeError(fault.toString());
  if (unknown) report(found, options);
  object.kind = kind;
  object.apiVersion = apiVersion;
  if (meta) object.metadata = meta;
  return object as KubeObject;
}

function report(found: string[], { unknown }: CoerceOptions): void {
  for (const path of found.sort()) unknown?.(path);
  found.length = 0;
}

const EMPTY_RESOURCE: Structural = {
  type: 'object',
  nullable: false,
  default: undefined,
  properties: new Map(),
  items: undefined,
  additional: undefined,
  preserveUnknown: false,
  embedded: true,
  intOrString: false,
  listType: undefined,
  listMapKeys: [],
  mapType: undefined,
  rules: [],
  props: {},
};
