import { createCipheriv, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CompactedError, type StorageError } from '../contract.js';
import { FakeClock } from '../fake-clock.suite.js';
import { MemoryStorage } from '../memory/memory.js';
import { describeStorage } from '../storage.suite.js';
import { EncryptedStorage } from './encrypted-storage.js';
import { type Cipher, IDENTITY, KEY_SIZES, keyProvider, type Provider } from './provider.js';

const secret = (n: number, size = 32) => Buffer.alloc(size, n);
const provider = (cipher: Cipher, ...keys: [string, Buffer][]) =>
  keyProvider(
    cipher,
    keys.map(([name, bytes]) => ({ name, secret: bytes })),
    randomBytes,
  );

for (const cipher of ['aesgcm', 'aescbc', 'secretbox'] as const) {
  describeStorage(`memory, encrypted by ${cipher}`, async (clock) => {
    const storage = new EncryptedStorage(new MemoryStorage(clock), () => [provider(cipher, ['k', secret(1)])]);
    return { storage, dispose: () => storage.close() };
  });
}

const boxName = (stored: Buffer) => Buffer.concat([Buffer.from('k8s:enc:secretbox:v1:k:'), stored.subarray(0, 9)]);

function flipped(stored: Buffer): Buffer {
  const copy = Buffer.from(stored);
  copy[copy.length - 20]! ^= 1;
  return copy;
}

describe('providers', () => {
  it('read what they wrote, whatever it is', () => {
    fc.assert(
      fc.property(
        fc
          .constantFrom<Cipher>('aesgcm', 'aescbc', 'secretbox')
          .chain((cipher) => fc.tuple(fc.constant(cipher), fc.constantFrom(...KEY_SIZES[cipher]))),
        fc.uint8Array({ maxLength: 100 }),
        fc.string(),
        ([cipher, size], value, path) => {
          const p = provider(cipher, ['name', secret(7, size)]);
          const stored = p.encrypt(Buffer.from(value), path);
          expect(stored.toString('latin1')).toMatch(new RegExp(`^k8s:enc:${cipher}:v1:name:`));
          expect(p.decrypt(stored, path)).toEqual({ value: Buffer.from(value), stale: false });
        },
      ),
    );
  });

  it('lay values out as kube-apiserver does', () => {
    const iv = Buffer.alloc(16, 9);
    const cipher = createCipheriv('aes-256-cbc', secret(1), iv);
    const stored = Buffer.concat([Buffer.from('k8s:enc:aescbc:v1:a:'), iv, cipher.update('text'), cipher.final()]);
    expect(
      provider('aescbc', ['a', secret(1)])
        .decrypt(stored, '/x')
        .value.toString(),
    ).toBe('text');
    const gcm = createCipheriv('aes-128-gcm', secret(2, 16), iv.subarray(0, 12)).setAAD(Buffer.from('/x'));
    const parts = [Buffer.from('k8s:enc:aesgcm:v1:a:'), iv.subarray(0, 12), gcm.update('text'), gcm.final()];
    const sealed = Buffer.concat([...parts, gcm.getAuthTag()]);
    expect(
      provider('aesgcm', ['a', secret(2, 16)])
        .decrypt(sealed, '/x')
        .value.toString(),
    ).toBe('text');
  });

  it('read with every key and write with the first', () => {
    const old = provider('aesgcm', ['old', secret(1)]).encrypt(Buffer.from('v'), '/k');
    const both = provider('aesgcm', ['new', secret(2)], ['old', secret(1)]);
    expect(both.decrypt(old, '/k')).toEqual({ value: Buffer.from('v'), stale: true });
    expect(both.encrypt(Buffer.from('v'), '/k').toString('latin1')).toMatch(/^k8s:enc:aesgcm:v1:new:/);
    const sameName = provider('aesgcm', ['old', secret(2)], ['old', secret(1)]);
    expect(sameName.decrypt(old, '/k').stale).toBe(true);
  });

  it.each<[string, (stored: Buffer) => [Buffer, string, Provider]]>([
    ['another path', (stored) => [stored, '/other', provider('aesgcm', ['k', secret(1)])]],
    ['another key', (stored) => [stored, '/k', provider('aesgcm', ['k', secret(2)])]],
    ['a key of another name', (stored) => [stored, '/k', provider('aesgcm', ['x', secret(1)])]],
    ['a changed byte', (stored) => [flipped(stored), '/k', provider('aesgcm', ['k', secret(1)])]],
    ['a value cut short', (stored) => [stored.subarray(0, 30), '/k', provider('aesgcm', ['k', secret(1)])]],
    ['a name alone', (stored) => [stored.subarray(0, 20), '/k', provider('aescbc', ['k', secret(1)])]],
    ['a name alone of a box', (stored) => [boxName(stored), '/k', provider('secretbox', ['k', secret(1)])]],
    ['no encryption', (stored) => [stored, '/k', IDENTITY]],
  ])('do not open with %s', (_, change) => {
    const stored = provider('aesgcm', ['k', secret(1)]).encrypt(Buffer.from('some text that is long enough'), '/k');
    const [bytes, path, p] = change(stored);
    expect(() => p.decrypt(bytes, path)).toThrow();
  });
});

