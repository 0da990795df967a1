import { createPublicKey, createVerify, generateKeyPairSync, type KeyObject } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../machinery/json.js';
import { readKubernetesClaims, readRegisteredClaims, timeFault } from './claims.js';
import { createTokenIssuer, issueLegacyToken } from './issuer.js';
import { isSignedBy, parseJwt, signJwt } from './jwt.js';
import { keyIdOf, verificationKeys } from './keys.js';
import { openIdDocuments } from './openid.js';
import { requestToken, type TokenRequestOptions } from './request.js';
import { parseServiceAccountUsername, serviceAccountUser } from './service-account.js';

const ec = (namedCurve: string): KeyObject => generateKeyPairSync('ec', { namedCurve }).privateKey;
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const p256 = ec('P-256');
const NOW = Date.parse('2026-06-01T12:00:00Z');
const b64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('JWT', () => {
  it.each([
    ['RS256', rsa],
    ['ES256', p256],
    ['ES384', ec('P-384')],
    ['ES512', ec('P-521')],
  ])('signs and checks %s', (algorithm, key) => {
    const jwt = parseJwt(signJwt({ sub: 'x' }, key, 'k'))!;
    expect(jwt).toMatchObject({ algorithm, kid: 'k', claims: { sub: 'x' } });
    expect(isSignedBy(jwt, createPublicKey(key))).toBe(true);
    expect(isSignedBy({ ...jwt, signed: Buffer.concat([jwt.signed, Buffer.from('x')]) }, createPublicKey(key))).toBe(
      false,
    );
    expect(isSignedBy({ ...jwt, algorithm: 'none' }, createPublicKey(key))).toBe(false);
  });
  it('is checked by others', () => {
    const [head, body, tail] = signJwt({}, rsa, 'k').split('.');
    const verify = createVerify('RSA-SHA256').update(`${head}.${body}`);
    expect(verify.verify(createPublicKey(rsa), Buffer.from(tail!, 'base64url'))).toBe(true);
  });
  it('never takes a key for another algorithm', () => {
    const jwt = parseJwt(signJwt({}, p256, 'k'))!;
    for (const algorithm of ['ES384', 'ES512', 'RS256', 'HS256', 'none', 'constructor', '']) {
      expect(isSignedBy({ ...jwt, algorithm }, createPublicKey(p256))).toBe(false);
    }
    expect(isSignedBy(jwt, createPublicKey(ec('P-256')))).toBe(false);
  });
  const good = signJwt({ sub: 'x' }, p256, 'k');
  const [head, body, tail] = good.split('.') as [string, string, string];
  it.each([
    ['', 'empty'],
    ['a.b', 'two parts'],
    [`${good}.x`, 'four parts'],
    [`${head}=.${body}.${tail}`, 'padding'],
    [`${head}.${body}.${tail} `, 'a space'],
    [`${head}.${body}.${tail.slice(0, -1)}*`, 'another letter'],
    [`${b64([])}.${body}.${tail}`, 'a header that is a list'],
    [`${b64({ alg: 1 })}.${body}.${tail}`, 'alg that is a number'],
    [`${b64({ alg: 'ES256', kid: 1 })}.${body}.${tail}`, 'kid that is a number'],
    [`${b64({ alg: 'ES256', crit: ['b64'], b64: false })}.${body}.${tail}`, 'critical extensions'],
    [`${head}.${b64('text')}.${tail}`, 'claims that are text'],
    [`${head}.bm9uc2Vuc2U.${tail}`, 'claims that are no JSON'],
    [`{"payload":"${body}"}`, 'JSON serialization'],
    [`${head}.${'A'.repeat(1 << 20)}.${tail}`, 'a megabyte'],
  ])('is none: %#', (token) => {
    expect(parseJwt(token)).toBeUndefined();
  });
  it('has one spelling', () => {
    // The last letter of a 64-byte signature carries four spare bits.
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const at = alphabet.indexOf(tail.at(-1)!);
    expect(parseJwt(`${head}.${body}.${tail.slice(0, -1)}${alphabet[at ^ 1]}`)).toBeUndefined();
  });
  it('never throws, and no change goes unnoticed', () => {
    const key = createPublicKey(p256);
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.string({ minLength: 1, maxLength: 2 }), (at, text) => {
        const changed = good.slice(0, at) + text + good.slice(at + 1);
        const jwt = parseJwt(changed);
        expect(jwt !== undefined && isSignedBy(jwt, key)).toBe(changed === good);
      }),
      { numRuns: 1000, interruptAfterTimeLimit: 4000 },
    );
    fc.assert(
      fc.property(fc.string(), (text) => parseJwt(text) === undefined || true),
      { numRuns: 500 },
    );
    expect(parseJwt(`${head}.${Buffer.from('['.repeat(300_000)).toString('base64url')}.${tail}`)).toBeUndefined();
  });
});

