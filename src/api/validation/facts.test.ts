import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { apiVersionOf, cloneJson, type JsonObject, type JsonValue, type KubeObject } from '../../machinery/json.js';
import { catalog } from '../../machinery/scheme/catalog.js';
import { type ResourceFacts, resourceCatalog } from '../../machinery/scheme/resources.js';
import { dig } from '../access.js';
import { applyDefaults } from '../defaulting/index.js';
import { strategyFor } from '../index.js';
import {
  decodeMinimal,
  emulateAdmission,
  emulateReservation,
  haveRecordings,
  NOW,
  SHARED,
  type TwinKind,
  testContext,
  twinModule,
  UID,
} from '../recorded.suite.js';

// Cross-field cases that were probed on a real server: whether a change of a valid sample is accepted, and which faults
// it has (type and field). `REPORT=pods npx vitest run src/api/validation/facts` prints the differences of a resource.

interface Case {
  op: 'create' | 'update';
  sample: string;
  set: Record<string, JsonValue>;
  status: number;
  errors?: [type: string, field: string, rule: string][];
}
const FACTS = `${SHARED}/facts/kubernetes-1.36`;
const report = process.env.REPORT;
/** Resources whose every case must hold. Extended as kinds get their rules. */
const COMPLETE = JSON.parse(readFileSync(new URL('./facts-complete.json', import.meta.url), 'utf8')) as Record<
  string,
  string[]
>;

function assign(target: JsonObject, path: string, value: JsonValue): void {
  const keys = (path.match(/[^.[\]]+|\[[^\]]*\]/g) ?? []).map((k) => (k.startsWith('[') ? k.slice(1, -1) : k));
  const last = keys.pop()!;
  let at: JsonObject = target;
  for (const key of keys) {
    at[key] ??= {};
    at = at[key] as JsonObject;
  }
  if (value === '~') delete at[last];
  else at[last] = value;
}

describe.runIf(haveRecordings)('validation as probed', async () => {
  if (!haveRecordings) return;
  const { byKind } = await twinModule<{ byKind: Record<string, TwinKind> }>('lib/kinds.mjs');
  const signingRequest = String(dig(byKind.CertificateSigningRequest!.min, 'spec', 'request'));
  const cases = (JSON.parse(readFileSync(`${FACTS}/validation.json`, 'utf8')) as { cases: Case[] }).cases;
  const live = (
    JSON.parse(readFileSync(`${FACTS}/live-objects.json`, 'utf8').replaceAll('<csr>', signingRequest)) as {
      objects: { resource: string; input: JsonObject }[];
    }
  ).objects;
  const ctx = testContext({ namespace: 'probe' });
  const at = (facts: ResourceFacts) => ({ ...ctx, requestVersion: apiVersionOf(facts) });

  const byPlural = new Map<string, { facts: ResourceFacts; input: JsonObject }>();
  for (const { resource, input } of live) {
    const parts = resource.split('/');
    const plural = parts.pop()!;
    const version = parts.pop()!;
    const group = parts.pop() ?? '';
    const facts = resourceCatalog().resources.find(
      (r) => r.group === group && r.version === version && r.plural === plural,
    );
    if (facts && !byPlural.has(plural)) byPlural.set(plural, { facts, input });
  }

  function prepare(facts: ResourceFacts, input: JsonObject): KubeObject {
    const obj = decodeMinimal(facts.group, facts.version, facts.kind, input);
    applyDefaults(catalog().byGvk(facts.group, facts.version, facts.kind)!, obj, ctx);
    if (facts.namespaced) obj.metadata.namespace = 'probe';
    if (obj.metadata.generateName) obj.metadata.name ??= `${obj.metadata.generateName}abcde`;
    obj.metadata.uid ??= UID;
    return obj;
  }
  function created(facts: ResourceFacts, input: JsonObject): { obj: KubeObject; errors: string[] } {
    const strategy = strategyFor(facts.group, facts.kind);
    const obj = prepare(facts, input);
    emulateAdmission(facts.kind, obj);
    obj.metadata.creationTimestamp = NOW;
    emulateReservation(facts.kind, obj);
    strategy.prepareForCreate?.(at(facts), obj);
    return {
      obj,
      errors: (strategy.validate?.(at(facts), obj) ?? []).map((e) => `${e.type.replace('FieldValue', '')} ${e.field}`),
    };
  }
  function run(c: Case): string[] {
    const known = byPlural.get(c.sample.split('/')[0]!)!;
    const input = cloneJson(known.input);
    for (const [path, value] of Object.entries(c.set)) if (c.op === 'create') assign(input, path, value);
    const { obj: old, errors } = created(known.facts, input);
    if (c.op === 'create') return errors;
    const changed = cloneJson(old);
    changed.metadata.resourceVersion = '1';
    for (const [path, value] of Object.entries(c.set)) assign(changed, path, value);
    const obj = prepare(known.facts, changed);
    const strategy = strategyFor(known.facts.group, known.facts.kind);
    const stored = { ...old, metadata: { ...old.metadata, resourceVersion: '1' } };
    emulateReservation(known.facts.kind, obj, stored);
    strategy.prepareForUpdate?.(at(known.facts), obj, stored);
    return (strategy.validateUpdate?.(at(known.facts), obj, stored) ?? []).map(
      (e) => `${e.type.replace('FieldValue', '')} ${e.field}`,
    );
  }

  const usable = cases.filter(
    (c) =>
      (c.status < 300 || c.status === 422) &&
      byPlural.has(c.sample.split('/')[0]!) &&
      !JSON.stringify(c.set).includes('$len') &&
      !Object.keys(c.set).some((p) => p === 'metadata.resourceVersion' || p === 'metadata.creationTimestamp'),
  );
  const plurals = [...new Set(usable.map((c) => c.sample.split('/')[0]!))];
  for (const plural of plurals) {
    it(plural, () => {
      const off: string[] = [];
      const all = usable.filter((c) => c.sample.startsWith(`${plural}/`));
      for (const c of all) {
        const want = [...new Set((c.errors ?? []).map(([type, field]) => `${type} ${field}`))].sort();
        const got = [...new Set(run(c))].sort();
        if (want.join('\n') !== got.join('\n'))
          off.push(`${c.op} ${JSON.stringify(c.set)}\n  - ${want.join(', ')}\n  + ${got.join(', ')}`);
      }
      if (report) {
        process.stdout.write(`${plural.padEnd(34)} ${all.length - off.length}/${all.length}\n`);
        if (report === plural) process.stdout.write(`${off.join('\n')}\n`);
        return;
      }
      const accepted = COMPLETE[plural];
      if (accepted) expect(off.filter((o) => !accepted.some((a) => o.startsWith(a)))).toEqual([]);
    });
  }
});
