import { type GroupVersionKind, type JsonObject, parseApiVersion } from '../../machinery/json.js';
import { type LabelSelector, labelSelectorOf } from '../../machinery/selectors/label-selector.js';

export interface ParamKind {
  readonly apiVersion?: string;
  readonly kind?: string;
}

export interface ParamRef {
  readonly name?: string;
  readonly namespace?: string;
  readonly selector?: JsonObject;
  readonly parameterNotFoundAction?: string;
}

/** Objects of one kind that may be parameters of policies, at the version that policies name. */
export interface ParamResource {
  readonly namespaced: boolean;
  get(namespace: string, name: string): Promise<JsonObject | undefined>;
  list(namespace: string, selector: LabelSelector): Promise<JsonObject[]>;
}

export interface ParamSource {
  /** Undefined: no such kind is served. */
  find(kind: GroupVersionKind): ParamResource | undefined;
}

/** @throws Error when the kind is not served */
export function paramResource(kind: ParamKind, source: ParamSource): ParamResource {
  const gvk = { ...parseApiVersion(kind.apiVersion ?? ''), kind: kind.kind ?? '' };
  const found = source.find(gvk);
  if (found) return found;
  const name = `${gvk.group}/${gvk.version}, Kind=${gvk.kind}`;
  throw new Error(`failed to find resource referenced by paramKind: '${name}'`);
}

/**
 * The parameters of a binding, for each of which the policy is evaluated; undefined stands for an evaluation without.
 *
 * @param resource undefined: the policy has no paramKind
 * @param namespace of the request
 * @throws Error when the binding can't be used, or wants to deny what has no parameters
 */
export async function collectParams(
  resource: ParamResource | undefined,
  ref: ParamRef | undefined,
  namespace: string,
): Promise<readonly (JsonObject | undefined)[]> {
  if (!resource || !ref) return [undefined];
  let where = '';
  if (resource.namespaced) {
    where = ref.namespace || namespace;
    if (where === '') {
      throw new Error('cannot use namespaced paramRef in policy binding that matches cluster-scoped resources');
    }
  } else if (ref.namespace) {
    throw new Error('paramRef.namespace must not be provided for a cluster-scoped `paramKind`');
  }
  const params = await find(resource, ref, where);
  if (params.length === 0 && ref.parameterNotFoundAction === 'Deny') {
    throw new Error('no params found for policy binding with `Deny` parameterNotFoundAction');
  }
  return params;
}

async function find(resource: ParamResource, ref: ParamRef, namespace: string): Promise<JsonObject[]> {
  if (ref.name) {
    if (ref.selector) throw new Error('paramRef.name and paramRef.selector are mutually exclusive');
    const param = await resource.get(namespace, ref.name);
    return param ? [param] : [];
  }
  if (!ref.selector) throw new Error('one of name or selector must be provided');
  return resource.list(namespace, labelSelectorOf(ref.selector));
}
