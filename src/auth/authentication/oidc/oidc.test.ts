import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machinery/json.js';
import { makeAuthority } from '../../pki/fixtures.suite.js';
import { generateKey, privateKeyPem, publicKeyPem } from '../../pki/keys.js';
import { encodePem } from '../../pki/pem.js';
import { signJwt } from '../../tokens/jwt.js';
import { type Authentication, AuthenticationConfigurationError, buildAuthentication } from '../build.js';
import { bearer, makeWorld, NOW, nobody, type World } from '../fixtures.suite.js';
import type { ConnectOptions, HttpClient, IncomingResponse, OutgoingRequest } from '../http.js';
import type { AuthenticationOptions } from '../options.js';
import { parseAuthenticationConfiguration } from './configuration.js';
import type { ExpressionCompiler } from './expressions.js';

const SA_ISSUER = 'https://kubernetes.default.svc';
const ISSUER = 'https://issuer.example';
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const otherRsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const next = generateKey();
const saKey = generateKey();
const s = NOW / 1000;

/** An OpenID provider that answers without a network. */
class Provider {
  issuer = ISSUER;
  keys: { kid: string; key: KeyObject }[] = [{ kid: 'k1', key: rsa }];
  headers: Record<string, string> = {};
  down = false;
  readonly asked: OutgoingRequest[] = [];
  readonly connected: ConnectOptions[] = [];
  readonly extra = new Map<string, Partial<IncomingResponse>>();

  readonly connect = (options: ConnectOptions): HttpClient => {
    this.connected.push(options);
    return { request: (request) => this.answer(request), close: () => {} };
  };
  private async answer(request: OutgoingRequest): Promise<IncomingResponse> {
    this.asked.push(request);
    if (this.down) throw new Error('connect ECONNREFUSED');
    const extra = this.extra.get(request.url);
    if (extra) return { status: 200, headers: {}, body: '', ...extra };
    if (request.url.endsWith('/.well-known/openid-configuration'))
      return this.json({ issuer: this.issuer, jwks_uri: `${this.issuer}/keys` });
    if (request.url.endsWith('/keys')) {
      return this.json({
        keys: this.keys.map(({ kid, key }) => ({ ...createPublicKey(key).export({ format: 'jwk' }), kid, use: 'sig' })),
      });
    }
    return { status: 404, headers: {}, body: '' };
  }
  json(value: object): IncomingResponse {
    return { status: 200, headers: this.headers, body: JSON.stringify(value) };
  }
  token(claims: JsonObject = {}, kid = 'k1', key: KeyObject = rsa): string {
    return signJwt({ iss: ISSUER, aud: 'client', sub: 'jane', exp: s + 600, ...claims }, key, kid);
  }
}

interface SetUp {
  readonly provider: Provider;
  readonly world: World;
  readonly authn: Authentication;
}
async function setUp(
  options: AuthenticationOptions,
  texts: Record<string, string> = {},
  expressions?: ExpressionCompiler,
): Promise<SetUp> {
  const provider = new Provider();
  const world = makeWorld({ connect: provider.connect, ...(expressions && { expressions }) });
  world.texts.set('/sa.key', privateKeyPem(saKey)).set('/sa.pub', publicKeyPem(saKey));
  for (const [path, text] of Object.entries(texts)) world.texts.set(path, text);
  const authn = await buildAuthentication(
    {
      serviceAccountIssuer: [SA_ISSUER],
      serviceAccountKeyFile: ['/sa.pub'],
      serviceAccountSigningKeyFile: '/sa.key',
      ...options,
    },
    world,
  );
  await new Promise(setImmediate);
  return { provider, world, authn };
}
const flags: AuthenticationOptions = { oidcIssuerUrl: ISSUER, oidcClientId: 'client' };
/** What becomes of a token: a name, or the reasons without the one that every wrong token has. */
async function reasons(authn: Authentication, token: string): Promise<string> {
  try {
    const found = await authn.authenticator.authenticate(bearer(token));
    return `accepted as ${found?.user.name}`;
  } catch (e) {
    return (e as Error).message.replace(/^\[invalid bearer token, (.*)\]$/s, '$1');
  }
}

