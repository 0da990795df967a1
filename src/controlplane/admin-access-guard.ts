import { list, obj, stringMap } from '../api/access.js';
import { invalid } from '../machinery/errors.js';
import { forbiddenField, Path } from '../machinery/field.js';
import { isJsonObject, type JsonObject } from '../machinery/json.js';
import type { Endpoint } from '../registry/endpoint.js';
import { type Guard, guardedEndpoint } from '../registry/guarded-endpoint.js';
import { groupKind } from '../registry/kind.js';
import type { LocalClient } from '../registry/local-client.js';

const GROUP = 'resource.k8s.io';
const LABEL = 'resource.kubernetes.io/admin-access';
const REQUESTS = new Path('spec').child('devices', 'requests');

/** Admin access to devices (KEP-5018) is for namespaces that carry the label for it: their owners may see all devices. */
export function adminAccessGuards(client: LocalClient): Record<string, (e: Endpoint) => Endpoint> {
  const guarded =
    (specOf: (object: JsonObject) => JsonObject) =>
    (endpoint: Endpoint): Endpoint => {
      const guard: Guard = async (ctx, object, old) => {
        const requests = list(obj(specOf(object), 'devices'), 'requests');
        const index = requests.findIndex((r) => isJsonObject(r) && obj(r, 'exactly').adminAccess === true);
        if (old || index < 0) return;
        const namespace = await client.get({ group: '', resource: 'namespaces' }, '', ctx.namespace);
        if (namespace && stringMap(namespace.metadata, 'labels')[LABEL] === 'true') return;
        const text = `admin access to devices requires the \`${LABEL}: true\` label on the containing namespace`;
        const fault = forbiddenField(REQUESTS.index(index).child('adminAccess'), text);
        throw invalid(groupKind(endpoint.hub), object.metadata.name ?? '', [fault]);
      };
      return guardedEndpoint(endpoint, guard);
    };
  return {
    [`${GROUP}/resourceclaims`]: guarded((claim) => obj(claim, 'spec')),
    [`${GROUP}/resourceclaimtemplates`]: guarded((template) => obj(obj(template, 'spec'), 'spec')),
  };
}
