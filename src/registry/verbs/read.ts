import { badRequest, isStatusError } from '../../machinery/errors.js';
import { FieldSelector, parseFieldSelector } from '../../machinery/selectors/field-selector.js';
import { parseLabelSelector } from '../../machinery/selectors/label-selector.js';
import type { ListResult, Predicate, WatchOptions } from '../../storage/cacher/cacher.js';
import type { Kind } from '../kind.js';
import { type LateFields, listLate, watchLate } from '../late-fields.js';
import { type ListQuery, listQuery } from '../options.js';
import type { VerbAnswer, VerbRequest } from './contract.js';
import { writeContext } from './write.js';

/** GET of one object. */
export async function get(request: VerbRequest): Promise<VerbAnswer> {
  const { endpoint } = request;
  const resourceVersion = request.query.get('resourceVersion') ?? '';
  const object = await endpoint.get!(writeContext(request, false), request.name, resourceVersion);
  return { type: 'object', status: 200, version: endpoint.version, object };
}

/** GET of a collection. */
export async function list(request: VerbRequest): Promise<VerbAnswer> {
  const { endpoint } = request;
  const options = listQuery(request.query, false);
  if (endpoint.list) return { type: 'list', list: await endpoint.list(writeContext(request, false), options) };
  const kind = endpoint.kind!;
  const selection = select(request, kind, options);
  return { type: 'list', list: await listSelected(kind, selection, options) };
}

/** The objects of a kind that were selected. */
export function listSelected(kind: Kind, { late, ...selection }: Selection, options: ListQuery): Promise<ListResult> {
  const listed = {
    ...selection,
    limit: options.limit,
    continue: options.continue,
    resourceVersion: options.resourceVersion,
    resourceVersionMatch: (options.resourceVersionMatch || undefined) as 'Exact' | 'NotOlderThan' | undefined,
  };
  return late ? listLate(kind.cache, listed, late) : kind.cache.list(listed);
}

/** GET with watch: the events from a revision on. Lives until its time is over or the client goes. */
export async function watch(
  request: VerbRequest,
  timeoutMs: (seconds: number | undefined) => number,
): Promise<VerbAnswer> {
  const kind = request.endpoint.kind!;
  const options = listQuery(request.query, true);
  const { late, ...selection } = select(request, kind, options);
  try {
    const watched: WatchOptions = {
      ...selection,
      resourceVersion: options.resourceVersion,
      resourceVersionMatch: (options.resourceVersionMatch || undefined) as 'NotOlderThan' | undefined,
      sendInitialEvents: options.sendInitialEvents,
      allowBookmarks: options.allowWatchBookmarks,
      timeoutMs: timeoutMs(options.timeoutSeconds),
    };
    const watcher = await (late ? watchLate(kind.cache, watched, late) : kind.cache.watch(watched));
    return { type: 'watch', watcher };
  } catch (error) {
    if (isStatusError(error, 'Expired') || isStatusError(error, 'Timeout')) return { type: 'watch-error', error };
    throw error;
  }
}

export interface Selection {
  namespace: string | undefined;
  name: string | undefined;
  predicate: Predicate | undefined;
  counted: Predicate | undefined;
  /** What is left to select by when the predicate holds. */
  late?: LateFields;
}

/**
 * Label and field selectors as one predicate; selectors on name and namespace narrow what is looked at.
 *
 * @throws 400 for what can't be parsed and for fields the kind does not select by
 */
export function select(request: VerbRequest, kind: Kind, options: ListQuery): Selection {
  const labels = parseLabelSelector(options.labelSelector);
  const { fields, late } = lateSelection(request, parseFieldSelector(options.fieldSelector));
  const name = fields.exactValue('metadata.name') || request.name || undefined;
  const byNamespace = kind.namespaced ? fields.exactValue('metadata.namespace') : undefined;
  const namespace = request.namespace || byNamespace || undefined;
  let predicate: Predicate | undefined;
  if (!labels.empty && !fields.empty) predicate = (o) => labels.matches(o.labels) && fields.matches(o.fields);
  else if (!labels.empty) predicate = (o) => labels.matches(o.labels);
  else if (!fields.empty) predicate = (o) => fields.matches(o.fields);
  return { namespace, name, predicate, counted: indexed(kind, fields), late };
}

function indexed({ strategy }: Kind, fields: FieldSelector): Predicate | undefined {
  const field = strategy.indexedField;
  const value = field === undefined ? undefined : fields.exactValue(field);
  return field === undefined || value === undefined ? undefined : (o) => o.fields[field] === value;
}

/** Checks a selector and takes out of it what the cache can't tell. */
function lateSelection(
  { endpoint }: VerbRequest,
  selector: FieldSelector,
): { fields: FieldSelector; late: LateFields | undefined } {
  const known = endpoint.selectableFields ?? new Set(['metadata.name', 'metadata.namespace']);
  for (const { field } of selector.requirements) {
    if (!known.has(field)) throw badRequest(endpoint.unknownField?.(field) ?? unknownField(field, known));
  }
  const isLate = (field: string): boolean => !field.startsWith('metadata.');
  if (!endpoint.lateFields || !selector.requirements.some((r) => isLate(r.field))) {
    return { fields: selector, late: undefined };
  }
  const of = new FieldSelector(selector.requirements.filter((r) => isLate(r.field)));
  return {
    fields: new FieldSelector(selector.requirements.filter((r) => !isLate(r.field))),
    late: { of: (objects) => endpoint.lateFields!(objects), matches: (fields) => of.matches(fields) },
  };
}

/** Kinds that name their selectable fields themselves have another message than those that have the default ones. */
function unknownField(field: string, known: ReadonlySet<string>): string {
  const isDefault = known.size === 2 && known.has('metadata.name') && known.has('metadata.namespace');
  if (!isDefault) return `field label not supported: ${field}`;
  const only = [...known].map((f) => `"${f}"`).join(', ');
  return `${JSON.stringify(field)} is not a known field selector: only ${only}`;
}
