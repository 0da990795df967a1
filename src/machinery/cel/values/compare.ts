import { compareBytes } from '../../go-format.js';
import { Type } from '../types/type.js';
import { CelMap, isMap, LazyObject, mapEntries, mapGet, mapHas, mapSize, OpaqueValue, Optional } from './containers.js';
import { NAN_ORDER, NO_SUCH_OVERLOAD } from './error.js';
import { compareNumbers, isNumber } from './numbers.js';
import { Duration, Timestamp } from './time.js';

/** Equality of CEL: by value, numbers of different kinds by what they amount to, unlike types never. */
export function equals(a: unknown, b: unknown): boolean {
  if (a === b) return !Number.isNaN(a);
  if (typeof a === 'string' || typeof a === 'boolean' || a === null || b === null) return a === b;
  if (isNumber(a)) return isNumber(b) && compareNumbers(a, b) === 0;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((value, i) => equals(value, b[i]));
  }
  if (a instanceof Timestamp) return b instanceof Timestamp && a.seconds === b.seconds && a.nanos === b.nanos;
  if (a instanceof Duration) return b instanceof Duration && a.nanos === b.nanos;
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0;
  if (a instanceof Type) return b instanceof Type && a.name === b.name;
  if (a instanceof Optional) {
    return b instanceof Optional && a.present === b.present && (!a.present || equals(a.value, b.value));
  }
  if (a instanceof OpaqueValue) {
    if (!(b instanceof OpaqueValue) || a.constructor !== b.constructor) throw NO_SUCH_OVERLOAD;
    return a.equals(b);
  }
  if (a instanceof LazyObject) return b instanceof LazyObject && a.constructor === b.constructor && a.equals(b);
  if (!isMap(a) || !isMap(b) || mapSize(a) !== mapSize(b)) return false;
  for (const [key, value] of mapEntries(a)) {
    if (!mapHas(b, key) || !equals(value, mapGet(b, key))) return false;
  }
  return true;
}

/** Order of two values of kinds that have one: negative, zero or positive. */
export function compare(a: unknown, b: unknown): number {
  if (typeof a === 'string' && typeof b === 'string') return compareBytes(a, b);
  if (isNumber(a) && isNumber(b)) {
    const order = compareNumbers(a, b);
    if (Number.isNaN(order)) throw NAN_ORDER;
    return order;
  }
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  if (a instanceof Timestamp && b instanceof Timestamp) return a.seconds - b.seconds || a.nanos - b.nanos;
  if (a instanceof Duration && b instanceof Duration) return a.nanos < b.nanos ? -1 : a.nanos > b.nanos ? 1 : 0;
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b);
  throw NO_SUCH_OVERLOAD;
}

/** Whether a list has an element, or a map a key, equal to a value. */
export function contains(container: unknown, value: unknown): boolean {
  if (Array.isArray(container)) return container.some((element) => equals(element, value));
  if (container instanceof CelMap || isMap(container)) return mapHas(container, value);
  throw NO_SUCH_OVERLOAD;
}
