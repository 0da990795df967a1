import { obj, str } from '../../../api/access.js';
import type { KubeObject } from '../../../machinery/json.js';
import type { Objects } from '../concerns.js';
import { ObjectIndex } from '../object-index.js';

/** Which device classes stand for extended resources (KEP-5004). */
export class DeviceClasses {
  readonly #index: ObjectIndex;

  constructor(objects: Objects) {
    this.#index = new ObjectIndex(objects, { group: 'resource.k8s.io', resource: 'deviceclasses' });
  }

  load(): Promise<unknown> {
    return this.#index.load();
  }

  /** The extended resource that a class stands for; '' for none. */
  resourceOf(className: string): string {
    const found = this.#index.now().find((c) => c.metadata.name === className);
    return str(obj(found, 'spec'), 'extendedResourceName');
  }

  /** Whether some class stands for an extended resource, by its spec or by the name that each class has as a resource. */
  standsFor(resource: string): boolean {
    return this.#index.now().some((c) => resource === ofSpec(c) || resource === IMPLICIT + (c.metadata.name ?? ''));
  }
}

const IMPLICIT = 'deviceclass.resource.kubernetes.io/';
const ofSpec = (c: KubeObject): string | undefined => str(obj(c, 'spec'), 'extendedResourceName') || undefined;
