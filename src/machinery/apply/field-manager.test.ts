import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StatusError } from '../errors.js';
import { cloneJson, type JsonObject, type JsonValue, type KubeObject, type ManagedFieldsEntry } from '../json.js';
import { catalog } from '../scheme/catalog.js';
import { resourceCatalog } from '../scheme/resources.js';
import type { FieldManagerOptions } from './contract.js';
import { FieldManager } from './field-manager.js';
import { managedFieldsFault } from './managed.js';
import { managerName } from './manager-name.js';
import { excludeFields, resetFilters } from './reset-fields.js';
import { keepTimesIfUnchanged } from './times.js';

const T1 = '2026-01-01T00:00:00Z';
const T2 = '2026-01-02T00:00:00Z';

function builtIn(apiVersion: string, kind: string, more: Partial<FieldManagerOptions> = {}): FieldManager {
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  const type = catalog().byGvk(group!, version!, kind)!;
  return new FieldManager({
    kind: { group: group!, version: version!, kind },
    structured: true,
    schema: (v) => (v === apiVersion ? { kind: 'struct', type } : undefined),
    ...more,
  });
}
const maps = builtIn('v1', 'ConfigMap');
const deployments = builtIn('apps/v1', 'Deployment');

const now = <T>(v: T | Promise<T>): T => {
  if (v instanceof Promise) throw new Error('settled late');
  return v;
};
const cm = (data: JsonObject | undefined, meta: JsonObject = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'c', ...meta },
  ...(data && { data }),
});
const entry = (
  manager: string,
  operation: 'Apply' | 'Update',
  fieldsV1: JsonObject,
  more: ManagedFieldsEntry = {},
): ManagedFieldsEntry => ({
  manager,
  operation,
  apiVersion: 'v1',
  time: T1,
  fieldsType: 'FieldsV1',
  fieldsV1,
  ...more,
});
/** As the object is after it was stored. */
const stored = (object: KubeObject): KubeObject => {
  const copy = cloneJson(object);
  copy.metadata.uid = 'u';
  return copy;
};
const create = (object: KubeObject, manager = 'creator'): KubeObject =>
  stored(now(maps.onUpdate(undefined, object, { manager, now: T1 })));
const update = (live: KubeObject, change: (o: KubeObject) => void, manager: string, at = T2): KubeObject => {
  const object = cloneJson(live);
  change(object);
  return now(maps.onUpdate(live, object, { manager, now: at }));
};
const apply = (live: KubeObject | undefined, config: KubeObject, manager: string, force = false, at = T1): KubeObject =>
  stored(now(maps.apply(live, config, { manager, now: at, force })));
const owners = (object: KubeObject): Record<string, JsonObject | undefined> =>
  Object.fromEntries((object.metadata.managedFields ?? []).map((e) => [`${e.manager} ${e.operation}`, e.fieldsV1]));

describe('writes that are no apply', () => {
  it('own what they set, members in order', () => {
    const o = create(cm({ b: '1', a: '2' }, { labels: { l: '1' }, annotations: {}, generateName: 'x' }));
    expect(JSON.stringify(o.metadata.managedFields)).toBe(
      `[{"manager":"creator","operation":"Update","apiVersion":"v1","time":"${T1}","fieldsType":"FieldsV1","fieldsV1":{"f:data":{".":{},"f:a":{},"f:b":{}},"f:metadata":{"f:generateName":{},"f:labels":{".":{},"f:l":{}}}}}]`,
    );
  });
  it('take what they change from others', () => {
    const o = update(create(cm({ a: '1', b: '2' })), (x) => Object.assign(x, { data: { a: '9', c: '3' } }), 'other');
    expect(owners(o)).toEqual({
      'creator Update': { 'f:data': {} },
      'other Update': { 'f:data': { 'f:a': {}, 'f:c': {} } },
    });
    expect(o.metadata.managedFields?.map((e) => e.time)).toEqual([T1, T2]);
  });
  it('change no time when they change nothing', () => {
    const live = create(cm({ a: '1' }));
    expect(update(live, () => undefined, 'creator').metadata.managedFields).toEqual(live.metadata.managedFields);
    expect(update(live, () => undefined, 'other').metadata.managedFields).toEqual(live.metadata.managedFields);
  });
  it('join with what the same manager did before', () => {
    const o = update(create(cm({ a: '1' })), (x) => Object.assign(x.data as JsonObject, { b: '1' }), 'creator');
    expect(owners(o)).toEqual({ 'creator Update': { 'f:data': { '.': {}, 'f:a': {}, 'f:b': {} } } });
    expect(o.metadata.managedFields?.[0]?.time).toBe(T2);
  });
  it('forget managers that own nothing any more', () => {
    const o = update(create(cm({ a: '1' })), (x) => delete x.data, 'other');
    expect(o.metadata.managedFields).toBeUndefined();
  });
  it('go by an unknown name without one', () => {
    expect(owners(create(cm({ a: '1' }), ''))).toHaveProperty(['unknown Update']);
  });
  it('have no owner for what the server owns', () => {
    const o = create(
      cm(undefined, {
        uid: 'x',
        namespace: 'n',
        resourceVersion: '5',
        creationTimestamp: T1,
        generation: 3,
        selfLink: '/x',
      }),
    );
    expect(o.metadata.managedFields).toBeUndefined();
  });
  it('leave the live object alone', () => {
    const live = create(cm({ a: '1' }));
    const before = JSON.stringify(live);
    update(live, (x) => Object.assign(x, { data: { z: '1' } }), 'other');
    expect(JSON.stringify(live)).toBe(before);
  });
  it('go untracked when the object has lost its managers', () => {
    const live = create(cm({ a: '1' }));
    delete live.metadata.managedFields;
    expect(update(live, (x) => Object.assign(x, { data: { a: '2' } }), 'other').metadata.managedFields).toBeUndefined();
  });
  it('leave out managers when items have no keys', () => {
    const bad = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: {},
      spec: { template: { spec: { imagePullSecrets: [null] } } },
    } as unknown as KubeObject;
    expect(now(deployments.onUpdate(undefined, bad, { manager: 'x', now: T1 })).metadata.managedFields).toBeUndefined();
  });
});

