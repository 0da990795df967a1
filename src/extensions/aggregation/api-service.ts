import { bool, list, num, obj, ptr, str } from '../../api/access.js';
import type { GroupResource } from '../../machinery/errors.js';
import { compareBytes } from '../../machinery/go-format.js';
import { equalJson, type JsonObject, type KubeObject } from '../../machinery/json.js';
import { compareVersions } from '../crd/version-order.js';

export const API_SERVICES: GroupResource = { group: 'apiregistration.k8s.io', resource: 'apiservices' };

/** The Service in front of an aggregated API server. */
export interface ServiceReference {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
}

/** What decides the order of a group version in `/apis`. */
export interface Ranked {
  /** `v1.apps` */
  readonly name: string;
  readonly group: string;
  readonly version: string;
  readonly groupPriority: number;
  readonly versionPriority: number;
}

/** An APIService object, read. */
export class ApiService implements Ranked {
  readonly object: KubeObject;
  readonly name: string;
  readonly group: string;
  readonly version: string;
  readonly groupPriority: number;
  readonly versionPriority: number;
  /** Undefined: this server answers itself. */
  readonly service: ServiceReference | undefined;

  constructor(object: KubeObject) {
    const spec = obj(object, 'spec');
    const service = ptr(spec, 'service');
    this.object = object;
    this.name = object.metadata.name ?? '';
    this.group = str(spec, 'group');
    this.version = str(spec, 'version');
    this.groupPriority = num(spec, 'groupPriorityMinimum');
    this.versionPriority = num(spec, 'versionPriority');
    this.service = service && {
      namespace: str(service, 'namespace'),
      name: str(service, 'name'),
      port: num(service, 'port') || 443,
    };
  }

  /** PEM; '' for the authorities of this host. */
  get caBundle(): string {
    return Buffer.from(str(obj(this.object, 'spec'), 'caBundle'), 'base64').toString('utf8');
  }
  get insecureSkipTlsVerify(): boolean {
    return bool(obj(this.object, 'spec'), 'insecureSkipTLSVerify');
  }
  get conditions(): readonly JsonObject[] {
    return list(obj(this.object, 'status'), 'conditions');
  }
  get available(): boolean {
    return this.conditions.some((c) => str(c, 'type') === 'Available' && str(c, 'status') === 'True');
  }

  /** Both mean the same server, reached in the same way. */
  sameServer(other: ApiService): boolean {
    const [mine, others] = [obj(this.object, 'spec'), obj(other.object, 'spec')];
    return (
      this.object.metadata.uid === other.object.metadata.uid &&
      ['service', 'caBundle', 'insecureSkipTLSVerify'].every((name) => equalJson(mine[name], others[name]))
    );
  }
}

/** Whether an aggregated API server can be used, and why. */
export interface Availability {
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
}

/** The conditions with the one named Available replaced, or added; the same list when nothing changes. */
export function withAvailability(
  conditions: readonly JsonObject[],
  { status, reason, message }: Availability,
  now: string,
): readonly JsonObject[] {
  const at = conditions.findIndex((c) => str(c, 'type') === 'Available');
  const old = conditions[at];
  if (old && str(old, 'status') === status && str(old, 'reason') === reason && str(old, 'message') === message) {
    return conditions;
  }
  const lastTransitionTime = old && str(old, 'status') === status ? (old.lastTransitionTime ?? now) : now;
  const next: JsonObject = { type: 'Available', status, lastTransitionTime, reason, message };
  return at < 0 ? [...conditions, next] : conditions.with(at, next);
}

export function byVersionPriority(a: Ranked, b: Ranked): number {
  return b.versionPriority - a.versionPriority || compareVersions(a.version, b.version);
}

/**
 * Versions by group, in the order of `/apis`: a group stands where its best version does, by priority and then by name
 * of the APIService; within a group versions go by priority and then as versions of Kubernetes are ordered.
 */
export function groupsByPriority<T extends Ranked>(all: Iterable<T>): T[][] {
  const sorted = [...all].sort((a, b) => b.groupPriority - a.groupPriority || compareBytes(a.name, b.name));
  const groups = new Map<string, T[]>();
  for (const one of sorted) {
    const members = groups.get(one.group);
    if (members) members.push(one);
    else groups.set(one.group, [one]);
  }
  return [...groups.values()].map((members) => members.sort(byVersionPriority));
}
