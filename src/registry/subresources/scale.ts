import type { Printer } from '../../api/printers/contract.js';
import { fromScale, type ReplicasPaths, toScale } from '../../machinery/apply/scale.js';
import { parseJson } from '../../machinery/codec/json/parse.js';
import { type GroupResource, notFound } from '../../machinery/errors.js';
import { cloneJson, isJsonObject, type JsonObject, type KubeObject } from '../../machinery/json.js';
import type { Environment } from '../context.js';
import type { Endpoint } from '../endpoint.js';
import { groupResource, type Kind, type KindVersion } from '../kind.js';
import type { WriteContext } from '../store/context.js';
import { readStored, type StoredObject } from '../store/object.js';
import { type UpdateOutcome, type UpdateRequest, updateObject } from '../store/update.js';

/** What a Scale shows of an object. */
export interface ScaleValues {
  readonly replicas: number;
  /** Of the status. */
  readonly current: number;
  /** Label selector of the pods as text; '' when there is none. */
  readonly selector: string;
}

/** Where a kind has its replicas. */
export interface ScaleAccess {
  /** @throws StatusError when the object can't be shown as a Scale */
  read(object: KubeObject): ScaleValues;
  /** The same for a write: what is not there yet may have a stand-in. */
  readToChange(object: KubeObject): ScaleValues;
  /** Refuses what is no Scale to write; the object that it comes to is validated afterwards. */
  check(scale: KubeObject): void;
  /** Changes the object in place. */
  write(object: KubeObject, replicas: number): void;
  /** For managedFields: the field at every served version. */
  readonly paths: ReplicasPaths;
}

export interface ScaleParts {
  readonly kind: Kind;
  readonly env: Environment;
  /** autoscaling/v1 Scale. */
  readonly version: KindVersion;
  /** The group and plural of the path. */
  readonly resource: GroupResource;
  /** apiVersion of the path. */
  readonly apiVersion: string;
  readonly verbs: readonly string[];
  readonly printer: Printer | undefined;
  readonly access: ScaleAccess;
}

/** The subresource `scale`: replicas, status and selector of any scalable kind as an autoscaling/v1 Scale. */
export function scaleEndpoint(parts: ScaleParts): Endpoint {
  const { kind, version, resource, verbs } = parts;
  return {
    resource,
    subresource: 'scale',
    namespaced: kind.namespaced,
    version,
    hub: version,
    printer: parts.printer,
    verbs: new Set(verbs),
    async get(ctx, name, resourceVersion) {
      const cached = await kind.cache.get(kind.cache.key(ctx.namespace, name), { resourceVersion });
      if (!cached) throw notFound(groupResource(kind), name);
      const object = await readStored(kind, cached);
      return answer(parts, scaleOf(parts, object, parts.access.read(object)));
    },
    update: (ctx, request) => updateScale(parts, ctx, request),
  };
}

async function updateScale(parts: ScaleParts, ctx: WriteContext, request: UpdateRequest): Promise<UpdateOutcome> {
  const { kind, env, access } = parts;
  let before: KubeObject | undefined;
  let after: KubeObject | undefined;
  const outcome = await updateObject(kind, env, ctx, {
    name: request.name,
    expectedUid: request.expectedUid,
    async update(old) {
      if (!old) throw notFound(groupResource(kind), request.name);
      const object = cloneJson(old);
      before = scaleOf(parts, old, access.readToChange(old));
      before.metadata.managedFields = toScale(old.metadata.managedFields, access.paths);
      after = await request.update(before);
      access.check(after);
      access.write(object, replicasOf(after));
      const { resourceVersion, managedFields } = after.metadata;
      // A Scale without a resourceVersion is written whatever the object's is.
      if (resourceVersion) object.metadata.resourceVersion = resourceVersion;
      object.metadata.managedFields = fromScale(
        old.metadata.managedFields,
        managedFields,
        access.paths,
        parts.apiVersion,
      );
      return object;
    },
    admitCreate() {},
    admitUpdate: () => request.admitUpdate(after!, before!),
  });
  const written = kind.hub.decode(parseJson(outcome.object.json));
  return { object: answer(parts, scaleOf(parts, written, access.readToChange(written))), created: false };
}

/** Without managedFields, which only writers of it see. */
function scaleOf({ version }: ScaleParts, object: KubeObject, values: ScaleValues): KubeObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const { replicas, current, selector } = values;
  return version.decode({
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas },
    status: { replicas: current, selector },
  });
}

function answer({ version }: ScaleParts, scale: KubeObject): StoredObject {
  return { json: Buffer.from(version.encode(scale)), cached: undefined };
}

/** What a Scale asks for. */
export function replicasOf(scale: KubeObject): number {
  const replicas = isJsonObject(scale.spec) ? (scale.spec as JsonObject).replicas : undefined;
  return typeof replicas === 'number' ? replicas : 0;
}
