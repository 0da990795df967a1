import type { GroupResource } from '../../../machinery/errors.js';
import type { KubeObject } from '../../../machinery/json.js';
import type { Objects } from '../concerns.js';
import { claims } from './claims.js';
import type { Evaluator } from './evaluator.js';
import { objectCount } from './object-count.js';
import { pods } from './pods.js';
import { resourceClaims } from './resource-claims.js';
import { services } from './services.js';

export interface QuotaObjects extends Objects {
  list(resource: GroupResource, namespace: string): Promise<KubeObject[]> | KubeObject[];
}

export interface RegistryDependencies {
  readonly objects: QuotaObjects;
  gate(name: 'PodLevelResources' | 'DRAExtendedResource'): boolean;
  /** UTC now. */
  now(): Date;
}

/** Resources that are no objects, or that come and go too often to be counted. */
const IGNORED = new Set([
  '/bindings',
  '/componentstatuses',
  '/events',
  'events.k8s.io/events',
  'authentication.k8s.io/tokenreviews',
  'authentication.k8s.io/selfsubjectreviews',
  'authorization.k8s.io/subjectaccessreviews',
  'authorization.k8s.io/selfsubjectaccessreviews',
  'authorization.k8s.io/localsubjectaccessreviews',
  'authorization.k8s.io/selfsubjectrulesreviews',
]);

/** How everything is counted. */
export class QuotaRegistry {
  readonly #special: readonly Evaluator[];

  constructor({ objects, gate, now }: RegistryDependencies) {
    const podEvaluator = pods({ gate, now });
    this.#special = [podEvaluator, services, claims, resourceClaims({ objects, gate, pods: podEvaluator })];
  }

  /** Undefined for what is never counted. */
  evaluator({ group, resource }: GroupResource): Evaluator | undefined {
    if (IGNORED.has(`${group}/${resource}`)) return undefined;
    const special = this.#special.find((e) => e.resource.group === group && e.resource.resource === resource);
    return special ?? objectCount({ group, resource });
  }

  /** Settles when `counting` knows all there is to know. */
  async load(): Promise<void> {
    await Promise.all(this.#special.map((e) => e.load?.()));
  }

  /** Everything that counts one of a quota's resource names. */
  counting(names: readonly string[]): Evaluator[] {
    const found = new Map<string, Evaluator>();
    const candidates = names.map((name) => this.evaluator(countedResource(name))).filter((e) => e !== undefined);
    for (const e of [...this.#special, ...candidates]) {
      if (e.counts(names).length > 0) found.set(`${e.resource.group}/${e.resource.resource}`, e);
    }
    return [...found.values()];
  }
}

/** The resource that a name would be the number of: `count/widgets.example.com`, `secrets`. */
function countedResource(name: string): GroupResource {
  const counted = /^count\/([^.]+)(?:\.(.+))?$/.exec(name);
  return { group: counted?.[2] ?? '', resource: counted?.[1] ?? name };
}
