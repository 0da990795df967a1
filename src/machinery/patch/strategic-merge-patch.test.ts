import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kubectlPath } from '../../../test/support/kubectl.js';
import { StatusError } from '../errors.js';
import { goJson, goValue } from '../go-format.js';
import { cloneJson, type JsonObject, type JsonValue } from '../json.js';
import { catalog } from '../scheme/catalog.js';
import { applyStrategicMergePatch, parseStrategicMergePatch } from './strategic-merge-patch.js';

const POD = catalog().byGvk('', 'v1', 'Pod')!;
const DEPLOYMENT = catalog().byGvk('apps', 'v1', 'Deployment')!;

const pod = (spec: JsonObject, metadata: JsonObject = {}): JsonObject => ({ metadata, spec });
const patchSpec = (spec: JsonObject, patch: JsonObject): JsonObject =>
  applyStrategicMergePatch(pod(spec), pod(patch), POD).object.spec as JsonObject;
const patchMeta = (metadata: JsonObject, patch: JsonObject): JsonObject =>
  applyStrategicMergePatch(pod({}, metadata), pod({}, patch), POD).object.metadata as JsonObject;

const two = {
  containers: [
    { name: 'a', image: 'x' },
    { name: 'b', image: 'y' },
  ],
};

describe('lists of maps', () => {
  it.each<[string, JsonObject, JsonObject]>([
    [
      'merges by key',
      { containers: [{ name: 'b', image: 'z' }] },
      {
        containers: [
          { name: 'a', image: 'x' },
          { name: 'b', image: 'z' },
        ],
      },
    ],
    [
      'puts what the patch names in its order',
      { containers: [{ name: 'n' }, { name: 'a', tty: true }] },
      { containers: [{ name: 'n' }, { name: 'a', image: 'x', tty: true }, { name: 'b', image: 'y' }] },
    ],
    ['deletes', { containers: [{ name: 'a', $patch: 'delete' }] }, { containers: [{ name: 'b', image: 'y' }] }],
    ['deletes what is not there', { containers: [{ name: 'q', $patch: 'delete' }] }, two],
    ['replaces', { containers: [{ name: 'n' }, { $patch: 'replace' }] }, { containers: [{ name: 'n' }] }],
    ['replaces by nothing', { containers: [{ $patch: 'replace' }] }, { containers: [] }],
    [
      'orders',
      { '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }] },
      { containers: [two.containers[1]!, two.containers[0]!] },
    ],
    [
      'orders with a change',
      { '$setElementOrder/containers': [{ name: 'b' }, { name: 'n' }, { name: 'a' }], containers: [{ name: 'n' }] },
      { containers: [two.containers[1]!, { name: 'n' }, two.containers[0]!] },
    ],
    ['keeps what the order does not name', { '$setElementOrder/containers': [{ name: 'b' }] }, two],
    ['is removed by null', { containers: null }, {}],
    ['leaves an atomic list to be replaced', { tolerations: [{ key: 'k' }] }, { ...two, tolerations: [{ key: 'k' }] }],
    ['is idle', {}, two],
  ])('%s', (_, patch, expected) => expect(patchSpec(two, patch)).toEqual(expected));
});

describe('maps', () => {
  const spec = { nodeSelector: { a: '1', b: '2' } };
  it.each<[string, JsonObject, JsonObject]>([
    ['merges', { nodeSelector: { b: '3', c: '4' } }, { nodeSelector: { a: '1', b: '3', c: '4' } }],
    ['removes by null', { nodeSelector: { a: null, z: null } }, { nodeSelector: { b: '2' } }],
    ['replaces', { nodeSelector: { $patch: 'replace', x: '9' } }, { nodeSelector: { x: '9' } }],
    ['deletes', { nodeSelector: { $patch: 'delete' } }, { nodeSelector: {} }],
    ['drops a directive that meets nothing', { securityContext: { $patch: 'delete' } }, spec],
    [
      'drops nulls of what is new',
      { securityContext: { runAsUser: null, fsGroup: 1 } },
      { ...spec, securityContext: { fsGroup: 1 } },
    ],
    ['replaces a value of another kind', { nodeSelector: ['x'] }, { nodeSelector: ['x'] }],
  ])('%s', (_, patch, expected) => expect(patchSpec(spec, patch)).toEqual(expected));

  it('retains keys', () => {
    const volumes = [{ name: 'v', emptyDir: {} }];
    const patch = { volumes: [{ name: 'v', $retainKeys: ['name', 'hostPath'], hostPath: { path: '/x' } }] };
    expect(patchSpec({ volumes }, patch)).toEqual({ volumes: [{ name: 'v', hostPath: { path: '/x' } }] });
  });
});

describe('lists of scalars', () => {
  const meta = { finalizers: ['a', 'b', 'c'] };
  it.each<[string, JsonObject, JsonValue | undefined]>([
    ['merges as a set', { finalizers: ['d', 'b'] }, ['d', 'a', 'b', 'c']],
    ['takes away', { '$deleteFromPrimitiveList/finalizers': ['a', 'z'] }, ['b', 'c']],
    ['orders', { '$setElementOrder/finalizers': ['c', 'a'] }, ['b', 'c', 'a']],
    ['orders and adds', { '$setElementOrder/finalizers': ['n', 'a'], finalizers: ['n'] }, ['n', 'a', 'b', 'c']],
    ['ignores a deletion that is no list', { '$deleteFromPrimitiveList/finalizers': 'text' }, ['a', 'b', 'c']],
    ['deletes from nothing', { '$deleteFromPrimitiveList/other': ['x'] }, ['a', 'b', 'c']],
    ['is removed by null', { finalizers: null }, undefined],
  ])('%s', (_, patch, expected) => expect(patchMeta(meta, patch).finalizers).toEqual(expected));
});

describe('refuses with the words of kube-apiserver', () => {
  it.each<[string, JsonObject, number, string]>([
    [
      'missing merge key',
      { containers: [{ image: 'x' }] },
      500,
      'map: map[image:x] does not contain declared merge key: name',
    ],
    [
      'unknown directive',
      { nodeSelector: { $patch: 'explode', x: 'y' } },
      500,
      'unknown patch type: explode in map: map[$patch:explode x:y]',
    ],
    [
      'merge directive in a list',
      { containers: [{ name: 'a', $patch: 'merge' }] },
      500,
      'merging lists cannot yet be specified in the patch',
    ],
    [
      'mixed elements',
      { containers: ['x'] },
      500,
      'list element types are not identical: [[map[image:x name:a] map[image:y name:b]] [x]]',
    ],
    [
      'retainKeys lacks a key',
      { containers: [{ name: 'a', $retainKeys: ['other'] }] },
      400,
      'invalid patch format of retainKeys',
    ],
    [
      'retainKeys is no list',
      { containers: [{ name: 'a', $retainKeys: 'x' }] },
      400,
      'invalid patch format of retainKeys',
    ],
    ['order without a name', { $setElementOrder: [] }, 400, 'invalid patch format of setElementOrder list'],
    [
      'order is no list',
      { '$setElementOrder/containers': 'x' },
      500,
      'expected a []interface {}, but received a string',
    ],
    ['deletion without a name', { '$deleteFromPrimitiveList-x': [] }, 400, 'invalid patch format of primitive list'],
    [
      'order mismatch',
      { '$setElementOrder/containers': [{ name: 'b' }], containers: [{ name: 'n' }] },
      500,
      "The order in patch list:\n[map[name:n]]\n doesn't match $setElementOrder list:\n[map[name:b]]\n",
    ],
    [
      'order of an unknown field',
      { '$setElementOrder/bogus': [] },
      500,
      'unable to find api field in struct PodSpec for the json field "bogus"',
    ],
  ])('%s', (_, patch, code, message) => {
    expect(() => patchSpec({ ...two, nodeSelector: { a: 'b' } }, patch)).toThrow(
      expect.objectContaining({ code, message }),
    );
  });

  it('lists of lists', () => {
    expect(() => patchMeta({ finalizers: [['a']] }, { finalizers: [['b']] })).toThrow(
      expect.objectContaining({ code: 422 }),
    );
  });
  it('maps where the type has none', () => {
    const both = (a: JsonObject, b: JsonObject): unknown => applyStrategicMergePatch({ bogus: a }, { bogus: b }, POD);
    expect(() => both({ x: 1 }, { x: 2 })).toThrow('unable to find api field in struct Pod for the json field "bogus"');
    expect(() => patchMeta({ labels: { a: { x: '1' } } }, { labels: { a: { x: '2' } } })).toThrow(
      'merging an object in json but data type is not struct, instead is: map',
    );
  });
  it.each<[JsonValue, string]>([
    [5, 'json: cannot unmarshal number into Go value of type map[string]interface {}'],
    [[], 'json: cannot unmarshal array into Go value of type map[string]interface {}'],
  ])('body %j', (body, message) => {
    expect(() => parseStrategicMergePatch(body)).toThrow(expect.objectContaining({ code: 400, message }));
  });
  it('takes null for no change', () => expect(parseStrategicMergePatch(null)).toEqual({}));
});

it('shows what is left of the patch', () => {
  const { patch } = applyStrategicMergePatch(pod(two), pod({ nodeSelector: { $patch: 'replace', x: null } }), POD);
  expect(goValue(patch)).toBe('map[metadata:map[] spec:map[nodeSelector:map[$patch:replace]]]');
});

describe('against kubectl patch --local', () => {
  let kubectl: string;
  let folder: string;
  beforeAll(async () => {
    kubectl = await kubectlPath();
    folder = await mkdtemp(join(tmpdir(), 'smp-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** The patched object, or the message of the error. */
  async function reference(object: JsonObject, patch: JsonObject): Promise<JsonObject | string> {
    const file = join(folder, 'object.json');
    await writeFile(file, JSON.stringify(object));
    return new Promise((resolve) => {
      const args = ['patch', '--local', '-f', file, '--type', 'strategic', '-o', 'json', '-p', JSON.stringify(patch)];
      execFile(kubectl, args, (error, stdout, stderr) => {
        resolve(error ? stderr.replace(/^error: /, '').trimEnd() : (JSON.parse(stdout) as JsonObject));
      });
    });
  }

  const name = fc.constantFrom('a', 'b', 'c', 'd');
  const opt = <T>(arb: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arb, { nil: undefined, freq: 2 });
  const uniqueBy = <T extends JsonObject>(arb: fc.Arbitrary<T>, key: string): fc.Arbitrary<T[]> =>
    fc.uniqueArray(arb, { selector: (v) => v[key], maxLength: 4 });
  const env = fc.record({ name, value: fc.constantFrom('1', '2') });
  const port = fc.record({ containerPort: fc.integer({ min: 1, max: 3 }), name: opt(name) });
  const container = fc.record({
    name,
    image: opt(fc.constantFrom('x', 'y')),
    env: opt(uniqueBy(env, 'name')),
    ports: opt(uniqueBy(port, 'containerPort')),
    args: opt(fc.array(name, { maxLength: 3 })),
  });
  const volume = fc.oneof(
    name.map((n): JsonObject => ({ name: n, emptyDir: {} })),
    name.map((n): JsonObject => ({ name: n, hostPath: { path: '/x' } })),
  );
  const labels = fc.dictionary(name, fc.constantFrom('1', '2'));
  const podSpec = fc.record({
    containers: uniqueBy(container as fc.Arbitrary<JsonObject>, 'name'),
    volumes: opt(uniqueBy(volume, 'name')),
    nodeSelector: opt(labels),
    tolerations: opt(fc.array(fc.record({ key: name }), { maxLength: 2 })),
    imagePullSecrets: opt(uniqueBy(fc.record({ name }), 'name')),
  });
  const object = fc.record({ spec: podSpec, finalizers: opt(fc.uniqueArray(name)) }).map(({ spec, finalizers }) =>
    clean({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'd', finalizers },
      spec: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } }, template: { spec } },
    }),
  );
  const clean = (v: JsonValue | Record<string, unknown>): JsonObject => JSON.parse(JSON.stringify(v)) as JsonObject;

  const KEEP = new Set(['metadata', 'spec', 'template', 'name', 'containerPort', 'kind', 'apiVersion']);
  /** Takes a valid object and makes a patch of it: parts left out, nulls and directives put in. */
  const directive = fc.constantFrom('none', 'none', 'none', 'null', 'delete', 'replace', 'order');
  function disturb(value: JsonValue, random: () => string, key = ''): JsonValue | undefined {
    if (Array.isArray(value)) return disturbList(value, random);
    if (typeof value !== 'object' || value === null) return random() === 'null' && !KEEP.has(key) ? null : value;
    const out: JsonObject = {};
    for (const [k, v] of Object.entries(value)) {
      const act = random();
      if (act === 'null' && !KEEP.has(k)) out[k] = null;
      else if (act === 'order' && Array.isArray(v) && ORDERED.has(k)) {
        out[`$setElementOrder/${k}`] = v.map((e) =>
          typeof e === 'string' ? e : { [ORDERED.get(k)!]: (e as JsonObject)[ORDERED.get(k)!] },
        );
        out[k] = v;
      } else if (act === 'delete' && k === 'finalizers') out[`$deleteFromPrimitiveList/${k}`] = v;
      else out[k] = disturb(v!, random, k);
    }
    if (key === 'nodeSelector' || key === 'strategy') {
      const act = random();
      if (act === 'replace' || act === 'delete') out.$patch = act;
    }
    return out;
  }
  const ORDERED = new Map([
    ['containers', 'name'],
    ['env', 'name'],
    ['ports', 'containerPort'],
    ['volumes', 'name'],
    ['imagePullSecrets', 'name'],
    ['finalizers', ''],
  ]);
  function disturbList(value: JsonValue[], random: () => string): JsonValue[] {
    const out = value.map((e) =>
      typeof e === 'object' && e !== null && !Array.isArray(e) && random() === 'delete'
        ? { ...e, $patch: 'delete' }
        : (disturb(e, random) ?? null),
    );
    if (random() === 'replace' && typeof value[0] === 'object') out.push({ $patch: 'replace' });
    return out;
  }

  it('gives the same object or the same error', async () => {
    const cases = fc.sample(fc.tuple(object, object, fc.array(directive, { minLength: 40, maxLength: 40 })), {
      numRuns: 60,
      seed: 42,
    });
    let errors = 0;
    for (const [original, other, acts] of cases) {
      let at = 0;
      const patch = disturb(other, () => acts[at++ % acts.length]!) as JsonObject;
      const expected = await reference(original, patch);
      let made: JsonObject | string;
      try {
        made = applyStrategicMergePatch(original, cloneJson(patch), DEPLOYMENT).object;
      } catch (e) {
        expect(e).toBeInstanceOf(StatusError);
        made = (e as Error).message.trimEnd();
        errors++;
      }
      const text = (v: JsonObject | string): string => (typeof v === 'string' ? v : goJson(withoutNulls(v)));
      expect(text(made), JSON.stringify({ original, patch })).toBe(text(expected));
    }
    expect(errors).toBeLessThan(cases.length / 2);
  });

  /** kubectl prints nulls that the patch left inside new list elements; decoding drops them. */
  function withoutNulls(value: JsonObject): JsonObject {
    return JSON.parse(JSON.stringify(value), (_, v: unknown) => (v === null ? undefined : v)) as JsonObject;
  }
});

it('never changes its inputs', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), fc.jsonValue({ maxDepth: 4 }), (a, b) => {
      const document = { metadata: { labels: a, annotations: b }, spec: a } as JsonObject;
      const patch = { metadata: { labels: b, annotations: a }, spec: b } as JsonObject;
      const before = JSON.stringify([document, patch]);
      try {
        applyStrategicMergePatch(document, patch, POD);
      } catch (e) {
        expect(e).toBeInstanceOf(StatusError);
      }
      expect(JSON.stringify([document, patch])).toBe(before);
    }),
    { numRuns: 1000, interruptAfterTimeLimit: 2000 },
  );
});
