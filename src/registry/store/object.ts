import { parseJson } from '../../machinery/codec/json/parse.js';
import type { KubeObject } from '../../machinery/json.js';
import type { CachedObject } from '../../storage/cacher/cacher.js';
import type { Kind } from '../kind.js';

/** An object ready to be sent: its JSON at the hub version. `cached` is set when it is what the store holds. */
export interface StoredObject {
  readonly json: Buffer;
  readonly cached: CachedObject | undefined;
}

export async function fromCache(kind: Kind, cached: CachedObject): Promise<StoredObject> {
  return { json: await hubJson(kind, cached), cached };
}

/** The stored object as values in minimal form; the caller may change it. */
export async function readStored(kind: Kind, cached: CachedObject): Promise<KubeObject> {
  if (!kind.stored) return kind.hub.decode(cached.parsed());
  return kind.hub.decode(parseJson(await hubJson(kind, cached)));
}

async function hubJson(kind: Kind, cached: CachedObject): Promise<Buffer> {
  return kind.stored ? (await kind.stored.read([cached]))[0]! : cached.json;
}

/** What the store is to hold of an object. */
export async function toStore(kind: Kind, object: KubeObject): Promise<Buffer> {
  return kind.stored ? kind.stored.write(object) : Buffer.from(kind.hub.encode(object));
}

/** What the store holds, as `toStore` would have made it. `values` is the same object at the hub version. */
export function heldBytes(kind: Kind, cached: CachedObject, values: KubeObject): Buffer {
  const { resourceVersion: _, ...metadata } = kind.stored ? cached.parsed().metadata : values.metadata;
  const object = { ...(kind.stored ? cached.parsed() : values), metadata };
  return Buffer.from(kind.hub.encode(object));
}

/** What is not in the store any more, at the hub version. */
export function unstored(json: string): StoredObject {
  return { json: Buffer.from(json), cached: undefined };
}

/** The outcome of a dry run: never stored, so it has no resourceVersion of its own. */
export async function dryRunOutcome(kind: Kind, object: KubeObject): Promise<StoredObject> {
  return kind.stored ? { json: await kind.stored.copy(object), cached: undefined } : unstored(kind.hub.encode(object));
}
