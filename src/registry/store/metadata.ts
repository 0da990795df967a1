import { badRequest, StatusError } from '../../machinery/errors.js';
import type { KubeObject } from '../../machinery/json.js';
import { type Environment, metaTime } from '../context.js';
import type { Kind } from '../kind.js';

const MAX_GENERATED_BASE = 58; // 63 - 5: a generated name is a valid DNS label

/** Sets what only the server may set on a new object; the client's values for these are dropped. */
export function fillSystemFields(object: KubeObject, env: Environment): void {
  const meta = object.metadata;
  meta.creationTimestamp = metaTime(env.now());
  meta.uid = env.uuid();
  delete meta.deletionTimestamp;
  delete meta.deletionGracePeriodSeconds;
  delete meta.selfLink;
}

/** Drops what a client may not set on a new object, before anybody is noted as its owner. */
export function wipeSystemFields(object: KubeObject): void {
  const meta = object.metadata;
  delete meta.creationTimestamp;
  delete meta.uid;
  delete meta.deletionTimestamp;
  delete meta.deletionGracePeriodSeconds;
  delete meta.selfLink;
}

/** `metadata.generateName` plus five random characters, when there is no name. */
export function generateName(object: KubeObject, env: Environment): void {
  const meta = object.metadata;
  if (meta.generateName && !meta.name) meta.name = meta.generateName.slice(0, MAX_GENERATED_BASE) + env.nameSuffix();
}

/** Makes the object's namespace that of the request; 400 when the client named another. */
export function ensureNamespace(kind: Kind, object: KubeObject, namespace: string): void {
  const meta = object.metadata;
  if (!kind.namespaced) {
    // Whatever a client says of the namespace of a cluster-scoped object is dropped.
    delete meta.namespace;
    return;
  }
  if (!meta.namespace) meta.namespace = namespace;
  else if (meta.namespace !== namespace) throw namespaceMismatch();
}

function namespaceMismatch(): StatusError {
  return badRequest('the namespace of the provided object does not match the namespace sent on the request');
}

/** An update can't change what the server owns: these come from the stored object. */
export function carryOver(object: KubeObject, old: KubeObject): void {
  const meta = object.metadata;
  const was = old.metadata;
  if (!meta.uid && was.uid) meta.uid = was.uid;
  if (was.creationTimestamp) meta.creationTimestamp = was.creationTimestamp;
  if (was.deletionTimestamp) meta.deletionTimestamp = was.deletionTimestamp;
  if (was.deletionGracePeriodSeconds !== undefined && meta.deletionGracePeriodSeconds === undefined) {
    meta.deletionGracePeriodSeconds = was.deletionGracePeriodSeconds;
  }
  delete meta.selfLink;
}

/** Owner references with the same uid twice are kept once; tells the client through a warning. */
export function dedupeOwners(object: KubeObject, warn: (text: string) => void): void {
  const owners = object.metadata.ownerReferences;
  if (!owners || owners.length < 2) return;
  const seen = new Set<string>();
  const kept = owners.filter((o) => {
    const key = JSON.stringify([
      o.apiVersion,
      o.kind,
      o.name,
      o.uid,
      o.controller ?? null,
      o.blockOwnerDeletion ?? null,
    ]);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
  if (kept.length === owners.length) return;
  const repeated = owners.find((o, i) => owners.findIndex((p) => p.uid === o.uid) !== i);
  warn(
    `.metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${repeated?.uid ?? ''}`,
  );
  object.metadata.ownerReferences = kept;
}

/** resourceVersion as the number it must be; 0 when unset. A text that is none is a 500 upstream, and here. */
export function revisionOf(object: KubeObject): number {
  const text = object.metadata.resourceVersion;
  if (text === undefined || text === '' || text === '0') return 0;
  if (!/^\d+$/.test(text)) {
    throw new StatusError(500, '', `strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`);
  }
  return Number(text);
}