describe('managedFields in the request', () => {
  const live = create(cm({ a: '1' }));
  it.each<[string, JsonValue]>([
    ['[]', []],
    ['[{}]', [{}]],
  ])('%s resets', (_, sent) => {
    const o = update(live, (x) => Object.assign(x.metadata, { managedFields: sent }), 'other');
    expect(o.metadata.managedFields).toBeUndefined();
  });
  it.each<[string, JsonValue]>([
    ['null', null],
    ['unknown operation', [{ ...entry('x', 'Update', {}), operation: 'Nope' }]],
    ['no operation', [{ manager: 'x' }]],
    ['no apiVersion', [{ ...entry('x', 'Update', {}), apiVersion: '' }]],
    ['no fieldsType', [{ ...entry('x', 'Update', {}), fieldsType: undefined }]],
    ['unknown fieldsType', [{ ...entry('x', 'Update', {}), fieldsType: 'Bogus' }]],
    ['malformed fields', [entry('x', 'Update', { 'f:a': 5 })]],
    ['malformed key', [entry('x', 'Apply', { 'k:{bad': {} })]],
  ])('%s counts as not sent', (_, sent) => {
    const o = update(live, (x) => Object.assign(x.metadata, { managedFields: sent }), 'other');
    expect(o.metadata.managedFields).toEqual(live.metadata.managedFields);
  });
  it('replaces the live ones, in canonical form', () => {
    const sent = [entry('x', 'Update', { 'f:data': { 'f:b': {}, 'f:a': {}, 'z:x': {} } }, { subresource: 'status' })];
    const o = update(live, (x) => Object.assign(x.metadata, { managedFields: sent }), 'other');
    expect(JSON.stringify(o.metadata.managedFields)).toBe(
      `[{"manager":"x","operation":"Update","apiVersion":"v1","time":"${T1}","fieldsType":"FieldsV1","fieldsV1":{"f:data":{"f:a":{},"f:b":{}}},"subresource":"status"}]`,
    );
  });
  it('loses entries of versions that are not served', () => {
    const o = update(
      live,
      (x) =>
        Object.assign(x.metadata, {
          managedFields: [entry('x', 'Update', { 'f:data': {} }, { apiVersion: 'nope/v1' })],
        }),
      'other',
    );
    expect(o.metadata.managedFields).toBeUndefined();
  });
  it('is ignored through a subresource', () => {
    const status = builtIn('v1', 'ConfigMap', { subresource: 'status' });
    const object = cloneJson(live);
    object.metadata.managedFields = [{}];
    expect(now(status.onUpdate(live, object, { manager: 'x', now: T2 })).metadata.managedFields).toEqual(
      live.metadata.managedFields,
    );
  });
  it('is checked after admission', () => {
    expect(managedFieldsFault(live.metadata.managedFields)).toBeUndefined();
    expect(managedFieldsFault(undefined)).toBeUndefined();
    expect(managedFieldsFault([{ manager: 'x' }])).toBe('operation must be `Apply` or `Update`');
    expect(managedFieldsFault([entry('x', 'Update', {}, { fieldsType: 'Y' })])).toBe(
      'invalid fieldsType "Y" in managed fields entry 0',
    );
  });
});

