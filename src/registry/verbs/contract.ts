import type { AdmissionChain } from '../../admission/chain.js';
import type { MediaOffer } from '../../machinery/codec/negotiate.js';
import type { StatusError } from '../../machinery/errors.js';
import type { JsonObject, JsonValue } from '../../machinery/json.js';
import type { ListResult, Watcher } from '../../storage/cacher/cacher.js';
import type { Environment, OperationContext } from '../context.js';
import type { Endpoint } from '../endpoint.js';
import type { KindVersion } from '../kind.js';
import type { StoredObject } from '../store/object.js';

/** Parts of a write: the body becomes an object, mutating admission, validating admission. */
export type WriteStage = 'decode' | 'mutate' | 'admit';

/** One request on an endpoint, free of HTTP. */
export interface VerbRequest {
  readonly endpoint: Endpoint;
  readonly ctx: OperationContext;
  /** '' for cluster-scoped resources and requests over all namespaces. */
  readonly namespace: string;
  readonly name: string;
  readonly query: URLSearchParams;
  /** Content-Type as the client sent it; '' when it sent none. */
  readonly contentType: string;
  /** Formats of bodies. */
  readonly offers: readonly MediaOffer[];
  /** The whole body, bounded. */
  body(): Promise<Buffer>;
  /** An update that would create the object needs the right to create, too; throws the 403. */
  mayCreate(): Promise<void> | void;
  /** Runs a part of the work so that those who trace requests see it by itself. */
  stage<T>(stage: WriteStage, run: () => T | Promise<T>): T | Promise<T>;
  /** What the audit log keeps of bodies. */
  recordBody(object: JsonObject | undefined, patch?: JsonValue): void;
}

/** What the verbs share. */
export interface VerbServices {
  readonly env: Environment;
  readonly admission: Pick<AdmissionChain, 'admit' | 'validate'>;
  /** Objects that one deletecollection works on at a time. */
  readonly deleteWorkers: number;
}

export type VerbAnswer =
  | { readonly type: 'object'; readonly status: number; readonly version: KindVersion; readonly object: StoredObject }
  | { readonly type: 'value'; readonly status: number; readonly version: KindVersion; readonly value: JsonObject }
  | { readonly type: 'status'; readonly status: number; readonly value: JsonObject }
  | { readonly type: 'list'; readonly list: ListResult }
  /** Removed objects, answered as a list. */
  | { readonly type: 'objects'; readonly objects: readonly StoredObject[]; readonly revision: number }
  | { readonly type: 'watch'; readonly watcher: Watcher }
  /** A watch that can't begin where the client wants it: told as the only event of a stream. */
  | { readonly type: 'watch-error'; readonly error: StatusError };
