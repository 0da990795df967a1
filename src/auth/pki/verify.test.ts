import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type Certificate, parseCertificate } from './certificate.js';
import { DerReader } from './der-reader.js';
import * as der from './der-writer.js';
import { ipBytes } from './extensions.js';
import { HOUR, makeAuthority, makeAuthorityUnder, makeCertificate, NOW, validity } from './fixtures.suite.js';
import { issueCertificate } from './issue.js';
import { publicKeyInfo } from './keys.js';
import { userAttributes } from './name.js';
import { violatedConstraint } from './name-constraints.js';
import { OID } from './oids.js';
import { verifyChain } from './verify.js';

const root = makeAuthority('root');
const intermediate = makeAuthorityUnder(root, 'intermediate');
const deep = makeAuthorityUnder(intermediate, 'deep');
const leaf = makeCertificate(root, 'alice');
const under = makeCertificate(deep, 'bob');
const anchors = [root.certificate];

describe('a chain is accepted', () => {
  it('directly, over intermediates, and from any certificate of the bundle', () => {
    expect(verifyChain(leaf, [], anchors, NOW).certificates).toEqual([leaf, root.certificate]);
    expect(verifyChain(under, [deep.certificate, intermediate.certificate], anchors, NOW).certificates).toHaveLength(4);
    expect(verifyChain(under, [], [deep.certificate], NOW).certificates).toHaveLength(2);
    expect(verifyChain(leaf, [], [leaf], NOW).certificates).toEqual([leaf]);
  });
  it('for as long as all of it holds', () => {
    const short = makeAuthorityUnder(root, 'short', { notAfter: NOW + 10 });
    const chain = verifyChain(makeCertificate(short, 'x'), [short.certificate], anchors, NOW);
    expect(chain.notAfter).toBe(Math.floor((NOW + 10) / 1000) * 1000);
  });
  it('when an authority of the same name comes first', () => {
    expect(verifyChain(leaf, [], [makeAuthority('root').certificate, ...anchors], NOW).certificates).toHaveLength(2);
  });
  it('without usages, and with any usage', () => {
    expect(verifyChain(makeCertificate(root, 'x', { extKeyUsage: [] }), [], anchors, NOW)).toBeDefined();
    expect(
      verifyChain(makeCertificate(root, 'x', { extKeyUsage: [OID.anyExtKeyUsage] }), [], anchors, NOW),
    ).toBeDefined();
  });
  it('with RSA keys', () => {
    const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    const raw = issueCertificate(
      {
        ...validity,
        subject: userAttributes({ commonName: 'r' }),
        publicKeyInfo: publicKeyInfo(key),
        isCa: true,
        keyUsage: 32,
      },
      { key },
      randomBytes,
    );
    const authority = { certificate: parseCertificate(raw), key };
    expect(verifyChain(makeCertificate(authority, 'x'), [], [authority.certificate], NOW)).toBeDefined();
  });
});