describe('more than ten updaters', () => {
  it('are merged into ancient-changes, oldest first', () => {
    let o = create(cm({ k0: '0' }), 'm0');
    for (let i = 1; i <= 11; i++) {
      o = stored(
        update(
          o,
          (x) => Object.assign(x.data as JsonObject, { [`k${i}`]: `${i}` }),
          `m${i}`,
          `2026-02-${String(i).padStart(2, '0')}T00:00:00Z`,
        ),
      );
    }
    expect(o.metadata.managedFields).toHaveLength(10);
    expect(o.metadata.managedFields?.[0]).toEqual(
      entry(
        'ancient-changes',
        'Update',
        { 'f:data': { '.': {}, 'f:k0': {}, 'f:k1': {}, 'f:k2': {} } },
        { time: '2026-02-02T00:00:00Z' },
      ),
    );
  });
});

describe('server-side apply', () => {
  it('creates', () => {
    const o = apply(undefined, cm({ a: '1' }, { labels: { l: '1' } }), 'm1');
    expect(o.data).toEqual({ a: '1' });
    expect(owners(o)).toEqual({ 'm1 Apply': { 'f:data': { 'f:a': {} }, 'f:metadata': { 'f:labels': { 'f:l': {} } } } });
  });
  it('shares fields that have the same value', () => {
    const o = apply(apply(undefined, cm({ a: '1', b: '2' }), 'm1'), cm({ a: '1' }), 'm2', false, T2);
    expect(owners(o)).toEqual({
      'm1 Apply': { 'f:data': { 'f:a': {}, 'f:b': {} } },
      'm2 Apply': { 'f:data': { 'f:a': {} } },
    });
    // Nothing changed in the object: the new manager has no time.
    expect(o.metadata.managedFields?.map((e) => e.time)).toEqual([undefined, T1]);
  });
  it('removes what it applied before and nobody else owns', () => {
    const shared = apply(apply(undefined, cm({ a: '1', b: '2', c: '3' }), 'm1'), cm({ b: '2' }), 'm2');
    const o = apply(shared, cm({ a: '1' }), 'm1', false, T2);
    expect(o.data).toEqual({ a: '1', b: '2' });
    expect(owners(o)).toEqual({ 'm1 Apply': { 'f:data': { 'f:a': {} } }, 'm2 Apply': { 'f:data': { 'f:b': {} } } });
  });
  it('removes a map when all of it goes', () => {
    expect(apply(apply(undefined, cm({ a: '1' }), 'm1'), cm(undefined), 'm1').data).toBeUndefined();
    expect(
      apply(apply(apply(undefined, cm({ a: '1' }), 'm1'), cm({ b: '1' }), 'm2'), cm(undefined), 'm1').data,
    ).toEqual({ b: '1' });
  });
  it('leaves what updaters own', () => {
    const live = stored(
      update(apply(undefined, cm({ a: '1' }), 'm1'), (x) => Object.assign(x.data as JsonObject, { u: '1' }), 'u'),
    );
    expect(apply(live, cm(undefined), 'm1').data).toEqual({ u: '1' });
  });
  it('keeps an updater and an applier of one name apart', () => {
    const live = stored(
      update(apply(undefined, cm({ a: '1' }), 'm'), (x) => Object.assign(x.data as JsonObject, { a: '2' }), 'm'),
    );
    expect(owners(live)).toEqual({ 'm Update': { 'f:data': { 'f:a': {} } } });
    expect(() => apply(live, cm({ a: '1' }), 'm')).toThrow(
      'Apply failed with 1 conflict: conflict with "m" using v1: .data.a',
    );
  });
  it('changes neither live object nor configuration', () => {
    const live = apply(undefined, cm({ a: '1', b: '2' }, { annotations: { x: 'y' } }), 'm1');
    const config = cm({ a: '1', c: '3' });
    const before = JSON.stringify([live, config]);
    apply(live, config, 'm1', true);
    expect(JSON.stringify([live, config])).toBe(before);
  });
  it('gives the live object when nothing changes', () => {
    const live = apply(undefined, cm({ a: '1' }), 'm1');
    expect(apply(live, cm({ a: '1' }), 'm1', false, T2)).toEqual(live);
  });
  it('adopts what was there before the first apply', () => {
    const live = cm({ a: '1', b: '2' }, { uid: 'u' });
    const o = apply(live, cm({ a: '1' }), 'm1', false, T2);
    expect(owners(o)).toEqual({
      'm1 Apply': { 'f:data': { 'f:a': {} } },
      'before-first-apply Update': { 'f:data': { '.': {}, 'f:a': {}, 'f:b': {} } },
    });
    expect(() => apply(live, cm({ a: '9' }), 'm1')).toThrow('conflict with "before-first-apply" using v1: .data.a');
  });
});

