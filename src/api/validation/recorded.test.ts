import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type FieldError, fieldErrorsMessage } from '../../machinery/field.js';
import { apiVersionOf, type JsonObject, type KubeObject, parseApiVersion } from '../../machinery/json.js';
import { catalog } from '../../machinery/scheme/catalog.js';
import type { Type } from '../../machinery/scheme/type.js';
import { convert } from '../conversion/index.js';
import { applyDefaults } from '../defaulting/index.js';
import { strategyFor } from '../index.js';
import { factsFor } from '../kind.js';
import {
  ALLOCATED,
  answered,
  decodeMinimal,
  differences,
  emulateAdmission,
  emulateReservation,
  gunzipJson,
  haveRecordings,
  NOW,
  type RecordedAnswer,
  recorded,
  SHARED,
  stable,
  stored,
  type TwinKind,
  testContext,
  twinModule,
  UID,
} from '../recorded.suite.js';

// `REPORT=Pod npx vitest run src/api/validation/recorded` prints the differences of one kind (`REPORT=all`: rates only).
const report = process.env.REPORT ?? '';

interface Rate {
  total: number;
  verdict: number;
  causes: number;
  message: number;
  warnings: number;
  /** What is stored, and answered. */
  objects: number;
}

/** Share of the recorded cases of a kind for which causes, message and stored object must be right. Only ever raised. */
const FLOORS: Record<string, [causes: number, message: number, objects: number]> = JSON.parse(
  readFileSync(new URL('./recorded-floors.json', import.meta.url), 'utf8'),
) as Record<string, [number, number, number]>;

const causeSet = (causes: readonly { field?: string; reason?: string }[]) =>
  causes
    .map((c) => `${c.field} ${c.reason}`)
    .sort()
    .join('\n');

