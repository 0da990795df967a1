import type { Attributes } from '../../auth/contract.js';
import { parseFieldSelector } from '../../machinery/selectors/field-selector.js';

/** How many watches a write is going to concern, by what they watch. */
export class WatchCounts {
  readonly #counts = new Map<string, number>();

  /** @returns call when the watch ends */
  add(watch: Attributes): () => void {
    // A watch on the pods of one node hears of few of the writes.
    if (watch.resource === 'pods' && watch.group === '' && watchesOneNode(watch)) return () => {};
    const key = scope(watch, watch.namespace, watch.name);
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    return () => {
      const left = this.#counts.get(key)! - 1;
      if (left === 0) this.#counts.delete(key);
      else this.#counts.set(key, left);
    };
  }

  interestedIn(write: Attributes): number {
    if (this.#counts.size === 0) return 0;
    const of = (namespace: string, name: string) => this.#counts.get(scope(write, namespace, name)) ?? 0;
    let count = of('', '');
    if (write.namespace) count += of(write.namespace, '');
    if (write.name) count += of(write.namespace, write.name);
    return count;
  }
}

function scope({ group, resource }: Attributes, namespace: string, name: string): string {
  return `${group}/${resource}/${namespace}/${name}`;
}

function watchesOneNode({ fieldSelector }: Attributes): boolean {
  if (!fieldSelector) return false;
  try {
    return Boolean(parseFieldSelector(fieldSelector).exactValue('spec.nodeName'));
  } catch {
    return false;
  }
}
