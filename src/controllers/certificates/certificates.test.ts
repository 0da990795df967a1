import { randomBytes, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Attributes } from '../../auth/contract.js';
import { parseBundle } from '../../auth/pki/certificate.js';
import { makeRequest } from '../../auth/pki/certificate-request.js';
import { ipBytes, type SubjectAltNames } from '../../auth/pki/extensions.js';
import { HOUR, makeAuthority, NOW } from '../../auth/pki/fixtures.suite.js';
import { generateKey } from '../../auth/pki/keys.js';
import { OID } from '../../auth/pki/oids.js';
import { verifyChain } from '../../auth/pki/verify.js';
import type { JsonObject, KubeObject } from '../../machinery/json.js';
import { approveKubeletClient } from './approver.js';
import { isPastDeadline } from './cleaner.js';
import { SIGNER } from './rules.js';
import { signCertificateRequest } from './signer.js';

const authority = makeAuthority('ca');
const options = { authority, maxLifetime: 24 * HOUR, now: NOW, random: randomBytes };
const APPROVED = { type: 'Approved', status: 'True', lastUpdateTime: '2026-06-01T12:00:00Z' };
const node = { commonName: 'system:node:a', organization: ['system:nodes'] };
const CLIENT = ['digital signature', 'client auth'];
const SERVING = ['digital signature', 'key encipherment', 'server auth'];

function csr(
  signerName: string,
  usages: string[],
  subject: { commonName?: string; organization?: string[] } = node,
  over: { names?: Partial<SubjectAltNames>; spec?: object; status?: JsonObject } = {},
): KubeObject {
  const request = Buffer.from(makeRequest(subject, generateKey(), over.names)).toString('base64');
  return {
    metadata: { name: 'x', creationTimestamp: '2026-06-01T12:00:00Z' },
    spec: { request, signerName, usages, username: 'system:node:a', groups: ['system:nodes'], ...over.spec },
    status: over.status ?? { conditions: [APPROVED] },
  };
}
const issued = (object: KubeObject, over: object = {}) => {
  const status = signCertificateRequest(object, { ...options, ...over })!;
  return parseBundle(Buffer.from(status.certificate as string, 'base64'))[0]!;
};

