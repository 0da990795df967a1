import { badRequest, StatusError } from '../errors.js';
import { apiVersionOf, isJsonObject, type JsonObject, type KubeObject, parseApiVersion } from '../json.js';
import { Conflicts, conflictError } from './conflict.js';
import type { Applier, FieldManagerOptions, MaybePromise, Writer } from './contract.js';
import { difference, setOfPaths, union } from './field-set.js';
import { allowedByLastApplied, lastApplied, setLastApplied } from './last-applied.js';
import {
  capUpdaters,
  decodeManaged,
  encodeManaged,
  type Managed,
  type ManagerInfo,
  managedForUpdate,
  managerId,
  setOwned,
} from './managed.js';
import { overlay } from './overlay.js';
import { type Atom, atomOf } from './schema.js';
import { type Conversion, type Steps, Updater } from './updater.js';
import { validateConfig } from './validate.js';
import { TypedError } from './values.js';

/** Nobody owns these: they name the object or belong to the server. */
const NEVER_OWNED = setOfPaths([
  ['f:apiVersion'],
  ['f:kind'],
  ['f:metadata'],
  ...[
    'name',
    'namespace',
    'creationTimestamp',
    'selfLink',
    'uid',
    'clusterName',
    'generation',
    'managedFields',
    'resourceVersion',
  ].map((name) => ['f:metadata', `f:${name}`]),
]);

/** The manager whose server-side apply takes over from its client-side apply. */
const KUBECTL = 'kubectl';
const BEFORE_FIRST_APPLY = 'before-first-apply';

/**
 * Keeps `metadata.managedFields` (KEP-555). One per resource version and subresource. All objects are at the version in
 * the options and in minimal form. Methods settle at once unless a conversion takes a Promise.
 */
export class FieldManager {
  readonly #o: FieldManagerOptions;
  readonly #apiVersion: string;
  readonly #atoms = new Map<string, Atom | undefined>();
  readonly #updater: Updater;