describe('conflicts', () => {
  const live = stored(
    update(
      apply(create(cm({ a: '1', b: '2' }), 'u1'), cm({ l: 'x' }, { labels: { l: '1' } }), 'm1'),
      (x) => Object.assign(x.data as JsonObject, { b: '3' }),
      'u2',
    ),
  );
  const thrown = (f: () => unknown): StatusError => {
    try {
      f();
    } catch (e) {
      if (e instanceof StatusError) return e;
      throw e;
    }
    throw new Error('nothing was thrown');
  };
  it('are listed by manager', () => {
    const e = thrown(() => apply(live, cm({ a: '9', b: '9', l: '9' }, { labels: { l: '9' } }), 'm2'));
    expect(e.toStatus()).toMatchObject({
      code: 409,
      reason: 'Conflict',
      message:
        'Apply failed with 4 conflicts: conflicts with "m1":\n- .data.l\n- .metadata.labels.l\nconflicts with "u1" using v1:\n- .data.a\nconflicts with "u2" using v1:\n- .data.b',
    });
    expect(e.details?.causes?.[2]).toEqual({
      reason: 'FieldManagerConflict',
      message: 'conflict with "u1" using v1',
      field: '.data.a',
    });
  });
  it('are taken by force', () => {
    const o = apply(live, cm({ a: '9', b: '9' }), 'm2', true, T2);
    expect(o.data).toEqual({ a: '9', b: '9', l: 'x' });
    expect(owners(o)).toEqual({
      'm1 Apply': { 'f:data': { 'f:l': {} }, 'f:metadata': { 'f:labels': { 'f:l': {} } } },
      'm2 Apply': { 'f:data': { 'f:a': {}, 'f:b': {} } },
      'u1 Update': { 'f:data': {} },
    });
  });
  it('name the subresource and list items', () => {
    const d = (spec: JsonObject): KubeObject => ({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'd' },
      spec,
    });
    const one = stored(
      now(
        deployments.apply(undefined, d({ template: { spec: { containers: [{ name: 'a', image: 'x' }] } } }), {
          manager: 'm1',
          now: T1,
        }),
      ),
    );
    expect(() =>
      deployments.apply(one, d({ template: { spec: { containers: [{ name: 'a', image: 'y' }] } } }), {
        manager: 'm2',
        now: T1,
      }),
    ).toThrow('Apply failed with 1 conflict: conflict with "m1": .spec.template.spec.containers[name="a"].image');
    one.metadata.managedFields![0]!.subresource = 'status';
    expect(() =>
      deployments.apply(one, d({ template: { spec: { containers: [{ name: 'a', image: 'y' }] } } }), {
        manager: 'm2',
        now: T1,
      }),
    ).toThrow('conflict with "m1" with subresource "status": ');
  });
});

describe('configurations that are refused', () => {
  it.each<[string, JsonObject, number, string]>([
    ['other kind', { apiVersion: 'v1', kind: 'Secret', metadata: {} }, 400, 'invalid object type: /v1, Kind=Secret'],
    [
      'other version',
      { apiVersion: 'apps/v1', kind: 'ConfigMap' },
      400,
      'invalid object type: apps/v1, Kind=ConfigMap',
    ],
    ['no version', { kind: 'ConfigMap' }, 400, 'invalid object type: /, Kind=ConfigMap'],
    ['no kind', { apiVersion: 'v1' }, 400, 'invalid object type: /v1, Kind='],
    ['kind is no text', { apiVersion: 'v1', kind: ['ConfigMap'] }, 400, 'invalid object type: /v1, Kind='],
    ['managedFields', cm({}, { managedFields: [] }), 400, 'metadata.managedFields must be nil'],
    [
      'unknown field',
      { ...cm({}, { namespace: 'n' }), bogus: 1 },
      500,
      'failed to create typed patch object (n/c; /v1, Kind=ConfigMap): .bogus: field not declared in schema',
    ],
    [
      'wrong type',
      cm({ a: 5 }),
      500,
      'failed to create typed patch object (/c; /v1, Kind=ConfigMap): .data.a: expected string, got &value.valueUnstructured{Value:5}',
    ],
    [
      'metadata is text',
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: 'x' },
      500,
      'failed to create typed patch object (/; /v1, Kind=ConfigMap): .metadata: expected map, got &{x}',
    ],
    [
      'repeated item',
      cm({}, { finalizers: ['a/b', 'a/b'] }),
      500,
      'failed to create typed patch object (/c; /v1, Kind=ConfigMap): .metadata.finalizers: duplicate entries for key [="a/b"]',
    ],
  ])('%s', (_, config, code, message) => {
    expect(() => maps.apply(undefined, config, { manager: 'm', now: T1 })).toThrow(
      expect.objectContaining({ code, message }),
    );
  });
  it('live managedFields that are broken', () => {
    const live = cm({}, { uid: 'u', managedFields: [{ manager: 'x' }] });
    expect(() => apply(live, cm({}), 'm')).toThrow(
      'failed to decode managed fields: operation must be `Apply` or `Update`',
    );
  });
});

