import { isStatusError } from '../../machinery/errors.js';
import type { Environment } from '../../registry/context.js';
import type { Kind } from '../../registry/kind.js';
import type { WriteContext } from '../../registry/store/context.js';
import { deleteObject } from '../../registry/store/delete.js';
import type { Subscription } from '../../storage/cacher/cacher.js';
import { CLEANUP_FINALIZER, type Condition, type Definition } from './definition.js';

/** How long to wait before looking again at instances whose finalizers hold them; their removal is seen at once. */
const AGAIN_MS = 5000;
const WORKERS = 8;

export type CleanupStep =
  | { readonly type: 'nothing' }
  | { readonly type: 'waiting'; readonly condition: Condition; readonly again: number }
  | { readonly type: 'done'; readonly condition: Condition; readonly finalizer: string };

/** Deletes the instances of a definition that is being deleted, and tells when they are gone. */
export class InstanceCleanup {
  readonly #env: Environment;
  readonly #again: (name: string) => void;
  /** Watches over instances that are still there, by name of the definition. */
  readonly #waiting = new Map<string, Subscription>();

  constructor(env: Environment, again: (name: string) => void) {
    this.#env = env;
    this.#again = again;
  }

  /** @param kind at the storage version; undefined when the definition was never served */
  async next(definition: Definition, kind: Kind | undefined): Promise<CleanupStep> {
    if (!definition.object.metadata.finalizers?.includes(CLEANUP_FINALIZER)) return { type: 'nothing' };
    const finalizer = CLEANUP_FINALIZER;
    if (!kind) {
      const message = 'resource was never established';
      return { type: 'done', finalizer, condition: terminating('False', 'NeverEstablished', message) };
    }
    await this.#watch(definition.name, kind);
    const left = await this.#deleteAll(kind);
    if (left === 0) {
      this.forget(definition.name);
      const condition = terminating('False', 'InstanceDeletionCompleted', 'removed all instances');
      return { type: 'done', finalizer, condition };
    }
    const condition = terminating('True', 'InstanceDeletionInProgress', 'CustomResource deletion is in progress');
    return { type: 'waiting', condition, again: AGAIN_MS };
  }

  forget(name: string): void {
    this.#waiting.get(name)?.cancel();
    this.#waiting.delete(name);
  }

  async #watch(name: string, kind: Kind): Promise<void> {
    if (this.#waiting.has(name)) return;
    const subscription = await kind.cache.subscribe({
      changed: (object, previous) => {
        if (!object && previous && kind.cache.size <= 1) this.#again(name);
      },
    });
    this.#waiting.set(name, subscription);
  }

  /** The number of instances that are still there. */
  async #deleteAll(kind: Kind): Promise<number> {
    const objects = await (await kind.cache.list()).items();
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < objects.length) {
        const { namespace, name } = objects[next++]!;
        try {
          await deleteObject(kind, this.#env, this.#context(kind, namespace), name, {}, () => {});
        } catch (e) {
          if (!isStatusError(e, 'NotFound')) throw e;
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(WORKERS, objects.length) }, worker));
    return (await (await kind.cache.list()).items()).length;
  }

  #context(kind: Kind, namespace: string): WriteContext {
    return {
      user: { name: 'system:apiserver', groups: ['system:masters'] },
      signal: NEVER,
      userAgent: 'kube-apiserver',
      warn: () => {},
      annotate: () => {},
      namespace,
      subresource: '',
      dryRun: false,
      requestVersion: kind.hub.apiVersion,
    };
  }
}

const NEVER = new AbortController().signal;

function terminating(status: string, reason: string, message: string): Condition {
  return { type: 'Terminating', status, reason, message };
}