describe('a storage whose keys change', () => {
  const A = provider('aesgcm', ['a', secret(1)]);
  const B = provider('aescbc', ['b', secret(2)]);
  const text = async (storage: EncryptedStorage, key: string) => (await storage.get(key)).kv?.value.toString();

  it('encrypts what it is told to, and knows what is to be written again', async () => {
    const inner = new MemoryStorage(new FakeClock());
    let providers: Provider[] = [IDENTITY];
    const storage = new EncryptedStorage(inner, (key) => (key.startsWith('/s/') ? providers : undefined));
    await storage.put('/s/x', Buffer.from('plain'));
    await storage.put('/t/x', Buffer.from('open'));
    providers = [A, IDENTITY];
    expect(await text(storage, '/s/x')).toBe('plain');
    expect([storage.isStale('/s/x'), storage.isStale('/t/x')]).toEqual([true, false]);
    await storage.put('/s/x', Buffer.from('plain'));
    expect(await text(storage, '/s/x')).toBe('plain');
    expect(storage.isStale('/s/x')).toBe(false);
    expect((await inner.get('/s/x')).kv?.value.toString('latin1')).toMatch(/^k8s:enc:aesgcm:v1:a:/);
    expect((await inner.get('/t/x')).kv?.value.toString()).toBe('open');
    providers = [B, A];
    expect(await text(storage, '/s/x')).toBe('plain');
    expect(storage.isStale('/s/x')).toBe(true);
    await storage.delete('/s/x');
    expect(storage.isStale('/s/x')).toBe(false);
  });

  it('says which value it can not read', async () => {
    const inner = new MemoryStorage(new FakeClock());
    await inner.put('/s/x', Buffer.from('plain'));
    const storage = new EncryptedStorage(inner, () => [A]);
    await expect(storage.get('/s/x')).rejects.toThrow('unable to transform key "/s/x": no matching prefix found');
    await expect(storage.range({ start: '/s/', end: '/s0' })).rejects.toMatchObject({ code: 'Unavailable' });
    await inner.put('/s/x', provider('aesgcm', ['z', secret(1)]).encrypt(Buffer.from('v'), '/s/x'));
    await expect(storage.get('/s/x')).rejects.toThrow('no matching key was found for the provided AES transformer');
  });

  it('counts history that no key opens as gone', async () => {
    const inner = new MemoryStorage(new FakeClock());
    const first = await inner.put('/s/x', Buffer.from('plain'));
    const storage = new EncryptedStorage(inner, () => [A]);
    await storage.put('/s/x', Buffer.from('now'));
    const failed = new Promise<StorageError>((resolve) => {
      storage.watch({ prefix: '/s/', startRevision: first.revision }, { events: () => {}, error: resolve });
    });
    expect(await failed).toBeInstanceOf(CompactedError);
  });
});
