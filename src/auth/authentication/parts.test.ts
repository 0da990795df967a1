import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TokenAuthenticator, TokenResult } from './contract.js';
import { credentialsOf } from './credentials.js';
import { AuthenticationError, refused } from './errors.js';
import { fileSystem } from './files.js';
import { parseTime } from './secrets.js';
import { type TokenCacheOptions, tokenCache } from './token-cache.js';
import { parseCsv, tokenFileAuthenticator } from './token-file.js';
import { requestUnion, tokenUnion, tokenUnionFailFast } from './union.js';
import { webSocketProtocols } from './websocket.js';

const found = (name: string, more: Partial<TokenResult> = {}): TokenResult => ({
  user: { name, groups: [] },
  via: 'test',
  ...more,
});

describe('token cache', () => {
  function setUp(
    over: Partial<TokenCacheOptions> = {},
    answer?: (token: string) => TokenResult | undefined | Promise<TokenResult | undefined>,
  ) {
    let at = 1000;
    const asked: string[] = [];
    const delegate: TokenAuthenticator = {
      name: 'd',
      authenticateToken(token) {
        asked.push(token);
        return (answer ?? found)(token);
      },
    };
    const cache = tokenCache(delegate, {
      successTtl: 100,
      failureTtl: 50,
      cacheErrors: true,
      now: () => at,
      random: randomBytes,
      ...over,
    });
    return {
      cache,
      asked,
      wait: (ms: number) => {
        at += ms;
      },
    };
  }
  it('asks once for as long as it holds', async () => {
    const { cache, asked, wait } = setUp();
    await cache.authenticateToken('a', undefined);
    wait(99);
    expect(await cache.authenticateToken('a', undefined)).toMatchObject({ user: { name: 'a' } });
    expect(asked).toEqual(['a']);
    wait(1);
    await cache.authenticateToken('a', undefined);
    expect(asked).toEqual(['a', 'a']);
  });
  it('tells audiences apart', async () => {
    const { cache, asked } = setUp();
    for (const audiences of [undefined, [], ['a'], ['a', 'b'], ['b', 'a'], ['a,b']])
      await cache.authenticateToken('t', audiences);
    expect(asked).toHaveLength(6);
  });
  it('shares one look-up among those who ask at once', async () => {
    const { cache, asked } = setUp({}, (token) => Promise.resolve(found(token)));
    await Promise.all(Array.from({ length: 5 }, () => cache.authenticateToken('a', undefined)));
    expect(asked).toEqual(['a']);
  });
  it('remembers refusals, or not', async () => {
    const answer = (token: string) => {
      if (token === 'error') throw refused('why');
      return undefined;
    };
    for (const [over, expected] of [
      [{}, ['error', 'none']],
      [{ cacheErrors: false }, ['error', 'error', 'none']],
      [{ failureTtl: 0 }, ['error', 'error', 'none', 'none']],
    ] as const) {
      const { cache, asked } = setUp(over, answer);
      for (const token of ['error', 'error', 'none', 'none']) {
        const result = async () => cache.authenticateToken(token, undefined);
        if (token === 'error') await expect(result()).rejects.toThrow('why');
        else expect(await result()).toBeUndefined();
      }
      expect(asked).toEqual(expected);
    }
  });
  it('never outlives the token', async () => {
    const { cache, asked, wait } = setUp({}, (token) => found(token, { expiresAt: 1010 }));
    await cache.authenticateToken('a', undefined);
    wait(9);
    await cache.authenticateToken('a', undefined);
    expect(asked).toHaveLength(1);
    wait(1);
    await cache.authenticateToken('a', undefined);
    await cache.authenticateToken('a', undefined);
    expect(asked).toHaveLength(3);
  });
  it('forgets what came from an object, also what is being looked up', async () => {
    let release = (): void => {};
    const { cache, asked } = setUp({}, async (token) => {
      if (token === 'slow') {
        await new Promise<void>((done) => {
          release = done;
        });
      }
      return found(token, { dependsOn: token === 'other' ? [] : ['pods/n/p'] });
    });
    await cache.authenticateToken('a', undefined);
    await cache.authenticateToken('other', undefined);
    const slow = cache.authenticateToken('slow', undefined);
    await Promise.resolve();
    cache.forget('pods/n/p');
    release();
    await slow;
    const again = cache.authenticateToken('slow', undefined);
    await Promise.resolve();
    release();
    await again;
    await cache.authenticateToken('a', undefined);
    await cache.authenticateToken('other', undefined);
    expect(asked).toEqual(['a', 'other', 'slow', 'slow', 'a']);
    cache.clear();
    await cache.authenticateToken('other', undefined);
    expect(asked).toHaveLength(6);
  });
  it('is bounded', async () => {
    const { cache, asked } = setUp();
    for (let i = 0; i < 33_000; i++) await cache.authenticateToken(`${i}`, undefined);
    await cache.authenticateToken('32999', undefined);
    expect(asked).toHaveLength(33_000);
    await cache.authenticateToken('0', undefined);
    expect(asked).toHaveLength(33_001);
  });
});

