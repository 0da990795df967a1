import { createPublicKey, type KeyObject } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Authenticated, Credentials, PeerCertificate } from '../contract.js';
import type { Certificate } from '../pki/certificate.js';
import { makeAuthority, makeAuthorityUnder, makeCertificate, validity } from '../pki/fixtures.suite.js';
import { generateKey, privateKeyPem, publicKeyPem } from '../pki/keys.js';
import { OID } from '../pki/oids.js';
import { encodePem } from '../pki/pem.js';
import { createTokenIssuer, issueLegacyToken, type TokenContent } from '../tokens/issuer.js';
import { signJwt } from '../tokens/jwt.js';
import { keyIdOf } from '../tokens/keys.js';
import { type Authentication, buildAuthentication } from './build.js';
import { bearer, HOUR, makeWorld, NOW, nobody, type World } from './fixtures.suite.js';
import { withoutCredentials } from './headers.js';
import type { AuthenticationOptions } from './options.js';
import { attemptedCredentials } from './require-user.js';
import { reviewToken, selfSubjectReview } from './review.js';

const ISSUER = 'https://kubernetes.default.svc.cluster.local';
const ca = makeAuthority('ca');
const proxyCa = makeAuthority('proxy-ca');
const saKey = generateKey();
const oldKey = generateKey();
const foreignKey = generateKey();
const pem = (...certificates: Certificate[]): string =>
  certificates.map((c) => encodePem('CERTIFICATE', c.raw)).join('');
const peer = (leaf: Certificate, ...chain: Certificate[]): PeerCertificate => ({
  raw: leaf.raw,
  chain: chain.map((c) => c.raw),
});
const b64 = (text: string): string => Buffer.from(text).toString('base64');
const SA = { namespace: 'n', serviceAccount: { name: 's', uid: 'su' } };

const options: AuthenticationOptions = {
  clientCaFile: '/ca',
  tokenAuthFile: '/tokens',
  enableBootstrapTokenAuth: true,
  serviceAccountIssuer: [ISSUER, 'https://old'],
  serviceAccountKeyFile: ['/sa.pub', '/old.pub'],
  serviceAccountSigningKeyFile: '/sa.key',
  requestheaderClientCaFile: '/proxy-ca',
  requestheaderAllowedNames: ['front-proxy-client'],
  requestheaderUsernameHeaders: ['X-Remote-User'],
  requestheaderUidHeaders: ['X-Remote-Uid'],
  requestheaderGroupHeaders: ['X-Remote-Group'],
  requestheaderExtraHeadersPrefix: ['X-Remote-Extra-'],
};

function fill(world: World): World {
  world.texts.set('/ca', pem(ca.certificate));
  world.texts.set('/proxy-ca', pem(proxyCa.certificate));
  world.texts.set('/tokens', 'admin-token,admin,admin-uid,"system:masters"\nbob-token,bob,bob-uid\n');
  world.texts.set('/sa.key', privateKeyPem(saKey));
  world.texts.set('/sa.pub', publicKeyPem(saKey));
  world.texts.set('/old.pub', publicKeyPem(oldKey));
  world.stored.set('serviceaccounts/n/s', { metadata: { name: 's', namespace: 'n', uid: 'su' } });
  world.stored.set('pods/n/p', { metadata: { name: 'p', namespace: 'n', uid: 'pu' } });
  world.stored.set('secrets/n/x', { metadata: { name: 'x', namespace: 'n', uid: 'xu' } });
  world.stored.set('nodes//k', { metadata: { name: 'k', uid: 'ku' } });
  world.stored.set('secrets/kube-system/bootstrap-token-abcdef', {
    type: 'bootstrap.kubernetes.io/token',
    metadata: { name: 'bootstrap-token-abcdef', namespace: 'kube-system' },
    data: {
      'token-id': b64('abcdef'),
      'token-secret': b64('0123456789abcdef'),
      'usage-bootstrap-authentication': b64('true'),
      'auth-extra-groups': b64('system:bootstrappers:twin'),
    },
  });
  return world;
}

let world: World;
let authn: Authentication;
beforeAll(async () => {
  world = fill(makeWorld());
  authn = await buildAuthentication(options, world);
});

const issue = (over: Partial<TokenContent> = {}, key: KeyObject = saKey, issuer = ISSUER, at = NOW): string =>
  createTokenIssuer({ issuer, key, now: () => at, uuid: () => 'jti' }).issue({
    ...SA,
    audiences: [ISSUER],
    expiresIn: 600,
    ...over,
  }).token;
const userOf = async (credentials: Credentials): Promise<Authenticated['user']> =>
  (await authn.identify(credentials)).user;