describe('signers', () => {
  it('make client certificates that authenticate', () => {
    const certificate = issued(
      csr(SIGNER.apiserverClient, ['client auth'], { commonName: 'alice', organization: ['dev', 'ops'] }),
    );
    expect(verifyChain(certificate, [], [authority.certificate], NOW)).toBeDefined();
    expect(certificate.subject).toMatchObject({ commonName: 'alice', organization: ['dev', 'ops'] });
    expect(certificate).toMatchObject({
      extKeyUsage: [OID.clientAuth],
      keyUsage: undefined,
      basicConstraints: { isCa: false },
    });
    expect(new X509Certificate(certificate.raw).ca).toBe(false);
  });
  it('make serving certificates with the names asked for', () => {
    const certificate = issued(
      csr(SIGNER.kubeletServing, SERVING, node, { names: { dns: ['a'], ips: [ipBytes('10.0.0.1')!] } }),
    );
    expect(certificate.names).toMatchObject({ dns: ['a'], ips: [Buffer.from([10, 0, 0, 1])] });
    expect(certificate).toMatchObject({ extKeyUsage: [OID.serverAuth], keyUsage: 1 | 4 });
  });
  it('make whatever a legacy request asks for', () => {
    expect(
      issued(
        csr(SIGNER.legacyUnknown, ['code signing', 'any', 's/mime', 'email protection', 'crl sign', 'decipher only']),
      ).extKeyUsage,
    ).toEqual([OID.anyExtKeyUsage, '1.3.6.1.5.5.7.3.3', '1.3.6.1.5.5.7.3.4']);
  });
  it.each([
    [undefined, 24 * HOUR, HOUR],
    [600, 24 * HOUR, 600_000],
    [10, 24 * HOUR, 600_000],
    [1800, 24 * HOUR, 1_800_000],
    [7200, 1_200_000, 1_200_000],
  ])('give %s seconds', (expirationSeconds, maxLifetime, lifetime) => {
    const certificate = issued(csr(SIGNER.kubeletClient, CLIENT, node, { spec: { expirationSeconds } }), {
      maxLifetime,
    });
    expect(certificate.notBefore).toBe(NOW - 300_000);
    expect(certificate.notAfter).toBe(NOW + lifetime);
  });
  it('count the time before now from eight hours on', () => {
    const long = { ...authority, certificate: { ...authority.certificate, notAfter: NOW + 100 * HOUR } };
    expect(issued(csr(SIGNER.kubeletClient, CLIENT), { authority: long }).notAfter).toBe(NOW + 24 * HOUR - 300_000);
    expect(
      issued(csr(SIGNER.kubeletClient, CLIENT, node, { spec: { expirationSeconds: 7 * 3600 } }), { authority: long })
        .notAfter,
    ).toBe(NOW + 7 * HOUR);
  });
  const names = (n: Partial<SubjectAltNames>) => ({ names: n });
  it.each<[string, KubeObject, string]>([
    [
      'usage',
      csr(SIGNER.apiserverClient, ['client auth', 'server auth']),
      'invalid usage for client certificate: server auth',
    ],
    [
      'no client auth',
      csr(SIGNER.apiserverClient, ['digital signature']),
      'missing required usage for client certificate: client auth',
    ],
    [
      'organization',
      csr(SIGNER.kubeletClient, CLIENT, {
        commonName: 'system:node:a',
        organization: ['system:nodes', 'system:masters'],
      }),
      'subject organization is not system:nodes',
    ],
    [
      'no organization',
      csr(SIGNER.kubeletServing, SERVING, { commonName: 'system:node:a' }),
      'subject organization is not system:nodes',
    ],
    [
      'common name',
      csr(SIGNER.kubeletClient, CLIENT, { ...node, commonName: 'admin' }),
      'subject common name does not begin with system:node:',
    ],
    ['DNS', csr(SIGNER.kubeletClient, CLIENT, node, names({ dns: ['a'] })), 'DNS subjectAltNames are not allowed'],
    [
      'email',
      csr(SIGNER.kubeletClient, CLIENT, node, names({ emails: ['a@b'] })),
      'Email subjectAltNames are not allowed',
    ],
    [
      'IP',
      csr(SIGNER.kubeletClient, CLIENT, node, names({ ips: [ipBytes('1.1.1.1')!] })),
      'IP subjectAltNames are not allowed',
    ],
    ['URI', csr(SIGNER.kubeletClient, CLIENT, node, names({ uris: ['a:b'] })), 'URI subjectAltNames are not allowed'],
    [
      'client usages',
      csr(SIGNER.kubeletClient, [...CLIENT, 'server auth']),
      'usages did not match [client auth digital signature key encipherment]',
    ],
    ['no names', csr(SIGNER.kubeletServing, SERVING), 'DNS or IP subjectAltName is required'],
    [
      'serving email',
      csr(SIGNER.kubeletServing, SERVING, node, names({ dns: ['a'], emails: ['a@b'] })),
      'Email subjectAltNames are not allowed',
    ],
    [
      'serving URI',
      csr(SIGNER.kubeletServing, SERVING, node, names({ dns: ['a'], uris: ['a:b'] })),
      'URI subjectAltNames are not allowed',
    ],
    [
      'serving usages',
      csr(SIGNER.kubeletServing, CLIENT, node, names({ dns: ['a'] })),
      'usages did not match [digital signature key encipherment server auth]',
    ],
    [
      'serving name',
      csr(SIGNER.kubeletServing, SERVING, { ...node, commonName: 'a' }, names({ dns: ['a'] })),
      'subject common name does not begin with system:node:',
    ],
  ])('fail a request for its %s', (_, object, message) => {
    expect(signCertificateRequest(object, options)).toEqual({
      conditions: [
        APPROVED,
        {
          type: 'Failed',
          status: 'True',
          reason: 'SignerValidationFailure',
          message,
          lastUpdateTime: '2026-06-01T12:00:00Z',
        },
      ],
    });
  });
  it.each<[string, KubeObject]>([
    ['not approved', csr(SIGNER.kubeletClient, CLIENT, node, { status: {} })],
    ['denied', csr(SIGNER.kubeletClient, CLIENT, node, { status: { conditions: [APPROVED, { type: 'Denied' }] } })],
    ['failed', csr(SIGNER.kubeletClient, CLIENT, node, { status: { conditions: [APPROVED, { type: 'Failed' }] } })],
    ['issued', csr(SIGNER.kubeletClient, CLIENT, node, { status: { conditions: [APPROVED], certificate: 'eA==' } })],
    ["somebody else's", csr('example.com/x', CLIENT)],
    ['for a name that objects inherit', csr('constructor', CLIENT)],
  ])('leave a request alone that is %s', (_, object) => {
    expect(signCertificateRequest(object, options)).toBeUndefined();
  });
  it('throw what may be tried again', () => {
    const good = csr(SIGNER.apiserverClient, ['client auth']);
    const pem = Buffer.from((good.spec as { request: string }).request, 'base64').toString();
    const at = pem.length - 60;
    const broken = pem.slice(0, at) + (pem[at] === 'A' ? 'B' : 'A') + pem.slice(at + 1);
    const withRequest = (text: string): KubeObject => ({
      ...good,
      spec: { ...(good.spec as object), request: Buffer.from(text).toString('base64') },
    });
    expect(() => signCertificateRequest(withRequest(broken), options)).toThrow(/unable to (?:verify|parse)/);
    expect(() => signCertificateRequest(withRequest('x'), options)).toThrow(
      'unable to parse csr "x": PEM block type must be CERTIFICATE REQUEST',
    );
    expect(() => signCertificateRequest(good, { ...options, now: NOW + 2 * HOUR })).toThrow(
      'refusing to sign a certificate that expired in the past',
    );
    expect(() => signCertificateRequest(csr(SIGNER.legacyUnknown, ['magic']), options)).toThrow(
      'unrecognized usage values: ["magic"]',
    );
  });
});

