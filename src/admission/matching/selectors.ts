import { notFound } from '../../machinery/errors.js';
import type { KubeObject } from '../../machinery/json.js';
import type { LabelSelector } from '../../machinery/selectors/label-selector.js';
import type { AdmissionAttributes } from '../contract.js';
import { requestNamespace } from './rules.js';

/** Reads the current namespace of that name. */
export type NamespaceReader = (name: string) => Promise<KubeObject | undefined>;

/** Whether the new or the stored object has the labels. What has no metadata has none. */
export function matchesObject(selector: LabelSelector, { object, oldObject }: AdmissionAttributes): boolean {
  if (selector.empty) return true;
  return [object, oldObject].some((o) => o?.metadata && selector.matches(o.metadata.labels ?? {}));
}

/**
 * Whether the namespace of a request has the labels. Requests on cluster-scoped resources always match; a namespace that
 * is being written counts with the labels it is to have.
 *
 * @throws 404 when there is no such namespace
 */
export async function matchesNamespace(
  selector: LabelSelector,
  attributes: AdmissionAttributes,
  namespaceOf: NamespaceReader,
): Promise<boolean> {
  const { resource, subresource, operation, object } = attributes;
  const name = requestNamespace(attributes);
  if ((name === '' && resource.resource !== 'namespaces') || selector.empty) return true;
  if (resource.resource === 'namespaces' && subresource === '' && (operation === 'CREATE' || operation === 'UPDATE')) {
    return selector.matches(object?.metadata.labels ?? {});
  }
  const namespace = await namespaceOf(name);
  if (!namespace) throw notFound({ group: '', resource: 'namespaces' }, name);
  return selector.matches(namespace.metadata.labels ?? {});
}