describe('kubectl, from client-side to server-side', () => {
  const annotation = 'kubectl.kubernetes.io/last-applied-configuration';
  const config = cm({ a: '1', b: '2' });
  const clientSide = create(
    cm({ a: '1', b: '2' }, { annotations: { [annotation]: JSON.stringify(config) } }),
    'kubectl-client-side-apply',
  );

  it('takes over what it applied last', () => {
    const o = apply(clientSide, cm({ a: '9', b: '2' }), 'kubectl', false, T2);
    expect(o.data).toEqual({ a: '9', b: '2' });
    expect(o.metadata.annotations?.[annotation]).toBe(
      '{"apiVersion":"v1","data":{"a":"9","b":"2"},"kind":"ConfigMap","metadata":{"name":"c"}}\n',
    );
  });
  it('but not what changed since, nor under another name', () => {
    const changed = stored(update(clientSide, (x) => Object.assign(x.data as JsonObject, { a: '5' }), 'kubectl-edit'));
    expect(() => apply(changed, cm({ a: '9', b: '9' }), 'kubectl')).toThrow(
      'Apply failed with 1 conflict: conflict with "kubectl-edit" using v1: .data.a',
    );
    expect(() => apply(clientSide, cm({ a: '9' }), 'me')).toThrow(
      'conflict with "kubectl-client-side-apply" using v1: .data.a',
    );
  });
  it.each([
    '',
    '{bad',
    '[]',
    '{"apiVersion":"v2","kind":"ConfigMap"}',
    '{"apiVersion":"v1"}',
    '{"apiVersion":"v1","kind":"ConfigMap","bogus":1}',
  ])('makes nothing of the annotation %j', (text) => {
    const live = cloneJson(clientSide);
    live.metadata.annotations![annotation] = text;
    expect(() => apply(live, cm({ a: '9' }), 'kubectl')).toThrow('Apply failed with 1 conflict');
  });
  it('leaves the annotation out of itself, and drops it when it gets too large', () => {
    const o = apply(clientSide, cm({ a: '1' }, { annotations: { [annotation]: 'old', x: 'y' } }), 'kubectl', true);
    expect(JSON.parse(o.metadata.annotations![annotation]!)).toEqual(cm({ a: '1' }, { annotations: { x: 'y' } }));
    const big = apply(clientSide, cm({ a: 'x'.repeat(300_000) }), 'kubectl', true);
    expect(big.metadata.annotations).toEqual({});
  });
});