describe('claims', () => {
  it.each([
    [{ exp: '1' }, 'NumericDate'],
    [{ nbf: {} }, 'NumericDate'],
    [{ aud: [1] }, 'Audience'],
    [{ aud: {} }, 'Audience'],
    [{ iss: 1 }, 'claim iss'],
    [{ sub: [] }, 'claim sub'],
  ])('of the wrong type: %j', (claims, message) => {
    expect(() => readRegisteredClaims(claims)).toThrow(message);
  });
  it.each([
    [{ 'kubernetes.io': [] }, 'kubernetes.io'],
    [{ 'kubernetes.io': { pod: 'x' } }, 'pod'],
    [{ 'kubernetes.io': { namespace: 1 } }, 'namespace'],
    [{ 'kubernetes.io': { node: { uid: 1 } } }, 'uid'],
  ])('of the wrong type: %j', (claims, message) => {
    expect(() => readKubernetesClaims(claims)).toThrow(message);
  });
  const at = NOW / 1000;
  it.each([
    [{ exp: at - 60 }, undefined],
    [{ exp: at - 61 }, 'service account token has expired'],
    [{ nbf: at + 60 }, undefined],
    [{ nbf: at + 61 }, 'service account token is not valid yet'],
    [{ iat: at + 61 }, 'service account token is issued in the future'],
    [{}, undefined],
  ])('with the times %j', (claims, fault) => {
    expect(timeFault(readRegisteredClaims(claims), NOW)).toBe(fault);
  });
});

describe('issuer', () => {
  const issuer = createTokenIssuer({ issuer: 'https://i', key: p256, now: () => NOW, uuid: () => 'jti-1' });
  const account = { name: 's', uid: 'u' };
  it('writes the claims of upstream, sorted', () => {
    const { token } = issuer.issue({
      namespace: 'n',
      serviceAccount: account,
      audiences: ['a'],
      expiresIn: 600,
      warnAfter: 3607,
      pod: { name: 'p', uid: 'pu' },
      node: { name: 'k', uid: '' },
    });
    const [head, body] = token.split('.').map((part) => Buffer.from(part, 'base64url').toString());
    expect(head).toBe(`{"alg":"ES256","kid":"${keyIdOf(p256)}"}`);
    const s = NOW / 1000;
    expect(body).toBe(
      `{"aud":["a"],"exp":${s + 600},"iat":${s},"iss":"https://i","jti":"jti-1","kubernetes.io":{"namespace":"n","node":{"name":"k"},"pod":{"name":"p","uid":"pu"},"serviceaccount":{"name":"s","uid":"u"},"warnafter":${s + 3607}},"nbf":${s},"sub":"system:serviceaccount:n:s"}`,
    );
  });
  it('writes legacy claims', () => {
    expect(parseJwt(issueLegacyToken(rsa, { namespace: 'n', secret: 'x', serviceAccount: account }))!.claims).toEqual({
      iss: 'kubernetes/serviceaccount',
      'kubernetes.io/serviceaccount/namespace': 'n',
      'kubernetes.io/serviceaccount/secret.name': 'x',
      'kubernetes.io/serviceaccount/service-account.name': 's',
      'kubernetes.io/serviceaccount/service-account.uid': 'u',
      sub: 'system:serviceaccount:n:s',
    });
  });
  it('refuses keys it can not sign with', () => {
    const key = ec('secp256k1');
    expect(() => createTokenIssuer({ issuer: 'i', key, now: () => 0, uuid: () => '' })).toThrow(
      'unknown private key curve',
    );
  });
});

describe('service account names', () => {
  it.each(['system:serviceaccount:a:b', 'system:serviceaccount:a:b.c'])('%s', (name) => {
    expect(parseServiceAccountUsername(name)?.namespace).toBe('a');
  });
  it.each([
    'bob',
    'system:serviceaccount:',
    'system:serviceaccount:a',
    'system:serviceaccount:a:',
    'system:serviceaccount:a:b:c',
    'system:serviceaccount:A:b',
    'system:serviceaccount:a.b:c',
    `system:serviceaccount:${'a'.repeat(64)}:b`,
    'system:serviceaccount:a:-b',
  ])('%s is no service account', (name) => {
    expect(parseServiceAccountUsername(name)).toBeUndefined();
  });
  it('tell what a token is bound to', () => {
    expect(
      serviceAccountUser({
        namespace: 'n',
        name: 's',
        uid: 'u',
        pod: { name: 'p', uid: 'pu' },
        node: { name: 'k', uid: '' },
        credentialId: 'JTI=1',
      }),
    ).toEqual({
      name: 'system:serviceaccount:n:s',
      uid: 'u',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:n'],
      extra: {
        'authentication.kubernetes.io/pod-name': ['p'],
        'authentication.kubernetes.io/pod-uid': ['pu'],
        'authentication.kubernetes.io/credential-id': ['JTI=1'],
        'authentication.kubernetes.io/node-name': ['k'],
      },
    });
  });
});