describe('accepted', () => {
  it('static tokens', async () => {
    expect(await userOf(bearer('admin-token'))).toEqual({
      name: 'admin',
      uid: 'admin-uid',
      groups: ['system:masters', 'system:authenticated'],
    });
    expect(await userOf(bearer('bob-token'))).toEqual({
      name: 'bob',
      uid: 'bob-uid',
      groups: ['system:authenticated'],
    });
  });
  it.each(['bearer bob-token', 'BEARER bob-token', '  Bearer bob-token  ', 'Bearer bob-token trailing words'])(
    'the header %j',
    async (authorization) => {
      expect((await userOf({ ...nobody, authorization })).name).toBe('bob');
    },
  );
  it('client certificates', async () => {
    const alice = makeCertificate(ca, 'alice', { groups: ['dev'], uid: 'u-1' });
    expect(await userOf({ ...nobody, peerCertificate: peer(alice) })).toEqual({
      name: 'alice',
      uid: 'u-1',
      groups: ['dev', 'system:authenticated'],
      extra: { 'authentication.kubernetes.io/credential-id': [expect.stringMatching(/^X509SHA256=[0-9a-f]{64}$/)] },
    });
  });
  it('client certificates over intermediates', async () => {
    const middle = makeAuthorityUnder(ca, 'middle');
    const leaf = makeCertificate(middle, 'carol');
    expect((await userOf({ ...nobody, peerCertificate: peer(leaf, middle.certificate) })).name).toBe('carol');
  });
  it('tokens of service accounts', async () => {
    expect(await userOf(bearer(issue({ pod: { name: 'p', uid: 'pu' }, node: { name: 'k', uid: 'ku' } })))).toEqual({
      name: 'system:serviceaccount:n:s',
      uid: 'su',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:n', 'system:authenticated'],
      extra: {
        'authentication.kubernetes.io/pod-name': ['p'],
        'authentication.kubernetes.io/pod-uid': ['pu'],
        'authentication.kubernetes.io/node-name': ['k'],
        'authentication.kubernetes.io/node-uid': ['ku'],
        'authentication.kubernetes.io/credential-id': ['JTI=jti'],
      },
    });
    expect((await userOf(bearer(issue({ secret: { name: 'x', uid: 'xu' } })))).name).toBe('system:serviceaccount:n:s');
    expect((await userOf(bearer(issue({ node: { name: 'k', uid: 'ku' } })))).extra).toHaveProperty(
      'authentication.kubernetes.io/node-name',
      ['k'],
    );
    expect((await userOf(bearer(issue({}, oldKey, 'https://old')))).name).toBe('system:serviceaccount:n:s');
    expect((await userOf(bearer(issue({ audiences: ['other', 'https://old'] })))).name).toBe(
      'system:serviceaccount:n:s',
    );
  });
  it('tokens without a key id', async () => {
    const s = NOW / 1000;
    const claims = {
      iss: ISSUER,
      aud: ISSUER,
      exp: s + 60,
      sub: 'system:serviceaccount:n:s',
      'kubernetes.io': { namespace: 'n', serviceaccount: { name: 's', uid: 'su' } },
    };
    expect((await userOf(bearer(signJwt(claims, oldKey, '')))).name).toBe('system:serviceaccount:n:s');
  });
  it('stale tokens, with a note', async () => {
    world.at = NOW + 7200_000;
    const found = await authn.identify(bearer(issue({ expiresIn: 31536000, warnAfter: 3607 })));
    world.at = NOW;
    expect(found.annotations).toEqual({
      'authentication.k8s.io/stale-token': 'subject: system:serviceaccount:n:s, seconds after warning threshold: 3593',
    });
  });
  it('bootstrap tokens', async () => {
    expect(await userOf(bearer('abcdef.0123456789abcdef'))).toEqual({
      name: 'system:bootstrap:abcdef',
      groups: ['system:bootstrappers', 'system:bootstrappers:twin', 'system:authenticated'],
    });
  });
  it('users that the front proxy names', async () => {
    const front = makeCertificate(proxyCa, 'front-proxy-client');
    const headers = {
      'x-remote-user': 'Zo\u00c3\u00ab',
      'x-remote-uid': '7',
      'x-remote-group': ['a, b', 'c', ''],
      'x-remote-extra-scopes': 'x',
      'x-remote-extra-acme.com%2fproject': ['p', 'q'],
      'x-remote-extra-__proto__': 'z',
    };
    const user = await userOf({ ...nobody, headers, peerCertificate: peer(front) });
    expect(user).toMatchObject({ name: 'Zoë', uid: '7', groups: ['a, b', 'c', 'system:authenticated'] });
    expect(Object.entries(user.extra!).sort()).toEqual([
      ['__proto__', ['z']],
      ['acme.com/project', ['p', 'q']],
      ['scopes', ['x']],
    ]);
  });
  it('tokens of WebSockets', async () => {
    const headers = {
      connection: 'keep-alive, Upgrade',
      upgrade: 'WebSocket',
      'sec-websocket-protocol': `v4.channel.k8s.io, base64url.bearer.authorization.k8s.io.${Buffer.from('bob-token').toString('base64url')}`,
    };
    expect((await userOf({ ...nobody, headers })).name).toBe('bob');
  });
  it('nobody, as anonymous', async () => {
    expect(await userOf(nobody)).toEqual({ name: 'system:anonymous', groups: ['system:unauthenticated'] });
  });
  it.each(['Basic YWRtaW46eA==', 'Bearer', 'Bearer ', 'Nonsense x', ''])(
    'the header %j, as anonymous',
    async (authorization) => {
      expect((await userOf({ ...nobody, authorization })).name).toBe('system:anonymous');
    },
  );
  it('a token after too many spaces, as anonymous and with a warning', async () => {
    const found = await authn.identify({ ...nobody, authorization: 'Bearer  bob-token' });
    expect(found.user.name).toBe('system:anonymous');
    expect(found.warnings).toEqual([
      'the provided Authorization header contains extra space before the bearer token, and is ignored',
    ]);
  });
  it('its own token', async () => {
    expect(await userOf(bearer(authn.loopbackToken))).toMatchObject({
      name: 'system:apiserver',
      groups: ['system:authenticated', 'system:masters'],
    });
  });
});

