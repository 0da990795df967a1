import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { makeAuthority } from '../pki/fixtures.suite.js';
import { issueAuthority, issueServing } from '../pki/issue.js';
import { generateKey, privateKeyPem, publicKeyPem } from '../pki/keys.js';
import { encodePem } from '../pki/pem.js';
import { buildAuthentication } from './build.js';
import { bearer, makeWorld, type World } from './fixtures.suite.js';
import { type IncomingResponse, type OutgoingRequest, undiciConnector } from './http.js';
import { tokenWebhookAuthenticator } from './webhook.js';

const answer = (status: object, over: object = {}): IncomingResponse => ({
  status: 200,
  headers: {},
  body: JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', status, ...over }),
});

function setUp(answers: (IncomingResponse | Error)[]) {
  const asked: OutgoingRequest[] = [];
  const pauses: number[] = [];
  const webhook = tokenWebhookAuthenticator({
    client: {
      async request(request) {
        asked.push(request);
        const next = answers.length > 1 ? answers.shift()! : answers[0]!;
        if (next instanceof Error) throw next;
        return next;
      },
      close: () => {},
    },
    url: 'https://w/authn',
    authorization: 'Bearer mine',
    version: 'v1',
    apiAudiences: ['api'],
    sleep: async (ms) => void pauses.push(ms),
  });
  return { webhook, asked, pauses };
}
const jane = { authenticated: true, user: { username: 'jane', uid: '1', groups: ['g', 1], extra: { a: ['b'] } } };

describe('a token webhook', () => {
  it('is asked with a TokenReview', async () => {
    const { webhook, asked } = setUp([answer(jane)]);
    expect(await webhook.authenticateToken('t', ['api', 'x'])).toEqual({
      user: { name: 'jane', uid: '1', groups: ['g'], extra: { a: ['b'] } },
      via: 'webhook',
      audiences: ['api'],
    });
    expect(asked[0]).toMatchObject({
      method: 'POST',
      url: 'https://w/authn',
      headers: { authorization: 'Bearer mine' },
    });
    expect(JSON.parse(asked[0]!.body!)).toEqual({
      kind: 'TokenReview',
      apiVersion: 'authentication.k8s.io/v1',
      metadata: {},
      spec: { token: 't', audiences: ['api', 'x'] },
      status: { user: {} },
    });
  });
  it('must name an audience that is wanted', async () => {
    expect(
      await setUp([answer({ ...jane, audiences: ['x'] })]).webhook.authenticateToken('t', ['x', 'y']),
    ).toMatchObject({ audiences: ['x'] });
    expect(
      await setUp([answer({ ...jane, audiences: ['other'] })]).webhook.authenticateToken('t', ['x']),
    ).toBeUndefined();
    expect(await setUp([answer(jane)]).webhook.authenticateToken('t', ['x'])).toBeUndefined();
    expect(await setUp([answer(jane)]).webhook.authenticateToken('t', undefined)).not.toHaveProperty('audiences');
  });
  it('may refuse', async () => {
    expect(await setUp([answer({})]).webhook.authenticateToken('t', undefined)).toBeUndefined();
    expect(
      await setUp([answer({ authenticated: 'true', user: { username: 'x' } })]).webhook.authenticateToken(
        't',
        undefined,
      ),
    ).toBeUndefined();
    await expect(setUp([answer({ error: 'no' })]).webhook.authenticateToken('t', undefined)).rejects.toThrow(/^no$/);
  });
  it.each<[IncomingResponse, string]>([
    [{ status: 403, headers: {}, body: '' }, 'webhook answered with status 403'],
    [{ status: 200, headers: {}, body: 'junk' }, 'webhook answered with something that is not JSON'],
    [{ status: 200, headers: {}, body: '[]' }, 'not a TokenReview of authentication.k8s.io/v1'],
    [answer(jane, { apiVersion: 'authentication.k8s.io/v1beta1' }), 'not a TokenReview of authentication.k8s.io/v1'],
    [answer(jane, { kind: 'Status' }), 'not a TokenReview'],
  ])('must answer well: %#', async (response, message) => {
    const { webhook, pauses } = setUp([response]);
    await expect(webhook.authenticateToken('t', undefined)).rejects.toThrow(message);
    expect(pauses).toEqual([]);
  });
  it('is asked again after what may pass, five times at most', async () => {
    const reset = Object.assign(new Error('reset'), { code: 'ECONNRESET' });
    const passing = setUp([
      reset,
      { status: 500, headers: {}, body: '' },
      { status: 503, headers: { 'retry-after': '1' }, body: '' },
      answer(jane),
    ]);
    expect(await passing.webhook.authenticateToken('t', undefined)).toMatchObject({ user: { name: 'jane' } });
    expect(passing.pauses).toEqual([500, 750, 1125]);
    const down = setUp([{ status: 500, headers: {}, body: '' }]);
    await expect(down.webhook.authenticateToken('t', undefined)).rejects.toThrow('webhook answered with status 500');
    expect(down.asked).toHaveLength(5);
    const refused = setUp([new Error('connect ECONNREFUSED')]);
    await expect(refused.webhook.authenticateToken('t', undefined)).rejects.toThrow('ECONNREFUSED');
    expect(refused.asked).toHaveLength(1);
  });
});

