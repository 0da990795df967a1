import { WorkQueue } from '../../controllers/work-queue.js';
import { isStatusError } from '../../machinery/errors.js';
import { equalJson, type KubeObject } from '../../machinery/json.js';
import { metaTime } from '../../registry/context.js';
import type { LocalClient, ObjectChange } from '../../registry/local-client.js';
import type { GroupEntry, ResourceTable, ServedEntry } from '../../registry/resource-table.js';
import { CustomResource, type CustomResourceDeps } from './custom-resource.js';
import { type Condition, CRDS, Definition, withCondition } from './definition.js';
import { InstanceCleanup } from './instance-cleanup.js';
import { acceptNames, NameIndex } from './names.js';
import { compareVersions } from './version-order.js';

export interface CustomResourcesDeps extends CustomResourceDeps {
  readonly client: LocalClient;
  readonly table: ResourceTable;
  log(level: 'info' | 'warning' | 'error', message: string): void;
}

const WRITER = { manager: 'kube-apiserver', subresource: 'status' };

/**
 * Serves what CustomResourceDefinitions define. A definition is followed the moment it is written: what is established
 * is in the table of resources before the writer of the condition hears of it. Names, conditions and the end of
 * definitions are brought about by a queue with one worker, so that two definitions never get one name.
 */
export class CustomResources {
  readonly #deps: CustomResourcesDeps;
  readonly #definitions = new Map<string, Definition>();
  readonly #names = new NameIndex();
  /** By name of the definition. */
  readonly #served = new Map<string, CustomResource>();
  /** Names of definitions by group. */
  readonly #groups = new Map<string, Set<string>>();
  /** Names of definitions by group that don't have all the names they ask for. */
  readonly #wanting = new Map<string, Set<string>>();
  readonly #queue: WorkQueue;
  readonly #cleanup: InstanceCleanup;
  #unsubscribe: (() => void) | undefined;

