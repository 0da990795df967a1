import { describe, expect, it } from 'vitest';
import { applyDefaults } from '../../src/api/defaulting/index.js';
import { FieldManager } from '../../src/machinery/apply/field-manager.js';
import { managerName } from '../../src/machinery/apply/manager-name.js';
import { resetFilters } from '../../src/machinery/apply/reset-fields.js';
import { jsonEncoder } from '../../src/machinery/codec/json/encode.js';
import { decodeTyped } from '../../src/machinery/codec/typed/decode.js';
import { StatusError } from '../../src/machinery/errors.js';
import { FeatureGates } from '../../src/machinery/feature-gates.js';
import { goJson } from '../../src/machinery/go-format.js';
import { isJsonObject, type JsonObject, type KubeObject, parseApiVersion } from '../../src/machinery/json.js';
import { applyJsonPatch, parseJsonPatch } from '../../src/machinery/patch/json-patch.js';
import { applyMergePatch, parseMergePatch } from '../../src/machinery/patch/merge-patch.js';
import { applyStrategicMergePatch, parseStrategicMergePatch } from '../../src/machinery/patch/strategic-merge-patch.js';
import { catalog } from '../../src/machinery/scheme/catalog.js';
import { type ResourceFacts, resourceCatalog } from '../../src/machinery/scheme/resources.js';
import type { Type } from '../../src/machinery/scheme/type.js';
import { goldenCases, haveGoldens, type Step } from '../support/goldens.js';

// Each recorded write is done again on the recorded object before it, by codec, defaulting, patches and field manager
// alone. What a strategy or conversion of a kind adds is not here; kinds where that shows are named below.

const NOW = '2026-01-01T00:00:00Z';
const SUITES = [
  'crud',
  'patches',
  'defaulting',
  'subresources',
  'immutability',
  'lifecycle',
  'services',
  'nodes',
  'lists',
];
const SUBRESOURCES = ['status', 'approval', 'finalize', 'resize', 'ephemeralcontainers'];

const gates = new FeatureGates();

interface Target {
  readonly facts: ResourceFacts;
  readonly type: Type;
  readonly apiVersion: string;
  readonly subresource: string;
  readonly name: string;
}

/** What a request path names; undefined for what is no single built-in object. */
function targetOf(step: Step): Target | undefined {
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
function realistic(value: unknown): JsonObject {
  return JSON.parse(
    JSON.stringify(value)
      .replace(/<time>/g, NOW)
      .replace(/<microtime>/g, '2026-01-01T00:00:00.000000Z')
      .replace(/"<nodePort:(\d)>"/g, '3000$1')
      .replace(/<ip:(\d+)>/g, '10.96.0.$1'),
  ) as JsonObject;
}

function decode({ type, apiVersion, facts }: Target, value: JsonObject): KubeObject {
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

/** The answer that this code gives. */
async function replay(step: Step, target: Target, live: KubeObject | undefined): Promise<KubeObject> {
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
  applyDefaults(target.type, object, { gate: (name) => gates.enabled(name), now: () => NOW });
  delete object.metadata.deletionTimestamp;
  return manager.onUpdate(step.method === 'POST' ? undefined : live, object, writer);
}

/** Entries without times, in an order of their own: the recording does not keep either. */
const entriesOf = (object: KubeObject): string[] =>
  (object.metadata.managedFields ?? []).map((e) => goJson({ ...e, time: undefined })).sort();

/** Where something that is not in this test shows in who owns what. */
const ELSEWHERE: [RegExp, string][] = [
  [/DaemonSet|HorizontalPodAutoscaler/, 'conversion adds annotations and fields'],
  [/\/(Secret (rich|string data|docker)|Pod service account|service account token)/, 'conversion moves fields'],
  [/\/.*(Namespace apply|ssa rich Namespace)/, 'the namespace was there before the case'],
  [/\/Service external/, 'the strategy clears fields'],
  [/\/put without allocated fields/, 'the body holds a placeholder'],
  [/FlowSchema (level|precedence)/, 'a controller of the server wrote in between'],
  [/restriction mirror pods/, 'an annotation holds a placeholder'],
];

describe.runIf(haveGoldens)('managedFields as recorded', () => {
  for (const suite of SUITES) {
    it(suite, async () => {
      let same = 0;
      const different: string[] = [];
      for (const c of await goldenCases(suite)) {
        if (ELSEWHERE.some(([name]) => name.test(`${suite}/${c.name}`))) continue;
        const stored = new Map<string, KubeObject>();
        for (const [i, step] of c.steps.entries()) {
          const target = targetOf(step);
          const answer = step.answer.body;
          if (!target || !isJsonObject(answer) || answer.kind !== target.facts.kind) continue;
          if (!isJsonObject(answer.metadata) || step.answer.code >= 300) continue;
          const recorded = decode(target, realistic(answer));
          const key = `${target.facts.plural}/${recorded.metadata.name}`;
          const live = stored.get(key);
          if (step.query.dryRun === undefined) stored.set(key, recorded);
          if (!['POST', 'PUT', 'PATCH'].includes(step.method) || !recorded.metadata.uid) continue;
          if (typeof step.body !== 'object' || (step.method === 'PATCH' && !live && !isApply(step))) continue;
          const made = await replay(step, target, live);
          if (goJson(entriesOf(made)) === goJson(entriesOf(recorded))) same++;
          else
            different.push(
              `${c.name} [${i}] ${step.method} ${step.path}\n${goJson(entriesOf(recorded))}\n${goJson(entriesOf(made))}`,
            );
        }
      }
      expect(different).toEqual([]);
      expect(same).toBeGreaterThan(10);
    });
  }
});

const isApply = (step: Step): boolean => step.headers['Content-Type']?.includes('apply-patch') === true;
const OURS = /^(Apply failed|failed to create typed|invalid object type|metadata\.managedFields must)/;

describe.runIf(haveGoldens)('refusals of server-side apply as recorded', () => {
  for (const suite of ['crud', 'patches']) {
    it(suite, async () => {
      let same = 0;
      for (const c of await goldenCases(suite)) {
        const stored = new Map<string, KubeObject>();
        for (const [i, step] of c.steps.entries()) {
          const target = targetOf(step);
          const answer = step.answer.body;
          if (!target || !isJsonObject(answer)) continue;
          const key = (name: unknown): string => `${target.facts.plural}/${String(name)}`;
          if (step.answer.code < 300 && isJsonObject(answer.metadata) && answer.kind === target.facts.kind) {
            if (step.query.dryRun === undefined)
              stored.set(key(answer.metadata.name), decode(target, realistic(answer)));
          } else if (isApply(step) && OURS.test(String(answer.message))) {
            const thrown = await replay(step, target, stored.get(key(target.name))).then(
              () => undefined,
              (e: unknown) => e,
            );
            expect(thrown, `${c.name} [${i}]`).toBeInstanceOf(StatusError);
            const status = JSON.parse(JSON.stringify((thrown as StatusError).toStatus())) as JsonObject;
            expect(sortedCauses(status), `${c.name} [${i}]`).toEqual(sortedCauses(answer));
            same++;
          }
        }
      }
      expect(same).toBeGreaterThan(10);
    });
  }
});

/** Upstream lists conflicts by manager in no particular order. */
function sortedCauses(status: JsonObject): JsonObject {
  const details = status.details;
  if (!isJsonObject(details) || !Array.isArray(details.causes)) return status;
  return { ...status, details: { ...details, causes: details.causes.map(goJson).sort() } };
}