describe('CSV', () => {
  it.each([
    ['a,b,c', [['a', 'b', 'c']]],
    ['a,b\r\n\r\n\nc\n', [['a', 'b'], ['c']]],
    ['"a ""b"", c",d\n', [['a "b", c', 'd']]],
    ['"a\nb",c', [['a\nb', 'c']]],
    ['a,', [['a', '']]],
    ['a,\nb', [['a', ''], ['b']]],
    [',', [['', '']]],
    ['""', [['']]],
    ['', []],
    [' a , "b', undefined],
    ['a"b', undefined],
    ['"a"b', undefined],
    ['"a', undefined],
  ])('%j', (text, records) => {
    if (records) expect(parseCsv(text)).toEqual(records);
    else expect(() => parseCsv(text)).toThrow(/parse error on line 1: (?:bare|extraneous)/);
  });
  it('comes back as written', () => {
    const quote = (field: string): string => `"${field.replaceAll('"', '""')}"`;
    fc.assert(
      fc.property(
        fc.array(
          fc.array(
            fc.string().map((s) => s.replaceAll('\r', '')),
            { minLength: 1, maxLength: 4 },
          ),
          { maxLength: 5 },
        ),
        (records) => {
          expect(parseCsv(records.map((r) => r.map(quote).join(',')).join('\n'))).toEqual(records);
        },
      ),
      { numRuns: 300 },
    );
  });
  it('makes users', () => {
    const logs: string[] = [];
    const tokens = tokenFileAuthenticator('/t', 't1,a,1,"g1,g2",more\nt2,b,2\n,c,3\nt2,d,\n', (level, text) =>
      logs.push(`${level} ${text}`),
    );
    expect(tokens.authenticateToken('t1', undefined)).toMatchObject({
      user: { name: 'a', uid: '1', groups: ['g1', 'g2'] },
    });
    expect(tokens.authenticateToken('t2', undefined)).toMatchObject({ user: { name: 'd', groups: [] } });
    expect(tokens.authenticateToken('', undefined)).toBeUndefined();
    expect(tokens.authenticateToken('constructor', undefined)).toBeUndefined();
    expect(logs).toEqual([
      "warning empty token has been found in token file '/t', record number '3'",
      "warning duplicate token has been found in token file '/t', record number '4'",
    ]);
  });
});

describe('unions', () => {
  const says = (name: string, result: TokenResult | undefined | Error): TokenAuthenticator => ({
    name,
    authenticateToken() {
      if (result instanceof Error) throw result;
      return result;
    },
  });
  it('go on after a refusal and join the reasons', async () => {
    const good = tokenUnion([says('1', refused('x')), says('2', undefined), says('3', found('a'))]);
    expect(await good.authenticateToken('t', undefined)).toMatchObject({ user: { name: 'a' } });
    const bad = tokenUnion([
      says('1', refused('x')),
      says('2', new AuthenticationError(['y', 'x'])),
      says('3', new Error('z')),
    ]);
    await expect(bad.authenticateToken('t', undefined)).rejects.toThrow('[x, y, z]');
    await expect(
      tokenUnion([says('1', refused('x')), says('2', refused('x'))]).authenticateToken('t', undefined),
    ).rejects.toThrow(/^x$/);
    expect(await tokenUnion([]).authenticateToken('t', undefined)).toBeUndefined();
    expect(
      await requestUnion([]).authenticate({
        authorization: undefined,
        headers: {},
        path: '',
        peerCertificate: undefined,
      }),
    ).toBeUndefined();
  });
  it('stop at the first refusal when told so', async () => {
    const one = tokenUnionFailFast([says('1', refused('x')), says('3', found('a'))]);
    await expect(one.authenticateToken('t', undefined)).rejects.toThrow('x');
  });
});

describe('times', () => {
  it.each(['2026-01-01T00:00:00Z', '2026-01-01T00:00:00.5+01:30', '2024-02-29T23:59:59-00:00'])('%s', (text) => {
    expect(parseTime(text)).toBe(Date.parse(text));
  });
  it.each([
    '',
    '2026-01-01',
    '2026-01-01 00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-02-29T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:00:00',
  ])('%j is none', (text) => {
    expect(parseTime(text)).toBeUndefined();
  });
});

describe('WebSocket protocols', () => {
  it('are those that may be negotiated', () => {
    const headers = {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-protocol': ['v5.channel.k8s.io', 'base64url.bearer.authorization.k8s.io.dA , v4.channel.k8s.io'],
    };
    expect(webSocketProtocols(headers)).toEqual({ token: 't', protocols: ['v5.channel.k8s.io', 'v4.channel.k8s.io'] });
    expect(webSocketProtocols({ ...headers, upgrade: 'spdy/3.1' })).toBeUndefined();
    expect(webSocketProtocols({ ...headers, connection: 'keep-alive' })).toBeUndefined();
    expect(webSocketProtocols({ connection: 'Upgrade', upgrade: 'websocket' })).toEqual({
      token: undefined,
      protocols: [],
    });
  });
});

describe('credentials of a request', () => {
  it('are its first Authorization header and its decoded path', () => {
    const request = { headers: {}, path: '/a%2Fb', peerCertificate: undefined };
    expect(credentialsOf(request)).toEqual({ ...request, authorization: undefined, path: '/a/b' });
    expect(credentialsOf({ ...request, headers: { authorization: 'Bearer a' } }).authorization).toBe('Bearer a');
    expect(credentialsOf({ ...request, headers: { authorization: ['Bearer a', 'Bearer b'] } }).authorization).toBe(
      'Bearer a',
    );
    expect(credentialsOf({ ...request, headers: { authorization: ['', 'Bearer b'] } }).authorization).toBe('');
    expect(credentialsOf({ ...request, path: '/%zz' }).path).toBe('/%zz');
  });
});

describe('files', () => {
  it('are followed', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'porthole-'));
    const path = join(directory, 'f');
    writeFileSync(path, 'one');
    const changed = new Promise<void>((done) => {
      const stop = fileSystem.watch(path, () => {
        stop();
        done();
      });
    });
    writeFileSync(path, 'two');
    // The watch begins with a look of its own, which may come after a first change.
    let time = 0;
    const touching = setInterval(() => utimesSync(path, ++time, time), 100);
    await changed.finally(() => clearInterval(touching));
    expect(fileSystem.read(path).toString()).toBe('two');
    rmSync(directory, { recursive: true });
  });
});