describe('a chain is refused', () => {
  const refused: [string, () => [Certificate, readonly Certificate[], readonly Certificate[], number], string][] = [
    [
      'of another authority',
      () => [makeCertificate(makeAuthority('other'), 'x'), [], anchors, NOW],
      'signed by unknown authority',
    ],
    [
      'of an authority with the same name',
      () => [makeCertificate(makeAuthority('root'), 'x'), [], anchors, NOW],
      'signed by unknown authority',
    ],
    [
      'without its intermediates',
      () => [under, [intermediate.certificate], anchors, NOW],
      'signed by unknown authority',
    ],
    [
      'whose anchor the client sent',
      () => [under, [deep.certificate, intermediate.certificate, root.certificate], [], NOW],
      'unknown authority',
    ],
    [
      'that is over',
      () => [leaf, [], anchors, NOW + 2 * HOUR],
      'has expired or is not yet valid: current time 2026-06-01T14:00:00Z is after 2026-06-01T13:00:00Z',
    ],
    ['that is not yet valid', () => [leaf, [], anchors, NOW - 2 * HOUR], 'is before'],
    [
      'whose intermediate is over',
      () => {
        const old = makeAuthorityUnder(root, 'old', { notAfter: NOW - 1000 });
        return [makeCertificate(old, 'x'), [old.certificate], anchors, NOW];
      },
      'has expired',
    ],
    [
      'for servers',
      () => [makeCertificate(root, 'x', { extKeyUsage: [OID.serverAuth] }), [], anchors, NOW],
      'incompatible key usage',
    ],
    [
      'whose intermediate is for servers',
      () => {
        const server = makeAuthorityUnder(root, 'server', { extKeyUsage: [OID.serverAuth] });
        return [makeCertificate(server, 'x'), [server.certificate], anchors, NOW];
      },
      'incompatible key usage',
    ],
    [
      'for servers, though it is in the bundle',
      () => {
        const own = makeCertificate(root, 'x', { extKeyUsage: [OID.serverAuth] });
        return [own, [], [own], NOW];
      },
      'incompatible key usage',
    ],
    [
      'signed by a leaf',
      () => {
        const fake = makeAuthorityUnder(root, 'user', { isCa: false, keyUsage: 1 });
        return [makeCertificate(fake, 'x'), [fake.certificate], anchors, NOW];
      },
      'cannot sign',
    ],
    [
      'signed by an authority without certSign',
      () => {
        const fake = makeAuthorityUnder(root, 'user', { keyUsage: 1 });
        return [makeCertificate(fake, 'x'), [fake.certificate], anchors, NOW];
      },
      'cannot sign',
    ],
    [
      'with a changed byte',
      () => {
        const raw = Buffer.from(leaf.raw);
        raw[raw.length - 5]! ^= 1;
        return [parseCertificate(raw), [], anchors, NOW];
      },
      'unknown authority',
    ],
    [
      'with a critical extension nobody knows',
      () => [{ ...leaf, unknownCritical: ['1.2.3'] }, [], anchors, NOW],
      'unhandled critical extension',
    ],
    [
      'signed with SHA-1',
      () => [{ ...leaf, signatureAlgorithm: '1.2.840.10045.4.1' }, [], anchors, NOW],
      'unknown authority',
    ],
    [
      'too long for its authority',
      () => {
        const flat = { ...intermediate.certificate, basicConstraints: { isCa: true, maxPathLength: 0 } };
        return [under, [deep.certificate], [flat], NOW];
      },
      'too many intermediates',
    ],
  ];
  it.each(refused)('%s', (_, make, message) => {
    expect(() => verifyChain(...make())).toThrow(message);
  });
  it('that would take for ever', () => {
    const same = Array.from({ length: 300 }, () => makeAuthority('loop').certificate);
    const forged = makeCertificate(makeAuthority('loop'), 'x');
    expect(() => verifyChain({ ...forged, authorityKeyId: undefined }, same, anchors, NOW)).toThrow(
      'signature check attempts limit',
    );
  });
});

describe('name constraints', () => {
  const constraints = (permitted: Buffer[], excluded: Buffer[]): DerReader => {
    const trees = (n: number, list: Buffer[]): Buffer[] =>
      list.length > 0 ? [der.context(n, Buffer.concat(list.map((one) => der.sequence(one))))] : [];
    return new DerReader(der.sequence(...trees(0, permitted), ...trees(1, excluded)));
  };
  const text = (tag: number, value: string): Buffer => der.context(tag, Buffer.from(value), false);
  const names = { dns: [], emails: [], ips: [], uris: [] };
  const net = der.context(7, Buffer.from([10, 0, 0, 0, 255, 0, 0, 0]), false);
  it.each([
    [[text(2, 'example.com')], [], { dns: ['a.example.com', 'EXAMPLE.com'] }],
    [[], [text(2, 'example.com')], { dns: ['example.org', 'badexample.com'] }],
    [[net], [], { ips: [ipBytes('10.2.3.4')!] }],
    [[text(1, 'example.com')], [], { emails: ['a@example.com'] }],
    [[text(6, '.example.com')], [], { uris: ['spiffe://a.example.com/x'] }],
  ])('permit %#', (permitted, excluded, some) => {
    expect(violatedConstraint(constraints(permitted, excluded), { ...names, ...some })).toBeUndefined();
  });
  it.each([
    [[text(2, 'example.com')], [], { dns: ['example.org'] }],
    [[text(2, '.example.com')], [], { dns: ['example.com'] }],
    [[], [text(2, 'example.com')], { dns: ['a.example.com'] }],
    [[net], [], { ips: [ipBytes('11.0.0.1')!] }],
    [[net], [], { ips: [ipBytes('::1')!] }],
    [[text(1, 'example.com')], [], { emails: ['a@b.example.com'] }],
    [[], [text(6, 'example.com')], { uris: ['not a uri'] }],
  ])('refuse %#', (permitted, excluded, some) => {
    expect(violatedConstraint(constraints(permitted, excluded), { ...names, ...some })).toBeDefined();
  });
  it('refuse what can not be read', () => {
    expect(violatedConstraint(new DerReader(Buffer.from('04', 'hex')), names)).toBe('unreadable constraints');
  });
});
