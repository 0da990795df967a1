import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../json.js';
import { catalog } from '../scheme/catalog.js';
import { jsonEncoder } from './json/encode.js';
import { parseJson } from './json/parse.js';
import { decodeMessage } from './protobuf/decode.js';
import { decodeEnvelope, encodeEnvelope } from './protobuf/envelope.js';
import { decodeTyped } from './typed/decode.js';

const folder = join(import.meta.dirname, '../../../../shared/facts/kubernetes-1.36/wire');

describe.runIf(existsSync(folder))('golden wire files', () => {
  const names = existsSync(folder) ? readdirSync(folder).filter((f) => f.endsWith('.json')) : [];
  it.each(names)('%s', (name) => {
    const text = readFileSync(join(folder, name), 'utf8');
    const value = parseJson(text) as JsonObject;
    const [, group, version, kind] = /^(.*)\.(v[^.]+)\.(\w+)\.json$/.exec(name)!;
    const gvk = { group: group === 'core' ? '' : group!, version: version!, kind: kind! };
    const inside = value.kind ? gvk : { group: '', version: '', kind: '' }; // WatchEvent names no kind
    const type = catalog().byGvk(gvk.group, gvk.version, gvk.kind);
    if (!type) throw new Error(`no type for ${name}`);
    const { object, unknown } = decodeTyped(type, value, { strict: true });
    expect(unknown).toEqual([]);
    expect(JSON.parse(jsonEncoder(type)(object))).toEqual(JSON.parse(text));
    const pb = readFileSync(join(folder, name.replace(/json$/, 'pb')));
    expect(encodeEnvelope(type, inside, object).toString('hex')).toBe(pb.toString('hex'));
    const envelope = decodeEnvelope(pb);
    expect(envelope.gvk).toEqual(inside);
    const { kind: _, apiVersion: __, ...rest } = object;
    expect(decodeMessage(type, envelope.raw)).toEqual(rest);
    if (value.kind) expect(jsonEncoder(type)(object, gvk)).toBe(JSON.stringify(JSON.parse(text)));
  });
});
