// What the checks against recorded answers of a real server share. The recordings lie beside the repository; tests
// that need them are registered only where they exist.
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import gates from '../catalog/feature-gates.json' with { type: 'json' };
import { isJsonObject, type JsonObject, type JsonValue, type KubeObject, setOwn } from '../machinery/json.js';
import { canonicalQuantity } from '../machinery/quantity.js';
import { catalog } from '../machinery/scheme/catalog.js';
import type { Field, SchemaNode, Type } from '../machinery/scheme/type.js';
import type { StrategyContext } from './strategy.js';

export const SHARED = resolve(import.meta.dirname, '../../../shared');
export const haveRecordings = existsSync(`${SHARED}/twin/golden/validation.open.jsonl.gz`);

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
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as RecordedCase);
}
export const gunzipJson = (path: string): unknown => JSON.parse(gunzipSync(readFileSync(path)).toString('utf8'));
export async function twinModule<T>(path: string): Promise<T> {
  return (await import(pathToFileURL(`${SHARED}/twin/${path}`).href)) as T;
}

const defaultGates = new Map(gates.map((row) => [row[0], row[2] === 'True']));
export const defaultGate = (name: string): boolean => {
  const on = defaultGates.get(name);
  if (on === undefined) throw new Error(`no feature gate ${name}`);
  return on;
};

export const NOW = '2026-01-01T00:00:00Z';
export function testContext(overrides: Partial<StrategyContext> = {}): StrategyContext {
  return {
    user: { name: 'admin', groups: ['system:masters'] },
    namespace: '',
    subresource: '',
    dryRun: false,
    requestVersion: '',
    now: () => NOW,
    gate: defaultGate,
    ...overrides,
  };
}

// Minimal form, without the checks of the real codec: recordings hold well-typed values only where these tests look.

function zeroElement(node: SchemaNode): JsonValue {
  if (node.kind === 'string') return '';
  if (node.kind === 'integer' || node.kind === 'number') return 0;
  return node.kind === 'boolean' ? false : {};
}

function minimalNode(node: SchemaNode, v: JsonValue): JsonValue {
  if (node.kind === 'struct' && isJsonObject(v)) return minimal(node.type!, v);
  if (node.kind === 'array' && Array.isArray(v))
    return v.map((e) => (e === null ? zeroElement(node.items!) : minimalNode(node.items!, e)));
  if (node.kind === 'map' && isJsonObject(v)) {
    const out: JsonObject = {};
    for (const k of Object.keys(v)) {
      const e = v[k];
      setOwn(
        out,
        k,
        e === null || e === undefined
          ? node.values!.type?.special === 'Quantity'
            ? '0'
            : zeroElement(node.values!)
          : minimalNode(node.values!, e),
      );
    }
    return out;
  }
  if (node.type?.special === 'Quantity') return canonicalQuantity(String(v));
  return v;
}

function isAbsent(field: Field, v: JsonValue): boolean {
  if (v === null) return true;
  if (field.pointer) return false;
  if (v === 0 || v === false || (v === '' && field.node.type?.special !== 'IntOrString')) return true;
  if (v === '0' && field.node.type?.special === 'Quantity') return true;
  return field.node.kind === 'struct' && isJsonObject(v) && Object.keys(v).length === 0;
}

export function minimal(type: Type, value: JsonObject): JsonObject {
  const out: JsonObject = {};
  for (const field of type.fields) {
    const raw = value[field.name];
    if (raw === undefined || raw === null) continue;
    const v = minimalNode(field.node, raw);
    if (!isAbsent(field, v)) setOwn(out, field.name, v);
  }
  return out;
}

export function decodeMinimal(group: string, version: string, kind: string, value: JsonObject): KubeObject {
  const type = catalog().byGvk(group, version, kind);
  if (!type) throw new Error(`no type for ${group}/${version} ${kind}`);
  const out = minimal(type, value) as KubeObject;
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
  }[kind];
  if (finalizer) obj.metadata.finalizers = [...(obj.metadata.finalizers ?? []), finalizer];
  if (kind === 'Node') {
    const spec = (isJsonObject(obj.spec) ? obj.spec : {}) as JsonObject & { taints?: JsonObject[] };
    const taint = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' };
    if (!spec.taints?.some((t) => t.key === taint.key)) spec.taints = [...(spec.taints ?? []), taint];
    obj.spec = spec;
  }
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
