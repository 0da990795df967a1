import { apiVersionOf, type KubeObject } from '../../machinery/json.js';
import { horizontalPodAutoscaler } from './autoscaling.js';
import { event } from './event.js';
import { resourceClaim, resourceClaimTemplate, resourceSlice } from './resource.js';

export interface ApiVersion {
  readonly group: string;
  readonly version: string;
}

/** Changes an object's shape in place; TypeMeta is set by the caller. Nothing may be lost on the way there and back. */
export type Converter = (object: KubeObject) => void;
/** `from apiVersion→to apiVersion` */
export type ConverterTable = Readonly<Record<string, Converter>>;

/** By `Kind`. Versions of the same shape need none. */
const converters: Readonly<Record<string, ConverterTable>> = {
  Event: event,
  HorizontalPodAutoscaler: horizontalPodAutoscaler,
  ResourceClaim: resourceClaim,
  ResourceClaimTemplate: resourceClaimTemplate,
  ResourceSlice: resourceSlice,
};

/**
 * Makes an object, in place, one of another version of its kind, and returns it.
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
