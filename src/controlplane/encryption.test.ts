import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type ControlPlane, startControlPlane } from '../controlplane.js';
import type { KubeObject } from '../machinery/json.js';
import { openEncryption } from './encryption.js';

const base64 = (n: number, size = 32) => Buffer.alloc(size, n).toString('base64');
const HEAD = 'apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\n';
const entry = (resources: string[], ...providers: object[]) => ({ resources, providers });
const aesgcm = (name: string, n: number) => ({ aesgcm: { keys: [{ name, secret: base64(n) }] } });
const secretbox = (name: string, n: number) => ({ secretbox: { keys: [{ name, secret: base64(n) }] } });
const file = (...resources: object[]) => `${HEAD}resources: ${JSON.stringify(resources)}\n`;

function open(text: () => string, logged: string[] = [], clock = () => 0) {
  return openEncryption({
    path: 'f',
    reload: true,
    readFile: text,
    random: (count) => Buffer.alloc(count),
    clock,
    log: (level, message) => logged.push(`${level}: ${message}`),
  });
}

describe('which resources are encrypted', () => {
  const text = file(
    entry(['secrets', 'widgets.example.com'], aesgcm('a', 1)),
    entry(['configmaps'], { identity: {} }),
    entry(['*.apps'], aesgcm('b', 2)),
    entry(['*.'], aesgcm('c', 3)),
    entry(['*.*'], aesgcm('d', 4)),
  );
  const providers = open(() => text);
  it.each([
    ['/registry/secrets/default/x', 'a'],
    ['/registry/example.com/widgets/default/x', 'a'],
    ['/registry/configmaps/default/x', undefined],
    ['/registry/deployments/default/x', 'b'],
    ['/registry/services/specs/default/x', 'c'],
    ['/registry/minions/x', 'c'],
    ['/registry/events/default/x', 'c'],
    ['/registry/leases/kube-system/x', 'd'],
    ['/registry/example.com/gadgets/x', 'd'],
    ['/registry/apiextensions.k8s.io/customresourcedefinitions/x', 'd'],
  ])('%s by %s', (key, name) => {
    const stored = providers(key)![0]!.encrypt(Buffer.from('v'), key).toString('latin1');
    expect(/^k8s:enc:aesgcm:v1:(.):/.exec(stored)?.[1]).toBe(name);
  });
  it('none that is not named', () => {
    expect(open(() => file(entry(['secrets'], aesgcm('a', 1))))('/registry/pods/default/x')).toBeUndefined();
  });
});

describe('a configuration', () => {
  const keys = (value: unknown) => file(entry(['secrets'], { aescbc: { keys: value } }));
  it.each<[string, string]>([
    ['', "couldn't get version/kind"],
    [`${HEAD}resources: []\n`, 'resources: Required value'],
    [file({ resources: [], providers: [{ identity: {} }] }), 'resources[0].resources: Required value'],
    [file(entry(['secrets'])), 'resources[0].providers: Required value'],
    [file(entry(['secrets'], {})), 'provider does not contain any of the expected providers'],
    [file(entry(['secrets'], { ...aesgcm('a', 1), identity: {} })), 'more than one provider specified'],
    [file(entry(['secrets'], { secretbox: { keys: [] } })), 'resources[0].providers[0].secretbox.keys: Required value'],
    [
      file(entry(['secrets'], { secretbox: { keys: [{ name: 'a', secret: base64(1, 16) }] } })),
      'got 16, expected one of [32]',
    ],
    [file(entry(['secrets'], { kms: { apiVersion: 'v2' } })), 'resources[0].providers[0].kms is not supported'],
    [file(entry(['secrets'], { rot13: {} })), 'unknown field "resources[0].providers[0].rot13"'],
    [keys([]), 'aescbc.keys: Required value'],
    [keys([{ secret: base64(1) }]), 'aescbc.keys[0].name: Required value'],
    [keys([{ name: 'a' }]), 'aescbc.keys[0].secret: Required value'],
    [keys([{ name: 'a', secret: '!' }]), 'Invalid value: "REDACTED": secrets must be base64 encoded'],
    [keys([{ name: 'a', secret: base64(1, 20) }]), 'got 20, expected one of [16 24 32]'],
    [file(entry(['Secrets'], { identity: {} })), 'should not contain capital letters'],
    [file(entry(['*'], { identity: {} })), "use '*.' to encrypt"],
    [file(entry(['secrets.*'], { identity: {} })), 'across groups is not supported'],
    [file(entry(['secrets', 'secrets'], { identity: {} })), 'cannot be specified multiple times'],
    [file(entry(['secrets', '*.'], { identity: {} })), 'overlapping resources'],
    [file(entry(['*.*', 'secrets'], { identity: {} })), 'overlapping resources'],
  ])('%s is refused', (text, message) => {
    expect(() => open(() => text)).toThrow(message);
  });

  it('is read again, unless it is wrong', () => {
    let now = 0;
    let text = file(entry(['secrets'], aesgcm('a', 1)));
    const logged: string[] = [];
    const providers = open(
      () => text,
      logged,
      () => now,
    );
    const name = () =>
      providers('/registry/secrets/x')![0]!.encrypt(Buffer.from('v'), '').toString('latin1').slice(18, 19);
    text = file(entry(['secrets'], aesgcm('b', 1)));
    expect(name()).toBe('a');
    now = 60_000;
    expect(name()).toBe('b');
    text = 'nonsense';
    now = 120_000;
    expect(name()).toBe('b');
    expect(logged.map((line) => line.split(':')[0])).toEqual(['info', 'error']);
  });
});

