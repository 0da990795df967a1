import { badRequest, resourceExpired } from '../../machinery/errors.js';
import { isStorageError, prefixEnd, type RangeResult, type Storage } from '../contract.js';
import type { Cursor, OrderedView } from '../ordered.js';
import { TimeSlice } from '../yield.js';
import type { CachedObject, ListOptions, ListResult } from './cacher.js';
import { selects } from './change.js';
import { type Continue, ContinueExpiredError, decodeContinue, encodeContinue } from './continue.js';
import type { ObjectScope } from './object.js';
import { parseResourceVersion } from './revision.js';

/** Objects handed out in one batch. */
const BATCH = 100;
/** Keys read from the storage at once. */
const CHUNK = 500;

/** Which state a list shows. Exact: as it was at that revision; at least: the newest, once it is not older than that. */
export type ListState = { readonly exact: number | bigint } | { readonly atLeast: number | bigint | 'current' };

export interface ListPlan {
  readonly state: ListState;
  /** Keys in [start, end). */
  readonly start: string;
  readonly end: string;
  /** What continue tokens are relative to. */
  readonly prefix: string;
  /** 0: no limit. */
  readonly limit: number;
  readonly continued: boolean;
}

/**
 * What the options of a list mean, by the documented semantics of resourceVersion, resourceVersionMatch, limit and
 * continue (Kubernetes API concepts, "Resource versions").
 *
 * @param key full key of the one object that is wanted, when it is one
 */
export function planList(options: ListOptions, prefix: string, key: string | undefined): ListPlan {
  const { continue: token = '', resourceVersion = '', resourceVersionMatch: match = '' } = options;
  const paging = (options.limit ?? 0) > 0;
  const rest = {
    prefix,
    limit: paging && resourceVersion !== '0' && !key ? options.limit! : 0,
    continued: false,
    start: key ?? prefix,
    end: key === undefined ? prefixEnd(prefix) : `${key}\0`,
  };
  if (token && !key) {
    const from: Continue = decodeContinue(token, prefix);
    if (resourceVersion !== '' && resourceVersion !== '0') {
      throw badRequest('specifying resource version is not allowed when using continue');
    }
    const state: ListState = from.revision > 0 ? { exact: from.revision } : { atLeast: 'current' };
    return { ...rest, state, start: from.start, continued: true };
  }
  const revision = listRevision(resourceVersion);
  // A limit at a revision means exactly that revision: such requests are older than resourceVersionMatch.
  const exact = match === 'Exact' || (match === '' && paging && !key && revision > 0);
  if (exact) return { ...rest, state: { exact: revision } };
  return { ...rest, state: { atLeast: resourceVersion === '' ? 'current' : revision } };
}

function listRevision(text: string): number | bigint {
  try {
    return parseResourceVersion(text);
  } catch (e) {
    throw badRequest(`invalid resource version: ${e instanceof Error ? e.message : String(e)}`);
  }
}

/** A list out of a state in memory. */
export async function listView(
  view: OrderedView<CachedObject>,
  revision: number,
  plan: ListPlan,
  options: ListOptions,
): Promise<ListResult> {
  const cursor = view.cursor(plan.start, plan.end);
  if (plan.limit === 0) return new List(revision, matching(cursor, options));
  const slice = new TimeSlice();
  const found: CachedObject[] = [];
  let more = false;
  for (let o = cursor.next(); o && !more; o = cursor.next()) {
    if (found.length === plan.limit) more = plan.continued || (options.counted?.(o) ?? true);
    else if (selects(options, o)) found.push(o);
    if (slice.spent()) await slice.renew();
  }
  const total = more && !options.predicate ? view.count(plan.start, plan.end) : undefined;
  return page(revision, found, more, total, plan);
}

async function* matching(cursor: Cursor<CachedObject>, options: ListOptions): AsyncGenerator<CachedObject[], void> {
  const slice = new TimeSlice();
  let batch: CachedObject[] = [];
  for (let o = cursor.next(); o; o = cursor.next()) {
    if (selects(options, o)) batch.push(o);
    if (batch.length === BATCH) {
      yield batch;
      batch = [];
    }
    if (slice.spent()) await slice.renew();
  }
  if (batch.length > 0) yield batch;
}

