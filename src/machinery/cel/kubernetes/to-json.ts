import { isMap, LazyObject, mapEntries, Optional, type PlainObject } from '../values/containers.js';
import { CelError } from '../values/error.js';
import { Double, Uint } from '../values/numbers.js';
import { runtimeType } from '../values/runtime-type.js';
import { Duration, Timestamp } from '../values/time.js';

/**
 * A value as JSON: timestamps and durations as text, bytes in base64, integers beyond 2^53 as bigint.
 * @throws CelError for values that JSON cannot hold.
 */
export function toJson(value: unknown): unknown {
  if (value === null || typeof value === 'boolean' || typeof value === 'string' || typeof value === 'bigint') {
    return value;
  }
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new CelError(`unsupported value: ${value}`);
    return value;
  }
  if (Array.isArray(value)) return value.map(toJson);
  if (value instanceof Double) return value.value;
  if (value instanceof Uint) return value.value > BigInt(Number.MAX_SAFE_INTEGER) ? value.value : Number(value.value);
  if (value instanceof Timestamp || value instanceof Duration) return value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (value instanceof Optional) return value.present ? toJson(value.value) : null;
  if (value instanceof LazyObject && 'toJson' in value) return (value as { toJson(): unknown }).toJson();
  if (!isMap(value)) throw new CelError(`cannot convert ${runtimeType(value).name} to JSON`);
  const out: PlainObject = {};
  for (const [key, inner] of mapEntries(value)) {
    if (typeof key !== 'string') throw new CelError(`map key ${String(key)} is not a string`);
    Object.defineProperty(out, key, { value: toJson(inner), writable: true, enumerable: true, configurable: true });
  }
  return out;
}