describe('refused with 401', () => {
  const tampered = (token: string): string => {
    const [head, body, tail] = token.split('.');
    const claims = JSON.parse(Buffer.from(body!, 'base64url').toString());
    claims['kubernetes.io'].serviceaccount.name = 'admin';
    return [head, Buffer.from(JSON.stringify(claims)).toString('base64url'), tail].join('.');
  };
  const unsigned = (token: string, alg: string): string =>
    [Buffer.from(JSON.stringify({ alg, kid: keyIdOf(saKey) })).toString('base64url'), token.split('.')[1], ''].join(
      '.',
    );
  const hmac = (token: string): string => {
    const [, body, tail] = token.split('.');
    return [Buffer.from(JSON.stringify({ alg: 'HS256', kid: keyIdOf(saKey) })).toString('base64url'), body, tail].join(
      '.',
    );
  };
  const front = makeCertificate(proxyCa, 'front-proxy-client');
  const s = NOW / 1000;
  const raw = (claims: object): string =>
    signJwt({ iss: ISSUER, aud: [ISSUER], exp: s + 60, ...claims }, saKey, keyIdOf(saKey));
  const account = { namespace: 'n', serviceaccount: { name: 's', uid: 'su' } };
  const cases: [string, Credentials][] = [
    ['an unknown token', bearer('wrong')],
    ['half a token', bearer('bob-toke')],
    ['a token that is too long', bearer('x'.repeat(2_000_000))],
    ['a dot', bearer('.')],
    ['dots', bearer('..')],
    ['alg none', bearer(unsigned(issue(), 'none'))],
    ['alg None', bearer(unsigned(issue(), 'None'))],
    ['alg HS256', bearer(hmac(issue()))],
    ['the known header without claims', bearer('eyJhbGciOiJub25lIn0.e30.')],
    ['a tampered token', bearer(tampered(issue()))],
    ['an expired token', bearer(issue({ expiresIn: 600 }, saKey, ISSUER, NOW - 2 * HOUR))],
    ['a token that is not yet valid', bearer(issue({}, saKey, ISSUER, NOW + HOUR))],
    ['a token for somebody else', bearer(issue({ audiences: ['vault'] }))],
    ['a token of another issuer', bearer(issue({}, saKey, 'https://elsewhere'))],
    ['a token by another key', bearer(issue({}, foreignKey))],
    [
      'a token by another key under a known id',
      bearer(
        signJwt({ iss: ISSUER, aud: [ISSUER], exp: s + 60, 'kubernetes.io': account }, foreignKey, keyIdOf(saKey)),
      ),
    ],
    ['a token of an account that is not there', bearer(issue({ serviceAccount: { name: 'gone', uid: 'su' } }))],
    ['a token of an account made anew', bearer(issue({ serviceAccount: { name: 's', uid: 'other' } }))],
    ['a token of another namespace', bearer(issue({ namespace: 'm' }))],
    ['a token of a pod that is gone', bearer(issue({ pod: { name: 'gone', uid: 'pu' } }))],
    ['a token of a pod made anew', bearer(issue({ pod: { name: 'p', uid: 'other' } }))],
    ['a token of a secret made anew', bearer(issue({ secret: { name: 'x', uid: 'other' } }))],
    ['a token of a node made anew', bearer(issue({ node: { name: 'k', uid: 'other' } }))],
    ['claims of the wrong type', bearer(raw({ 'kubernetes.io': { ...account, pod: 'p' } }))],
    ['an expiry that is text', bearer(raw({ exp: '99999999999', 'kubernetes.io': account }))],
    ['an issuer that is a list', bearer(raw({ iss: [ISSUER], 'kubernetes.io': account }))],
    ['no account', bearer(raw({}))],
    ['a wrong bootstrap secret', bearer('abcdef.0000000000000000')],
    ['an unknown bootstrap token', bearer('aaaaaa.0123456789abcdef')],
    ['a bootstrap token in capitals', bearer('ABCDEF.0123456789abcdef')],
    [
      'a certificate of another authority',
      {
        ...nobody,
        peerCertificate: peer(makeCertificate(makeAuthority('ca'), 'admin', { groups: ['system:masters'] })),
      },
    ],
    ['a certificate of the front proxy authority', { ...nobody, peerCertificate: peer(front) }],
    [
      'an expired certificate',
      { ...nobody, peerCertificate: peer(makeCertificate(ca, 'a', { notAfter: NOW - 1000 })) },
    ],
    [
      'a certificate that is not yet valid',
      { ...nobody, peerCertificate: peer(makeCertificate(ca, 'a', { notBefore: NOW + 1000 })) },
    ],
    [
      'a certificate for servers',
      { ...nobody, peerCertificate: peer(makeCertificate(ca, 'a', { extKeyUsage: [OID.serverAuth] })) },
    ],
    ['a self-signed certificate', { ...nobody, peerCertificate: peer(makeAuthority('admin').certificate) }],
    [
      'a certificate with two uids',
      {
        ...nobody,
        peerCertificate: peer(
          makeCertificate(ca, 'x', {
            subject: [
              { type: OID.commonName, value: 'a' },
              { type: OID.kubernetesUid, value: '1' },
              { type: OID.kubernetesUid, value: '2' },
            ],
          }),
        ),
      },
    ],
    ['a certificate that does not parse', { ...nobody, peerCertificate: { raw: Buffer.from('junk'), chain: [] } }],
    [
      'a front proxy of another name',
      { ...nobody, headers: { 'x-remote-user': 'admin' }, peerCertificate: peer(makeCertificate(proxyCa, 'other')) },
    ],
    [
      'a WebSocket with two tokens',
      {
        ...nobody,
        headers: {
          connection: 'upgrade',
          upgrade: 'websocket',
          'sec-websocket-protocol':
            'base64url.bearer.authorization.k8s.io.YQ, base64url.bearer.authorization.k8s.io.YQ, x',
        },
      },
    ],
    [
      'a WebSocket with nothing but the token',
      {
        ...nobody,
        headers: {
          connection: 'upgrade',
          upgrade: 'websocket',
          'sec-websocket-protocol': 'base64url.bearer.authorization.k8s.io.Ym9iLXRva2Vu',
        },
      },
    ],
    [
      'a WebSocket with a token that is no base64',
      {
        ...nobody,
        headers: {
          connection: 'upgrade',
          upgrade: 'websocket',
          'sec-websocket-protocol': 'base64url.bearer.authorization.k8s.io.*, x',
        },
      },
    ],
    [
      'a WebSocket with a wrong token',
      {
        ...nobody,
        headers: {
          connection: 'upgrade',
          upgrade: 'websocket',
          'sec-websocket-protocol': 'base64url.bearer.authorization.k8s.io.YQ, x',
        },
      },
    ],
  ];
  it.each(cases)('%s', async (_, credentials) => {
    await expect(authn.identify(credentials)).rejects.toMatchObject({
      code: 401,
      reason: 'Unauthorized',
      message: 'Unauthorized',
    });
  });
  it('and what was shown is never in the log', async () => {
    const tokens = cases.flatMap(([, { authorization }]) =>
      authorization && authorization.length > 20 ? [authorization.slice(7)] : [],
    );
    for (const line of world.logs) for (const token of tokens) expect(line).not.toContain(token);
    for (const line of world.logs) expect(line).not.toMatch(/eyJ|bob-token|admin-token|0123456789abcdef/);
  });
  it('whatever a token looks like', async () => {
    const good = issue();
    await fc.assert(
      fc.asyncProperty(fc.nat(good.length - 1), fc.string({ minLength: 1, maxLength: 3 }), async (at, text) => {
        const changed = good.slice(0, at) + text + good.slice(at + 1);
        fc.pre(changed.split(' ')[0] !== good);
        const found = await authn.identify(bearer(changed)).catch((e: { code?: number }) => e.code);
        // A space first leaves no token at all.
        expect(typeof found === 'object' ? found.user.name : found).toBe(
          changed.trimStart().startsWith(' ') || changed.startsWith(' ') ? 'system:anonymous' : 401,
        );
      }),
      { numRuns: 300, interruptAfterTimeLimit: 4000 },
    );
  });
});

