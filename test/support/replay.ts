import { applyDefaults } from '../../src/api/defaulting/index.js';
import { FieldManager } from '../../src/machinery/apply/field-manager.js';
import { managerName } from '../../src/machinery/apply/manager-name.js';
import { resetFilters } from '../../src/machinery/apply/reset-fields.js';
import { jsonEncoder } from '../../src/machinery/codec/json/encode.js';
import { decodeTyped } from '../../src/machinery/codec/typed/decode.js';
import { FeatureGates } from '../../src/machinery/feature-gates.js';
import { isJsonObject, type JsonObject, type KubeObject, parseApiVersion } from '../../src/machinery/json.js';
import { applyJsonPatch, parseJsonPatch } from '../../src/machinery/patch/json-patch.js';
import { applyMergePatch, parseMergePatch } from '../../src/machinery/patch/merge-patch.js';
import { applyStrategicMergePatch, parseStrategicMergePatch } from '../../src/machinery/patch/strategic-merge-patch.js';
import { catalog } from '../../src/machinery/scheme/catalog.js';
import { type ResourceFacts, resourceCatalog } from '../../src/machinery/scheme/resources.js';
import type { Type } from '../../src/machinery/scheme/type.js';
import type { Step } from './goldens.js';

// Does a recorded write again on the recorded object before it, by codec, defaulting, patches and field manager alone:
// without the strategies of kinds, admission and storage.

const NOW = '2026-01-01T00:00:00Z';
const SUBRESOURCES = ['status', 'approval', 'finalize', 'resize', 'ephemeralcontainers'];

const gates = new FeatureGates();

export interface Target {
  readonly facts: ResourceFacts;
  readonly type: Type;
  readonly apiVersion: string;
  readonly subresource: string;
  readonly name: string;
}

/** What a request path names; undefined for what is no single built-in object. */
export function targetOf(step: Step): Target | undefined {
  const parts = step.path.split('/').filter(Boolean);
  const apiVersion = parts[0] === 'api' ? (parts[1] ?? '') : parts.slice(1, 3).join('/');
  let rest = parts.slice(parts[0] === 'api' ? 2 : 3);
  if (rest[0] === 'namespaces' && rest.length > 2 && !SUBRESOURCES.includes(rest[2]!)) rest = rest.slice(2);
  const { group, version } = parseApiVersion(apiVersion);
  const facts = resourceCatalog().resources.find(
    (r) => r.group === group && r.version === version && r.plural === rest[0],
  );
  const type = facts && catalog().byGvk(group, version, facts.kind);
  const subresource = rest[2] ?? '';
  if (!facts || !type || (subresource && !SUBRESOURCES.includes(subresource))) return undefined;
  return { facts, type, apiVersion, subresource, name: rest[1] ?? '' };
}

const managers = new Map<string, FieldManager>();
function managerOf({ facts, type, apiVersion, subresource }: Target): FieldManager {
  const key = `${apiVersion}/${facts.kind}/${subresource}`;
  let manager = managers.get(key);
  if (!manager) {
    manager = new FieldManager({
      kind: { ...parseApiVersion(apiVersion), kind: facts.kind },
      subresource,
      structured: true,
      schema: (v) => (v === apiVersion ? { kind: 'struct', type } : undefined),
      resetFields: resetFilters(facts, subresource),
    });
    managers.set(key, manager);
  }
  return manager;
}

/** Placeholders of the recording as values that decode. */
export function realistic(value: unknown): JsonObject {
  return JSON.parse(
    JSON.stringify(value)
      .replace(/<time>/g, NOW)
      .replace(/<microtime>/g, '2026-01-01T00:00:00.000000Z')
      .replace(/"<nodePort:(\d)>"/g, '3000$1')
      .replace(/<ip:(\d+)>/g, '10.96.0.$1'),
  ) as JsonObject;
}

export function decode({ type, apiVersion, facts }: Target, value: JsonObject): KubeObject {
  const object = decodeTyped(type, value).object as KubeObject;
  object.metadata ??= {};
  keepEmptyLists(type, value, object);
  object.apiVersion = apiVersion;
  object.kind = facts.kind;
  return object;
}

/** Go tells an empty list from an unset one where it writes both; the minimal form does not. */
function keepEmptyLists(type: Type, from: JsonObject, to: JsonObject): void {
  for (const { name, node, zero } of type.fields) {
    const sent = from[name];
    const kept = to[name];
    if (Array.isArray(sent) && sent.length === 0 && (zero === null || name === 'managedFields')) to[name] = [];
    else if (node.kind === 'struct' && isJsonObject(sent)) {
      const below = isJsonObject(kept) ? kept : {};
      keepEmptyLists(node.type!, sent, below);
      if (Object.keys(below).length > 0) to[name] = below;
    }
  }
}

export const defaulting = { gate: (name: string): boolean => gates.enabled(name), now: (): string => NOW };

/** The object that the step makes. */
export async function replay(step: Step, target: Target, live: KubeObject | undefined): Promise<KubeObject> {
  const manager = managerOf(target);
  const contentType = step.headers['Content-Type'] ?? '';
  const writer = { manager: managerName(step.query.fieldManager, step.headers['User-Agent'] ?? 'twin/1.0'), now: NOW };
  const body = step.body as JsonObject;
  if (contentType.includes('apply-patch')) {
    return manager.apply(live, body, { ...writer, force: step.query.force === 'true' });
  }
  let patched = body;
  if (step.method === 'PATCH') {
    const document = JSON.parse(jsonEncoder(target.type)(live!)) as JsonObject;
    if (contentType.includes('json-patch')) patched = applyJsonPatch(document, parseJsonPatch(body)) as JsonObject;
    else if (contentType.includes('strategic')) {
      patched = applyStrategicMergePatch(document, parseStrategicMergePatch(body), target.type).object;
    } else patched = applyMergePatch(document, parseMergePatch(body)) as JsonObject;
  }
  const object = decode(target, patched);
  applyDefaults(target.type, object, defaulting);
  delete object.metadata.deletionTimestamp;
  return manager.onUpdate(step.method === 'POST' ? undefined : live, object, writer);
}

/** Whether a step applies a configuration. */
export const isApply = (step: Step): boolean => step.headers['Content-Type']?.includes('apply-patch') === true;
