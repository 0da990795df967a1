import { conform } from '../../api/apiextensions/schema/conform.js';
import { applySchemaDefaults } from '../../api/apiextensions/schema/defaults.js';
import { DecodeError } from '../../machinery/codec/errors.js';
import { encodeUnstructured } from '../../machinery/codec/json/encode.js';
import { parseJson } from '../../machinery/codec/json/parse.js';
import { StatusError } from '../../machinery/errors.js';
import { cloneJson, type KubeObject } from '../../machinery/json.js';
import type { StoredForm } from '../../registry/kind.js';
import type { CachedObject } from '../../storage/cacher/cacher.js';
import type { CustomVersion, Family } from './custom-version.js';

const REINITIALIZING = 'storage is (re)initializing';
const RETRY = { retryAfterSeconds: 1 };

/**
 * Custom resources between the store, where they lie at the storage version of their time, and one served version.
 * What was stored is pruned and defaulted by the schema of the version that it was stored at, converted, and pruned by
 * the schema of the version asked for; what is to be stored is converted and pruned by the schema of the storage version.
 *
 * @param definedAt revision of the definition
 */
export function storedForm(
  family: Family,
  version: CustomVersion,
  storage: CustomVersion,
  definedAt: number,
): StoredForm {
  /** Objects whose stored bytes are the answer. Objects are immutable, so this can't change. */
  const verbatim = new WeakSet<CachedObject>();
  const form = `crd ${version.version}`;

  async function convert(objects: readonly CachedObject[]): Promise<readonly Buffer[]> {
    const out: (Buffer | undefined)[] = objects.map((o) => (verbatim.has(o) ? o.json : undefined));
    const rest: { index: number; object: KubeObject }[] = [];
    for (const [index, cached] of objects.entries()) {
      if (out[index]) continue;
      const object = fromStore(family, cached);
      if (object.apiVersion === version.apiVersion) out[index] = sameVersion(cached, object);
      else {
        // Whoever converts sees what is in the store, which does not hold its own revision.
        delete object.metadata.resourceVersion;
        rest.push({ index, object });
      }
    }
    if (rest.length === 0) return out as Buffer[];
    const converted = await family.converter.convert(
      rest.map((r) => r.object),
      version.apiVersion,
    );
    for (const [i, { index }] of rest.entries()) {
      const object = reading(() => conform(converted[i]!, version.schema));
      object.metadata.resourceVersion = `${objects[index]!.revision}`;
      out[index] = objects[index]!.form(form, () => Buffer.from(encodeUnstructured(object)));
    }
    return out as Buffer[];
  }

  function sameVersion(cached: CachedObject, object: KubeObject): Buffer {
    const bytes = Buffer.from(encodeUnstructured(object));
    if (!bytes.equals(cached.json)) return cached.form(form, () => bytes);
    verbatim.add(cached);
    return cached.json;
  }

  async function toStorage(object: KubeObject): Promise<KubeObject> {
    const [converted] =
      object.apiVersion === storage.apiVersion
        ? [object]
        : await family.converter.convert([object], storage.apiVersion);
    return reading(() => conform({ ...converted! }, storage.schema));
  }

  return {
    read: convert,
    async list(objects) {
      try {
        return await convert(objects);
      } catch (e) {
        // Upstream has a cache of each version, made anew with the definition and not ready while it lacks an object.
        const old = objects.filter((o) => o.revision < definedAt);
        await convert(old).catch((first: unknown) => {
          throw first instanceof StatusError ? new StatusError(429, 'TooManyRequests', REINITIALIZING, RETRY) : first;
        });
        throw e;
      }
    },
    async write(object) {
      return Buffer.from(encodeUnstructured(await toStorage(object)));
    },
    async copy(object) {
      if (object.apiVersion === storage.apiVersion) return Buffer.from(encodeUnstructured(object));
      const held = await toStorage(cloneJson(object));
      applySchemaDefaults(held, storage.schema);
      const [back] = await family.converter.convert([held], object.apiVersion!);
      return Buffer.from(encodeUnstructured(reading(() => conform(back!, version.schema))));
    },
    async checkHeld(held, values) {
      const lies = held.parsed().apiVersion;
      if (lies !== storage.apiVersion && values.apiVersion !== storage.apiVersion) await toStorage(cloneJson(values));
    },
  };
}

function fromStore(family: Family, cached: CachedObject): KubeObject {
  const stored = parseJson(cached.json) as KubeObject;
  const schema = family.version(stored.apiVersion ?? '')?.schema;
  const object = reading(() => conform(stored, schema, { dropInvalid: true }));
  object.metadata ??= {};
  // Objects of very old servers have none.
  object.metadata.generation ||= 1;
  applySchemaDefaults(object, schema);
  return object;
}

function reading<T>(read: () => T): T {
  try {
    return read();
  } catch (e) {
    throw e instanceof DecodeError ? new StatusError(500, '', e.message) : e;
  }
}