describe('front proxy headers', () => {
  const headers = { 'x-remote-user': 'admin', 'x-remote-group': 'system:masters' };
  it('count for nothing without the certificate of the proxy', async () => {
    expect((await userOf({ ...nobody, headers })).name).toBe('system:anonymous');
    expect((await userOf({ ...bearer('bob-token'), headers })).name).toBe('bob');
    const alice = makeCertificate(ca, 'front-proxy-client');
    expect((await userOf({ ...nobody, headers, peerCertificate: peer(alice) })).name).toBe('front-proxy-client');
  });
  it('are taken out before a request goes on', () => {
    const sent = {
      Authorization: 'x',
      'X-Remote-User': 'a',
      'x-remote-extra-b': 'c',
      'Impersonate-User': 'd',
      'X-My-User': 'e',
      accept: 'f',
    };
    expect(
      withoutCredentials(sent, {
        usernameHeaders: ['X-My-User'],
        uidHeaders: [],
        groupHeaders: [],
        extraHeadersPrefix: [],
      }),
    ).toEqual({ accept: 'f' });
    expect(withoutCredentials(sent, undefined)).toEqual({ accept: 'f', 'X-My-User': 'e' });
  });
});

describe('a result ends', () => {
  it('at once when the account, the pod or the bootstrap secret changes', async () => {
    const token = bearer(issue({ pod: { name: 'p', uid: 'pu' } }));
    const pod = world.stored.get('pods/n/p')!;
    await userOf(token);
    world.put('pods', 'n', 'p', undefined);
    await expect(authn.identify(token)).rejects.toMatchObject({ code: 401 });
    world.put('pods', 'n', 'p', pod);
    await userOf(token);
    world.put('pods', 'n', 'p', {
      ...pod,
      metadata: { ...pod.metadata, deletionTimestamp: new Date(NOW - 61_000).toISOString().replace('.000', '') },
    });
    await expect(authn.identify(token)).rejects.toMatchObject({ code: 401 });
    world.put('pods', 'n', 'p', {
      ...pod,
      metadata: { ...pod.metadata, deletionTimestamp: new Date(NOW - 59_000).toISOString().replace('.000', '') },
    });
    await userOf(token);
    world.put('pods', 'n', 'p', pod);

    const bootstrap = bearer('abcdef.0123456789abcdef');
    const key = ['secrets', 'kube-system', 'bootstrap-token-abcdef'] as const;
    const secret = world.stored.get(key.join('/'))!;
    await userOf(bootstrap);
    const bad = [
      { ...secret, data: { ...(secret.data as object), expiration: b64('2020-01-01T00:00:00Z') } },
      { ...secret, data: { ...(secret.data as object), expiration: b64('never') } },
      { ...secret, data: { ...(secret.data as object), expiration: b64('2030-02-31T00:00:00Z') } },
      { ...secret, data: { ...(secret.data as object), 'usage-bootstrap-authentication': b64('false') } },
      { ...secret, data: { ...(secret.data as object), 'auth-extra-groups': b64('system:masters') } },
      { ...secret, data: { ...(secret.data as object), 'token-id': b64('other0') } },
      { ...secret, type: 'Opaque' },
      { ...secret, metadata: { ...secret.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } },
      undefined,
    ];
    for (const one of bad) {
      world.put(...key, one);
      await expect(authn.identify(bootstrap)).rejects.toMatchObject({ code: 401 });
    }
    world.put(...key, {
      ...secret,
      data: { ...(secret.data as object), expiration: b64('2030-01-01T00:00:00+02:00') },
    });
    await userOf(bootstrap);
    world.put(...key, secret);
  });
  it('with the token, though it is remembered', async () => {
    const token = bearer(issue({ expiresIn: 600 }));
    world.at = NOW + 659_000;
    await userOf(token);
    world.at = NOW + 661_000;
    await expect(authn.identify(token)).rejects.toMatchObject({ code: 401 });
    world.at = NOW;
  });
  it('with the authority of a certificate', async () => {
    const other = makeAuthority('other');
    const alice = { ...nobody, peerCertificate: peer(makeCertificate(ca, 'alice')) };
    const carol = { ...nobody, peerCertificate: peer(makeCertificate(other, 'carol')) };
    await userOf(alice);
    await expect(authn.identify(carol)).rejects.toMatchObject({ code: 401 });
    world.change('/ca', 'nonsense');
    await userOf(alice);
    expect(world.logs.at(-1)).toContain(
      'error loading CA bundle from /ca: data does not contain any valid RSA or ECDSA certificates',
    );
    world.change('/ca', pem(other.certificate));
    await expect(authn.identify(alice)).rejects.toMatchObject({ code: 401 });
    expect((await userOf(carol)).name).toBe('carol');
    expect(authn.clientCaPem).toContain(encodePem('CERTIFICATE', other.certificate.raw).trim());
    world.change('/ca', pem(ca.certificate));
  });
  it('with the certificate, though it is remembered', async () => {
    const alice = { ...nobody, peerCertificate: peer(makeCertificate(ca, 'alice', { notAfter: NOW + 10_000 })) };
    await userOf(alice);
    world.at = NOW + 11_000;
    await expect(authn.identify(alice)).rejects.toMatchObject({ code: 401 });
    world.at = NOW;
  });
  it('but is not looked up for every request', async () => {
    const token = bearer(issue({ pod: { name: 'p', uid: 'pu' } }));
    await userOf(token);
    const before = world.lookUps;
    for (let i = 0; i < 100; i++) await userOf(token);
    expect(world.lookUps).toBe(before);
    world.at = NOW + 10_001;
    await userOf(token);
    world.at = NOW;
    expect(world.lookUps).toBe(before + 2);
  });
});

