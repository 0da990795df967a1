import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCodec } from './codec.js';

async function run(argv: string[], input: Uint8Array | string): Promise<{ code: number; out: Buffer; err: string }> {
  const out: Buffer[] = [];
  let err = '';
  const code = await runCodec(
    argv,
    (async function* () {
      yield input;
    })(),
    { write: (chunk) => out.push(Buffer.from(chunk)) },
    { write: (chunk) => (err += chunk) },
  );
  return { code, out: Buffer.concat(out), err };
}

const yaml = 'apiVersion: v1\ndata:\n  k: v\nkind: ConfigMap\nmetadata:\n  name: x\n';
const json =
  '{\n  "kind": "ConfigMap",\n  "apiVersion": "v1",\n  "metadata": {\n    "name": "x"\n  },\n  "data": {\n    "k": "v"\n  }\n}\n';

it('translates between all encodings', async () => {
  expect((await run(['decode'], yaml)).out.toString()).toBe(json);
  for (const to of ['json', 'yaml', 'protobuf', 'cbor']) {
    const { code, out } = await run(['encode', '--to', to], json);
    expect(code).toBe(0);
    expect((await run(['decode'], out)).out.toString(), to).toBe(json);
  }
  expect((await run(['encode', '--to=yaml'], json)).out.toString()).toBe(yaml);
});

it('keeps what has no built-in type', async () => {
  const thing = 'kind: Thing\napiVersion: e.com/v1\nspec: {b: 1, a: [x]}\n';
  expect(JSON.parse((await run(['decode'], thing)).out.toString())).toEqual({
    kind: 'Thing',
    apiVersion: 'e.com/v1',
    spec: { a: ['x'], b: 1 },
  });
  expect(await run(['encode', '--to', 'protobuf'], thing)).toMatchObject({
    code: 1,
    err: 'error: e.com/v1 Thing has no protobuf form\n',
  });
});

it.each([
  ['{', "error: yaml: line 1: did not find expected ',' or '}'\n"],
  ['', "error: Object 'Kind' is missing in ''\n"],
  [
    'kind: Pod\napiVersion: v1\nspec: 5\n',
    'error: json: cannot unmarshal number into Go struct field Pod.spec of type v1.PodSpec\n',
  ],
  ['k8s\0x', 'error: unexpected EOF\n'],
])('refuses %j', async (input, err) => {
  expect(await run(['decode'], input)).toMatchObject({ code: 1, err });
});

it.each(
  [
    [],
    ['x'],
    ['decode', 'x'],
    ['encode'],
    ['encode', '--to'],
    ['encode', '--to', 'xml'],
    ['encode', '--to', 'yaml', 'x'],
  ].map((a) => [a]),
)('explains itself for %j', async (argv) => {
  const { code, err } = await run(argv, yaml);
  expect(code).toBe(2);
  expect(err).toContain('porthole codec decode');
});

it('helps', async () => {
  const { code, out } = await run(['--help'], '');
  expect(code).toBe(0);
  expect(out.toString()).toContain('Usage');
});

const folder = join(import.meta.dirname, '../../../shared/facts/kubernetes-1.36/wire');
describe.runIf(existsSync(folder))('golden wire files', () => {
  it('come out as they went in', async () => {
    for (const name of readdirSync(folder).filter((f) => f.endsWith('.json') && !f.includes('WatchEvent'))) {
      const text = readFileSync(join(folder, name), 'utf8');
      const pb = readFileSync(join(folder, name.replace(/json$/, 'pb')));
      expect((await run(['decode'], pb)).out.toString(), name).toBe(`${text.trimEnd()}\n`);
      expect((await run(['encode', '--to', 'protobuf'], text)).out.equals(pb), name).toBe(true);
      const cbor = (await run(['encode', '--to', 'cbor'], pb)).out;
      expect((await run(['encode', '--to', 'protobuf'], cbor)).out.length, name).toBe(pb.length);
      const asYaml = (await run(['encode', '--to', 'yaml'], pb)).out;
      expect(JSON.parse((await run(['decode'], asYaml)).out.toString()), name).toEqual(JSON.parse(text));
    }
  });
});
