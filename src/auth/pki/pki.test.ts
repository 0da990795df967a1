import { randomBytes, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';
import fc from 'fast-check';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { parseBundle, parseCertificate } from './certificate.js';
import { isSelfSigned, makeRequest, parseRequest, parseRequestPem } from './certificate-request.js';
import { DerError, DerReader } from './der-reader.js';
import * as der from './der-writer.js';
import { ipBytes } from './extensions.js';
import { makeAuthority, makeCertificate, NOW } from './fixtures.suite.js';
import { generateKey, parsePrivateKey, parsePublicKeys, privateKeyPem, publicKeyPem } from './keys.js';
import { writeKubeconfig } from './kubeconfig.js';
import { loadOrCreateMaterial, type MaterialStore } from './material.js';
import { decodePem, encodePem } from './pem.js';
import { readWebhookTarget } from './webhook-target.js';

const ca = makeAuthority('test-ca');

function memoryStore(): MaterialStore & { files: Map<string, string>; modes: Map<string, number> } {
  const files = new Map<string, string>();
  const modes = new Map<string, number>();
  return {
    files,
    modes,
    read: (name) => files.get(name),
    write: (name, text, mode) => {
      files.set(name, text);
      modes.set(name, mode);
    },
  };
}
const options = { hosts: ['localhost', '127.0.0.1', '::1', '10.96.0.1'], now: Date.now(), random: randomBytes };

describe('certificates', () => {
  it('are what OpenSSL reads', () => {
    const cert = makeCertificate(ca, 'Zoë, the "admin"', {
      groups: ['dev', 'ops,night'],
      uid: 'u-1',
      notAfter: Date.UTC(2060, 1, 1),
    });
    const x509 = new X509Certificate(cert.raw);
    expect(x509.verify(new X509Certificate(ca.certificate.raw).publicKey)).toBe(true);
    expect(x509.checkIssued(new X509Certificate(ca.certificate.raw))).toBe(true);
    expect(new Date(x509.validTo).getTime()).toBe(Date.UTC(2060, 1, 1));
    expect(x509.ca).toBe(false);
    expect(cert.subject.commonName).toBe('Zoë, the "admin"');
    expect([...cert.subject.organization].sort()).toEqual(['dev', 'ops,night']);
  });

  it('are what another library reads', async () => {
    await import('reflect-metadata');
    const { X509Certificate: Other, SubjectAlternativeNameExtension } = await import('@peculiar/x509');
    const cert = makeCertificate(ca, 'x', {
      names: { dns: ['a.example'], ips: [ipBytes('10.0.0.1')!, ipBytes('fd00::1')!] },
    });
    const other = new Other(cert.raw);
    expect(other.subject).toBe('CN=x');
    const san = other.getExtension(SubjectAlternativeNameExtension)!;
    expect(san.names.toJSON()).toEqual([
      { type: 'dns', value: 'a.example' },
      { type: 'ip', value: '10.0.0.1' },
      { type: 'ip', value: 'fd00::1' },
    ]);
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['a truncated one', ca.certificate.raw.subarray(0, 100)],
    ['another structure', der.sequence(der.smallInteger(1))],
    ['bytes after it', Buffer.concat([ca.certificate.raw, Buffer.from([0])])],
  ])('refuse %s', (_, bytes) => {
    expect(() => parseCertificate(bytes)).toThrow(/^x509: /);
  });

  it('never fail in another way', () => {
    const raw = makeCertificate(ca, 'fuzz', { names: { dns: ['a'], ips: [ipBytes('1.2.3.4')!] } }).raw;
    fc.assert(
      fc.property(fc.nat(raw.length - 1), fc.nat(255), fc.nat(raw.length), (at, byte, length) => {
        const changed = Buffer.from(raw);
        changed[at] = byte;
        try {
          parseCertificate(changed.subarray(0, length || raw.length));
        } catch (e) {
          if (!(e instanceof DerError)) throw e;
        }
      }),
      { numRuns: 2000, interruptAfterTimeLimit: 3000 },
    );
  });
});

describe('DER', () => {
  it('keeps object identifiers and integers', () => {
    fc.assert(
      fc.property(
        fc.nat(2),
        fc.nat(39),
        fc.array(fc.nat(0x7fffffff), { maxLength: 6 }),
        fc.uint8Array({ minLength: 1, maxLength: 20 }),
        (a, b, rest, n) => {
          const id = [a, b, ...rest].join('.');
          expect(new DerReader(der.oid(id)).oid()).toBe(id);
          expect(new DerReader(der.unsignedInteger(n)).integer()).toBe(BigInt(`0x${Buffer.from(n).toString('hex')}`));
        },
      ),
      { numRuns: 300 },
    );
  });
  it.each([
    ['3080', 'indefinite'],
    ['308105', 'non-minimal'],
    ['3082000500', 'leading zeros'],
    ['3085ffffffffff', 'too large'],
    ['1f01', 'multi-byte'],
    ['30', 'truncated'],
    ['300501', 'data truncated'],
  ])('refuses %s', (hex, message) => {
    expect(() => new DerReader(Buffer.from(hex, 'hex')).next()).toThrow(message);
  });
  it.each(['230229000000Z', '239901000000Z', '23010100000Z', '2301010000000'])('refuses the time %s', (text) => {
    expect(() => new DerReader(der.tlv(der.TAG.utcTime, Buffer.from(text))).time()).toThrow('time');
  });
});

describe('PEM', () => {
  it('passes over what is no block', () => {
    const one = encodePem('A B', Buffer.from('x'.repeat(100)));
    const text = `junk\n${one}-----BEGIN C-----\n!!!\n-----END C-----\n-----BEGIN D-----\nAAAA\n-----END E-----\n${one}tail`;
    expect(decodePem(text).map((b) => b.label)).toEqual(['A B', 'A B']);
    expect(decodePem(text)[0]!.bytes.toString()).toBe('x'.repeat(100));
  });
  it('stays linear on many beginnings', () => {
    expect(decodePem('-----BEGIN A-----\n'.repeat(100_000))).toEqual([]);
    expect(decodePem(`${'-----BEGIN A-----\nAAAA\n'.repeat(50_000)}-----END A-----\n`)).toHaveLength(1);
  });
});

describe('certificate requests', () => {
  const key = generateKey();
  it('come back as made', () => {
    const request = parseRequestPem(
      makeRequest({ commonName: 'system:node:a', organization: ['system:nodes'] }, key, {
        dns: ['a'],
        ips: [ipBytes('10.1.2.3')!],
      }),
    );
    expect(request.subject).toMatchObject({ commonName: 'system:node:a', organization: ['system:nodes'] });
    expect(request.names).toMatchObject({ dns: ['a'], ips: [Buffer.from([10, 1, 2, 3])] });
    expect(isSelfSigned(request)).toBe(true);
  });
  it('show when another key signed', () => {
    const request = parseRequestPem(makeRequest({ commonName: 'a' }, key));
    expect(
      isSelfSigned({ ...request, publicKeyInfo: parseRequestPem(makeRequest({}, generateKey())).publicKeyInfo }),
    ).toBe(false);
    expect(isSelfSigned({ ...request, signed: Buffer.concat([request.signed, Buffer.from([0])]) })).toBe(false);
  });
  it('fail with the messages of the recorded answers', () => {
    expect(() => parseRequestPem('')).toThrow('PEM block type must be CERTIFICATE REQUEST');
    expect(() => parseRequestPem('nonsense')).toThrow('PEM block type must be CERTIFICATE REQUEST');
    expect(() =>
      parseRequestPem('-----BEGIN CERTIFICATE REQUEST-----\nZm9v\n-----END CERTIFICATE REQUEST-----\n'),
    ).toThrow(
      "asn1: structure error: tags don't match (16 vs {class:1 tag:6 length:111 isCompound:true}) {optional:false explicit:false application:false private:false defaultValue:<nil> tag:<nil> stringType:0 timeType:0 set:false omitEmpty:false} certificateRequest @2",
    );
  });
  it('never fail in another way', () => {
    const { raw } = parseRequestPem(makeRequest({ commonName: 'a' }, key, { dns: ['b'] }));
    fc.assert(
      fc.property(fc.nat(raw.length - 1), fc.nat(255), (at, byte) => {
        const changed = Buffer.from(raw);
        changed[at] = byte;
        try {
          isSelfSigned(parseRequest(changed));
        } catch (e) {
          if (!(e instanceof DerError)) throw e;
        }
      }),
      { numRuns: 1000, interruptAfterTimeLimit: 3000 },
    );
  });
});

describe('keys', () => {
  it('come from every form', () => {
    const key = generateKey();
    const info = parsePublicKeys(publicKeyPem(key))[0]!;
    expect(parsePublicKeys(privateKeyPem(key))[0]!.equals(info)).toBe(true);
    expect(parsePublicKeys(key.export({ format: 'pem', type: 'pkcs8' }).toString())[0]!.equals(info)).toBe(true);
    expect(parsePublicKeys(encodePem('CERTIFICATE', ca.certificate.raw) + publicKeyPem(key))).toHaveLength(2);
    expect(
      parsePrivateKey(
        `-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${privateKeyPem(key)}`,
      ).equals(key),
    ).toBe(true);
  });
  it.each(['', 'x', encodePem('PRIVATE KEY', Buffer.from('abc'))])('are missing in %j', (text) => {
    expect(() => parsePrivateKey(text)).toThrow('data does not contain a valid RSA or ECDSA private key');
    expect(() => parsePublicKeys(text)).toThrow('data does not contain any valid RSA or ECDSA public keys');
  });
});

describe('addresses', () => {
  it.each([
    ['127.0.0.1', '7f000001'],
    ['::1', '00000000000000000000000000000001'],
    ['fd00:1::2:3', 'fd000001000000000000000000020003'],
    ['::ffff:10.0.0.1', '0a000001'],
    ['2001:db8:1:2:3:4:5:6', '20010db8000100020003000400050006'],
  ])('%s', (text, hex) => expect(ipBytes(text)?.toString('hex')).toBe(hex));
  it('are not names', () => expect(ipBytes('a.b')).toBeUndefined());
});

describe('material of a data directory', () => {
  it('is made once and then read', () => {
    const store = memoryStore();
    const first = loadOrCreateMaterial(store, options);
    expect(first.created).toBe(true);
    const second = loadOrCreateMaterial(store, options);
    expect(second).toEqual({ ...first, created: false });
    for (const [name, mode] of store.modes) expect(mode).toBe(name.endsWith('.key') ? 0o600 : 0o644);
  });
  it('makes a leaf anew when a host is new, it ends soon, or its authority changed', () => {
    const store = memoryStore();
    const first = loadOrCreateMaterial(store, options);
    const wider = loadOrCreateMaterial(store, { ...options, hosts: [...options.hosts, 'new.example'] });
    expect(wider.serving.cert).not.toBe(first.serving.cert);
    expect(wider.ca).toEqual(first.ca);
    expect(wider.admin).toEqual(first.admin);
    const later = loadOrCreateMaterial(store, { ...options, now: options.now + 350 * 86_400_000 });
    expect(later.admin.cert).not.toBe(first.admin.cert);
    store.files.delete('ca.crt');
    expect(loadOrCreateMaterial(store, options).admin.cert).not.toBe(later.admin.cert);
  });
  it('says so when it would have to sign without the key', () => {
    const store = memoryStore();
    loadOrCreateMaterial(store, options);
    store.files.delete('ca.key');
    expect(loadOrCreateMaterial(store, options).created).toBe(false);
    store.files.delete('apiserver.crt');
    expect(() => loadOrCreateMaterial(store, options)).toThrow('ca.key is missing');
  });
  it('serves TLS with client certificates', async () => {
    const material = loadOrCreateMaterial(memoryStore(), options);
    const server = createServer({ ...material.serving, ca: material.ca.cert, requestCert: true }, (socket) =>
      socket.end(String(socket.authorized)),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const socket = connect({
      port: (server.address() as AddressInfo).port,
      host: '127.0.0.1',
      servername: 'localhost',
      ca: material.ca.cert,
      ...material.admin,
    });
    let answer = '';
    for await (const chunk of socket) answer += String(chunk);
    server.close();
    expect(answer).toBe('true');
    expect(parseBundle(material.admin.cert)[0]!.subject).toMatchObject({
      commonName: 'kubernetes-admin',
      organization: ['system:masters'],
    });
    expect(parseBundle(material.serving.cert)[0]!.notBefore).toBeLessThan(NOW + 10 ** 12);
  });
});

describe('kubeconfig', () => {
  it('holds what was given', () => {
    const text = writeKubeconfig({
      cluster: 'porthole',
      user: 'ad: min',
      server: 'https://127.0.0.1:6443',
      certificateAuthority: 'CA',
      token: 't',
    });
    expect(load(text)).toEqual({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        { name: 'porthole', cluster: { 'certificate-authority-data': 'Q0E=', server: 'https://127.0.0.1:6443' } },
      ],
      contexts: [{ name: 'ad: min@porthole', context: { cluster: 'porthole', user: 'ad: min' } }],
      'current-context': 'ad: min@porthole',
      preferences: {},
      users: [{ name: 'ad: min', user: { token: 't' } }],
    });
    expect(
      readWebhookTarget(
        '/k',
        () => Buffer.from(text),
        () => '',
      ),
    ).toMatchObject({ url: 'https://127.0.0.1:6443', ca: 'CA', authorization: 'Bearer t' });
  });
  it.each([
    ['[]', 'not a kubeconfig'],
    ['current-context: x', 'no configuration has been provided'],
    ['{current-context: x, contexts: [{name: x, context: {cluster: c}}]}', 'cluster "c" does not exist'],
    [
      '{current-context: x, contexts: [{name: x, context: {cluster: c, user: u}}], clusters: [{name: c, cluster: {server: "https://h"}}], users: [{name: u, user: {exec: {}}}]}',
      '"exec" is not supported',
    ],
  ])('refuses %s', (text, message) => {
    expect(() =>
      readWebhookTarget(
        '/k',
        () => Buffer.from(text),
        () => '',
      ),
    ).toThrow(message);
  });
});