  constructor(options: FieldManagerOptions) {
    this.#o = options;
    this.#apiVersion = apiVersionOf(options.kind);
    this.#updater = new Updater({
      form: options.structured ? 'go' : 'written',
      atom: (apiVersion) => this.#atom(apiVersion),
      resetFields: options.resetFields ?? {},
    });
  }

  #atom(apiVersion: string): Atom | undefined {
    if (!this.#atoms.has(apiVersion)) {
      const node = this.#o.schema(apiVersion);
      if (!node) return undefined; // not remembered: names come from clients
      this.#atoms.set(apiVersion, atomOf(node));
    }
    return this.#atoms.get(apiVersion);
  }

  /** See `overlay`: for mutating policies, whose changes nobody owns. */
  overlay(live: JsonObject, config: JsonObject): JsonObject {
    const atom = this.#atom(this.#apiVersion);
    if (!atom) throw new Error(`no schema of ${this.#apiVersion}, Kind=${this.#o.kind.kind} is known`);
    return overlay(live, config, atom);
  }

  #info(manager: string, operation: 'Apply' | 'Update'): ManagerInfo {
    return {
      manager: manager || 'unknown',
      operation,
      apiVersion: this.#apiVersion,
      subresource: this.#o.subresource ?? '',
    };
  }

  /**
   * For create, update and every patch but apply: sets `object.metadata.managedFields` from what differs between `live`
   * (undefined on create; never changed) and `object`. Times change only for a writer that changed something. An object
   * whose fields can't be told is left without managedFields, as upstream does.
   */
  onUpdate(live: KubeObject | undefined, object: KubeObject, writer: Writer): MaybePromise<KubeObject> {
    return this.#run(this.#onUpdate(live, object, writer));
  }

  *#onUpdate(live: KubeObject | undefined, object: KubeObject, writer: Writer): Steps<KubeObject> {
    const managed = managedForUpdate(live, object, Boolean(this.#o.subresource));
    delete object.metadata.managedFields;
    try {
      setManaged(object, yield* this.#update(live, object, managed, writer));
    } catch (e) {
      if (!(e instanceof TypedError || e instanceof StatusError)) throw e;
      delete object.metadata.managedFields;
    }
    return object;
  }

  *#update(live: KubeObject | undefined, object: KubeObject, managed: Managed, writer: Writer): Steps<Managed> {
    // An object that lost its managers stays without until the next apply.
    if (managed.size === 0 && live?.metadata.uid) return managed;
    const outcome = yield* this.#updater.update(live, object, this.#apiVersion, managed);
    const changed = difference(outcome.changed, NEVER_OWNED);
    const info = this.#info(writer.manager, 'Update');
    const id = managerId(info);
    const before = outcome.managed.get(id);
    if (Object.keys(changed).length > 0) {
      outcome.managed.set(id, {
        info,
        set: before ? union(changed, before.set) : changed,
        apiVersion: this.#apiVersion,
        applied: false,
        time: writer.now,
      });
    }
    capUpdaters(outcome.managed);
    return outcome.managed;
  }

  /**
   * Server-side apply: merges `config` into `live` and removes what this manager no longer applies. The result is a new
   * object before defaulting, and may hold nulls and values that the caller's decoder must drop or refuse; `live`
   * (undefined when there is none) and `config` stay as they are.
   *
   * @throws StatusError 400 (wrong kind, managedFields set), 409 Conflict with FieldManagerConflict causes, 500 with the
   * violations of the schema ("failed to create typed patch object …")
   */
  apply(live: KubeObject | undefined, config: JsonObject, applier: Applier): MaybePromise<KubeObject> {
    return this.#run(this.#apply(live, config as KubeObject, applier));
  }

  *#apply(live: KubeObject | undefined, config: KubeObject, applier: Applier): Steps<KubeObject> {
    let managed = this.#decodeLive(live);
    this.#checkConfig(config);
    if (managed.size === 0 && live) managed = yield* this.#adopt(live, applier.now);
    let result: { object: KubeObject; managed: Managed };
    try {
      result = yield* this.#merge(live, config, managed, applier, applier.force === true);
    } catch (e) {
      if (!(e instanceof Conflicts)) throw e;
      const left = applier.manager === KUBECTL && live ? this.#notFromClientSide(live, e) : e;
      if (left.list.length > 0) throw conflictError(left);
      result = yield* this.#merge(live, config, managed, applier, true);
    }
    const { object } = result;
    if (applier.manager === KUBECTL && lastApplied(object)) setLastApplied(object, config);
    setManaged(object, result.managed);
    return object;
  }

  #decodeLive(live: KubeObject | undefined): Managed {
    try {
      return decodeManaged(live?.metadata.managedFields, true);
    } catch (e) {
      throw new StatusError(500, '', `failed to decode managed fields: ${(e as Error).message}`);
    }
  }

  #checkConfig(config: KubeObject): void {
    const apiVersion = typeof config.apiVersion === 'string' ? config.apiVersion : '';
    const kind = typeof config.kind === 'string' ? config.kind : '';
    if (apiVersion !== this.#apiVersion || kind !== this.#o.kind.kind) {
      throw badRequest(`invalid object type: ${gvkText(apiVersion, kind)}`);
    }
    const meta: unknown = config.metadata;
    if (isJsonObject(meta) && Array.isArray(meta.managedFields)) {
      throw badRequest('metadata.managedFields must be nil');
    }
    try {
      validateConfig(config, this.#atom(this.#apiVersion)!);
    } catch (e) {
      if (!(e instanceof TypedError)) throw e;
      throw failed(`failed to create typed patch object (${objectText(config)})`, e);
    }
  }

  /** Whatever is there before the first apply belongs to nobody in particular. */
  *#adopt(live: KubeObject, now: string): Steps<Managed> {
    try {
      return yield* this.#update(undefined, live, new Map(), { manager: BEFORE_FIRST_APPLY, now });
    } catch (e) {
      if (!(e instanceof TypedError)) throw e;
      throw failed('failed to create manager for existing fields', e);
    }
  }

  *#merge(
    live: KubeObject | undefined,
    config: KubeObject,
    managed: Managed,
    applier: Applier,
    force: boolean,
  ): Steps<{ object: KubeObject; managed: Managed }> {
    const info = this.#info(applier.manager, 'Apply');
    const id = managerId(info);
    try {
      const outcome = yield* this.#updater.apply(live, config, this.#apiVersion, managed, { id, info }, force);
      if (outcome.object) this.#checkConvertible(config);
      const own = outcome.managed.get(id);
      if (own) {
        const time = outcome.object ? applier.now : own.time;
        setOwned(outcome.managed, id, { ...own, set: difference(own.set, NEVER_OWNED), time });
      }
      const object = outcome.object ?? live!;
      return { object: { ...object, metadata: { ...object.metadata } }, managed: outcome.managed };
    } catch (e) {
      if (!(e instanceof TypedError)) throw e;
      throw failed('failed to merge config', e);
    }
  }

  #checkConvertible(config: KubeObject): void {
    const { unconvertible } = this.#o;
    if (unconvertible === undefined) return;
    const what = `failed to convert new object (${objectText(config)}) to proper version`;
    throw new StatusError(500, '', `${what}: ${unconvertible}`);
  }

  /** The conflicts that are not explained by an earlier client-side apply of the same values. */
  #notFromClientSide(live: KubeObject, conflicts: Conflicts): Conflicts {
    const allowed = allowedByLastApplied(live, this.#apiVersion, this.#atom(this.#apiVersion)!, this.#o.structured);
    return allowed ? new Conflicts(conflicts.list.filter((c) => !allowed(c.path))) : conflicts;
  }

  /** Does the steps, at once as long as conversions answer at once. */
  #run<T>(steps: Steps<T>): MaybePromise<T> {
    let step = steps.next();
    while (!step.done) {
      let answer: MaybePromise<KubeObject>;
      try {
        answer = this.#convert(step.value);
      } catch (e) {
        step = steps.throw(e);
        continue;
      }
      if (answer instanceof Promise) return this.#finish(steps, answer);
      step = steps.next(answer);
    }
    return step.value;
  }

  async #finish<T>(steps: Steps<T>, first: Promise<KubeObject>): Promise<T> {
    let answer: MaybePromise<KubeObject> = first;
    for (;;) {
      let step: IteratorResult<Conversion, T>;
      try {
        step = steps.next(await answer);
      } catch (e) {
        step = steps.throw(e);
      }
      if (step.done) return step.value;
      answer = this.#convert(step.value);
    }
  }

  #convert({ object, from, to }: Conversion): MaybePromise<KubeObject> {
    if (!this.#o.convert) throw new StatusError(500, '', `no conversion of ${this.#o.kind.kind} from ${from} to ${to}`);
    return this.#o.convert(object, from, to);
  }
}

function setManaged(object: KubeObject, managed: Managed): void {
  const entries = encodeManaged(managed);
  if (entries) object.metadata.managedFields = entries;
  else delete object.metadata.managedFields;
}

/** A 500 without a reason, as upstream answers errors that it does not expect. */
function failed(what: string, e: Error): StatusError {
  return new StatusError(500, '', `${what}: ${e.message}`);
}

function gvkText(apiVersion: string, kind: string): string {
  const { group, version } = parseApiVersion(apiVersion);
  return `${group}/${version}, Kind=${kind}`;
}

function objectText(object: KubeObject): string {
  const meta: unknown = object.metadata;
  const text = (key: string): string =>
    isJsonObject(meta) && typeof meta[key] === 'string' ? (meta[key] as string) : '';
  return `${text('namespace')}/${text('name')}; ${gvkText(object.apiVersion ?? '', object.kind ?? '')}`;
}
