import { describe, expect, it } from 'vitest';
import { ApiRequest } from './api-request.js';
import { type EntranceOptions, entrance } from './entrance.js';
import type { HttpHandler } from './http.js';
import { InFlight } from './in-flight.js';
import { sendText } from './respond/text.js';
import { inject } from './transport/inject.js';

function serve(options: Partial<EntranceOptions>, httpVersion?: '2.0'): HttpHandler {
  const enter = entrance({ random: () => 0.01, leaving: () => false, ...options });
  return async (http, response) => {
    const proto = httpVersion
      ? new Proxy(http, { get: (t, k) => (k === 'httpVersion' ? httpVersion : Reflect.get(t, k, t)) })
      : http;
    const request = new ApiRequest(proto, response, 'id');
    if (!enter(request)) sendText(request, 200, 'inside');
  };
}

async function ask(handler: HttpHandler, headers: Record<string, string> = {}, method = 'GET', path = '/api') {
  const answer = await inject(handler, { method, path, headers });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}

describe('pages of other origins', () => {
  const handler = serve({ corsAllowedOrigins: ['^https://ok\\.example$', '//other\\.example(:|$)'] });

  it.each(['https://ok.example', 'http://other.example', 'https://other.example:8443'])(
    'of %s may ask',
    async (origin) => {
      const { status, headers, text } = await ask(handler, { origin });
      expect([status, text]).toEqual([200, 'inside']);
      expect(headers).toMatchObject({
        'access-control-allow-origin': origin,
        'access-control-allow-credentials': 'true',
        'access-control-expose-headers': 'Date',
      });
      const preflight = await ask(handler, { origin }, 'OPTIONS');
      expect([preflight.status, preflight.text]).toEqual([204, '']);
      expect(preflight.headers['access-control-allow-methods']).toBe('POST, GET, OPTIONS, PUT, DELETE, PATCH');
    },
  );

  it.each(['', 'https://ok.example.evil', 'http://ok.example', 'https://not-other.example.org', 'null'])(
    'of %s get no permission',
    async (origin) => {
      for (const method of ['GET', 'OPTIONS']) {
        const { headers, text } = await ask(handler, origin ? { origin } : {}, method);
        expect(text).toBe('inside');
        expect(headers['access-control-allow-origin']).toBeUndefined();
      }
    },
  );

  it.each([
    ['', 'empty value in --cors-allowed-origins'],
    ['(', '--cors-allowed-origins has an invalid regular expression: error parsing regexp: missing closing ): `(`'],
    [
      'example.com',
      '--cors-allowed-origins has an invalid regular expression: regular expression does not pin to start/end of host in the origin header',
    ],
    ['//example.com', 'does not pin to start/end'],
    ['example.com$', 'does not pin to start/end'],
  ])('%j is refused', (pattern, message) => {
    expect(() => serve({ corsAllowedOrigins: [pattern] })).toThrow(message);
  });
});

describe('strict transport security', () => {
  it('is told in every answer', async () => {
    const handler = serve({ hstsDirectives: ['max-age=31536000', 'includeSubDomains', 'preload'] });
    const { headers } = await ask(handler);
    expect(headers['strict-transport-security']).toBe('max-age=31536000; includeSubDomains; preload');
    expect((await ask(serve({}))).headers['strict-transport-security']).toBeUndefined();
  });
  it.each(['', ' ', 'max-age', 'max-age=1=2', 'includesubdomains', 'x'])('%j is refused', (directive) => {
    expect(() => serve({ hstsDirectives: [directive] })).toThrow('strict-transport-security-directives');
  });
});

describe('the chance to be sent elsewhere', () => {
  const connection = async (options: Partial<EntranceOptions>, version?: '2.0') =>
    (await ask(serve(options, version))).headers.connection;
  it('is for HTTP/2 alone', async () => {
    expect(await connection({ goawayChance: 0.02 }, '2.0')).toBe('close');
    expect(await connection({ goawayChance: 0.02 })).toBeUndefined();
    expect(await connection({ goawayChance: 0.005 }, '2.0')).toBeUndefined();
    expect(await connection({}, '2.0')).toBeUndefined();
  });
  it.each([-0.1, 0.03, Number.NaN])('is never %d', (goawayChance) => {
    expect(() => serve({ goawayChance })).toThrow('--goaway-chance can not be less than 0 or greater than 0.02');
  });
});

describe('a server that leaves', () => {
  const handler = serve({ leaving: () => true });
  it('sends new requests elsewhere', async () => {
    const { status, headers, text } = await ask(handler, {}, 'POST', '/api/v1/pods');
    expect([status, text]).toEqual([429, 'The apiserver is shutting down, please try again later.\n']);
    expect(headers).toMatchObject({ 'retry-after': '5', connection: 'close' });
  });
  it.each(['/readyz', '/livez/ping', '/healthz', '/metrics'])('still answers %s', async (path) => {
    expect((await ask(handler, {}, 'GET', path)).status).toBe(200);
  });

  it('waits for what is under way, and for no watch', async () => {
    const inFlight = new InFlight();
    const requests: ApiRequest[] = [];
    const collect: HttpHandler = async (http, response) => {
      requests.push(new ApiRequest(http, response, 'id'));
      response.head(200, {});
      response.end();
    };
    await ask(collect);
    await ask(collect, {}, 'GET', '/api/v1/pods?watch=true');
    inFlight.enter(requests[1]!);
    await inFlight.idle(60_000);
    const left = inFlight.enter(requests[0]!);
    let idle = false;
    const waiting = inFlight.idle(60_000).then(() => {
      idle = true;
    });
    await Promise.resolve();
    expect(idle).toBe(false);
    left();
    await waiting;
    inFlight.enter(requests[0]!);
    await inFlight.idle(1);
  });
});
