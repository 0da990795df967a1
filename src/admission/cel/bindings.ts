import type { Authorizer } from '../../auth/contract.js';
import { authorizerValues } from '../../machinery/cel/index.js';
import { isJsonObject, type JsonObject, type KubeObject } from '../../machinery/json.js';
import type { AdmissionAttributes } from '../contract.js';
import { requestNamespace } from '../matching/rules.js';
import type { AdmittedVersion, VersionedObjects } from '../matching/versions.js';
import type { Bindings } from './evaluation.js';

/** Nobody waits for the answer any more, or it is due. */
export function isOver({ signal, deadline }: AdmissionAttributes): boolean {
  return signal().aborted || (deadline !== undefined && performance.now() > deadline);
}

/** What expressions may ask the authorizer about the user of a request. Decisions are made once. */
export function authorizerBinding(authorizer: Authorizer, a: AdmissionAttributes): NonNullable<Bindings['authorizer']> {
  const { group, resource } = a.resource;
  return authorizerValues(authorizer, a.user, {
    group,
    resource,
    subresource: a.subresource,
    namespace: requestNamespace(a),
    name: a.name,
  });
}

export interface BindingParts {
  readonly objects: VersionedObjects;
  /** At which the objects are shown. */
  readonly version: AdmittedVersion;
  /** As the version of the request names it. */
  readonly requested: AdmittedVersion;
  readonly authorizer: Bindings['authorizer'];
}

/** The variables of a request but for `params` and `namespaceObject`. */
export async function requestBindings(parts: BindingParts): Promise<Bindings> {
  const { objects, version, requested, authorizer } = parts;
  const { attributes } = objects;
  return {
    object: await objects.value(version),
    oldObject: await objects.oldValue(version),
    request: requestFields(attributes, version, requested),
    authorizer,
    interrupted: () => isOver(attributes),
  };
}

/** `request`: an AdmissionRequest without uid and objects, in the order of its fields. */
export function requestFields(
  a: AdmissionAttributes,
  version: AdmittedVersion,
  requested: AdmittedVersion,
): JsonObject {
  const { name, uid, groups, extra } = a.user;
  const namespace = requestNamespace(a);
  const fields: JsonObject = { kind: { ...version.kind }, resource: { ...version.resource } };
  if (a.subresource) fields.subResource = a.subresource;
  fields.requestKind = { ...requested.kind };
  fields.requestResource = { ...requested.resource };
  if (a.subresource) fields.requestSubResource = a.subresource;
  if (a.name) fields.name = a.name;
  if (namespace) fields.namespace = namespace;
  fields.operation = a.operation;
  const user: JsonObject = {};
  if (name) user.username = name;
  if (uid) user.uid = uid;
  if (groups.length > 0) user.groups = [...groups];
  if (extra && Object.keys(extra).length > 0) {
    user.extra = Object.fromEntries(
      Object.entries(extra)
        .sort(([x], [y]) => (x < y ? -1 : 1))
        .map(([key, values]) => [key, [...values]]),
    );
  }
  fields.userInfo = user;
  fields.dryRun = a.dryRun;
  fields.options = a.options ?? null;
  return fields;
}

const SHOWN_METADATA = [
  'name',
  'generateName',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'labels',
  'annotations',
  'finalizers',
];

/** `namespaceObject`: what expressions may see of the namespace. */
export function namespaceBinding(namespace: KubeObject): JsonObject {
  const metadata = Object.fromEntries(SHOWN_METADATA.map((key) => [key, namespace.metadata[key]] as const));
  for (const key of SHOWN_METADATA) if (metadata[key] === undefined) delete metadata[key];
  const { spec, status } = namespace;
  return { metadata, spec: isJsonObject(spec) ? spec : {}, status: isJsonObject(status) ? status : {} };
}
