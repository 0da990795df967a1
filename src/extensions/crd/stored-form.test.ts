import { describe, expect, it } from 'vitest';
import { StatusError } from '../../machinery/errors.js';
import type { KubeObject } from '../../machinery/json.js';
import type { CachedObject } from '../../storage/cacher/cacher.js';
import { CustomVersion, type Family } from './custom-version.js';
import { storedForm } from './stored-form.js';

const FAULT = new StatusError(500, '', 'no way');

/** Versions v1 and v2 with anything in their spec; what is marked as broken can't be converted. */
function family(): { family: Family; at(version: string): CustomVersion; asked: string[] } {
  const asked: string[] = [];
  const versions = new Map<string, CustomVersion>();
  const made: Family = {
    group: 'g',
    revision: '1',
    kind: 'Thing',
    listKind: 'ThingList',
    version: (apiVersion) => versions.get(apiVersion),
    resetFields: () => ({}),
    converter: {
      async convert(objects, apiVersion) {
        for (const o of objects) asked.push(`${o.metadata.name} ${o.apiVersion}→${apiVersion}`);
        if (objects.some((o) => o.apiVersion !== apiVersion && o.metadata.labels?.broken)) throw FAULT;
        return objects.map((o) => ({ ...o, apiVersion, spec: { ...(o.spec as object), seenBy: apiVersion } }));
      },
    },
  };
  const schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  for (const name of ['v1', 'v2']) {
    const defined = { name, served: true, storage: name === 'v2', schema: { openAPIV3Schema: schema } };
    versions.set(`g/${name}`, new CustomVersion(made, defined));
  }
  return { family: made, at: (version) => versions.get(`g/${version}`)!, asked };
}

function held(version: string, name: string, revision: number, broken = false): CachedObject {
  const object: KubeObject = {
    apiVersion: `g/${version}`,
    kind: 'Thing',
    metadata: { name, generation: 1, ...(broken && { labels: { broken: 'yes' } }) },
    spec: {},
  };
  const json = Buffer.from(JSON.stringify(object));
  const made: Partial<CachedObject> = {
    json,
    revision,
    parsed: () => object,
    form: (_, make) => make(made as CachedObject),
  };
  return made as CachedObject;
}

describe('custom resources in the store', () => {
  const make = (version: string) => {
    const f = family();
    return { ...f, form: storedForm(f.family, f.at(version), f.at('v2'), 10) };
  };

  it('a dry run shows what would be read: there and back', async () => {
    const { form, asked } = make('v1');
    const object = { apiVersion: 'g/v1', kind: 'Thing', metadata: { name: 'a' }, spec: {} };
    expect(JSON.parse(`${await form.copy(object)}`).spec).toEqual({ seenBy: 'g/v1' });
    expect(asked).toEqual(['a g/v1→g/v2', 'a g/v2→g/v1']);
    await expect(form.copy({ ...object, metadata: { name: 'a', labels: { broken: 'yes' } } })).rejects.toBe(FAULT);
  });

  it('a dry run at the stored version asks nobody', async () => {
    const { form, asked } = make('v2');
    await form.copy({ apiVersion: 'g/v2', kind: 'Thing', metadata: { name: 'a' } });
    expect(asked).toEqual([]);
  });

  it('what lies at an old version must be convertible before it changes', async () => {
    const { form, asked } = make('v1');
    const check = (object: CachedObject) => form.checkHeld(object, object.parsed());
    await check(held('v1', 'a', 1));
    await expect(check(held('v1', 'b', 1, true))).rejects.toBe(FAULT);
    await check(held('v2', 'c', 1, true));
    expect(asked).toEqual(['a g/v1→g/v2', 'b g/v1→g/v2']);
  });

  it('lists wait for what was there before the definition, and fail for what came since', async () => {
    const { form } = make('v2');
    const error = async (...objects: CachedObject[]) => form.list(objects).catch((e: StatusError) => e.code);
    expect(await form.list([held('v1', 'a', 5), held('v2', 'b', 20)])).toHaveLength(2);
    expect(await error(held('v1', 'a', 5, true))).toBe(429);
    expect(await error(held('v1', 'a', 5), held('v1', 'b', 20, true))).toBe(500);
    await expect(form.read([held('v1', 'a', 5, true)])).rejects.toBe(FAULT);
  });
});
