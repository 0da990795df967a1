import { isStatusError } from '../machinery/errors.js';
import { isJsonObject, type JsonObject, type KubeObject } from '../machinery/json.js';
import { metaTime } from '../registry/context.js';
import type { ServedEntry } from '../registry/resource-table.js';
import type { Controller, ControllerParts } from './contract.js';
import { WorkQueue } from './work-queue.js';

const NAMESPACES = { group: '', resource: 'namespaces' };
const FINALIZER = 'kubernetes';
const SETTINGS = { manager: 'kube-controller-manager' };
/** While finalizers of others hold objects in the namespace, it is looked at so often. */
const RETRY_MS = 1000;

/** What is left in a namespace: how many objects of each resource, and which finalizers hold them. */
interface Remains {
  readonly resources: Map<string, number>;
  readonly finalizers: Map<string, number>;
  readonly failures: string[];
}

/**
 * Empties namespaces that are being deleted and then lets them go. What still blocks one stands in its conditions,
 * worded as kube-controller-manager words them.
 */
export function namespaceController(parts: ControllerParts): Controller {
  const { client, log } = parts;
  let stopWatching: (() => void) | undefined;
  const queue = new WorkQueue({
    workers: 4,
    work: (name) => syncNamespace(parts, name),
    failed: (name, e) => log('warning', `namespace ${name}: ${String(e)}`),
  });
  return {
    name: 'namespace-controller',
    async start() {
      stopWatching = await client.subscribe(NAMESPACES, ({ type, object }) => {
        if (type !== 'DELETED' && object.metadata.deletionTimestamp) queue.add(object.metadata.name ?? '');
      });
    },
    async stop() {
      stopWatching?.();
      await queue.close();
    },
  };
}

async function syncNamespace(parts: ControllerParts, name: string): Promise<number | undefined> {
  const namespace = await parts.client.get(NAMESPACES, '', name);
  if (!namespace?.metadata.deletionTimestamp || !holds(namespace)) return undefined;
  const remains = await empty(parts, name);
  const left = remains.resources.size > 0 || remains.failures.length > 0;
  await report(parts, name, remains);
  if (left) return RETRY_MS;
  await parts.client.update(NAMESPACES, '', name, letGo, { ...SETTINGS, subresource: 'finalize' });
  return undefined;
}

function finalizersOf(namespace: KubeObject): string[] {
  const list = isJsonObject(namespace.spec) ? namespace.spec.finalizers : undefined;
  return Array.isArray(list) ? list.map(String) : [];
}
function holds(namespace: KubeObject): boolean {
  return finalizersOf(namespace).includes(FINALIZER);
}
function letGo(namespace: KubeObject): KubeObject {
  const finalizers = finalizersOf(namespace).filter((f) => f !== FINALIZER);
  return { ...namespace, spec: { ...(namespace.spec as JsonObject), finalizers } };
}

/** Deletes everything in the namespace and counts what did not go at once. */
async function empty({ client, table }: ControllerParts, namespace: string): Promise<Remains> {
  const remains: Remains = { resources: new Map(), finalizers: new Map(), failures: [] };
  for (const entry of deletable(table.groups().flatMap((g) => g.versions.flatMap((v) => v.resources)))) {
    const resource = { group: entry.group, resource: entry.resource };
    try {
      for (const object of await client.list(resource, namespace)) {
        if (object.metadata.deletionTimestamp) continue;
        await client
          .delete(resource, namespace, object.metadata.name ?? '', { propagationPolicy: 'Background' })
          .catch(ignoreGone);
      }
      const left = await client.list(resource, namespace);
      if (left.length === 0) continue;
      const label = entry.group ? `${entry.resource}.${entry.group}` : `${entry.resource}.`;
      remains.resources.set(label, left.length);
      for (const f of left.flatMap((o) => o.metadata.finalizers ?? [])) {
        remains.finalizers.set(f, (remains.finalizers.get(f) ?? 0) + 1);
      }
    } catch (e) {
      remains.failures.push(e instanceof Error ? e.message : String(e));
    }
  }
  return remains;
}

/** Every stored, namespaced resource once. */
function deletable(entries: readonly ServedEntry[]): ServedEntry[] {
  const seen = new Set<unknown>();
  return entries.filter((e) => {
    if (!e.namespaced || !e.stored || seen.has(e.stored) || !e.verbs.includes('delete')) return false;
    seen.add(e.stored);
    return true;
  });
}

function ignoreGone(e: unknown): void {
  if (!isStatusError(e, 'NotFound') && !isStatusError(e, 'Conflict')) throw e;
}

async function report({ client, env }: ControllerParts, name: string, remains: Remains): Promise<void> {
  const count = (m: Map<string, number>, text: (key: string, n: number) => string): string =>
    [...m]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, n]) => text(key, n))
      .join(', ');
  const content = count(remains.resources, (r, n) => `${r} has ${n} resource instances`);
  const finalizers = count(remains.finalizers, (f, n) => `${f} in ${n} resource instances`);
  const failures = remains.failures.join(', ');
  const conditions = [
    condition(
      'NamespaceDeletionDiscoveryFailure',
      false,
      'ResourcesDiscovered',
      'All resources successfully discovered',
    ),
    condition(
      'NamespaceDeletionGroupVersionParsingFailure',
      false,
      'ParsedGroupVersions',
      'All legacy kube types successfully parsed',
    ),
    failures
      ? condition('NamespaceDeletionContentFailure', true, 'ContentDeletionFailed', failures)
      : condition(
          'NamespaceDeletionContentFailure',
          false,
          'ContentDeleted',
          'All content successfully deleted, may be waiting on finalization',
        ),
    content
      ? condition('NamespaceContentRemaining', true, 'SomeResourcesRemain', `Some resources are remaining: ${content}`)
      : condition('NamespaceContentRemaining', false, 'ContentRemoved', 'All content successfully removed'),
    finalizers
      ? condition(
          'NamespaceFinalizersRemaining',
          true,
          'SomeFinalizersRemain',
          `Some content in the namespace has finalizers remaining: ${finalizers}`,
        )
      : condition(
          'NamespaceFinalizersRemaining',
          false,
          'ContentHasNoFinalizers',
          'All content-preserving finalizers finished',
        ),
  ];
  const now = metaTime(env.now());
  await client
    .update(NAMESPACES, '', name, (namespace) => withConditions(namespace, conditions, now), {
      ...SETTINGS,
      subresource: 'status',
    })
    .catch(ignoreGone);
}

interface Condition extends JsonObject {
  type: string;
  status: string;
  reason: string;
  message: string;
}
function condition(type: string, on: boolean, reason: string, message: string): Condition {
  return { type, status: on ? 'True' : 'False', reason, message };
}

/** Undefined when nothing changes, so that a namespace that waits is not written each second. */
function withConditions(namespace: KubeObject, next: readonly Condition[], now: string): KubeObject | undefined {
  const status = isJsonObject(namespace.status) ? namespace.status : {};
  const old = (Array.isArray(status.conditions) ? status.conditions : []) as Condition[];
  const same = (a: Condition | undefined, b: Condition): boolean =>
    a?.status === b.status && a.reason === b.reason && a.message === b.message;
  const merged = next.map((c) => {
    const was = old.find((o) => o.type === c.type);
    if (same(was, c)) return was!;
    return { ...c, lastTransitionTime: was?.status === c.status ? (was.lastTransitionTime ?? now) : now };
  });
  if (merged.every((c, i) => c === old[i])) return undefined;
  return { ...namespace, status: { ...status, phase: 'Terminating', conditions: merged } };
}
