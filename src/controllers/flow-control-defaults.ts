import { isStatusError } from '../machinery/errors.js';
import { equalJson, isJsonObject, type JsonObject, type KubeObject } from '../machinery/json.js';
import { readCatalogFile } from '../machinery/scheme/catalog.js';
import type { Controller, ControllerParts } from './contract.js';
import { WorkQueue } from './work-queue.js';

const GROUP = 'flowcontrol.apiserver.k8s.io';
const SCHEMAS = { group: GROUP, resource: 'flowschemas' };
const LEVELS = { group: GROUP, resource: 'prioritylevelconfigurations' };
const SETTINGS = { manager: 'api-priority-and-fairness-config-producer-v1' };
const AUTO_UPDATE = 'apf.kubernetes.io/autoupdate-spec';
const MANDATORY = new Set(['exempt', 'catch-all']);
const EVERY_MS = 60_000;

/**
 * Keeps the flow schemas and priority levels that every server has: at start and then every minute, those that are
 * missing come back. Specs are brought back for the mandatory ones, and for others while their annotation
 * `apf.kubernetes.io/autoupdate-spec` says true, or says nothing and nobody has changed the spec. What an older release
 * made and this one does not know goes. Part of the server itself, as upstream.
 */
export function flowControlDefaults({ client, log }: ControllerParts, everyMs = EVERY_MS): Controller {
  const wanted = [LEVELS, SCHEMAS].map((resource) => ({ resource, objects: defaultsOf(resource.resource) }));
  const queue = new WorkQueue({
    workers: 1,
    async work() {
      await ensureAll();
      return everyMs;
    },
    failed: (_, e) => log('warning', `default flow schemas and priority levels: ${String(e)}`),
  });

  async function ensureAll(): Promise<void> {
    await Promise.all(wanted.flatMap(({ resource, objects }) => objects.map((object) => ensure(resource, object))));
    for (const { resource, objects } of wanted.toReversed()) {
      const names = new Set(objects.map((o) => o.metadata.name));
      for (const { metadata } of await client.list(resource)) {
        if (!names.has(metadata.name) && autoUpdate(metadata) === true) await remove(resource, metadata.name ?? '');
      }
    }
  }

  async function ensure(resource: typeof LEVELS, object: KubeObject): Promise<void> {
    if (await client.ensure(resource, object, SETTINGS)) return;
    const { name = '' } = object.metadata;
    await client.update(resource, '', name, (current) => revised(current, object), SETTINGS);
  }

  async function remove(resource: typeof LEVELS, name: string): Promise<void> {
    try {
      await client.delete(resource, '', name, {}, SETTINGS);
    } catch (e) {
      if (!isStatusError(e, 'NotFound')) throw e;
    }
  }

  return {
    name: 'priority-and-fairness-config-producer',
    async start() {
      await ensureAll();
      queue.addAfter('all', everyMs);
    },
    stop: () => queue.close(),
  };
}

function defaultsOf(plural: string): KubeObject[] {
  const entries = JSON.parse(readCatalogFile('bootstrap.json')) as { path: string; object: KubeObject }[];
  return entries.filter((e) => e.path === `/apis/${GROUP}/v1/${plural}`).map((e) => e.object);
}

/** What the annotation says; undefined when it is no boolean. */
function autoUpdate({ annotations }: KubeObject['metadata']): boolean | undefined {
  const text = annotations?.[AUTO_UPDATE] ?? '';
  if (/^(?:1|t|T|TRUE|true|True)$/.test(text)) return true;
  return /^(?:0|f|F|FALSE|false|False)$/.test(text) ? false : undefined;
}

/** The object with spec and annotation as they should be; undefined when they are. */
export function revised(current: KubeObject, wanted: KubeObject): KubeObject | undefined {
  const { metadata } = current;
  const said = autoUpdate(metadata);
  const auto = MANDATORY.has(metadata.name ?? '') || (said ?? metadata.generation === 1);
  const specDiffers = auto && !equalJson(comparable(current.spec, wanted.spec), wanted.spec);
  if (said === auto && !specDiffers) return undefined;
  return {
    ...current,
    metadata: { ...metadata, annotations: { ...metadata.annotations, [AUTO_UPDATE]: String(auto) } },
    ...(specDiffers ? { spec: wanted.spec } : {}),
  };
}

/** Administrators may give the level of exempt requests seats of its own; that is no difference. */
function comparable(spec: KubeObject['spec'], wanted: KubeObject['spec']): KubeObject['spec'] {
  if (!isJsonObject(spec) || !isJsonObject(spec.exempt) || !isJsonObject(wanted)) return spec;
  const { nominalConcurrencyShares, lendablePercent } = (wanted.exempt ?? {}) as JsonObject;
  return { ...spec, exempt: { ...spec.exempt, nominalConcurrencyShares, lendablePercent } };
}