describe('from a kubeconfig', () => {
  const key = generateKey();
  const now = Date.now();
  const wide = { notBefore: now - 1000, notAfter: now + 600_000 };
  async function listen(handler: (body: { spec: { token: string } }, subject: string) => object) {
    const authority = issueAuthority('webhook-ca', generateKey(), wide, randomBytes);
    const serverKey = generateKey();
    const server = createServer(
      {
        key: privateKeyPem(serverKey),
        cert: encodePem('CERTIFICATE', issueServing('w', ['127.0.0.1'], serverKey, authority, wide, randomBytes)),
        requestCert: true,
        rejectUnauthorized: false,
      },
      async (request, response) => {
        let text = '';
        for await (const chunk of request) text += chunk;
        response
          .setHeader('content-type', 'application/json')
          .end(JSON.stringify(handler(JSON.parse(text), request.headers.authorization ?? '')));
      },
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return {
      url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/authn`,
      ca: encodePem('CERTIFICATE', authority.certificate.raw),
      close: () => server.close(),
    };
  }
  const files = (world: World, url: string): World => {
    world.texts.set('/sa.key', privateKeyPem(key)).set('/sa.pub', publicKeyPem(key));
    world.texts.set(
      '/etc/webhook/kubeconfig',
      JSON.stringify({
        'current-context': 'c',
        contexts: [{ name: 'c', context: { cluster: 'k', user: 'u' } }],
        clusters: [{ name: 'k', cluster: { server: url, 'certificate-authority': 'ca.crt' } }],
        users: [{ name: 'u', user: { token: 'apiserver-token' } }],
      }),
    );
    return world;
  };
  const options = {
    serviceAccountIssuer: ['https://sa'],
    serviceAccountKeyFile: ['/sa.pub'],
    serviceAccountSigningKeyFile: '/sa.key',
    authenticationTokenWebhookConfigFile: '/etc/webhook/kubeconfig',
  };
  it('a real one is asked over TLS, and its answers are kept', async () => {
    const asked: string[] = [];
    const server = await listen(({ spec }, authorization) => {
      asked.push(`${spec.token} ${authorization}`);
      return {
        apiVersion: 'authentication.k8s.io/v1beta1',
        kind: 'TokenReview',
        status: spec.token === 'good' ? jane : {},
      };
    });
    const world = files(makeWorld({ connect: undiciConnector }), server.url);
    world.texts.set('/etc/webhook/ca.crt', server.ca);
    const { identify, close } = await buildAuthentication(options, world);
    expect((await identify(bearer('good'))).user).toMatchObject({
      name: 'jane',
      groups: ['g', 'system:authenticated'],
    });
    await expect(identify(bearer('bad'))).rejects.toMatchObject({ code: 401 });
    world.at += 60_000;
    await identify(bearer('good'));
    await expect(identify(bearer('bad'))).rejects.toMatchObject({ code: 401 });
    expect(asked).toEqual(['good Bearer apiserver-token', 'bad Bearer apiserver-token']);
    world.at += 61_000;
    await identify(bearer('good'));
    expect(asked).toHaveLength(3);
    close();
    server.close();
  });
  it('one with another certificate is not believed', async () => {
    const server = await listen(() => ({ status: jane }));
    const world = files(makeWorld({ connect: undiciConnector }), server.url);
    world.texts.set('/etc/webhook/ca.crt', encodePem('CERTIFICATE', makeAuthority('other').certificate.raw));
    const { identify, close } = await buildAuthentication(options, world);
    await expect(identify(bearer('good'))).rejects.toMatchObject({ code: 401 });
    expect(world.logs.join()).not.toContain('good');
    close();
    server.close();
  });
});