/** A list out of the storage's history, for states that memory no longer holds. */
export async function listStored(
  storage: Storage,
  scope: ObjectScope,
  known: OrderedView<CachedObject>,
  revision: number,
  plan: ListPlan,
  options: ListOptions,
): Promise<ListResult> {
  const chunks = storedChunks(storage, scope, known, revision, plan);
  const first = await chunks.next(); // before the answer begins, while an error can still be told
  async function* rest(): AsyncGenerator<CachedObject[], void> {
    if (first.done) return;
    yield first.value.filter((o) => selects(options, o));
    for await (const chunk of chunks) yield chunk.filter((o) => selects(options, o));
  }
  if (plan.limit === 0) return new List(revision, rest());
  const found: CachedObject[] = [];
  let more = false;
  for (let chunk = first; !chunk.done && !more; chunk = await chunks.next()) {
    for (const o of chunk.value) {
      if (found.length === plan.limit) more = true;
      else if (selects(options, o)) found.push(o);
    }
  }
  let total: number | undefined;
  if (more && !options.predicate) {
    total = (await storage.range({ start: plan.start, end: plan.end, revision, countOnly: true })).count;
  }
  return page(revision, found, more, total, plan);
}

async function* storedChunks(
  storage: Storage,
  scope: ObjectScope,
  known: OrderedView<CachedObject>,
  revision: number,
  plan: ListPlan,
): AsyncGenerator<CachedObject[], void> {
  let start: string | undefined = plan.start;
  while (start !== undefined) {
    const from: string = start;
    const { kvs, more }: RangeResult = await storage
      .range({ start: from, end: plan.end, limit: CHUNK, revision })
      .catch((e: unknown) => {
        throw isStorageError(e, 'Compacted') ? expired(plan, from) : e;
      });
    const objects: CachedObject[] = [];
    for (const kv of kvs) {
      const cached = known.get(kv.key);
      const object = cached?.revision === kv.modRevision ? cached : scope.tryFromStored(kv);
      if (object) objects.push(object);
    }
    yield objects;
    const last = kvs.at(-1);
    start = more && last ? `${last.key}\0` : undefined;
  }
}

function expired(plan: ListPlan, start: string): Error {
  if (plan.continued) return new ContinueExpiredError(start, plan.prefix);
  return resourceExpired('The resourceVersion for the provided list is too old.');
}

/** @param total keys from the start of the page on; undefined when nothing shall be said about the rest */
function page(
  revision: number,
  found: CachedObject[],
  more: boolean,
  total: number | undefined,
  plan: ListPlan,
): ListResult {
  const last = found.at(-1);
  const token = more && last ? encodeContinue(last.key, plan.prefix, revision) : undefined;
  return new List(revision, inBatches(found), token, total === undefined ? undefined : total - plan.limit);
}

async function* inBatches(objects: readonly CachedObject[]): AsyncGenerator<readonly CachedObject[], void> {
  const slice = new TimeSlice();
  for (let i = 0; i < objects.length; i += BATCH) {
    yield objects.slice(i, i + BATCH);
    if (slice.spent()) await slice.renew();
  }
}

class List implements ListResult {
  readonly revision: number;
  readonly continue: string | undefined;
  readonly remainingItemCount: number | undefined;
  readonly #batches: AsyncIterable<readonly CachedObject[]>;

  constructor(
    revision: number,
    batches: AsyncIterable<readonly CachedObject[]>,
    token?: string,
    remainingItemCount?: number,
  ) {
    this.revision = revision;
    this.#batches = batches;
    this.continue = token;
    this.remainingItemCount = remainingItemCount;
  }

  batches(): AsyncIterable<readonly CachedObject[]> {
    return this.#batches;
  }

  async items(): Promise<CachedObject[]> {
    const items: CachedObject[] = [];
    for await (const batch of this.#batches) items.push(...batch);
    return items;
  }
}