describe('legacy tokens', () => {
  const content = { namespace: 'n', secret: 'legacy', serviceAccount: { name: 's', uid: 'su' } };
  const token = issueLegacyToken(saKey, content);
  const secret = (over: object = {}) => ({
    type: 'kubernetes.io/service-account-token',
    metadata: { name: 'legacy', namespace: 'n', uid: 'lu', ...over },
    data: { token: b64(token) },
  });
  it('are good as long as their Secret holds them', async () => {
    world.put('secrets', 'n', 'legacy', secret());
    const found = await authn.identify(bearer(token));
    expect(found.user).toEqual({
      name: 'system:serviceaccount:n:s',
      uid: 'su',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:n', 'system:authenticated'],
    });
    expect(found.annotations).toEqual({
      'authentication.k8s.io/legacy-token': 'system:serviceaccount:n:s',
      'authentication.k8s.io/legacy-token-manual-secret': 'legacy',
    });
    for (const bad of [
      undefined,
      { ...secret(), data: { token: b64('other') } },
      secret({ deletionTimestamp: '2026-01-01T00:00:00Z' }),
      secret({ labels: { 'kubernetes.io/legacy-token-invalid-since': '2026-01-01' } }),
    ]) {
      world.put('secrets', 'n', 'legacy', bad);
      await expect(authn.identify(bearer(token))).rejects.toMatchObject({ code: 401 });
    }
  });
  it('warn when the Secret was generated, and note the day', async () => {
    const labelled: unknown[] = [];
    const own = fill(
      makeWorld({ labelSecret: async (object, labels) => void labelled.push(object.metadata.name, labels) }),
    );
    own.stored.set('secrets/n/legacy', secret());
    own.stored.set('serviceaccounts/n/s', {
      metadata: { name: 's', namespace: 'n', uid: 'su' },
      secrets: [{ name: 'legacy' }],
    });
    const { identify } = await buildAuthentication(options, own);
    expect((await identify(bearer(token))).warnings).toEqual([
      expect.stringContaining('auto-generated secret-based tokens'),
    ]);
    expect(labelled).toEqual(['legacy', { 'kubernetes.io/legacy-token-last-used': '2026-06-01' }]);
  });
  it('are believed without look-up when told so', async () => {
    const own = fill(makeWorld());
    own.stored.clear();
    const { identify } = await buildAuthentication({ ...options, serviceAccountLookup: false }, own);
    expect((await identify(bearer(token))).user.name).toBe('system:serviceaccount:n:s');
  });
  it.each([
    ['sub', { sub: 'system:serviceaccount:n:other' }],
    ['sub', { sub: '' }],
    ['namespace', { 'kubernetes.io/serviceaccount/namespace': '' }],
    ['secret', { 'kubernetes.io/serviceaccount/secret.name': undefined }],
    ['uid', { 'kubernetes.io/serviceaccount/service-account.uid': 'other' }],
  ])('with another %s are refused', async (_, over) => {
    world.put('secrets', 'n', 'legacy', secret());
    const body = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString());
    const changed = signJwt({ ...body, ...over }, saKey, keyIdOf(saKey));
    world.put('secrets', 'n', 'legacy', { ...secret(), data: { token: b64(changed) } });
    await expect(authn.identify(bearer(changed))).rejects.toMatchObject({ code: 401 });
  });
});

