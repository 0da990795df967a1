import { parseJson } from '../../machinery/codec/json/parse.js';
import { StatusError } from '../../machinery/errors.js';
import type { GroupVersionKind, KubeObject, ObjectMeta } from '../../machinery/json.js';
import type { Endpoint } from '../../registry/endpoint.js';
import type { KindVersion } from '../../registry/kind.js';
import type { StoredObject } from '../../registry/store/object.js';
import type { CachedObject } from '../../storage/cacher/cacher.js';
import type { Representation } from './representation.js';

/** An object as its form without anything around it: no newline, no envelope of a list or event. */
export type Item = Pick<StoredObject, 'json'>;

/** Objects of the store as every form is made from: their JSON at the hub version. */
export async function itemsOf(endpoint: Endpoint, objects: readonly CachedObject[]): Promise<readonly Item[]> {
  const stored = endpoint.kind?.stored;
  return stored ? (await stored.read(objects)).map((json) => ({ json })) : objects;
}

/** The same for the objects of a list. */
export async function listedItems(endpoint: Endpoint, objects: readonly CachedObject[]): Promise<readonly Item[]> {
  const stored = endpoint.kind?.stored;
  return stored ? (await stored.list(objects)).map((json) => ({ json })) : objects;
}

export function listKind({ listKind, kind }: KindVersion): string {
  return listKind ?? `${kind}List`;
}

export function partialGvk(form: Representation): GroupVersionKind {
  return { group: 'meta.k8s.io', version: form.asVersion, kind: form.as };
}

/** True when stored bytes are the answer. */
export function isVerbatim(endpoint: Endpoint, form: Representation): boolean {
  return form.format === 'json' && form.as === '' && endpoint.version.apiVersion === endpoint.hub.apiVersion;
}

/** The values of a stored object at the version the client speaks. */
export async function valuesAt(endpoint: Endpoint, item: Item): Promise<KubeObject> {
  const { version, hub } = endpoint;
  const object = hub.decode(parseJson(item.json));
  return version.apiVersion === hub.apiVersion ? object : version.fromHub(object);
}

/** The object as JSON text at the version the client speaks. */
export async function jsonAt(endpoint: Endpoint, item: Item): Promise<string> {
  if (endpoint.version.apiVersion === endpoint.hub.apiVersion) return item.json.toString('utf8');
  return endpoint.version.encode(await valuesAt(endpoint, item));
}

/** 406: the metadata of one object were asked of a list. */
export function isList(endpoint: Endpoint): StatusError {
  return new StatusError(
    406,
    'NotAcceptable',
    `you requested PartialObjectMetadata, but the requested object is a list (${goType(endpoint, 'List')})`,
  );
}

/** The Go type upstream would hold, as its messages name it. */
export function goType({ version }: Endpoint, suffix = ''): string {
  if (!version.typed) return `*unstructured.Unstructured${suffix}`;
  const [first = ''] = version.group.split('.');
  return `*${first || 'core'}.${version.kind}${suffix}`;
}

/** PartialObjectMetadata: the metadata and nothing else. */
export function partialOf({ hub }: Endpoint, { metadata }: KubeObject): { metadata: ObjectMeta } {
  const { annotations, ...rest } = metadata;
  const hidden = hub.fieldAnnotations?.filter((name) => annotations && Object.hasOwn(annotations, name)) ?? [];
  if (hidden.length === 0) return { metadata };
  const shown = Object.entries(annotations!).filter(([name]) => !hidden.includes(name));
  return { metadata: shown.length > 0 ? { ...rest, annotations: Object.fromEntries(shown) } : rest };
}

export function gvkOf({ group, version, kind }: KindVersion): GroupVersionKind {
  return { group, version, kind };
}