describe('discovery documents', () => {
  const keys = verificationKeys([createPublicKey(rsa), createPublicKey(p256)]).all;
  it('name issuer, keys and algorithms', () => {
    const made = openIdDocuments({ issuer: 'https://i', externalAddress: () => '192.0.2.1:6443', keys });
    const [configuration, jwks] = [made.configuration(), made.jwks];
    expect(configuration.body.toString()).toBe(
      '{"issuer":"https://i","jwks_uri":"https://192.0.2.1:6443/openid/v1/jwks","response_types_supported":["id_token"],"subject_types_supported":["public"],"id_token_signing_alg_values_supported":["ES256","RS256"]}',
    );
    expect(configuration.headers).toEqual({
      'Content-Type': 'application/json',
      'Cache-Control': 'public, max-age=3600',
    });
    expect(jwks.headers['Content-Type']).toBe('application/jwk-set+json');
    const [first, second] = JSON.parse(jwks.body.toString()).keys;
    expect(Object.keys(first)).toEqual(['use', 'kty', 'kid', 'alg', 'n', 'e']);
    expect(Object.keys(second)).toEqual(['use', 'kty', 'kid', 'crv', 'alg', 'x', 'y']);
    expect(createPublicKey({ key: second, format: 'jwk' }).equals(createPublicKey(p256))).toBe(true);
    expect(JSON.stringify(JSON.parse(jwks.body.toString()))).not.toContain('"d"');
  });
  it.each([
    [{ issuer: '' }, 'empty issuer URL'],
    [{ issuer: 'kubernetes/serviceaccount' }, 'must use https'],
    [{ issuer: 'http://i' }, 'must use https'],
    [{ issuer: 'https://i?x' }, 'may not include a query'],
    [{ issuer: 'https://i#x' }, 'may not include a fragment'],
    [{ jwksUri: 'http://i' }, 'jwksURI requires https scheme'],
    [{ externalAddress: () => '' }, 'must be set'],
    [{ keys: [] }, 'no keys'],
  ])('are refused for %j', (over, message) => {
    expect(() => openIdDocuments({ issuer: 'https://i', externalAddress: () => 'h', keys, ...over })).toThrow(message);
  });
});