describe('reviews', () => {
  const review = (token: string, audiences?: string[]) =>
    reviewToken(authn.authenticator, [ISSUER], { token, ...(audiences && { audiences }) });
  it('say what the recorded answers say', async () => {
    expect(await review('admin-token')).toEqual({
      audiences: [ISSUER],
      authenticated: true,
      user: { username: 'admin', uid: 'admin-uid', groups: ['system:masters', 'system:authenticated'] },
    });
    const invalid = { user: {}, error: 'invalid bearer token' };
    expect(await review('wrong')).toEqual(invalid);
    expect(await review('a.b.c')).toEqual(invalid);
    expect(await review('eyJhbGciOiJSUzI1NiJ9.e30.xx')).toEqual(invalid);
    expect(await review('Bad_Value!/ x')).toEqual(invalid);
    expect(await review('admin-token', ['x'])).toEqual(invalid);
    expect(await review('admin-token', [''])).toEqual(invalid);
    expect(await review('admin-token', [ISSUER])).toMatchObject({ authenticated: true });
    const own = issue({ audiences: ['aud'] });
    expect(await review(own)).toEqual({
      user: {},
      error: `[invalid bearer token, token audiences ["aud"] is invalid for the target audiences ["${ISSUER}"]]`,
    });
    expect(await review(own, ['aud', 'z'])).toMatchObject({ audiences: ['aud'], authenticated: true });
    expect(await review(issue())).toMatchObject({
      user: { extra: { 'authentication.kubernetes.io/credential-id': ['JTI=jti'] } },
    });
    await expect(review('')).rejects.toMatchObject({
      code: 400,
      message: 'token is required for TokenReview in authentication',
    });
  });
  it('of oneself', () => {
    expect(selfSubjectReview({ name: 'a', groups: ['g'], extra: { z: ['1'], b: ['2'] } }, NOW)).toEqual({
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'SelfSubjectReview',
      metadata: { creationTimestamp: '2026-06-01T12:00:00Z' },
      status: { userInfo: { username: 'a', groups: ['g'], extra: { b: ['2'], z: ['1'] } } },
    });
  });
});

