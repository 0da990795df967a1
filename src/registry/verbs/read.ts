import { badRequest, isStatusError } from '../../machinery/errors.js';
import { parseFieldSelector } from '../../machinery/selectors/field-selector.js';
import { parseLabelSelector } from '../../machinery/selectors/label-selector.js';
import type { Predicate } from '../../storage/cacher/cacher.js';
import type { Kind } from '../kind.js';
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
  const found = await kind.cache.list({
    ...selection,
    limit: options.limit,
    continue: options.continue,
    resourceVersion: options.resourceVersion,
    resourceVersionMatch: (options.resourceVersionMatch || undefined) as 'Exact' | 'NotOlderThan' | undefined,
  });
  return { type: 'list', list: found };
}

/** GET with watch: the events from a revision on. Lives until its time is over or the client goes. */
export async function watch(
  request: VerbRequest,
  timeoutMs: (seconds: number | undefined) => number,
): Promise<VerbAnswer> {
  const kind = request.endpoint.kind!;
  const options = listQuery(request.query, true);
  const selection = select(request, kind, options);
  try {
    const watcher = await kind.cache.watch({
      ...selection,
      resourceVersion: options.resourceVersion,
      resourceVersionMatch: (options.resourceVersionMatch || undefined) as 'NotOlderThan' | undefined,
      sendInitialEvents: options.sendInitialEvents,
      allowBookmarks: options.allowWatchBookmarks,
      timeoutMs: timeoutMs(options.timeoutSeconds),
    });
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
}

/**
 * Label and field selectors as one predicate; selectors on name and namespace narrow what is looked at.
 *
 * @throws 400 for what can't be parsed and for fields the kind does not select by
 */
export function select(request: VerbRequest, kind: Kind, options: ListQuery): Selection {
  const labels = parseLabelSelector(options.labelSelector);
  const fields = parseFieldSelector(options.fieldSelector);
  const known = request.endpoint.selectableFields ?? new Set(['metadata.name', 'metadata.namespace']);
  for (const { field } of fields.requirements) {
    if (!known.has(field)) throw badRequest(request.endpoint.unknownField?.(field) ?? unknownField(field, known));
  }
  const name = fields.exactValue('metadata.name') || request.name || undefined;
  const byNamespace = kind.namespaced ? fields.exactValue('metadata.namespace') : undefined;
  const namespace = request.namespace || byNamespace || undefined;
  let predicate: Predicate | undefined;
  if (!labels.empty && !fields.empty) predicate = (o) => labels.matches(o.labels) && fields.matches(o.fields);
  else if (!labels.empty) predicate = (o) => labels.matches(o.labels);
  else if (!fields.empty) predicate = (o) => fields.matches(o.fields);
  return { namespace, name, predicate };
}

/** Kinds that name their selectable fields themselves have another message than those that have the default ones. */
function unknownField(field: string, known: ReadonlySet<string>): string {
  const isDefault = known.size === 2 && known.has('metadata.name') && known.has('metadata.namespace');
  if (!isDefault) return `field label not supported: ${field}`;
  const only = [...known].map((f) => `"${f}"`).join(', ');
  return `${JSON.stringify(field)} is not a known field selector: only ${only}`;
}