describe('versions', () => {
  /** v1 has spec.a, v2 has spec.b for the same thing. */
  const field = (name: string) => ({
    name,
    node: { kind: 'string' as const },
    required: false,
    nullable: false,
    pointer: true,
    zero: undefined,
  });
  const schema = (name: string) => {
    const spec = {
      name: 'Spec',
      fields: [field(name), field('x')],
      field: new Map([name, 'x'].map((n) => [n, field(n)])),
      gvk: [],
      inlineParts: [],
      published: true,
    };
    const meta = {
      name: 'metadata',
      node: { kind: 'struct' as const, type: catalog().type('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta') },
      required: false,
      nullable: false,
      pointer: true,
      zero: undefined,
    };
    const fields = [
      field('apiVersion'),
      field('kind'),
      meta,
      { ...field('spec'), node: { kind: 'struct' as const, type: spec } },
    ];
    return {
      kind: 'struct' as const,
      type: {
        name: 'Thing',
        fields,
        field: new Map(fields.map((f) => [f.name, f])),
        gvk: [],
        inlineParts: [],
        published: true,
      },
    };
  };
  const schemas: Record<string, ReturnType<typeof schema>> = { 'g/v1': schema('a'), 'g/v2': schema('b') };
  const convert = (object: KubeObject, from: string, to: string): KubeObject => {
    if (!object.spec) return { ...object, apiVersion: to };
    const { a, b, x } = object.spec as JsonObject;
    const value = from === 'g/v1' ? a : b;
    return {
      ...object,
      apiVersion: to,
      spec: { ...(x !== undefined && { x }), ...(value !== undefined && { [to === 'g/v1' ? 'a' : 'b']: value }) },
    };
  };
  const at = (version: string, more: Partial<FieldManagerOptions> = {}): FieldManager =>
    new FieldManager({
      kind: { group: 'g', version, kind: 'Thing' },
      structured: false,
      schema: (v) => schemas[v],
      convert,
      ...more,
    });
  const thing = (version: string, spec: JsonObject): KubeObject => ({
    apiVersion: `g/${version}`,
    kind: 'Thing',
    metadata: { name: 't' },
    spec,
  });
  const first = stored(now(at('v1').apply(undefined, thing('v1', { a: '1', x: '1' }), { manager: 'm1', now: T1 })));
  const firstAt2 = convert(first, 'g/v1', 'g/v2');

  it('conflicts are found at the version of the owner', () => {
    expect(() => at('v2').apply(firstAt2, thing('v2', { b: '2' }), { manager: 'm2', now: T1 })).toThrow(
      'conflict with "m1": .spec.a',
    );
  });
  it('an applier that changes its version removes what it had at the old one', () => {
    const o = now(at('v2').apply(firstAt2, thing('v2', { x: '1' }), { manager: 'm1', now: T2 }));
    expect(o.spec).toEqual({ x: '1' });
    expect(o.metadata.managedFields).toEqual([
      entry('m1', 'Apply', { 'f:spec': { 'f:x': {} } }, { apiVersion: 'g/v2', time: T2 }),
    ]);
  });
  it('updates at one version take fields of another', () => {
    const o = now(at('v2').onUpdate(firstAt2, thing('v2', { b: '5', x: '1' }), { manager: 'u', now: T2 }));
    expect(owners(o)).toEqual({ 'm1 Apply': { 'f:spec': { 'f:x': {} } }, 'u Update': { 'f:spec': { 'f:b': {} } } });
  });
  it('a field that is reset at one version alone is lost by its owner at another', () => {
    const owner = at('v2', { subresource: 'status' });
    const live = stored(now(owner.onUpdate(firstAt2, thing('v2', { b: '7', x: '1' }), { manager: 's', now: T1 })));
    const main = at('v1', { resetFields: { 'g/v1': excludeFields(['spec']) } });
    const liveAt1 = convert(live, 'g/v2', 'g/v1');
    const o = now(main.onUpdate(liveAt1, thing('v1', { a: '8', x: '1' }), { manager: 'u', now: T2 }));
    expect(Object.keys(owners(o))).toEqual(['m1 Apply']);
  });
  it('what can be updated and not converted can be applied only without a change', () => {
    const odd = at('v1', { unconvertible: 'because' });
    expect(() => odd.apply(first, thing('v1', { a: '2', x: '1' }), { manager: 'm1', now: T2 })).toThrow(
      'failed to convert new object (/t; g/v1, Kind=Thing) to proper version: because',
    );
    expect(now(odd.apply(first, thing('v1', { a: '1', x: '1' }), { manager: 'm1', now: T2 })).spec).toEqual(first.spec);
  });
  it('conversions may take time', async () => {
    const late = at('v2', { convert: (o, from, to) => Promise.resolve(convert(o, from, to)) });
    const answer = late.apply(firstAt2, thing('v2', { x: '1' }), { manager: 'm1', now: T2 });
    expect(answer).toBeInstanceOf(Promise);
    expect((await answer).spec).toEqual({ x: '1' });
    await expect(late.apply(firstAt2, thing('v2', { b: '2' }), { manager: 'm2', now: T1 })).rejects.toThrow(
      'conflict with "m1": .spec.a',
    );
  });
  it('conversions may fail', async () => {
    const fault = new StatusError(500, '', 'no way');
    const broken = at('v2', {
      convert: () => {
        throw fault;
      },
    });
    expect(() => broken.apply(firstAt2, thing('v2', { x: '1' }), { manager: 'm1', now: T2 })).toThrow(fault);
    expect(
      now(broken.onUpdate(firstAt2, thing('v2', { b: '5' }), { manager: 'u', now: T2 })).metadata.managedFields,
    ).toBeUndefined();
    const late = at('v2', { convert: () => Promise.reject(fault) });
    await expect(late.apply(firstAt2, thing('v2', { x: '1' }), { manager: 'm1', now: T2 })).rejects.toThrow(fault);
    const none = at('v2', { convert: undefined });
    expect(() => none.apply(firstAt2, thing('v2', { x: '1' }), { manager: 'm1', now: T2 })).toThrow(
      'no conversion of Thing from g/v2 to g/v1',
    );
  });
  it('objects without a type of Go have what is written', () => {
    const o = now(at('v1').onUpdate(undefined, thing('v1', {}), { manager: 'u', now: T1 }));
    expect(owners(o)).toEqual({ 'u Update': { 'f:spec': {} } });
    const p = now(at('v1').onUpdate(undefined, thing('v1', { a: '' }), { manager: 'u', now: T1 }));
    expect(owners(p)).toEqual({ 'u Update': { 'f:spec': { '.': {}, 'f:a': {} } } });
  });
});

