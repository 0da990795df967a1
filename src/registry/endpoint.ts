import type { Printer } from '../api/printers/contract.js';
import type { GroupResource } from '../machinery/errors.js';
import type { GroupVersionKind, JsonObject, KubeObject } from '../machinery/json.js';
import type { CachedObject, ListResult } from '../storage/cacher/cacher.js';
import type { Kind, KindVersion } from './kind.js';
import type { ListQuery } from './options.js';
import type { WriteContext } from './store/context.js';
import type { DeleteOptions, DeleteOutcome } from './store/delete.js';
import type { StoredObject } from './store/object.js';
import type { UpdateOutcome, UpdateRequest } from './store/update.js';

/**
 * What answers one resource or subresource path. The verbs work on this alone, so that a subresource with a kind of its
 * own (Scale), a virtual resource (SubjectAccessReview) and a stored one take the same generic path. A capability that
 * is absent is a 405; the verbs in discovery come from here too.
 */
export interface Endpoint {
  /** As the path names it. */
  readonly resource: GroupResource;
  readonly subresource: string;
  readonly namespaced: boolean;
  /** The kind that bodies are, at the version the client speaks. */
  readonly version: KindVersion;
  /** Other apiVersions of the same shape that bodies of `create` may name (an Eviction of policy/v1beta1). */
  readonly acceptedVersions?: readonly string[];
  /** `create` gets uid and times as the client sent them, for preconditions on the parent (pods/binding). */
  readonly keepsSystemFields?: boolean;
  /** The kind at its hub version: what admission sees and `update` works on. */
  readonly hub: KindVersion;
  /** Set for stored resources: list, watch and deletecollection work on its cache. */
  readonly kind?: Kind;
  /** Rows for `kubectl get`; absent where upstream makes no tables. */
  readonly printer?: Printer;
  /** Field selectors beyond the two on metadata that every kind has; upstream's order, for its message. */
  readonly selectableFields?: ReadonlySet<string>;
  /** Selectable fields that the cache does not know by itself: those of objects that are stored at other versions. */
  lateFields?(objects: readonly CachedObject[]): Promise<readonly Readonly<Record<string, string>>[]>;
  /** The message for a field that can't be selected by, where a kind has its own. */
  unknownField?(field: string): string;
  /** Deprecation text that goes out as a Warning with every answer. */
  readonly warning?: string;

  /** Verbs that are served, as discovery lists them. */
  readonly verbs: ReadonlySet<string>;

  get?(ctx: WriteContext, name: string, resourceVersion: string): Promise<StoredObject>;
  /** Lists what is computed; resources with a `kind` are listed from its cache. */
  list?(ctx: WriteContext, options: ListQuery): Promise<ListResult>;
  create?(ctx: WriteContext, request: CreateRequest): Promise<CreateOutcome>;
  update?(ctx: WriteContext, request: UpdateRequest): Promise<UpdateOutcome>;
  remove?(
    ctx: WriteContext,
    name: string,
    options: DeleteOptions,
    admit: (old: KubeObject) => Promise<void> | void,
  ): Promise<DeleteOutcome>;
}

export interface CreateRequest {
  /** The parent's name for subresources (`pods/x/binding`), else ''. */
  readonly name: string;
  /** At the hub version, after mutating admission. */
  readonly object: KubeObject;
  admit(object: KubeObject): Promise<void> | void;
}

/**
 * A stored object, a value that was only computed (a review, a token) at the endpoint's hub version, or a Status where
 * there is no object to show.
 */
export type CreateOutcome =
  | { readonly object: StoredObject; readonly status?: number }
  | { readonly value: JsonObject; readonly status?: number }
  | { readonly report: JsonObject; readonly status?: number };

export function gvkOf(version: KindVersion): GroupVersionKind {
  return { group: version.group, version: version.version, kind: version.kind };
}