  constructor(deps: CustomResourcesDeps) {
    this.#deps = deps;
    this.#queue = new WorkQueue({
      workers: 1,
      work: (name) => this.#settle(name),
      failed: (name, error) => deps.log('warning', `CustomResourceDefinition ${name}: ${String(error)}`),
    });
    this.#cleanup = new InstanceCleanup(deps.env, (name) => this.#queue.add(name));
  }

  /** Settles when everything that was established before is served. */
  async start(): Promise<void> {
    this.#unsubscribe = await this.#deps.client.subscribe(CRDS, (change) => this.#observe(change));
  }

  async stop(): Promise<void> {
    this.#unsubscribe?.();
    await this.#queue.close();
  }

  #observe({ type, object }: ObjectChange): void {
    const name = object.metadata.name ?? '';
    const old = this.#definitions.get(name);
    if (old) this.#names.remove(old);
    if (type === 'DELETED') {
      this.#definitions.delete(name);
      this.#withdraw(name);
      const { group } = new Definition(object);
      remove(this.#groups, group, name);
      remove(this.#wanting, group, name);
      this.#publish(group);
      this.#reconsider(group, name);
      return;
    }
    const definition = new Definition(object);
    this.#definitions.set(name, definition);
    this.#names.add(definition);
    if (equalJson(definition.names, definition.acceptedNames)) remove(this.#wanting, definition.group, name);
    else add(this.#wanting, definition.group, name);
    if (old && !equalJson(old.acceptedNames, definition.acceptedNames)) this.#reconsider(definition.group, name);
    this.#serve(name, definition, old);
    this.#queue.add(name);
  }

  /** Names may have become free. */
  #reconsider(group: string, name: string): void {
    for (const other of this.#wanting.get(group) ?? []) if (other !== name) this.#queue.add(other);
  }

  #serve(name: string, definition: Definition, old: Definition | undefined): void {
    const { group } = definition;
    add(this.#groups, group, name);
    if (!definition.is('Established')) {
      if (this.#withdraw(name)) this.#publish(group);
      return;
    }
    const current = this.#served.get(name);
    const same =
      current &&
      current.definition.uid === definition.uid &&
      equalJson(current.definition.spec, definition.spec) &&
      equalJson(current.definition.acceptedNames, definition.acceptedNames);
    if (!same) {
      this.#withdraw(name);
      this.#served.set(name, new CustomResource(definition, this.#deps));
    } else if (old?.terminating === definition.terminating) return;
    this.#publish(group);
  }

  #withdraw(name: string): boolean {
    const current = this.#served.get(name);
    if (!current) return false;
    this.#served.delete(name);
    this.#deps.cacher.release(current.cache);
    return true;
  }

  /** Puts a group into the table as it is now. */
  #publish(group: string): void {
    const versions = new Map<string, ServedEntry[]>();
    for (const name of this.#groups.get(group) ?? []) {
      const resource = this.#served.get(name);
      const definition = this.#definitions.get(name);
      if (!resource || !definition) continue;
      for (const entry of resource.entries(definition.terminating)) {
        const entries = versions.get(entry.version);
        if (entries) entries.push(entry);
        else versions.set(entry.version, [entry]);
      }
    }
    const sorted = [...versions.keys()].sort(compareVersions);
    const entry: GroupEntry = {
      group,
      versions: sorted.map((version) => ({
        version,
        resources: versions.get(version)!.sort((a, b) => (a.resource < b.resource ? -1 : 1)),
      })),
    };
    this.#deps.table.replace(entry);
  }

  /** One look at a definition: names, then the condition that says it is served, then its end. */
  async #settle(name: string): Promise<number | undefined> {
    const definition = this.#definitions.get(name);
    if (!definition) {
      this.#cleanup.forget(name);
      return undefined;
    }
    try {
      if (await this.#settleNames(definition)) return undefined;
      if (definition.is('NamesAccepted') && !definition.is('Established')) {
        await this.#setConditions(name, {}, [ESTABLISHED]);
        return undefined;
      }
      if (definition.beingDeleted) return await this.#finalize(definition);
    } catch (e) {
      if (!isStatusError(e, 'NotFound')) throw e;
    }
    return undefined;
  }

  /** True when something was written: the definition comes again then. */
  async #settleNames(definition: Definition): Promise<boolean> {
    if (equalJson(definition.names, definition.acceptedNames)) return false;
    const { acceptedNames, condition } = acceptNames(definition, this.#names);
    const known = definition.condition('NamesAccepted');
    const unchanged =
      known?.status === condition.status && known.reason === condition.reason && known.message === condition.message;
    if (unchanged && equalJson(acceptedNames, definition.acceptedNames)) return false;
    const established = definition.condition('Established');
    const next =
      established?.status === 'True'
        ? established
        : condition.status === 'True'
          ? INSTALLING
          : (established ?? NOT_ACCEPTED);
    await this.#setConditions(definition.name, { acceptedNames }, [condition, next]);
    return true;
  }

  async #finalize(definition: Definition): Promise<number | undefined> {
    const { name } = definition;
    const resource = this.#served.get(name);
    const kind = resource?.kindAt(resource.definition.storageVersion);
    const step = await this.#cleanup.next(definition, kind);
    switch (step.type) {
      case 'nothing':
        return undefined;
      case 'waiting':
        await this.#setConditions(name, {}, [step.condition]);
        return step.again;
      case 'done':
        await this.#setConditions(name, {}, [step.condition], step.finalizer);
        return undefined;
    }
  }

  async #setConditions(
    name: string,
    status: KubeObject['status'] & object,
    conditions: readonly Condition[],
    withoutFinalizer?: string,
  ): Promise<void> {
    const now = metaTime(this.#deps.env.now());
    await this.#deps.client.update(
      CRDS,
      '',
      name,
      (object) => {
        const definition = new Definition(object);
        let next = definition.conditions;
        for (const condition of conditions) next = withCondition(next, condition, now);
        object.status = { ...definition.status, ...status, conditions: next };
        if (withoutFinalizer) {
          object.metadata.finalizers = object.metadata.finalizers?.filter((f) => f !== withoutFinalizer);
        }
        return object;
      },
      WRITER,
    );
  }
}

function add(sets: Map<string, Set<string>>, group: string, name: string): void {
  const set = sets.get(group);
  if (set) set.add(name);
  else sets.set(group, new Set([name]));
}

function remove(sets: Map<string, Set<string>>, group: string, name: string): void {
  const set = sets.get(group);
  if (set?.delete(name) && set.size === 0) sets.delete(group);
}

const INSTALLING: Condition = {
  type: 'Established',
  status: 'False',
  reason: 'Installing',
  message: 'the initial names have been accepted',
};
const NOT_ACCEPTED: Condition = {
  type: 'Established',
  status: 'False',
  reason: 'NotAccepted',
  message: 'not all names are accepted',
};
const ESTABLISHED: Condition = {
  type: 'Established',
  status: 'True',
  reason: 'InitialNamesAccepted',
  message: 'the initial names have been accepted',
};