describe('approval', () => {
  const open = (over: Parameters<typeof csr>[3] = {}, usages = CLIENT, signer: string = SIGNER.kubeletClient) =>
    csr(signer, usages, node, { status: {}, ...over });
  const allow =
    (...subresources: string[]) =>
    async (a: Attributes) =>
      subresources.includes(a.subresource) && a.user.groups.includes('system:nodes');
  it('is given to kubelets with the right', async () => {
    const own = await approveKubeletClient(open(), allow('selfnodeclient', 'nodeclient'), NOW);
    expect(own.status).toMatchObject({
      conditions: [
        {
          type: 'Approved',
          status: 'True',
          reason: 'AutoApproved',
          message: 'Auto approving self kubelet client certificate after SubjectAccessReview.',
        },
      ],
    });
    const other = await approveKubeletClient(
      open({ spec: { username: 'system:bootstrap:abcdef' } }),
      allow('selfnodeclient', 'nodeclient'),
      NOW,
    );
    expect(other.status).toMatchObject({
      conditions: [{ message: 'Auto approving kubelet client certificate after SubjectAccessReview.' }],
    });
  });
  it('is not given without it', async () => {
    expect(await approveKubeletClient(open(), allow(), NOW)).toEqual({
      denied: 'recognized csr "x" as [selfnodeclient nodeclient] but subject access review was not approved',
    });
    expect(await approveKubeletClient(open({ spec: { username: 'mallory' } }), allow('selfnodeclient'), NOW)).toEqual({
      denied: 'recognized csr "x" as [nodeclient] but subject access review was not approved',
    });
  });
  it.each<[string, KubeObject]>([
    ['serving certificates', open({}, SERVING)],
    ['other signers', open({}, CLIENT, SIGNER.apiserverClient)],
    ['requests with names', open({ names: { dns: ['a'] } })],
    ['what is approved', open({ status: { conditions: [APPROVED] } })],
    ['what is denied', open({ status: { conditions: [{ type: 'Denied' }] } })],
    ['what is issued', open({ status: { certificate: 'eA==' } })],
  ])('is not for %s', async (_, object) => {
    expect(await approveKubeletClient(object, async () => true, NOW)).toEqual({});
  });
});

describe('cleaning', () => {
  const at = (hours: number): string => new Date(NOW - hours * HOUR).toISOString();
  const request = (status: JsonObject, created = 0): KubeObject => ({
    metadata: { name: 'x', creationTimestamp: at(created) },
    status,
  });
  const pem = Buffer.from(
    signCertificateRequest(
      csr(SIGNER.apiserverClient, ['client auth'], node, { spec: { expirationSeconds: 600 } }),
      options,
    )!.certificate as string,
  ).toString();
  it.each<[boolean, KubeObject]>([
    [false, request({}, 23)],
    [true, request({}, 25)],
    [false, request({ conditions: [{ type: 'Denied', lastUpdateTime: at(0.9) }] }, 99)],
    [true, request({ conditions: [{ type: 'Denied', lastUpdateTime: at(1.1) }] })],
    [true, request({ conditions: [{ type: 'Failed', lastUpdateTime: at(1.1) }] })],
    [false, request({ conditions: [{ type: 'Approved', lastUpdateTime: at(23) }] })],
    [true, request({ conditions: [{ type: 'Approved', lastUpdateTime: at(25) }] })],
    [false, request({ conditions: [{ type: 'Approved', lastUpdateTime: at(0.9) }], certificate: pem })],
    [true, request({ conditions: [{ type: 'Approved', lastUpdateTime: at(1.1) }], certificate: pem })],
    [false, request({ conditions: [{ type: 'Approved' }], certificate: 'eA==' })],
  ])('%s %#', (gone, object) => {
    expect(isPastDeadline(object, NOW)).toBe(gone);
  });
  it('takes what has expired', () => {
    expect(
      isPastDeadline(
        request({ conditions: [{ type: 'Approved', lastUpdateTime: at(-0.2) }], certificate: pem }),
        NOW + 700_000,
      ),
    ).toBe(true);
  });
});