describe('fields that a strategy resets', () => {
  const facts = resourceCatalog().resources.find((r) => r.plural === 'deployments')!;
  const d = (parts: JsonObject): KubeObject => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'd' },
    ...parts,
  });
  it('are not owned', () => {
    const main = builtIn('apps/v1', 'Deployment', { resetFields: resetFilters(facts) });
    const o = now(
      main.onUpdate(undefined, d({ spec: { replicas: 1 }, status: { replicas: 1 } }), { manager: 'x', now: T1 }),
    );
    expect(owners(o)).toEqual({ 'x Update': { 'f:spec': { 'f:replicas': {} } } });
    const status = builtIn('apps/v1', 'Deployment', {
      subresource: 'status',
      resetFields: resetFilters(facts, 'status'),
    });
    const p = now(
      status.apply(stored(o), d({ spec: { replicas: 5 }, status: { replicas: 2 } }), {
        manager: 'y',
        now: T1,
        force: true,
      }),
    );
    expect(p.metadata.managedFields?.[0]).toMatchObject({
      manager: 'y',
      subresource: 'status',
      fieldsV1: { 'f:status': { 'f:replicas': {} } },
    });
  });
  it('are named by path', () => {
    expect(
      excludeFields(['metadata.labels', 'spec'])({
        'f:metadata': { 'f:labels': { 'f:a': {} }, 'f:x': {} },
        'f:spec': { 'f:y': {} },
      }),
    ).toEqual({ 'f:metadata': { 'f:x': {} } });
    expect(Object.keys(resetFilters(facts, 'scale'))).toEqual([]);
  });
});

it('a map that was emptied by force still belongs to who made it', () => {
  const forced = apply(create(cm({ a: '1' }), 'm1'), cm({ a: '2' }), 'm2', true);
  const emptied = apply(forced, cm(undefined), 'm2');
  expect(emptied.data).toEqual({});
  expect(owners(emptied)).toHaveProperty(['m1 Update', 'f:data'], {});
  delete emptied.data;
  expect(() => apply(emptied, cm({ b: '1' }), 'm3')).toThrow('conflict with "m1" using v1: .data');
});

describe('times', () => {
  it('come back when they are all that changed', () => {
    const old = apply(undefined, cm({ a: '1' }), 'm1');
    const object = cloneJson(old);
    object.metadata.managedFields![0]!.time = T2;
    keepTimesIfUnchanged(object, old);
    expect(object).toEqual(old);
  });
  it('stay when anything else did', () => {
    const old = apply(undefined, cm({ a: '1' }), 'm1');
    const object = cloneJson(old);
    object.metadata.managedFields![0]!.time = T2;
    object.data = { a: '2' };
    keepTimesIfUnchanged(object, old);
    expect(object.metadata.managedFields?.[0]?.time).toBe(T2);
    const more = cloneJson(old);
    more.metadata.managedFields = [{ ...old.metadata.managedFields![0]!, time: T2, manager: 'other' }];
    keepTimesIfUnchanged(more, old);
    expect(more.metadata.managedFields[0]?.time).toBe(T2);
    keepTimesIfUnchanged(cm({}), old);
  });
});

it.each([
  ['explicit', 'agent/1', 'explicit'],
  ['', 'kubectl/v1.36 (linux/amd64)', 'kubectl'],
  [undefined, 'curl', 'curl'],
  [undefined, undefined, ''],
  ['', 'ta\tb\u0001name é/1', 'tabname é'],
  ['', `${'é'.repeat(70)}/1`, 'é'.repeat(64)],
])('manager of %j and %j', (name, agent, expected) => expect(managerName(name, agent)).toBe(expected));

