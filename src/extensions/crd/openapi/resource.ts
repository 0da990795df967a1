import type { OperationFacts, SubresourceFacts } from '../../../machinery/scheme/resources.js';
import type { ServedEntry, ServedSub } from '../../../registry/resource-table.js';
import type { PublishedResource } from '../../../server/openapi/operations.js';
import { schemaName } from './names.js';

const STATUS = 'io.k8s.apimachinery.pkg.apis.meta.v1.Status';
const DELETE_OPTIONS = 'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions';
const SCALE = 'io.k8s.api.autoscaling.v1.Scale';
const PATCH_TYPES = ['json-patch+json', 'merge-patch+json', 'apply-patch+yaml'];
/** Parameters of reads of one object. */
const GET = ['resourceVersion'];

/** What can be done with a custom resource, as its paths tell it. */
export function publishedResource(entry: ServedEntry, listKind: string): PublishedResource {
  const { group, version, resource, kind, namespaced } = entry;
  const type = schemaName(group, version, kind);
  const list = schemaName(group, version, listKind);
  const gvk = `${group}/${version}/${kind}`;
  return {
    group,
    version,
    plural: resource,
    kind,
    namespaced,
    verbs: [],
    patchTypes: PATCH_TYPES,
    ops: {
      collection: {
        get: { resp: { 200: list }, query: 'q0', gvk },
        post: { req: type, resp: { 200: type, 201: type, 202: type }, query: 'q1', gvk },
        delete: { resp: { 200: STATUS }, query: 'q0', gvk },
      },
      item: {
        ...itemOperations(type, gvk),
        delete: { req: DELETE_OPTIONS, resp: { 200: STATUS, 202: STATUS }, query: 'q3', gvk },
      },
    },
    subresources: entry.subresources.map((sub) => subresourceFacts(sub, sub.name === 'scale' ? SCALE : type, gvk)),
    custom: true,
  };
}

function itemOperations(type: string, gvk: string): Record<string, OperationFacts> {
  return {
    get: { resp: { 200: type }, query: GET, gvk },
    put: { req: type, resp: { 200: type, 201: type }, query: 'q1', gvk },
    patch: { resp: { 200: type }, query: 'q1', gvk },
  };
}

function subresourceFacts({ name, kind, verbs }: ServedSub, type: string, gvk: string): SubresourceFacts {
  return { name, kind, verbs: [...verbs], enabledByDefault: true, ops: itemOperations(type, gvk) };
}
