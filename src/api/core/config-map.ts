import { FieldError, forbiddenField, invalidValue, Path } from '../../machinery/field.js';
import { equalJson, type JsonObject, type KubeObject } from '../../machinery/json.js';
import { obj, stringMap } from '../access.js';
import { kind } from '../kind.js';
import type { Strategy } from '../strategy.js';
import { type Check, configMapKey, formats } from '../validation/index.js';

/** What a ConfigMap or Secret may hold: it has to fit into one write of the store. */
export const MAX_DATA = 1024 * 1024;
const FROZEN = 'field is immutable when `immutable` is set';

/** Bytes that base64 text stands for; null stands for none. */
export const decodedLength = (base64: string | null): number =>
  base64 === null
    ? 0
    : Math.floor((base64.length * 3) / 4) - (base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0);

/** Once `immutable` is set, it and the data stay as they are. */
export function frozen(object: KubeObject, old: KubeObject, fields: readonly string[], c: Check): void {
  if (old.immutable !== true) return;
  if (object.immutable !== true) c.errors.push(forbiddenField('immutable', FROZEN));
  for (const field of fields) if (!equalJson(object[field], old[field])) c.errors.push(forbiddenField(field, FROZEN));
}

function data(object: JsonObject, c: Check): void {
  const text = stringMap(object, 'data');
  const binary = stringMap(object, 'binaryData');
  let size = 0;
  for (const key of Object.keys(text).sort()) {
    const at = new Path('data').key(key);
    configMapKey(key, at, c);
    if (Object.hasOwn(binary, key)) c.errors.push(invalidValue(at, key, 'duplicate of key present in binaryData'));
    size += formats.byteLength(text[key]!);
  }
  for (const key of Object.keys(binary).sort()) {
    configMapKey(key, new Path('binaryData').key(key), c);
    size += decodedLength(binary[key]!);
  }
  // The fault is of the whole object, which has no path.
  if (size > MAX_DATA)
    c.errors.push(new FieldError('FieldValueTooLong', '[]', `Too long: may not be more than ${MAX_DATA} bytes`));
}

export const configMap: Strategy = kind({
  group: '',
  kind: 'ConfigMap',
  rules: (v, _, c) => data(obj({ v }, 'v'), c),
  updateRules: (o, old, c) => frozen(o, old, ['data', 'binaryData'], c),
  onUpdate: ['change', 'updateRules', 'meta', 'rules'],
});
