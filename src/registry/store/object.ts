import type { CachedObject } from '../../storage/cacher/cacher.js';

/** An object ready to be sent: its JSON at the hub version. `cached` is set when it is what the store holds. */
export interface StoredObject {
  readonly json: Buffer;
  readonly cached: CachedObject | undefined;
}

export function fromCache(cached: CachedObject): StoredObject {
  return { json: cached.json, cached };
}

/** The outcome of a dry run: never stored, so it has no resourceVersion of its own. */
export function unstored(json: string): StoredObject {
  return { json: Buffer.from(json), cached: undefined };
}
