import type { GroupResource } from '../../machinery/errors.js';
import { compareBytes } from '../../machinery/go-format.js';
import type { KubeObject } from '../../machinery/json.js';
import type { Objects } from './concerns.js';
import { ObjectIndex } from './object-index.js';

/** A class that an administrator marked as default by one of `annotations`: the newest of several, then the first by name. */
export class DefaultClass {
  readonly #index: ObjectIndex;

  constructor(objects: Objects, resource: GroupResource, annotations: readonly string[]) {
    const marked = ({ metadata }: KubeObject) => annotations.some((key) => metadata.annotations?.[key] === 'true');
    this.#index = new ObjectIndex(objects, resource, marked);
  }

  /** Its name; undefined when there is none. */
  async name(): Promise<string | undefined> {
    const found = (await this.#index.in()).map(({ metadata }) => metadata);
    found.sort(
      (x, y) =>
        compareBytes(y.creationTimestamp ?? '', x.creationTimestamp ?? '') || compareBytes(x.name ?? '', y.name ?? ''),
    );
    return found[0]?.name;
  }
}