describe('what others need', () => {
  it('is given', () => {
    expect(authn.apiAudiences).toEqual([ISSUER, 'https://old']);
    expect(
      authn
        .openId(() => 'h:1')
        ?.configuration()
        .body.toString(),
    ).toContain('"jwks_uri":"https://h:1/openid/v1/jwks"');
    expect(JSON.parse(authn.openId(() => 'h')!.jwks.body.toString()).keys.map((k: { kid: string }) => k.kid)).toEqual([
      keyIdOf(createPublicKey(saKey)),
      keyIdOf(oldKey),
    ]);
    expect(authn.trustData()).toEqual({
      'client-ca-file': pem(ca.certificate),
      'requestheader-client-ca-file': pem(proxyCa.certificate),
      'requestheader-username-headers': '["X-Remote-User"]',
      'requestheader-uid-headers': '["X-Remote-Uid"]',
      'requestheader-group-headers': '["X-Remote-Group"]',
      'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
      'requestheader-allowed-names': '["front-proxy-client"]',
    });
    expect(attemptedCredentials({ ...bearer('x'), peerCertificate: peer(ca.certificate) })).toEqual(['x509', 'bearer']);
    expect(attemptedCredentials({ ...nobody, authorization: 'Digest x' })).toEqual(['unknown']);
  });
  it('validity of fixtures', () => expect(validity.notAfter).toBe(NOW + HOUR));
});

