import { apiVersionOf, type KubeObject } from '../../machinery/json.js';

export interface ApiVersion {
  readonly group: string;
  readonly version: string;
}

/** Changes an object's shape in place; TypeMeta is set by the caller. Nothing may be lost on the way there and back. */
export type Converter = (object: KubeObject) => void;

/** Converters by `Kind`, then `from apiVersion→to apiVersion`. Versions of the same shape need none. */
const converters: Readonly<Record<string, Readonly<Record<string, Converter>>>> = {};

/**
 * The same object at another version of its kind. The argument may be changed and must not be used afterwards.
 *
 * @param object minimal form, at `from`
 */
export function convert(kind: string, object: KubeObject, from: ApiVersion, to: ApiVersion): KubeObject {
  const target = apiVersionOf(to);
  if (from.group === to.group && from.version === to.version) return object;
  converters[kind]?.[`${apiVersionOf(from)}→${target}`]?.(object);
  object.apiVersion = target;
  return object;
}