describe('the flags', () => {
  it('make users with the prefixes of upstream', async () => {
    const name = async (over: AuthenticationOptions, claims: JsonObject = {}) => {
      const { authn, provider } = await setUp({ ...flags, ...over });
      return (await authn.identify(bearer(provider.token(claims)))).user;
    };
    expect(await name({})).toEqual({ name: `${ISSUER}#jane`, groups: ['system:authenticated'] });
    expect((await name({ oidcUsernamePrefix: '-' })).name).toBe('jane');
    expect((await name({ oidcUsernamePrefix: 'oidc:' })).name).toBe('oidc:jane');
    expect((await name({ oidcUsernameClaim: 'email' }, { email: 'j@x', email_verified: true })).name).toBe('j@x');
    expect((await name({ oidcUsernameClaim: 'email' }, { email: 'j@x' })).name).toBe('j@x');
    const grouped = { ...flags, oidcGroupsClaim: 'roles', oidcGroupsPrefix: 'g:' };
    expect((await name(grouped, { roles: ['a', 'b'] })).groups).toEqual(['g:a', 'g:b', 'system:authenticated']);
    expect((await name(grouped, { roles: 'one' })).groups).toEqual(['g:one', 'system:authenticated']);
    expect((await name(grouped)).groups).toEqual(['system:authenticated']);
    expect((await name({}, { jti: 'x1' })).extra).toEqual({ 'authentication.kubernetes.io/credential-id': ['JTI=x1'] });
  });
  it('trust the authority they name', async () => {
    const ca = encodePem('CERTIFICATE', makeAuthority('idp').certificate.raw);
    const { provider } = await setUp({ ...flags, oidcCaFile: '/idp' }, { '/idp': ca });
    expect(provider.connected).toEqual([{ ca }]);
  });
  it.each<[AuthenticationOptions, string]>([
    [{ ...flags, oidcSigningAlgs: ['HS256'] }, 'oidc: unsupported signing alg: "HS256"'],
    [
      { ...flags, oidcIssuerUrl: 'http://x' },
      'invalid authentication configuration: jwt[0].issuer.url: Invalid value: "http://x": URL scheme must be https',
    ],
    [{ ...flags, oidcIssuerUrl: SA_ISSUER }, `URL must not overlap with disallowed issuers: [${SA_ISSUER}]`],
    [
      { ...flags, oidcCaFile: '/x' },
      'jwt[0].issuer.certificateAuthority: Invalid value: "<omitted>": data does not contain any valid RSA or ECDSA certificates',
    ],
  ])('%j are refused', async (options, message) => {
    await expect(setUp(options, { '/x': 'x' })).rejects.toThrow(message);
  });
});