describe('flags', () => {
  const build = (over: Partial<AuthenticationOptions>, texts: Record<string, string> = {}) => {
    const own = fill(makeWorld());
    for (const [path, text] of Object.entries(texts)) own.texts.set(path, text);
    return buildAuthentication({ ...options, ...over }, own);
  };
  it.each<[Partial<AuthenticationOptions>, string]>([
    [
      { serviceAccountIssuer: undefined },
      '[service-account-issuer is a required flag, --service-account-signing-key-file, --service-account-issuer, and --api-audiences should be specified together]',
    ],
    [{ serviceAccountIssuer: ['a', 'a'] }, 'service-account-issuer "a" is already specified'],
    [{ serviceAccountIssuer: ['https://i', ''] }, 'service-account-issuer should not be an empty string'],
    [
      { serviceAccountIssuer: [':a'] },
      'service-account-issuer ":a" contained a \':\' but was not a valid URL: parse ":a": missing protocol scheme',
    ],
    [{ serviceAccountIssuer: ['https://h:x'] }, 'invalid port ":x" after host'],
    [
      { serviceAccountKeyFile: [] },
      'either `--service-account-key-file` or `--service-account-signing-endpoint` must be set',
    ],
    [
      { serviceAccountSigningKeyFile: undefined },
      '--service-account-signing-key-file, --service-account-issuer, and --api-audiences should be specified together',
    ],
    [{ serviceAccountSigningEndpoint: '@x' }, '--service-account-signing-endpoint is not supported'],
    [{ serviceAccountJwksUri: 'http://x' }, 'service-account-jwks-uri requires https scheme, parsed as: http://x'],
    [
      { serviceAccountMaxTokenExpiration: 60_000 },
      'the service-account-max-token-expiration must be between 1 hour and 2^32 seconds',
    ],
    [
      { oidcClientId: 'x' },
      'oidc-issuer-url and oidc-client-id must be specified together when any oidc-* flags are set',
    ],
    [
      { oidcGroupsClaim: 'x', authenticationConfig: '/c' },
      'authentication-config file and oidc-* flags are mutually exclusive',
    ],
    [{ requestheaderUsernameHeaders: [' '] }, 'empty value in "requestheader-username-headers"'],
    [
      { requestheaderUidHeaders: ['X-Id'] },
      '--requestheader-uid-headers is set without specifying the standard X-Remote-Uid header - API aggregation will not work',
    ],
    [
      { requestheaderClientCaFile: '/ca', requestheaderAllowedNames: [] },
      '--requestheader-client-ca-file and --client-ca-file contain overlapping certificates',
    ],
    [{ clientCaFile: '/none' }, "ENOENT: no such file or directory, open '/none'"],
    [
      { clientCaFile: '/tokens' },
      'error loading CA bundle from /tokens: data does not contain any valid RSA or ECDSA certificates',
    ],
    [
      { serviceAccountKeyFile: ['/tokens'] },
      'error reading public key file /tokens: data does not contain any valid RSA or ECDSA public keys',
    ],
    [
      { serviceAccountSigningKeyFile: '/sa.pub' },
      'failed to parse service-account-issuer-key-file: error reading private key file /sa.pub: data does not contain a valid RSA or ECDSA private key',
    ],
    [{ tokenAuthFile: '/bad' }, "token file '/bad' must have at least 3 columns (token, user name, user uid), found 2"],
    [{ tokenAuthFile: '/quote' }, 'parse error on line 1: bare " in non-quoted field'],
    [
      { authenticationTokenWebhookConfigFile: '/w', authenticationTokenWebhookVersion: 'v2' },
      'unsupported authentication webhook version "v2", supported versions are "v1", "v1beta1"',
    ],
  ])('%j are refused', async (over, message) => {
    await expect(build(over, { '/bad': 'a,b', '/quote': 'a"b,c,d' })).rejects.toThrow(message);
  });
  it('without anonymous requests refuse who shows nothing', async () => {
    for (const over of [{ anonymousAuth: false }, { authorizationMode: ['AlwaysAllow'] }]) {
      const { identify } = await build(over);
      await expect(identify(nobody)).rejects.toMatchObject({ code: 401 });
    }
  });
  it('without anything know only anonymous requests and service accounts', async () => {
    const { identify, clientCaPem } = await build({
      clientCaFile: undefined,
      tokenAuthFile: undefined,
      requestheaderClientCaFile: undefined,
      enableBootstrapTokenAuth: undefined,
    });
    expect(clientCaPem).toBeUndefined();
    expect((await identify({ ...nobody, peerCertificate: peer(makeCertificate(ca, 'x')) })).user.name).toBe(
      'system:anonymous',
    );
    await expect(identify(bearer('admin-token'))).rejects.toMatchObject({ code: 401 });
    await expect(identify(bearer('abcdef.0123456789abcdef'))).rejects.toMatchObject({ code: 401 });
  });
  it('warn of what is probably not meant', async () => {
    const own = fill(makeWorld());
    await buildAuthentication(
      { ...options, requestheaderUsernameHeaders: ['X-User'], serviceAccountMaxTokenExpiration: HOUR },
      own,
    );
    expect(own.logs.join('\n')).toContain(
      '--requestheader-username-headers is set without specifying the standard X-Remote-User header',
    );
    expect(own.logs.join('\n')).toContain('must be set longer than 3607 seconds (currently 3600s)');
  });
});
