import { describe, expect, it } from 'vitest';
import { applyDefaults } from '../../src/api/defaulting/index.js';
import { jsonEncoder } from '../../src/machinery/codec/json/encode.js';
import { decodeTyped } from '../../src/machinery/codec/typed/decode.js';
import { emptyListDropper } from '../../src/machinery/codec/typed/empty-lists.js';
import { StatusError } from '../../src/machinery/errors.js';
import { goValue } from '../../src/machinery/go-format.js';
import { isJsonObject, type JsonObject, type JsonValue, type KubeObject } from '../../src/machinery/json.js';
import { patchedInvalid } from '../../src/machinery/patch/patched.js';
import { applyStrategicMergePatch } from '../../src/machinery/patch/strategic-merge-patch.js';
import { checkUnstructured } from '../../src/machinery/patch/unstructured.js';
import { goldenCases, haveGoldens, type Step } from '../support/goldens.js';
import { decode, defaulting, isApply, realistic, replay, type Target, targetOf } from '../support/replay.js';

/** Without what the server adds to every object. */
function content({ type }: Target, object: KubeObject): JsonObject {
  const stored = decodeTyped(type, object).object;
  const out = JSON.parse(jsonEncoder(type)(stored)) as KubeObject;
  const meta = out.metadata;
  for (const name of ['managedFields', 'resourceVersion', 'generation', 'uid', 'creationTimestamp', 'namespace']) {
    delete meta[name];
  }
  return out;
}

describe.runIf(haveGoldens)('patched objects as recorded', () => {
  for (const suite of ['patches', 'crud']) {
    it(suite, async () => {
      let same = 0;
      const different: unknown[] = [];
      for (const c of await goldenCases(suite)) {
        const stored = new Map<string, KubeObject>();
        for (const [i, step] of c.steps.entries()) {
          const target = targetOf(step);
          const answer = step.answer.body;
          if (!target || !isJsonObject(answer) || answer.kind !== target.facts.kind || !isJsonObject(answer.metadata))
            continue;
          if (step.answer.code >= 300) continue;
          const recorded = decode(target, realistic(answer));
          const live = stored.get(target.name);
          if (step.query.dryRun === undefined) stored.set(recorded.metadata.name!, recorded);
          if (step.method !== 'PATCH' || typeof step.body !== 'object' || !live || target.subresource) continue;
          let made = await replay(step, target, live);
          if (isApply(step)) made = decode(target, made);
          applyDefaults(target.type, made, defaulting);
          emptyListDropper(target.type)?.(made);
          const [a, b] = [content(target, recorded), content(target, made)];
          if (JSON.stringify(a) === JSON.stringify(b)) same++;
          else different.push({ case: `${c.name} [${i}]`, recorded: a, made: b });
        }
      }
      expect(different).toEqual([]);
      expect(same).toBeGreaterThan(10);
    });
  }
});

const OURS = /^(error decoding patch: json|json: |Invalid JSON|invalid patch|map: |list element|the server rejected)/;
const UNFIT = /^ "" is invalid: patch: Invalid value: "map\[/;

describe.runIf(haveGoldens)('refusals of patches as recorded', () => {
  for (const suite of ['patches', 'crud']) {
    it(suite, async () => {
      let same = 0;
      for (const c of await goldenCases(suite)) {
        const stored = new Map<string, KubeObject>();
        for (const [i, step] of c.steps.entries()) {
          const target = targetOf(step);
          const answer = step.answer.body;
          if (!target || !isJsonObject(answer)) continue;
          const message = String(answer.message);
          if (step.answer.code < 300 && answer.kind === target.facts.kind && isJsonObject(answer.metadata)) {
            const recorded = decode(target, realistic(answer));
            if (step.query.dryRun === undefined) stored.set(recorded.metadata.name!, recorded);
            continue;
          }
          const live = stored.get(target.name);
          if (step.method !== 'PATCH' || isApply(step) || !live) continue;
          let thrown: unknown;
          try {
            if (OURS.test(message)) await replay({ ...step, body: parsed(step) }, target, live);
            else if (UNFIT.test(message)) unfit(step, target, live);
            else continue;
          } catch (e) {
            if (e instanceof SyntaxError) continue; // the decoder's to refuse
            thrown = e;
          }
          expect(thrown, `${c.name} [${i}]`).toBeInstanceOf(StatusError);
          expect(JSON.parse(JSON.stringify((thrown as StatusError).toStatus())), `${c.name} [${i}]`).toEqual(answer);
          same++;
        }
      }
      expect(same).toBeGreaterThan(10);
    });
  }
});

function parsed(step: Step): JsonValue {
  return typeof step.body === 'string' ? (JSON.parse(step.body) as JsonValue) : (step.body ?? null);
}

/** A strategic merge patch whose result does not fit the type. */
function unfit(step: Step, { type }: Target, live: KubeObject): void {
  const document = JSON.parse(jsonEncoder(type)(live)) as JsonObject;
  const { object, patch } = applyStrategicMergePatch(document, parsed(step) as JsonObject, type);
  const unknown: string[] = [];
  try {
    checkUnstructured(object, type, (text) => unknown.push(text));
  } catch (e) {
    throw patchedInvalid(goValue(patch), (e as Error).message);
  }
  if (unknown.length > 0) throw patchedInvalid(goValue(patch), `strict decoding error: ${unknown.join(', ')}`);
}