describe('a token is refused', () => {
  const options = {
    ...flags,
    oidcUsernameClaim: 'email',
    oidcGroupsClaim: 'groups',
    oidcRequiredClaim: { tenant: 'acme' },
  };
  const good = { email: 'j@x', tenant: 'acme' };
  it.each<[string, JsonObject, string]>([
    [
      'that is over',
      { exp: s - 1 },
      'oidc: verify token: oidc: token is expired (Token Expiry: 2026-06-01 11:59:59 +0000 UTC)',
    ],
    [
      'without an end',
      { exp: null },
      'oidc: verify token: oidc: token is expired (Token Expiry: 0001-01-01 00:00:00 +0000 UTC)',
    ],
    ['that is not yet valid', { nbf: s + 61 }, 'before the nbf (not before) time: 2026-06-01 12:01:01 +0000 UTC'],
    ['for somebody else', { aud: ['other'] }, 'oidc: verify token: oidc: expected audience "client" got ["other"]'],
    ['without audience', { aud: null }, 'oidc: expected audience "client" got []'],
    ['with audiences of the wrong type', { aud: [1] }, 'oidc: failed to unmarshal claims'],
    ['with an end of the wrong type', { exp: 'x' }, 'exp must be a number'],
    ['without the name', { email: undefined }, 'oidc: parse username claims "email": claim not present'],
    [
      'with a name of the wrong type',
      { email: 1 },
      'oidc: parse username claims "email": json: cannot unmarshal number into Go value of type string',
    ],
    ['with an address that is not verified', { email_verified: false }, 'oidc: email not verified'],
    [
      'with an address that is verified in a strange way',
      { email_verified: 'true' },
      "oidc: parse 'email_verified' claim: json: cannot unmarshal string into Go value of type bool",
    ],
    [
      'with groups of the wrong type',
      { groups: [1] },
      'oidc: parse groups claim "groups": json: cannot unmarshal array into Go value of type string',
    ],
    ['without a required claim', { tenant: undefined }, 'oidc: required claim tenant not present in ID token'],
    [
      'with another required claim',
      { tenant: 'evil' },
      'oidc: required claim tenant value does not match. Got = evil, want = acme',
    ],
  ])('%s', async (_, claims, message) => {
    const { authn, provider } = await setUp(options);
    expect(await reasons(authn, provider.token({ ...good, ...claims }))).toContain(message);
  });
  it('by another key, or with another algorithm', async () => {
    const { authn, provider } = await setUp(options);
    const failed = 'oidc: verify token: failed to verify signature: failed to verify id token signature';
    expect(await reasons(authn, provider.token(good, 'k1', otherRsa))).toBe(failed);
    expect(await reasons(authn, provider.token(good, 'unknown'))).toBe(failed);
    expect(await reasons(authn, provider.token(good, 'k1', next))).toBe(
      'oidc: verify token: oidc: id token signed with unsupported algorithm, expected ["RS256"] got "ES256"',
    );
    const [, body] = provider.token(good).split('.');
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${body}.`;
    expect(await reasons(authn, none)).toContain('unsupported algorithm');
    expect(await reasons(authn, provider.token({ ...good, iss: 'https://other' }))).toBe('invalid bearer token');
  });
  it('while the provider was not found', async () => {
    const { authn, provider, world } = await setUp(options);
    const broken = await setUp(options);
    broken.provider.issuer = 'https://evil';
    expect(await reasons(authn, provider.token(good))).toBe('accepted as j@x');
    const other = makeWorld({ connect: broken.provider.connect });
    for (const [path, text] of world.texts) other.texts.set(path, text);
    const late = await buildAuthentication(
      {
        serviceAccountIssuer: [SA_ISSUER],
        serviceAccountKeyFile: ['/sa.pub'],
        serviceAccountSigningKeyFile: '/sa.key',
        ...options,
      },
      other,
    );
    await new Promise(setImmediate);
    expect(await reasons(late, provider.token(good))).toBe('oidc: authenticator not initialized');
    expect(other.logs.join()).toContain(
      `issuer did not match the issuer returned by provider, expected "${ISSUER}" got "https://evil"`,
    );
    broken.provider.issuer = ISSUER;
    expect(await reasons(late, provider.token(good))).toBe('oidc: authenticator not initialized');
    other.at += 10_000;
    await reasons(late, provider.token(good));
    await new Promise(setImmediate);
    expect(await reasons(late, provider.token(good))).toBe('accepted as j@x');
  });
});

describe('keys of the provider', () => {
  it('are fetched again when a token names a new one, but not for every token', async () => {
    const { authn, provider, world } = await setUp({
      ...flags,
      oidcSigningAlgs: ['RS256', 'ES256'],
      oidcUsernamePrefix: '-',
    });
    const fetches = () => provider.asked.filter(({ url }) => url.endsWith('/keys')).length;
    await reasons(authn, provider.token());
    expect(fetches()).toBe(1);
    for (let i = 0; i < 20; i++) await reasons(authn, provider.token({ i }, 'forged', next));
    expect(fetches()).toBe(1);
    world.at += 1000;
    provider.keys = [{ kid: 'k2', key: next }];
    expect(await reasons(authn, provider.token({}, 'k2', next))).toBe('accepted as jane');
    expect(fetches()).toBe(2);
    expect(await reasons(authn, provider.token({ fresh: 1 }))).toContain('failed to verify id token signature');
  });
  it('are kept as long as the provider says', async () => {
    const { authn, provider, world } = await setUp({ ...flags, oidcUsernamePrefix: '-' });
    provider.headers = { 'cache-control': 'public, max-age=300' };
    await reasons(authn, provider.token());
    world.at += 269_000;
    await reasons(authn, provider.token({}, 'k2'));
    expect(provider.asked.filter(({ url }) => url.endsWith('/keys'))).toHaveLength(1);
    world.at += 2_000;
    await reasons(authn, provider.token({ x: 1 }, 'k2'));
    expect(provider.asked.filter(({ url }) => url.endsWith('/keys'))).toHaveLength(2);
  });
  it('may be redirected to another https address only', async () => {
    const { authn, provider } = await setUp({ ...flags, oidcUsernamePrefix: '-' });
    provider.extra.set(`${ISSUER}/keys`, { status: 302, headers: { location: 'http://evil/keys' } });
    expect(await reasons(authn, provider.token())).toContain('redirects to an address that is not https');
  });
  it('that are no keys are no harm', async () => {
    const { authn, provider } = await setUp({ ...flags, oidcUsernamePrefix: '-' });
    const good = createPublicKey(rsa).export({ format: 'jwk' });
    provider.extra.set(`${ISSUER}/keys`, {
      body: JSON.stringify({
        keys: [
          1,
          null,
          { kty: 'RSA' },
          { kty: 'oct', k: 'AA' },
          { kty: 'EC', crv: 'P-256', x: 'A', y: 'B' },
          { ...good, use: 'enc', kid: 'k1' },
          { ...good, kid: 'k1' },
        ],
      }),
    });
    expect(await reasons(authn, provider.token())).toBe('accepted as jane');
  });
});

describe('distributed claims', () => {
  const options = { ...flags, oidcUsernamePrefix: '-', oidcGroupsClaim: 'groups' };
  const pointing = {
    _claim_names: { groups: 'src' },
    _claim_sources: { src: { endpoint: 'https://claims.example/g', access_token: 'at' } },
  };
  it('are fetched and verified', async () => {
    const { authn, provider } = await setUp(options);
    provider.extra.set('https://claims.example/g', { body: provider.token({ groups: ['a'] }) });
    expect((await authn.identify(bearer(provider.token(pointing)))).user.groups).toEqual(['a', 'system:authenticated']);
    expect(provider.asked.find(({ url }) => url.includes('claims'))?.headers).toEqual({ authorization: 'Bearer at' });
  });
  it.each<[string, JsonObject, string, string]>([
    ['sources', { _claim_names: { groups: 'src' } }, '', 'oidc: no claim sources'],
    [
      'the source',
      { _claim_names: { groups: 'src' }, _claim_sources: {} },
      '',
      'contained a source src missing in _claims_sources',
    ],
    ['an object', { _claim_names: 'x' }, '', 'error parsing distributed claim names'],
    [
      'a JWT',
      pointing,
      'junk',
      'getting untrusted issuer from endpoint https://claims.example/g failed for claim "groups"',
    ],
  ])('without %s are refused', async (_, claims, body, message) => {
    const { authn, provider } = await setUp(options);
    provider.extra.set('https://claims.example/g', { body });
    expect(await reasons(authn, provider.token(claims))).toContain(message);
  });
  it('of the wrong hand are refused', async () => {
    const { authn, provider } = await setUp(options);
    provider.extra.set('https://claims.example/g', {
      body: provider.token({ groups: ['a'] }, 'k1', otherRsa),
    });
    expect(await reasons(authn, provider.token(pointing))).toContain('failed to verify id token signature');
    provider.extra.set('https://claims.example/g', { body: provider.token({}) });
    expect(await reasons(authn, provider.token({ ...pointing, x: 1 }))).toContain('did not contain claim: groups');
    provider.extra.set('https://claims.example/g', { status: 500 });
    expect(await reasons(authn, provider.token({ ...pointing, x: 2 }))).toContain(
      'error while getting distributed claim JWT: 500',
    );
    expect(
      (await authn.identify(bearer(provider.token({ _claim_names: { other: 'src' }, _claim_sources: {} })))).user
        .groups,
    ).toEqual(['system:authenticated']);
  });
});

const config = (jwt: object, more: object = {}, version = 'v1'): string =>
  JSON.stringify({
    apiVersion: `apiserver.config.k8s.io/${version}`,
    kind: 'AuthenticationConfiguration',
    jwt: [jwt],
    ...more,
  });
const basic = {
  issuer: { url: ISSUER, audiences: ['client'] },
  claimMappings: { username: { claim: 'sub', prefix: '' } },
};

describe('the configuration file', () => {
  it.each(['v1', 'v1beta1', 'v1alpha1'])('of %s makes users', async (version) => {
    const jwt = {
      issuer: {
        ...basic.issuer,
        audiences: ['a', 'client'],
        audienceMatchPolicy: 'MatchAny',
        discoveryURL: 'https://found.example/conf',
      },
      claimMappings: {
        username: { claim: 'sub', prefix: 'p:' },
        groups: { claim: 'roles', prefix: 'g:' },
        uid: { claim: 'uid' },
      },
      claimValidationRules: [{ claim: 'tenant', requiredValue: 'acme' }],
    };
    const { provider, authn } = await setUp({ authenticationConfig: '/c' }, { '/c': config(jwt, {}, version) });
    expect(provider.asked[0]!.url).toBe('https://found.example/conf');
    expect(await reasons(authn, provider.token())).toBe('oidc: authenticator not initialized');
    provider.extra.set('https://found.example/conf', provider.json({ issuer: ISSUER, jwks_uri: `${ISSUER}/keys` }));
    const again = await setUp(
      { authenticationConfig: '/c' },
      { '/c': config({ ...jwt, issuer: { ...jwt.issuer, discoveryURL: undefined } }, {}, version) },
    );
    const user = (await again.authn.identify(bearer(again.provider.token({ roles: 'r', uid: 'u', tenant: 'acme' }))))
      .user;
    expect(user).toEqual({ name: 'p:jane', uid: 'u', groups: ['g:r', 'system:authenticated'] });
    expect(await reasons(again.authn, again.provider.token({ tenant: 'acme' }))).toContain(
      'oidc: parse uid claim "uid": claim not present',
    );
    expect(await reasons(again.authn, again.provider.token({ aud: 'z' }))).toContain(
      'oidc: expected audience in ["a" "client"] got ["z"]',
    );
  });
  it('may be YAML, without authenticators, and limit anonymous requests', async () => {
    const text =
      'apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\nanonymous:\n  enabled: true\n  conditions:\n  - path: /livez\n';
    const { authn } = await setUp({ authenticationConfig: '/c' }, { '/c': text });
    expect((await authn.identify({ ...nobody, path: '/livez' })).user.name).toBe('system:anonymous');
    await expect(authn.identify({ ...nobody, path: '/readyz' })).rejects.toMatchObject({ code: 401 });
    await expect(setUp({ authenticationConfig: '/c', anonymousAuth: true }, { '/c': text })).rejects.toThrow(
      '--anonymous-auth flag cannot be set when anonymous field is configured',
    );
    const off = await setUp(
      { authenticationConfig: '/c' },
      { '/c': text.replace('true', 'false').split('  conditions')[0]! },
    );
    await expect(off.authn.identify(nobody)).rejects.toMatchObject({ code: 401 });
  });
  it.each<[string, string]>([
    ['', 'empty config data'],
    ['[]', 'expected an AuthenticationConfiguration'],
    [
      '{"apiVersion":"v1","kind":"AuthenticationConfiguration"}',
      'no kind "AuthenticationConfiguration" is registered for version "v1"',
    ],
    ['{a: [', 'failed to load authentication configuration from file "/c"'],
    [config({ ...basic, foo: 1 }), 'strict decoding error: unknown field "jwt[0].foo"'],
    [
      config({ ...basic, issuer: { url: 1, audiences: 'x' } }),
      'jwt[0].issuer.url: expected string, found number, jwt[0].issuer.audiences: expected a list, found string',
    ],
    [config(basic, { anonymous: true }), 'anonymous: expected an object, found boolean'],
  ])('%j is refused', async (text, message) => {
    await expect(setUp({ authenticationConfig: '/c' }, { '/c': text })).rejects.toThrow(message);
  });
  it.each<[object, string]>([
    [
      {},
      '[jwt[0].issuer.url: Required value, jwt[0].issuer.audiences: Required value: at least one jwt[0].issuer.audiences is required, jwt[0].claimMappings.username: Required value: claim or expression is required]',
    ],
    [
      { ...basic, issuer: { url: 'https://u:p@h?q#f', audiences: ['a'] } },
      'must not contain a username or password, jwt[0].issuer.url: Invalid value: "https://u:p@h?q#f": URL must not contain a query, jwt[0].issuer.url: Invalid value: "https://u:p@h?q#f": URL must not contain a fragment',
    ],
    [{ ...basic, issuer: { ...basic.issuer, discoveryURL: `${ISSUER}/` } }, 'discoveryURL must be different from URL'],
    [
      { ...basic, issuer: { ...basic.issuer, audiences: ['a', 'a', ''] } },
      '[jwt[0].issuer.audiences[1]: Duplicate value: "a", jwt[0].issuer.audiences[2]: Required value, jwt[0].issuer.audienceMatchPolicy: Invalid value: "": audienceMatchPolicy must be MatchAny for multiple audiences]',
    ],
    [
      { ...basic, issuer: { ...basic.issuer, audienceMatchPolicy: 'All' } },
      'audienceMatchPolicy must be empty or MatchAny for single audience',
    ],
    [
      { ...basic, issuer: { ...basic.issuer, egressSelectorType: 'cluster' } },
      'jwt[0].issuer.egressSelectorType: Forbidden: egress selectors are not supported',
    ],
    [
      { ...basic, claimMappings: { username: { claim: 'sub' } } },
      'jwt[0].claimMappings.username.prefix: Required value: prefix is required when claim is set. It can be set to an empty string to disable prefixing',
    ],
    [
      { ...basic, claimMappings: { username: { claim: 'a', expression: 'b' } } },
      "claim and expression can't both be set",
    ],
    [
      { ...basic, claimMappings: { ...basic.claimMappings, uid: { claim: 'a', expression: 'b' } } },
      'jwt[0].claimMappings.uid: Invalid value: "": claim and expression can\'t both be set',
    ],
    [
      { ...basic, claimMappings: { ...basic.claimMappings, extra: [{ key: 'x', valueExpression: 'a' }] } },
      'must be a domain-prefixed path (such as "acme.io/foo")',
    ],
    [
      { ...basic, claimMappings: { ...basic.claimMappings, extra: [{ key: 'a.k8s.io/x', valueExpression: 'a' }] } },
      'k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use',
    ],
    [
      { ...basic, claimMappings: { ...basic.claimMappings, extra: [{ key: 'a.io/X' }] } },
      'must be lowercase, jwt[0].claimMappings.extra[0].valueExpression: Required value',
    ],
    [
      { ...basic, claimValidationRules: [{}, { claim: 'a', message: 'm' }, { claim: 'a' }] },
      'jwt[0].claimValidationRules[0]: Required value: claim or expression is required, jwt[0].claimValidationRules[1].message: Invalid value: "m": may not be specified when claim is set, jwt[0].claimValidationRules[2].claim: Duplicate value: "a"',
    ],
    [{ ...basic, userValidationRules: [{}] }, 'jwt[0].userValidationRules[0].expression: Required value'],
    [
      { ...basic, claimMappings: { username: { expression: 'claims.sub' } } },
      'jwt[0].claimMappings.username.expression: Forbidden: CEL expressions in the authentication configuration are not supported',
    ],
    [
      { ...basic, userValidationRules: [{ expression: 'true' }] },
      'CEL expressions in the authentication configuration are not supported',
    ],
  ])('with %j is refused', async (jwt, message) => {
    await expect(setUp({ authenticationConfig: '/c' }, { '/c': config(jwt) })).rejects.toThrow(message);
  });
  it('with the same issuer twice, or too many, is refused', async () => {
    const many = (n: number) =>
      JSON.stringify({ ...JSON.parse(config(basic)), jwt: Array.from({ length: n }, () => basic) });
    await expect(setUp({ authenticationConfig: '/c' }, { '/c': many(2) })).rejects.toThrow(
      `jwt[1].issuer.url: Duplicate value: "${ISSUER}"`,
    );
    await expect(setUp({ authenticationConfig: '/c' }, { '/c': many(65) })).rejects.toThrow(
      'jwt: Too many: 65: must have at most 64 items',
    );
    await expect(
      setUp(
        { authenticationConfig: '/c' },
        { '/c': config(basic, { anonymous: { enabled: false, conditions: [{ path: '/x' }] } }) },
      ),
    ).rejects.toThrow(
      'anonymous.conditions: Invalid value: [{"path":"/x"}]: enabled should be set to true when conditions are defined',
    );
  });
  it('is one kind of error', async () => {
    await expect(setUp({ authenticationConfig: '/c' }, { '/c': '' })).rejects.toBeInstanceOf(
      AuthenticationConfigurationError,
    );
    expect(() => parseAuthenticationConfiguration('')).toThrow('empty config data');
  });
});

describe('a changed configuration file', () => {
  it('takes effect when it is good, and ends what was remembered', async () => {
    const { provider, world, authn } = await setUp({ authenticationConfig: '/c' }, { '/c': config(basic) });
    const token = provider.token();
    expect(await reasons(authn, token)).toBe('accepted as jane');
    world.change('/c', 'junk: [');
    world.change('/c', config({ ...basic, claimMappings: {} }));
    world.change('/c', config(basic, { anonymous: { enabled: true } }));
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect(
      world.logs.filter((line) => line.startsWith('error: failed to reload authentication config /c')),
    ).toHaveLength(3);
    expect(world.logs.join()).toContain('anonymous: Forbidden: changed from initial configuration file');
    expect(await reasons(authn, token)).toBe('accepted as jane');
    world.change('/c', config({ ...basic, claimMappings: { username: { claim: 'sub', prefix: 'new:' } } }));
    for (let i = 0; i < 20; i++) await new Promise(setImmediate);
    expect(world.logs).toContain('info: reloaded authentication config');
    expect(await reasons(authn, token)).toBe('accepted as new:jane');
  });
  it('waits for its providers, and gives up', async () => {
    const { provider, world, authn } = await setUp({ authenticationConfig: '/c' }, { '/c': config(basic) });
    await reasons(authn, provider.token());
    provider.down = true;
    world.change('/c', config({ ...basic, claimMappings: { username: { claim: 'sub', prefix: 'new:' } } }));
    for (let i = 0; i < 40; i++) await new Promise(setImmediate);
    expect(world.logs.join()).toContain('is not healthy: connect ECONNREFUSED');
    expect(await reasons(authn, provider.token({ x: 1 }))).toBe('accepted as jane');
    authn.close();
  });
});

describe('CEL, when there is a compiler', () => {
  /** Knows `claims.<name>`, `user.username != '<x>'` and `fail`. */
  const compiler: ExpressionCompiler = {
    compile(expression) {
      if (expression === 'syntax') throw new Error('compilation failed: no');
      return {
        selects: (field) => expression.includes(`claims.${field}`),
        evaluate(input) {
          if (expression === 'fail') throw new Error('no such key');
          const not = /^user\.username != '(.*)'$/.exec(expression)?.[1];
          if (not !== undefined) return (input.user as { username: string }).username !== not;
          return (input.claims as JsonObject)[expression.slice('claims.'.length)] ?? null;
        },
      };
    },
  };
  const jwt = {
    ...basic,
    claimMappings: {
      username: { expression: 'claims.sub' },
      groups: { expression: 'claims.roles' },
      uid: { expression: 'claims.uid' },
      extra: [{ key: 'acme.io/x', valueExpression: 'claims.x' }],
    },
    claimValidationRules: [{ expression: 'claims.ok', message: 'must be ok' }],
    userValidationRules: [{ expression: "user.username != 'root'", message: 'not root' }],
  };
  it('maps and validates', async () => {
    const { provider, authn } = await setUp({ authenticationConfig: '/c' }, { '/c': config(jwt) }, compiler);
    const good = { roles: ['a', ''], uid: 'u', x: 'y', ok: true };
    expect((await authn.identify(bearer(provider.token(good)))).user).toEqual({
      name: 'jane',
      uid: 'u',
      groups: ['a', 'system:authenticated'],
      extra: { 'acme.io/x': ['y'] },
    });
    expect(await reasons(authn, provider.token({ ...good, ok: false }))).toContain(
      "validation expression 'claims.ok' failed: must be ok",
    );
    expect(await reasons(authn, provider.token({ ...good, sub: 'root' }))).toContain('failed: not root');
    expect(await reasons(authn, provider.token({ ...good, sub: '' }))).toContain(
      'oidc: empty username via CEL expression is not allowed',
    );
    expect(await reasons(authn, provider.token({ ...good, sub: 1 }))).toContain(
      'username claim expression must return a string',
    );
    expect(await reasons(authn, provider.token({ ...good, roles: [1] }))).toContain(
      'expression must return a string or a list of strings',
    );
  });
  it.each<[object, string]>([
    [
      { username: { expression: 'syntax' } },
      'jwt[0].claimMappings.username.expression: Invalid value: "syntax": compilation failed: no',
    ],
    [
      { username: { expression: 'claims.email' } },
      'claims.email_verified must be used in claimMappings.username.expression',
    ],
    [{ username: { expression: 'a', prefix: '' } }, 'may not be specified when expression is set'],
  ])('%j is refused', async (claimMappings, message) => {
    await expect(
      setUp({ authenticationConfig: '/c' }, { '/c': config({ ...basic, claimMappings }) }, compiler),
    ).rejects.toThrow(message);
  });
});