describe.runIf(haveRecordings)('validation as recorded', async () => {
  if (!haveRecordings) return;
  const { mutate } = await twinModule<{ mutate(m: JsonObject, p: string, l: string, v: unknown): string }>(
    'suites/validation.mjs',
  );
  const { byKind } = await twinModule<{ byKind: Record<string, TwinKind> }>('lib/kinds.mjs');
  const { slug } = await twinModule<{ slug(suite: string, name: string): string }>('lib/runner.mjs');
  const muts = gunzipJson(`${SHARED}/twin/data/validation.json.gz`) as [string, string, string, unknown][];
  const golden = new Map(recorded('validation').map((c) => [c.n, c.a[0]!]));

  const rates = new Map<string, Rate>();
  const off: string[] = [];
  const ctx = testContext({ namespace: 'twin-validation' });

  const typeOf = (k: TwinKind): Type => catalog().byGvk(k.group, k.version, k.kind)!;

  function run(kind: TwinKind, body: JsonObject): { errors: FieldError[]; warnings: string[]; obj: KubeObject } {
    const sent = decodeMinimal(kind.group, kind.version, kind.kind, body);
    applyDefaults(typeOf(kind), sent, ctx);
    const hub = parseApiVersion(factsFor(kind.group, kind.kind).storageVersion ?? apiVersionOf(kind));
    const strategy = strategyFor(hub.group, kind.kind);
    const obj = convert(kind.kind, sent, kind, hub);
    if (kind.namespaced) obj.metadata.namespace = 'twin-validation';
    const here = { ...ctx, requestVersion: apiVersionOf(kind) };
    obj.metadata.creationTimestamp = NOW;
    obj.metadata.uid = UID;
    delete obj.metadata.deletionTimestamp;
    delete obj.metadata.deletionGracePeriodSeconds;
    emulateAdmission(kind.kind, obj);
    emulateReservation(kind.kind, obj);
    strategy.prepareForCreate?.(here, obj);
    const errors = strategy.validate?.(here, obj) ?? [];
    if (errors.length > 0) return { errors, warnings: [], obj };
    const warnings = strategy.warningsOnCreate?.(here, obj) ?? [];
    strategy.canonicalize?.(obj);
    return { errors, warnings, obj: stored(typeOf(kind), convert(kind.kind, obj, hub, kind)) };
  }

  function compare(id: string, name: string, body: JsonObject, kind: TwinKind, want: RecordedAnswer): void {
    const rate = rates.get(id) ?? { total: 0, verdict: 0, causes: 0, message: 0, warnings: 0, objects: 0 };
    rates.set(id, rate);
    rate.total++;
    let got: ReturnType<typeof run>;
    try {
      got = run(kind, body);
    } catch (e) {
      if (report === id) off.push(`${name}\n  threw ${(e as Error).stack?.slice(0, 400)}`);
      return;
    }
    const wantCauses = want.b?.details?.causes ?? [];
    const verdict = (want.c === 422) === got.errors.length > 0;
    const causes = causeSet(wantCauses) === causeSet(got.errors.map((e) => e.toCause()));
    const wantText = want.c === 422 ? (want.b?.message?.replace(/^.*? is invalid: /s, '') ?? '') : '';
    const gotText = got.errors.length > 0 ? fieldErrorsMessage(got.errors) : '';
    const wantWarnings = JSON.stringify((want.w ?? []).map((w) => JSON.parse(w.replace(/^299 - /, ''))));
    if (verdict) rate.verdict++;
    if (causes) rate.causes++;
    if (wantText === gotText) rate.message++;
    const warnings = wantWarnings === JSON.stringify(got.warnings);
    if (warnings) rate.warnings++;
    const objects: string[] = [];
    if (verdict && want.c === 201 && want.b?.metadata) {
      const answer = decodeMinimal(kind.group, kind.version, kind.kind, answered(want.b));
      objects.push(...differences(stable(answer), stable(got.obj)).filter((d) => !ALLOCATED.test(d)));
    }
    if (verdict && objects.length === 0) rate.objects++;
    if (report !== id) return;
    const lines = [
      ...(wantText === gotText ? [] : [`  - ${wantText}`, `  + ${gotText}`]),
      ...(warnings ? [] : [`  -w ${wantWarnings}`, `  +w ${JSON.stringify(got.warnings)}`]),
      ...objects.map((d) => `  ${d}`),
    ];
    if (lines.length > 0) off.push([name, ...lines].join('\n'));
  }

  it('has the same causes and messages', () => {
    for (const [base, pointer, label, value] of muts) {
      const name = `${base} ${pointer} ${label}`;
      const want = golden.get(name);
      if (!want || (want.c !== 422 && want.c !== 201)) continue;
      const [id, which] = base.split(':') as [string, 'min' | 'rich'];
      const kind = byKind[id]!;
      if (report && report !== 'all' && report !== id) continue;
      const text = mutate(kind[which]!, pointer, label, value)
        .replaceAll('{{id}}', slug('validation', name))
        .replaceAll('{{ns}}', 'twin-validation')
        .replaceAll('{{ip}}', '10.96.1.2');
      compare(id, name, JSON.parse(text) as JsonObject, kind, want);
    }
    if (report) {
      const lines = [...rates].map(([id, r]) => {
        const pct = (n: number) => `${((100 * n) / r.total).toFixed(1)}%`.padStart(7);
        return `${id.padEnd(34)}${`${r.total}`.padStart(5)} verdict${pct(r.verdict)} causes${pct(r.causes)} message${pct(r.message)} warnings${pct(r.warnings)} objects${pct(r.objects)}`;
      });
      process.stdout.write(`${off.join('\n')}\n${lines.join('\n')}\n`);
      return;
    }
    for (const [id, [causes, message, objects]] of Object.entries(FLOORS)) {
      const rate = rates.get(id);
      expect(rate, id).toBeDefined();
      const share = (n: number) => Math.round((1000 * n) / rate!.total) / 10;
      expect(share(rate!.causes), `causes of ${id}`).toBeGreaterThanOrEqual(causes);
      expect(share(rate!.message), `messages of ${id}`).toBeGreaterThanOrEqual(message);
      expect(share(rate!.objects), `objects of ${id}`).toBeGreaterThanOrEqual(objects);
    }
  });
});
