import { StatusError } from '../errors.js';
import { invalidValue } from '../field.js';
import { compareBytes, goJsonString } from '../go-format.js';
import { type JsonObject, type JsonValue, setOwn } from '../json.js';

/**
 * Objects that a patch looked into. Upstream writes these with sorted members and leaves the others as they were, which
 * shows in messages that quote the patched document.
 */
const opened = new WeakSet<object>();

/** Remembers that a patch looked into the object. */
export function markOpened<T extends object>(object: T): T {
  opened.add(object);
  return object;
}

/** A shallow copy that a patch may change. */
export function openCopy<T extends JsonObject | JsonValue[]>(value: T): T {
  if (Array.isArray(value)) return value.slice() as T;
  const copy: JsonObject = {};
  for (const key of Object.keys(value)) setOwn(copy, key, value[key]);
  return markOpened(copy) as T;
}

/** The patched document as kube-apiserver quotes it in messages. */
export function patchedText(value: JsonValue | undefined): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'string') return goJsonString(value);
  if (typeof value !== 'object') return `${value}`;
  if (Array.isArray(value)) return `[${value.map(patchedText).join(',')}]`;
  const keys = Object.keys(value).filter((k) => value[k] !== undefined);
  if (opened.has(value)) keys.sort(compareBytes);
  return `{${keys.map((k) => `${goJsonString(k)}:${patchedText(value[k])}`).join(',')}}`;
}

/** 422: the patched document is no object of the kind. `message` says why, `quoted` is the document or the patch. */
export function patchedInvalid(quoted: string, message: string): StatusError {
  const error = invalidValue('patch', quoted, message);
  return new StatusError(422, 'Invalid', ` "" is invalid: ${error}`, { causes: [error.toCause()] });
}
