import type { Attributes, Authorizer } from '../../auth/contract.js';
import { goQuote } from '../../machinery/go-format.js';
import { equalJson, type OwnerReference, parseApiVersion } from '../../machinery/json.js';
import type { AdmissionAttributes, AdmissionPlugin } from '../contract.js';
import { rejectedBy } from '../errors.js';

export interface OwnerReferencesDependencies {
  readonly authorizer: Authorizer;
  /** The resource of a kind; undefined when it is not served. */
  resourceOf(group: string, version: string, kind: string): { resource: string; namespaced: boolean } | undefined;
}

/**
 * Owner references make the garbage collector act for their author: changing them takes the right to delete the object,
 * and holding up an owner's deletion the right to set finalizers on it.
 */
export function ownerReferencesPermissionEnforcement(dependencies: OwnerReferencesDependencies): AdmissionPlugin {
  const { authorizer, resourceOf } = dependencies;
  const may = (a: AdmissionAttributes, what: Partial<Attributes>) =>
    authorizer.authorize({
      user: a.user,
      isResourceRequest: true,
      verb: 'update',
      group: '',
      version: '',
      resource: '',
      subresource: '',
      namespace: '',
      name: '',
      path: '',
      ...what,
    });

  async function demandFinalizers(a: AdmissionAttributes, ref: OwnerReference): Promise<void> {
    const { apiVersion = '', kind = '', name = '' } = ref;
    const { group, version } = parseApiVersion(apiVersion);
    const found = resourceOf(group, version, kind);
    if (!found) {
      const text = `cannot find RESTMapping for APIVersion ${apiVersion} Kind ${kind}`;
      const cause = `no matches for kind ${goQuote(kind)} in version ${goQuote(apiVersion)}`;
      throw rejectedBy(a, `cannot set blockOwnerDeletion in this case because ${text}: ${cause}`);
    }
    const { resource, namespaced } = found;
    const namespace = namespaced ? a.namespace : '';
    const decision = await may(a, { group, version, resource, subresource: 'finalizers', namespace, name });
    if (decision.verdict === 'Allow') return;
    const text = "cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on";
    throw rejectedBy(a, `${text}: ${decision.reason}, ${decision.error ?? '<nil>'}`);
  }

  return {
    name: 'OwnerReferencesPermissionEnforcement',
    handles: (operation) => operation === 'CREATE' || operation === 'UPDATE',
    async validate(a) {
      const { group, version, resource } = a.resource;
      if (`${group}/${resource}/${a.subresource}` === '/pods/status') return;
      const owners = a.object?.metadata.ownerReferences ?? [];
      const before = a.oldObject?.metadata.ownerReferences ?? [];
      if (equalJson(owners, before)) return;
      if (a.operation !== 'CREATE') {
        const { subresource, namespace, name } = a;
        const decision = await may(a, { verb: 'delete', group, version, resource, subresource, namespace, name });
        if (decision.verdict !== 'Allow') {
          const text = "cannot set an ownerRef on a resource you can't delete";
          throw rejectedBy(a, `${text}: ${decision.reason}, ${decision.error ?? '<nil>'}`);
        }
      }
      const held = new Set(before.filter((o) => o.blockOwnerDeletion).map((o) => o.uid));
      const blocking = owners.filter((o) => o.blockOwnerDeletion && !held.has(o.uid));
      if (blocking.length === 0) return;
      const anything = { group: '*', version: '*', resource: '*', subresource: 'finalizers', name: '*' };
      if ((await may(a, anything)).verdict === 'Allow') return;
      for (const ref of blocking) await demandFinalizers(a, ref);
    },
  };
}
