import type { Strategy } from '../api/strategy.js';
import type { FieldManager } from '../machinery/apply/field-manager.js';
import type { Duplicates } from '../machinery/codec/json/scanner.js';
import type { GroupKind, GroupResource } from '../machinery/errors.js';
import {
  type GroupVersionKind,
  type JsonObject,
  type JsonValue,
  type KubeObject,
  parseApiVersion,
} from '../machinery/json.js';
import type { Type } from '../machinery/scheme/type.js';
import type { CachedObject, ResourceCache } from '../storage/cacher/cacher.js';

/**
 * One kind as it is stored: the same objects may be served at several versions (and, for events, in two groups).
 * Built-in kinds and custom resources are both made of this; the generic path knows no other difference.
 */
export interface Kind {
  readonly group: string;
  readonly kind: string;
  /** Plural. */
  readonly resource: string;
  readonly namespaced: boolean;
  /** The version that strategies and admission see, and that objects are stored at unless `stored` says otherwise. */
  readonly hub: KindVersion;
  readonly strategy: Strategy;
  readonly cache: ResourceCache;
  readonly rules: KindRules;
  /** Absent: the store holds the JSON of the hub version. */
  readonly stored?: StoredForm;
}

/**
 * How objects lie in the store, where that is not their JSON at the hub version: every served version of a custom
 * resource is a hub of its own over one store, and schema and conversion stand between the two.
 */
export interface StoredForm {
  /** JSON at the hub version, with resourceVersion. Buffers are shared. Throws the StatusError of a failed conversion. */
  read(objects: readonly CachedObject[]): Promise<readonly Buffer[]>;
  /** The same for a list: what lay in the store before the definition changed and can't be had now holds up all lists. */
  list(objects: readonly CachedObject[]): Promise<readonly Buffer[]>;
  /** What to store for an object at the hub version, without resourceVersion. */
  write(object: KubeObject): Promise<Buffer>;
  /** What would be read of an object that is not written, as of a dry run. */
  copy(object: KubeObject): Promise<Buffer>;
  /**
   * Before an object is changed or removed. `values` is the object at the hub version.
   *
   * @throws StatusError when the object lies at a version that is not stored any more, and can't be had at the one that is
   */
  checkHeld(held: CachedObject, values: KubeObject): Promise<void>;
}

/** What the facts say about writes to a kind. */
export interface KindRules {
  readonly allowCreateOnUpdate: boolean;
  readonly allowUnconditionalUpdate: boolean;
  /** A delete answers with the removed object instead of a Status. */
  readonly returnsDeleted: boolean;
  /** Seconds after which an object goes by itself (events). */
  readonly ttlSeconds?: number;
}

export interface StrictDecoding {
  /** What the JSON parser noted about repeated keys. */
  duplicates?: Duplicates;
  /** `unknown field "spec.x"`, `duplicate field "kind"`. */
  report(text: string): void;
}

/** A kind at one version. */
export interface KindVersion extends GroupVersionKind {
  readonly apiVersion: string;
  /** Shape for patches, server-side apply and defaulting. */
  readonly type: Type;
  /** False for custom resources, whose list items carry their TypeMeta. */
  readonly typed: boolean;
  /** The schema as the definition of a custom resource has it. */
  readonly openAPI?: JsonObject;
  /** Annotations that upstream keeps as fields of the type it works with: metadata on their own come without them. */
  readonly fieldAnnotations?: readonly string[];
  /** Kind of lists where it is not the kind with `List` after it. */
  readonly listKind?: string;
  /**
   * JSON value → object in minimal form with its TypeMeta, defaults not applied. With `strict`, what the type does not
   * know is reported. Throws DecodeError on wrong types.
   */
  decode(value: JsonValue, strict?: StrictDecoding): KubeObject;
  /** Fills in what the client left out; also after each mutation by admission. */
  applyDefaults(object: KubeObject): void;
  /** JSON text with kind and apiVersion first. */
  encode(object: KubeObject): string;
  /** May change its argument, which must not be used afterwards. */
  toHub(object: KubeObject): Promise<KubeObject> | KubeObject;
  fromHub(object: KubeObject): Promise<KubeObject> | KubeObject;
  /** Keeps managedFields for writes through the resource (''), or a subresource, at this version. */
  fieldManager(subresource: string): FieldManager;
}

/** A resource at a group and version, as a path names it. */
export interface ServedKind {
  readonly kind: Kind;
  readonly version: KindVersion;
}

export function groupResource(k: { group: string; resource: string }): GroupResource {
  return { group: k.group, resource: k.resource };
}

/** As errors name it: what is no Go type is what it says it is. */
export function kindOfObject({ hub }: Kind, object: KubeObject): GroupKind {
  if (hub.typed) return groupKind(hub);
  return { group: parseApiVersion(object.apiVersion ?? hub.apiVersion).group, kind: object.kind ?? hub.kind };
}

export function groupKind(k: { group: string; kind: string }): GroupKind {
  return { group: k.group, kind: k.kind };
}
