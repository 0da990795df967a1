import type { KubeObject } from '../../machinery/json.js';
import type { KeyValue } from '../contract.js';
import type { Attributes, CachedObject, CacherHooks, ResourceOptions } from './cacher.js';
import type { FormCache, Forms } from './forms.js';
import { injectResourceVersion } from './splice.js';

const OPEN = 0x7b;

/** What the objects of one resource have in common. */
export class ObjectScope {
  readonly options: ResourceOptions;
  readonly hooks: CacherHooks;
  readonly forms: FormCache;

  constructor(options: ResourceOptions, hooks: CacherHooks, forms: FormCache) {
    this.options = options;
    this.hooks = hooks;
    this.forms = forms;
  }

  /** Throws when the stored value can't be read. */
  fromStored(kv: KeyValue): CachedObject {
    const { value } = kv;
    const json = isJson(value) ? value : this.#decode(value, kv.key);
    const spliced = injectResourceVersion(json, kv.modRevision);
    return new StoredObject(this, kv.key, kv.modRevision, spliced.json, spliced.bodyStart);
  }

  /** Undefined when the stored value can't be read; somebody is told. */
  tryFromStored(kv: KeyValue): CachedObject | undefined {
    try {
      return this.fromStored(kv);
    } catch (e) {
      this.hooks.onUnreadable?.(kv.key, e);
      return undefined;
    }
  }

  /** An object that can't be parsed has no attributes, so that it disturbs nobody who looks for others. */
  attributes(object: CachedObject): Attributes {
    try {
      return this.options.attributes(object.parsed());
    } catch (e) {
      this.hooks.onUnreadable?.(object.key, e);
      return { labels: {}, fields: {} };
    }
  }

  #decode(value: Buffer, key: string): Buffer {
    if (!this.hooks.decodeStored) throw new Error('the stored value is not JSON');
    return this.hooks.decodeStored(value, key);
  }
}

/** Stored JSON may be indented, but nothing we or kube-apiserver store starts with white space. */
function isJson(value: Buffer): boolean {
  return value[0] === OPEN;
}

/** The object with another resourceVersion, for what is told about its end. */
export function atRevision(object: CachedObject, revision: number): CachedObject {
  return object instanceof StoredObject ? object.atRevision(revision) : object;
}

class StoredObject implements CachedObject {
  readonly key: string;
  readonly revision: number;
  readonly json: Buffer;
  readonly bodyStart: number;
  readonly #scope: ObjectScope;
  #parsed: WeakRef<KubeObject> | undefined;
  #attributes: Attributes | undefined;
  #forms: Forms | undefined;

  constructor(
    scope: ObjectScope,
    key: string,
    revision: number,
    json: Buffer,
    bodyStart: number,
    attributes?: Attributes,
  ) {
    this.#scope = scope;
    this.key = key;
    this.revision = revision;
    this.json = json;
    this.bodyStart = bodyStart;
    this.#attributes = attributes;
  }

  get namespace(): string {
    const { prefix, namespaced } = this.#scope.options;
    return namespaced ? this.key.slice(prefix.length, this.key.indexOf('/', prefix.length)) : '';
  }

  get name(): string {
    return this.key.slice(this.key.lastIndexOf('/') + 1);
  }

  get uid(): string {
    return this.parsed().metadata.uid ?? '';
  }

  get labels(): Readonly<Record<string, string>> {
    return this.#attributesOf().labels;
  }

  get fields(): Readonly<Record<string, string>> {
    return this.#attributesOf().fields;
  }

  parsed(): KubeObject {
    let object = this.#parsed?.deref();
    if (!object) {
      object = this.#scope.hooks.parse(this.json);
      this.#parsed = new WeakRef(object);
    }
    return object;
  }

  form(name: string, make: (object: CachedObject) => Buffer): Buffer {
    this.#forms ??= new Map();
    return this.#scope.forms.get(this.#forms, name, () => make(this));
  }

  atRevision(revision: number): CachedObject {
    const { json, bodyStart } = injectResourceVersion(this.json, revision);
    return new StoredObject(this.#scope, this.key, revision, json, bodyStart, this.#attributes);
  }

  #attributesOf(): Attributes {
    this.#attributes ??= this.#scope.attributes(this);
    return this.#attributes;
  }
}
