import { describe, expect, it } from 'vitest';
import { StatusError } from '../../src/machinery/errors.js';
import { goJson } from '../../src/machinery/go-format.js';
import { isJsonObject, type JsonObject, type KubeObject } from '../../src/machinery/json.js';
import { goldenCases, haveGoldens } from '../support/goldens.js';
import { decode, isApply, realistic, replay, targetOf } from '../support/replay.js';

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
