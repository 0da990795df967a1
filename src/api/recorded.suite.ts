// What the checks against recorded answers of a real server share. The recordings lie beside the repository; tests
// that need them are registered only where they exist.
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import gates from '../catalog/feature-gates.json' with { type: 'json' };
import { decodeTyped } from '../machinery/codec/typed/decode.js';
import { emptyListDropper } from '../machinery/codec/typed/empty-lists.js';
import { cloneJson, isJsonObject, type JsonObject, type JsonValue, type KubeObject } from '../machinery/json.js';
import { catalog } from '../machinery/scheme/catalog.js';
import type { Type } from '../machinery/scheme/type.js';
import { keepAllocated, normalizeClusterIPs } from './core/service/fields.js';
import { FORBID_PRIVILEGED, type StrategyContext } from './strategy.js';

export const SHARED = resolve(import.meta.dirname, '../../../shared');
export const haveRecordings = existsSync(`${SHARED}/twin/golden/validation.open.jsonl.gz`);

/** The time at which everything recorded happened. */
export const NOW = '2026-01-01T00:00:00Z';
/** The first uid of a case. */
export const UID = '11111111-1111-1111-1111-111111111111';

export interface RecordedAnswer {
  c: number;
  w?: string[];
  b?: JsonObject & {
    message?: string;
    details?: { causes?: { field: string; reason: string; message: string }[] };
  };
}
export interface RecordedCase {
  n: string;
  a: RecordedAnswer[];
}
export interface TwinKind {
  id: string;
  group: string;
  version: string;
  kind: string;
  namespaced: boolean;
  min: JsonObject;
  rich?: JsonObject;
}

export function recorded(suite: string): RecordedCase[] {
  const text = gunzipSync(readFileSync(`${SHARED}/twin/golden/${suite}.open.jsonl.gz`)).toString('utf8');
  return text
    .replaceAll('<time>', NOW)
    .replaceAll('<uid:1>', UID)
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as RecordedCase);
}
/** The object of an answer, with numbers where the recording says which ports are the same. */
export const answered = (b: JsonObject): JsonObject =>
  JSON.parse(JSON.stringify(b).replace(/"<nodePort:(\d+)>"/g, (_, n) => `${32000 + Number(n)}`)) as JsonObject;
export const gunzipJson = (path: string): unknown => JSON.parse(gunzipSync(readFileSync(path)).toString('utf8'));
export async function twinModule<T>(path: string): Promise<T> {
  return (await import(pathToFileURL(`${SHARED}/twin/${path}`).href)) as T;
}

const defaultGates = new Map(gates.map((row) => [row[0], row[2] === 'True']));
export const defaultGate = (name: string): boolean => {
  if (name === FORBID_PRIVILEGED) return false; // as recorded
  const on = defaultGates.get(name);
  if (on === undefined) throw new Error(`no feature gate ${name}`);
  return on;
};

export function testContext(overrides: Partial<StrategyContext> = {}): StrategyContext {
  return {
    user: { name: 'admin', uid: 'admin-uid', groups: ['system:masters', 'system:authenticated'] },
    namespace: '',
    subresource: '',
    dryRun: false,
    requestVersion: '',
    newUid: () => UID,
    now: () => NOW,
    gate: defaultGate,
    ...overrides,
  };
}

/** What decoding a body gives. Throws for values of wrong types. */
export function decodeMinimal(group: string, version: string, kind: string, value: JsonObject): KubeObject {
  const type = catalog().byGvk(group, version, kind);
  if (!type) throw new Error(`no type for ${group}/${version} ${kind}`);
  const out = decodeTyped(type, value).object as KubeObject;
  out.metadata ??= {};
  return out;
}

/** What the recorded server's admission plugins add, as far as it shows in the recordings. */
export function emulateAdmission(kind: string, obj: KubeObject): void {
  if (kind === 'Pod' && isJsonObject(obj.spec)) {
    const spec = obj.spec;
    spec.priority ??= 0;
    spec.preemptionPolicy ??= 'PreemptLowerPriority';
    const tolerations = Array.isArray(spec.tolerations) ? (spec.tolerations as JsonObject[]) : [];
    const tolerated = (key: string) =>
      tolerations.some(
        (t) => (t.key === key || t.key === undefined) && (t.effect === 'NoExecute' || t.effect === undefined),
      );
    const added = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']
      .filter((key) => !tolerated(key))
      .map((key) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 }));
    if (added.length > 0) spec.tolerations = [...tolerations, ...added];
  }
  const finalizer = {
    PersistentVolume: 'kubernetes.io/pv-protection',
    PersistentVolumeClaim: 'kubernetes.io/pvc-protection',
    VolumeAttributesClass: 'kubernetes.io/vac-protection',
  }[kind];
  if (finalizer) obj.metadata.finalizers = [...(obj.metadata.finalizers ?? []), finalizer];
  if (kind === 'Node') {
    const spec = (isJsonObject(obj.spec) ? obj.spec : {}) as JsonObject & { taints?: JsonObject[] };
    const taint = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' };
    if (!spec.taints?.some((t) => t.key === taint.key)) spec.taints = [...(spec.taints ?? []), taint];
    obj.spec = spec;
  }
}

/** What is read back of a service before its ranges are asked, as far as it needs no ranges. */
export function emulateReservation(kind: string, obj: KubeObject, old?: KubeObject): void {
  if (kind !== 'Service') return;
  normalizeClusterIPs(obj, old);
  if (old) keepAllocated(obj, old);
}

/** Filled from shared ranges, or by controllers. */
export const ALLOCATED =
  /^spec\.(clusterIPs?|ipFamilies|ipFamilyPolicy|ports(\[\d+\]\.nodePort)?|healthCheckNodePort)|^status\.conditions|lastPhaseTransitionTime/;

/** What is stored of an object: without the empty lists. */
export function stored(type: Type, obj: KubeObject): KubeObject {
  const out = cloneJson(obj) as KubeObject;
  emptyListDropper(type)?.(out);
  return out;
}

/** The object without what differs from run to run. */
export function stable(obj: KubeObject): JsonObject {
  const {
    creationTimestamp: _c,
    managedFields: _m,
    resourceVersion: _r,
    uid: _u,
    namespace: _n,
    ...metadata
  } = obj.metadata;
  const { kind: _k, apiVersion: _a, ...rest } = obj;
  return { ...rest, metadata };
}

/** Paths at which two values differ, with both values. */
export function differences(want: JsonValue | undefined, got: JsonValue | undefined, at = ''): string[] {
  if (isJsonObject(want) && isJsonObject(got))
    return [...new Set([...Object.keys(want), ...Object.keys(got)])].flatMap((k) =>
      differences(want[k], got[k], at ? `${at}.${k}` : k),
    );
  if (Array.isArray(want) && Array.isArray(got) && want.length === got.length)
    return want.flatMap((e, i) => differences(e, got[i], `${at}[${i}]`));
  const a = JSON.stringify(want);
  const b = JSON.stringify(got);
  return a === b ? [] : [`${at}: want ${a}, got ${b}`];
}