describe('TokenRequest', () => {
  const objects = new Map<string, KubeObject>([
    ['serviceaccounts/n/s', { metadata: { name: 's', namespace: 'n', uid: 'su' } }],
    ['pods/n/p', { metadata: { name: 'p', uid: 'pu' }, spec: { serviceAccountName: 's', nodeName: 'k' } }],
    ['pods/n/lost', { metadata: { name: 'lost', uid: 'lu' }, spec: { serviceAccountName: 's', nodeName: 'gone' } }],
    ['pods/n/q', { metadata: { name: 'q', uid: 'qu' }, spec: { serviceAccountName: 'other' } }],
    ['secrets/n/x', { metadata: { name: 'x', uid: 'xu' } }],
    ['nodes//k', { metadata: { name: 'k', uid: 'ku' } }],
  ]);
  const options: TokenRequestOptions = {
    objects: { get: (resource, namespace, name) => objects.get(`${resource.resource}/${namespace}/${name}`) },
    issuer: createTokenIssuer({ issuer: 'https://i', key: p256, now: () => NOW, uuid: () => 'id' }),
    apiAudiences: ['api', 'api2'],
    maxExpiration: 0,
    extendExpiration: true,
    now: () => NOW,
  };
  const request = (spec: KubeObject['spec'], metadata = {}): KubeObject => ({
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    metadata,
    spec: { expirationSeconds: 3600, ...(spec as object) },
  });
  const ask = (spec: object = {}, over: Partial<TokenRequestOptions> = {}, metadata = {}) =>
    requestToken(
      { ...options, ...over },
      { namespace: 'n', name: 's' },
      request(spec as KubeObject['spec'], metadata),
      () => {},
    );
  const claimsOf = (object: KubeObject) => parseJwt((object.status as { token: string }).token)!.claims;
  const bind = (kind: string, name: string, more = {}) => ({
    boundObjectRef: { apiVersion: 'v1', kind, name, ...more },
  });

  it('fills in what was left out', async () => {
    const { object, annotations } = await ask();
    expect(object).toMatchObject({
      metadata: { name: 's', namespace: 'n', uid: 'su', creationTimestamp: '2026-06-01T12:00:00Z' },
      spec: { audiences: ['api', 'api2'], expirationSeconds: 3600 },
      status: { expirationTimestamp: '2026-06-01T13:00:00Z' },
    });
    expect(claimsOf(object)).toMatchObject({ aud: ['api', 'api2'], exp: NOW / 1000 + 3600 });
    expect(annotations).toEqual({ 'authentication.kubernetes.io/issued-credential-id': 'JTI=id' });
  });
  it('binds to pods with their node, secrets and nodes', async () => {
    const bound = async (spec: object) => claimsOf((await ask(spec)).object)['kubernetes.io'];
    expect(await bound(bind('Pod', 'p'))).toMatchObject({
      pod: { name: 'p', uid: 'pu' },
      node: { name: 'k', uid: 'ku' },
    });
    expect(await bound(bind('Pod', 'lost'))).toMatchObject({ node: { name: 'gone' } });
    expect(await bound(bind('Secret', 'x'))).toMatchObject({ secret: { name: 'x', uid: 'xu' } });
    expect(await bound(bind('Node', 'k', { uid: 'ku' }))).toMatchObject({ node: { name: 'k', uid: 'ku' } });
  });
  it('extends what admission asks for pods', async () => {
    const lifetime = async (spec: object, over = {}) => {
      const { object } = await ask({ expirationSeconds: 3607, ...spec }, over);
      const claims = claimsOf(object) as { exp: number; 'kubernetes.io': { warnafter?: number } };
      return [
        claims.exp - NOW / 1000,
        claims['kubernetes.io'].warnafter && claims['kubernetes.io'].warnafter - NOW / 1000,
      ];
    };
    expect(await lifetime(bind('Pod', 'p'))).toEqual([31536000, 3607]);
    expect(await lifetime(bind('Secret', 'x'))).toEqual([3607, undefined]);
    expect(await lifetime({ ...bind('Pod', 'p'), audiences: ['other'] })).toEqual([3607, undefined]);
    expect(await lifetime(bind('Pod', 'p'), { extendExpiration: false })).toEqual([3607, undefined]);
    expect(await lifetime({ ...bind('Pod', 'p'), expirationSeconds: 3600 })).toEqual([3600, undefined]);
  });
  it('shortens with a warning', async () => {
    const { object, warnings } = await ask({ expirationSeconds: 7200 }, { maxExpiration: 4000 });
    expect(warnings).toEqual(['requested expiration of 7200 seconds shortened to 4000 seconds']);
    expect(object.spec).toMatchObject({ expirationSeconds: 4000 });
  });
  it.each([
    [
      { expirationSeconds: 599 },
      422,
      'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes',
    ],
    [
      { expirationSeconds: 4294967297 },
      422,
      'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 4294967297: may not specify a duration larger than 2^32 seconds',
    ],
    [bind('Pod', 'none'), 404, 'pods "none" not found'],
    [bind('Secret', 'none'), 404, 'secrets "none" not found'],
    [bind('Node', 'none'), 404, 'nodes "none" not found'],
    [bind('ConfigMap', 'x'), 400, 'cannot bind token to object of type /v1, Kind=ConfigMap'],
    [bind('constructor', 'x'), 400, 'cannot bind token to object of type /v1, Kind=constructor'],
    [
      { boundObjectRef: { apiVersion: 'apps/v1', kind: 'Pod', name: 'p' } },
      400,
      'cannot bind token to object of type apps/v1, Kind=Pod',
    ],
    [
      bind('Pod', 'p', { uid: '1-1' }),
      409,
      'Operation cannot be fulfilled on Pod "p": the UID in the bound object reference (1-1) does not match the UID in record. The object might have been deleted and then recreated',
    ],
    [
      bind('Pod', 'q'),
      400,
      'cannot bind token for serviceaccount "s" to pod running with different serviceaccount name.',
    ],
  ])('refuses %j', async (spec, code, message) => {
    await expect(ask(spec)).rejects.toMatchObject({ code, message });
  });
  it('refuses another object than the URL names', async () => {
    await expect(ask({}, {}, { name: 'other' })).rejects.toMatchObject({
      code: 422,
      message:
        'TokenRequest.authentication.k8s.io "s" is invalid: metadata.name: Invalid value: "other": must match the service account name if specified',
    });
    await expect(ask({}, {}, { uid: 'other' })).rejects.toMatchObject({ code: 409 });
    await expect(requestToken(options, { namespace: 'n', name: 'none' }, request({}), () => {})).rejects.toMatchObject({
      code: 404,
      message: 'serviceaccounts "none" not found',
    });
  });
  it('asks admission after the fields and before the bound object', async () => {
    const admit = () => Promise.reject(new Error('not today'));
    await expect(
      requestToken(options, { namespace: 'n', name: 's' }, request(bind('Pod', 'none') as KubeObject['spec']), admit),
    ).rejects.toThrow('not today');
    await expect(
      requestToken(options, { namespace: 'n', name: 's' }, request({ expirationSeconds: 1 }), admit),
    ).rejects.toMatchObject({ code: 422 });
  });
});
