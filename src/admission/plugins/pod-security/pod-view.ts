import { list, obj, ptr, str } from '../../../api/access.js';
import type { JsonObject, ObjectMeta } from '../../../machinery/json.js';

/** A pod, or what a workload makes pods from, as the checks look at it. */
export interface PodView {
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: JsonObject;
  readonly securityContext: JsonObject;
  /** Init containers first, then containers and ephemeral ones. */
  readonly containers: readonly JsonObject[];
}

/** What is wrong: in short, and with the fields and containers that are to blame. */
export interface Finding {
  readonly reason: string;
  readonly detail: string;
}

export function podView(pod: JsonObject): PodView {
  const spec = obj(pod, 'spec');
  return {
    annotations: (ptr(pod, 'metadata') as ObjectMeta | undefined)?.annotations ?? {},
    spec,
    securityContext: obj(spec, 'securityContext'),
    containers: ['initContainers', 'containers', 'ephemeralContainers'].flatMap((field) => list(spec, field)),
  };
}

export const quoted = (items: readonly string[]): string => items.map((item) => `"${item}"`).join(', ');
export const plural = (count: number, one: string, many = `${one}s`): string => (count === 1 ? one : many);
/** `container "a"`, `containers "a", "b"`. */
export const named = (what: string, names: readonly string[]): string =>
  `${plural(names.length, what)} ${quoted(names)}`;

/** Names of the containers with this property. */
export function containersWhere(pod: PodView, bad: (container: JsonObject) => boolean): string[] {
  return pod.containers.filter(bad).map((c) => str(c, 'name'));
}

/** The pod and the containers whose own security context is bad, in words; empty when none is. */
export function setters(pod: PodView, bad: (securityContext: JsonObject) => boolean): string {
  const containers = containersWhere(pod, (c) => bad(obj(c, 'securityContext')));
  return [
    ...(bad(pod.securityContext) ? ['pod'] : []),
    ...(containers.length > 0 ? [named('container', containers)] : []),
  ].join(' and ');
}

export const isWindows = (pod: PodView): boolean => str(obj(pod.spec, 'os'), 'name') === 'windows';
/** Root in a user namespace of its own is nobody on the node (KEP-127). */
export const hasUserNamespace = (pod: PodView): boolean => pod.spec.hostUsers === false;