describe('a control plane', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'porthole-encryption-'));
  afterAll(() => rmSync(dataDir, { recursive: true, force: true }));
  const path = join(dataDir, 'encryption.yaml');
  const SECRET = '/api/v1/namespaces/default/secrets/s';
  const admin = { name: 'admin', groups: ['system:masters'] };

  function start(...providers: object[]): Promise<ControlPlane> {
    writeFileSync(path, file(entry(['secrets'], ...providers)));
    return startControlPlane({ dataDir, controllers: [], encryptionConfigFile: path });
  }
  async function ask(cp: ControlPlane, method: string, url: string, body?: object): Promise<KubeObject> {
    const headers = { 'content-type': 'application/json' };
    return (await cp.inject({ method, path: url, body, headers, user: admin })).json();
  }
  const onDisk = (text: string): boolean => {
    const directory = join(dataDir, 'store');
    return readdirSync(directory).some((name) => readFileSync(join(directory, name)).includes(text));
  };

  it('keeps secrets from the disk, takes new keys, and tells when it lost one', async () => {
    let cp = await start(aesgcm('one', 1));
    const made = { metadata: { name: 's' }, stringData: { k: 'a-secret-text' } };
    await ask(cp, 'POST', '/api/v1/namespaces/default/secrets', made);
    await ask(cp, 'POST', '/api/v1/namespaces/default/configmaps', {
      metadata: { name: 'c' },
      data: { k: 'an-open-text' },
    });
    const before = await ask(cp, 'GET', SECRET);
    await cp.close();
    expect(onDisk('an-open-text')).toBe(true);
    expect(onDisk('a-secret-text')).toBe(false);
    expect(onDisk(Buffer.from('a-secret-text').toString('base64'))).toBe(false);

    cp = await start(aesgcm('two', 2), aesgcm('one', 1));
    expect(await ask(cp, 'GET', SECRET)).toEqual(before);
    // What changes nothing is written all the same, with the new key.
    const after = await ask(cp, 'PUT', SECRET, before);
    expect(after.metadata.resourceVersion).not.toBe(before.metadata.resourceVersion);
    expect((await ask(cp, 'PUT', SECRET, after)).metadata.resourceVersion).toBe(after.metadata.resourceVersion);
    await cp.close();

    cp = await start(secretbox('box', 3), aesgcm('two', 2));
    expect(await ask(cp, 'GET', SECRET)).toEqual(after);
    const boxed = await ask(cp, 'PUT', SECRET, after);
    await cp.close();
    expect(onDisk('a-secret-text')).toBe(false);

    cp = await start(secretbox('box', 3));
    expect(await ask(cp, 'GET', SECRET)).toEqual(boxed);
    await cp.close();

    await expect(
      start(aesgcm('three', 3)).then((lost) => ask(lost, 'GET', SECRET).finally(() => lost.close())),
    ).rejects.toThrow('unable to transform key "/registry/secrets/default/s": no matching prefix found');
  }, 30_000);
});
