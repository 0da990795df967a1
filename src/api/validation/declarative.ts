import { jsonEncoder } from '../../machinery/codec/json/encode.js';
import { duplicate, invalidValue, type Path } from '../../machinery/field.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../../machinery/json.js';
import { type Check, type Rule, typeNamed, whole } from './check.js';
import { satisfies } from './rules.js';

// Rules as upstream's declarative validation (KEP-5073) words them. It looks at the published types, so that values are
// shown in their published form.

const quoted = (names: readonly string[]): string => names.map((n) => `\`${n}\``).join(', ');

/** Exactly one of these pointers is set. */
export function union(...names: readonly string[]): Rule {
  return whole((o, at, c) => {
    const set = names.filter((n) => o[n] !== undefined);
    if (set.length === 0) c.errors.push(invalidValue(at, '', `must specify one of: ${quoted(names)}`));
    if (set.length > 1)
      c.errors.push(invalidValue(at, `{${set.join(', ')}}`, `must specify exactly one of: ${quoted(names)}`));
  });
}

/** A value as the API writes it. */
export function publishedForm(typeName: string, value: JsonObject): JsonValue {
  return JSON.parse(jsonEncoder(typeNamed(typeName))(value)) as JsonValue;
}

/** Elements that have the same key as an earlier one are duplicates, reported and shown as a whole. */
export function uniqueKey(typeName: string, key: string): Rule {
  return (v, at, c) => {
    const seen = new Set<JsonValue | undefined>();
    if (!Array.isArray(v)) return;
    v.forEach((e, i) => {
      if (!isJsonObject(e)) return;
      if (seen.has(e[key])) c.errors.push(duplicate(at.index(i), publishedForm(typeName, e)));
      seen.add(e[key]);
    });
  };
}

export const minimum = (n: number): Rule => satisfies((v) => v >= n, `must be greater than or equal to ${n}`);
export const maximum = (n: number): Rule => satisfies((v) => v <= n, `must be less than or equal to ${n}`);

/** A field that was changed and may not be; its value is not shown. */
export function changed(at: Path, c: Check): void {
  c.errors.push(invalidValue(at, null, 'field is immutable'));
}
