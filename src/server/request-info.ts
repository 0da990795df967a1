import { parseFieldSelector } from '../machinery/selectors/field-selector.js';

/** What a request is about, read off its method, path and query alone. */
export interface RequestInfo {
  readonly isResourceRequest: boolean;
  /** Decoded path. */
  readonly path: string;
  /** API verb of a resource request (get, list, watch, create, update, patch, delete, deletecollection), else the lower-case method. */
  readonly verb: string;
  /** `api` or `apis`. */
  readonly prefix: string;
  readonly group: string;
  readonly version: string;
  readonly namespace: string;
  readonly resource: string;
  readonly subresource: string;
  readonly name: string;
  /** The path begins with the verb (`/api/v1/watch/…`). Selectors of the query count for nothing in authorization then. */
  readonly verbInPath: boolean;
  /** Path segments from the resource on. */
  readonly parts: readonly string[];
}

const NAMESPACE_SUBRESOURCES = new Set(['status', 'finalize']);
const SPECIAL_VERBS = new Set(['proxy', 'watch']);

/**
 * The grammar of kube-apiserver's paths:
 * `/api/{version}/…` and `/apis/{group}/{version}/…`, then `namespaces/{ns}/{resource}/{name}/{subresource}` or
 * `{resource}/{name}/{subresource}`. Percent-encoding is undone per path before it is split, as Go does.
 *
 * @param path decoded path
 * @param query parsed query, read for `watch` and `fieldSelector`
 */
export function requestInfo(method: string, path: string, query: URLSearchParams): RequestInfo {
  const parts = path.replace(/^\/+|\/+$/g, '').split('/');
  const prefix = parts[0] ?? '';
  const nonResource = (): RequestInfo => ({ ...EMPTY, path, verb: method.toLowerCase() });
  const header = prefix === 'api' ? 2 : prefix === 'apis' ? 3 : 0;
  // `/api/v1` and shorter are discovery.
  if (header === 0 || parts.length <= header) return nonResource();
  const group = header === 3 ? parts[1]! : '';
  const version = parts[header - 1]!;
  let rest = parts.slice(header);

  let verb: string;
  let verbInPath = false;
  if (SPECIAL_VERBS.has(rest[0]!)) {
    if (rest.length < 2) return nonResource();
    verb = rest[0]!;
    rest = rest.slice(1);
    verbInPath = true;
  } else verb = VERBS[method] ?? '';

  let namespace = '';
  if (rest[0] === 'namespaces') {
    if (rest.length > 1) {
      namespace = rest[1]!;
      // `/namespaces/x/pods` is about pods; `/namespaces/x` and `/namespaces/x/status` are about the namespace itself.
      if (rest.length > 2 && !NAMESPACE_SUBRESOURCES.has(rest[2]!)) rest = rest.slice(2);
    }
  }
  const resource = rest[0] ?? '';
  let name = rest[1] ?? '';
  const subresource = !verbInPath && rest.length >= 3 ? rest[2]! : '';

  if (name === '' && verb === 'get') {
    verb = isWatch(query) ? 'watch' : 'list';
    name = singleName(query.get('fieldSelector') ?? '');
  } else if (name === '' && verb === 'delete') verb = 'deletecollection';
  return {
    isResourceRequest: true,
    path,
    verb,
    prefix,
    group,
    version,
    namespace,
    resource,
    subresource,
    name,
    verbInPath,
    parts: rest,
  };
}

const VERBS: Record<string, string> = {
  POST: 'create',
  GET: 'get',
  HEAD: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

const EMPTY: RequestInfo = {
  isResourceRequest: false,
  path: '',
  verb: '',
  prefix: '',
  group: '',
  version: '',
  namespace: '',
  resource: '',
  subresource: '',
  name: '',
  verbInPath: false,
  parts: [],
};

/** Go's query conversion of booleans: only "false" and "0" are false. */
export function isWatch(query: URLSearchParams): boolean {
  const value = query.get('watch');
  return value !== null && value !== '0' && value.toLowerCase() !== 'false';
}

/** A list or watch of exactly one object is authorized under that object's name. */
function singleName(fieldSelector: string): string {
  if (!fieldSelector.includes('metadata.name')) return '';
  try {
    const name = parseFieldSelector(fieldSelector).exactValue('metadata.name') ?? '';
    return name === '.' || name === '..' || /[/%]/.test(name) ? '' : name;
  } catch {
    return ''; // refused later
  }
}
