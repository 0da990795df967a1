import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fieldErrorsMessage } from '../../machinery/field.js';
import { cloneJson, type JsonObject, type JsonValue, type KubeObject } from '../../machinery/json.js';
import { applyJsonPatch } from '../../machinery/patch/json-patch.js';
import { applyMergePatch } from '../../machinery/patch/merge-patch.js';
import { catalog } from '../../machinery/scheme/catalog.js';
import { applyDefaults } from '../defaulting/index.js';
import { strategyFor } from '../index.js';
import {
  decodeMinimal,
  emulateAdmission,
  emulateReservation,
  haveRecordings,
  NOW,
  type RecordedAnswer,
  recorded,
  type TwinKind,
  testContext,
  twinModule,
  UID,
} from '../recorded.suite.js';

// Changes of stored objects, as recorded: which are refused, and in which words. `REPORT=Pod npx vitest run
// src/api/validation/updates` prints the differences of one kind.
const report = process.env.REPORT ?? '';

interface Step {
  method: string;
  path: string;
  body?: JsonValue;
  headers?: Record<string, string>;
  query?: { dryRun?: string };
}
interface Suite {
  name: string;
  steps: Step[];
}

/** Differences that have their reason elsewhere, by kind: prefixes of case names. */
const ACCEPTED = JSON.parse(readFileSync(new URL('./updates-accepted.json', import.meta.url), 'utf8')) as Record<
  string,
  string[]
>;

/** Not of the strategies: versions and preconditions, allocation, what could not be read at all. */
const ELSEWHERE = /must be specified for an update|provided port is|provided IP/;

describe.runIf(haveRecordings)('changes as recorded', async () => {
  if (!haveRecordings) return;
  const suite = await twinModule<{ default(): Iterable<Suite> }>('suites/immutability.mjs');
  const { byKind } = await twinModule<{ byKind: Record<string, TwinKind> }>('lib/kinds.mjs');
  const { slug } = await twinModule<{ slug(suite: string, name: string): string }>('lib/runner.mjs');
  const golden = new Map(recorded('immutability').map((c) => [c.n, c.a]));
  const ctx = testContext();

  function decode(k: TwinKind, value: JsonObject): KubeObject {
    const obj = decodeMinimal(k.group, k.version, k.kind, value);
    applyDefaults(catalog().byGvk(k.group, k.version, k.kind)!, obj, ctx);
    emulateAdmission(k.kind, obj);
    return obj;
  }

  /** Answers of the steps after the first, which creates the object; undefined where nothing is to be compared. */
  function replay(k: TwinKind, steps: readonly Step[], id: string, want: readonly RecordedAnswer[]): string[] {
    const strategy = strategyFor(k.group, k.kind);
    const here = { ...ctx, requestVersion: k.group ? `${k.group}/${k.version}` : k.version };
    const body = (s: Step) =>
      JSON.parse(JSON.stringify(s.body).replaceAll('{{id}}', id).replaceAll('{{ns}}', id)) as JsonObject;
    let stored = decode(k, body(steps[0]!));
    if (k.namespaced) stored.metadata.namespace = id;
    Object.assign(stored.metadata, { uid: UID, creationTimestamp: NOW });
    emulateReservation(k.kind, stored);
    strategy.prepareForCreate?.(here, stored);
    stored.metadata.resourceVersion = '1';
    const off: string[] = [];
    steps.forEach((step, i) => {
      const answer = want[i];
      if (i === 0 || (step.method !== 'PUT' && step.method !== 'PATCH') || !answer) return;
      if (answer.c !== 200 && answer.c !== 422) return;
      const sent = body(step);
      const type = step.headers?.['Content-Type'] ?? '';
      let next: JsonValue = sent;
      if (type.includes('merge')) next = applyMergePatch(cloneJson(stored), sent);
      else if (type.includes('json-patch')) next = applyJsonPatch(cloneJson(stored), sent as unknown as JsonObject[]);
      const obj = decode(k, next as JsonObject);
      const { uid, creationTimestamp, resourceVersion, generation, namespace } = stored.metadata;
      Object.assign(obj.metadata, { uid, creationTimestamp, resourceVersion, generation });
      if (namespace) obj.metadata.namespace = namespace;
      if (generation === undefined) delete obj.metadata.generation;
      const hooks = step.path.endsWith('/status') ? strategy.subresources?.status : strategy;
      if (hooks === strategy) emulateReservation(k.kind, obj, stored);
      hooks?.prepareForUpdate?.(here, obj, stored);
      const errors = hooks?.validateUpdate?.(here, obj, stored) ?? [];
      const got = errors.length > 0 ? fieldErrorsMessage(errors) : '';
      const text = answer.c === 422 ? (answer.b?.message?.replace(/^.*? is invalid: /s, '') ?? '') : '';
      if (ELSEWHERE.test(text)) return;
      if (text !== got) off.push(`${step.method} ${step.path}\n  - ${text}\n  + ${got}`);
      if (errors.length === 0 && answer.c === 200 && step.query?.dryRun === undefined) stored = obj;
    });
    return off;
  }

  const cases = [...suite.default()];
  for (const id of new Set(cases.map((c) => c.name.split(' ')[0]!))) {
    it(id, () => {
      const k = byKind[id]!;
      const off = cases.flatMap((c) => {
        const want = golden.get(c.name);
        if (c.name.split(' ')[0] !== id || !want || want[0]!.c !== 201) return [];
        return replay(k, c.steps, slug('immutability', c.name), want).map((text) => `${c.name} ${text}`);
      });
      if (report) {
        process.stdout.write(`${id.padEnd(34)} ${off.length}\n`);
        if (report === id) process.stdout.write(`${off.join('\n')}\n`);
        return;
      }
      const accepted = ACCEPTED[id];
      if (accepted) expect(off.filter((o) => !accepted.some((a) => o.startsWith(a)))).toEqual([]);
    });
  }
});