describe('properties', () => {
  const key = fc.constantFrom('a', 'b', 'c', 'd');
  const data = fc.dictionary(key, fc.constantFrom('1', '2'), { minKeys: 1, maxKeys: 4 });
  const finalizers = fc.uniqueArray(fc.constantFrom('x/a', 'x/b', 'x/c'));
  const config = fc
    .record({ data, labels: data, finalizers }, { requiredKeys: [] })
    .map((c) => cm(c.data, JSON.parse(JSON.stringify({ labels: c.labels, finalizers: c.finalizers })) as JsonObject));
  const write = fc.record({
    config,
    manager: fc.constantFrom('m1', 'm2', 'm3'),
    kind: fc.constantFrom('apply', 'update'),
  });

  const run = (writes: { config: KubeObject; manager: string; kind: string }[]): KubeObject | undefined => {
    let live: KubeObject | undefined;
    for (const w of writes) {
      if (w.kind === 'apply') live = clean(apply(live, w.config, w.manager, true));
      else {
        const object = cloneJson(w.config);
        live = clean(stored(now(maps.onUpdate(live, object, { manager: w.manager, now: T1 }))));
      }
    }
    return live;
  };

  it('apply is idempotent', () => {
    fc.assert(
      fc.property(fc.array(write, { maxLength: 4 }), config, (writes, c) => {
        const once = clean(apply(run(writes), c, 'me', true));
        const twice = clean(apply(once, c, 'me', false, T2));
        keepTimesIfUnchanged(twice, once);
        expect(twice).toEqual(once);
      }),
      { numRuns: 300 },
    );
  });

  it('what is applied and then left out is gone without a trace', () => {
    fc.assert(
      fc.property(fc.array(write, { minLength: 1, maxLength: 4 }), config, (writes, c) => {
        const before = run(writes)!;
        if (!before.metadata.managedFields || ownsWhatIsGone(before)) return;
        // Only what is new: values that others own stay what they are.
        const labels = onlyNew(c.metadata.labels, before.metadata.labels);
        const mine = cm(onlyNew(c.data, before.data), labels && { labels });
        const after = apply(apply(before, mine, 'me'), cm(undefined), 'me', false, T2);
        expect(clean(after)).toEqual(clean(before));
      }),
      { numRuns: 300 },
    );
  });

  it('no field has two updaters, every set is canonical, and entries are in order', () => {
    fc.assert(
      fc.property(fc.array(write, { minLength: 1, maxLength: 6 }), (writes) => {
        const entries = run(writes)!.metadata.managedFields ?? [];
        expect(managedFieldsFault(entries)).toBeUndefined();
        const appliers = entries.filter((e) => e.operation === 'Apply').length;
        expect(entries.slice(0, appliers).every((e) => e.operation === 'Apply')).toBe(true);
        for (const e of entries) expect(JSON.stringify(e.fieldsV1)).toBe(JSON.stringify(sortKeys(e.fieldsV1!)));
      }),
      { numRuns: 200 },
    );
  });

  /** Decoding drops a map that was left empty; who made it goes on owning it, as with the real server. */
  function ownsWhatIsGone(object: KubeObject): boolean {
    return (object.metadata.managedFields ?? []).some(
      ({ fieldsV1 }) =>
        (fieldsV1?.['f:data'] && !object.data) ||
        ((fieldsV1?.['f:metadata'] as JsonObject | undefined)?.['f:labels'] && !object.metadata.labels),
    );
  }
  function onlyNew(sent: JsonValue | undefined, there: JsonValue | undefined): JsonObject | undefined {
    const known = (there ?? {}) as JsonObject;
    const fresh = Object.entries((sent ?? {}) as JsonObject).filter(([k]) => !Object.hasOwn(known, k));
    return fresh.length > 0 ? Object.fromEntries(fresh) : undefined;
  }
  /** As decoding leaves it: no empty lists and maps. */
  function clean(object: KubeObject): KubeObject {
    const copy = cloneJson(object);
    for (const at of [copy, copy.metadata] as JsonObject[]) {
      for (const [k, v] of Object.entries(at)) {
        if (k !== 'metadata' && typeof v === 'object' && v !== null && Object.keys(v).length === 0) delete at[k];
      }
    }
    return copy;
  }
  function sortKeys(node: JsonObject): JsonObject {
    return Object.fromEntries(
      Object.entries(node)
        .sort(([a], [b]) => (a === '.' ? -1 : b === '.' ? 1 : a < b ? -1 : 1))
        .map(([k, v]) => [k, sortKeys(v as JsonObject)]),
    );
  }
});
