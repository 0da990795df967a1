import { beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../machinery/json.js';
import type { HttpClient, IncomingResponse, OutgoingRequest } from '../authentication/http.js';
import { ask, askUrl, user } from './rbac/rbac.suite.js';
import { specOf, WebhookAuthorizer, type WebhookAuthorizerOptions } from './webhook.js';

const alice = { ...user('alice', 'dev'), uid: '7', extra: { scopes: ['a'] } };
const sent: OutgoingRequest[] = [];
let answers: (Partial<IncomingResponse> | Error)[];
let now: number;
const slept: number[] = [];
beforeEach(() => {
  sent.length = 0;
  slept.length = 0;
  answers = [];
  now = 1_000_000;
});
const client: HttpClient = {
  async request(request) {
    sent.push(request);
    const answer = answers.shift() ?? { status: 500 };
    if (answer instanceof Error) throw answer;
    return { status: 200, headers: {}, body: '{}', ...answer };
  },
  close() {},
};
const status = (s: JsonObject, version = 'v1') => ({
  body: JSON.stringify({ apiVersion: `authorization.k8s.io/${version}`, kind: 'SubjectAccessReview', status: s }),
});
const webhook = (more: Partial<WebhookAuthorizerOptions> = {}) =>
  new WebhookAuthorizer({
    name: 'w',
    client,
    url: 'https://w/',
    version: 'v1',
    authorizedTtl: 300_000,
    unauthorizedTtl: 30_000,
    timeout: 1000,
    failurePolicy: 'NoOpinion',
    now: () => now,
    sleep: async (ms) => void slept.push(ms),
    ...more,
  });

describe('the question', () => {
  it('holds the request and who makes it', async () => {
    answers = [status({ allowed: true, reason: 'ok' })];
    const request = ask(alice, 'list', 'pods/log', {
      group: 'g',
      name: 'n',
      fieldSelector: 'a=b,c!=d',
      labelSelector: 'x in (y,z),!q',
    });
    expect(await webhook({ authorization: 'Bearer t' }).authorize(request)).toMatchObject({
      verdict: 'Allow',
      reason: 'ok',
      by: 'w',
    });
    expect(sent[0]).toMatchObject({ method: 'POST', url: 'https://w/', headers: { authorization: 'Bearer t' } });
    expect(JSON.parse(sent[0]!.body!)).toMatchObject({
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: {
        user: 'alice',
        groups: ['dev'],
        uid: '7',
        extra: { scopes: ['a'] },
        resourceAttributes: {
          namespace: 'default',
          verb: 'list',
          group: 'g',
          version: 'v1',
          resource: 'pods',
          subresource: 'log',
          name: 'n',
          fieldSelector: {
            requirements: [
              { key: 'a', operator: 'In', values: ['b'] },
              { key: 'c', operator: 'NotIn', values: ['d'] },
            ],
          },
          labelSelector: {
            requirements: [
              { key: 'q', operator: 'DoesNotExist' },
              { key: 'x', operator: 'In', values: ['y', 'z'] },
            ],
          },
        },
      },
    });
  });
  it('has the old name of groups in v1beta1, and no selectors that make no sense', async () => {
    answers = [status({ allowed: false }, 'v1beta1')];
    expect(await webhook({ version: 'v1beta1' }).authorize(askUrl(alice, 'get', '/x'))).toMatchObject({
      verdict: 'NoOpinion',
    });
    const { spec } = JSON.parse(sent[0]!.body!);
    expect([spec.group, spec.groups, spec.nonResourceAttributes]).toEqual([
      ['dev'],
      undefined,
      { path: '/x', verb: 'get' },
    ]);
    expect(
      specOf(ask(alice, 'list', 'pods', { fieldSelector: 'a', labelSelector: ',,' })).resourceAttributes,
    ).not.toHaveProperty('fieldSelector');
  });
});

describe('the answer', () => {
  const request = ask(alice, 'get', 'pods');
  it.each([
    [{ allowed: true }, { verdict: 'Allow' }],
    [
      { allowed: false, reason: 'why' },
      { verdict: 'NoOpinion', reason: 'why' },
    ],
    [
      { allowed: false, denied: true, reason: 'no' },
      { verdict: 'Deny', reason: 'no' },
    ],
    [
      { allowed: true, denied: true },
      { verdict: 'Deny', error: 'webhook subject access review returned both allow and deny response' },
    ],
    [{ allowed: 'true' }, { verdict: 'NoOpinion' }],
    [{}, { verdict: 'NoOpinion' }],
  ])('%j', async (given, decision) => {
    answers = [status(given as JsonObject)];
    expect(await webhook().authorize(request)).toMatchObject(decision);
  });

  it('is remembered for its time, allowed and not allowed apart', async () => {
    const w = webhook();
    answers = [
      status({ allowed: true }),
      status({ allowed: false }),
      status({ allowed: true }),
      status({ allowed: false }),
    ];
    const other = ask(alice, 'delete', 'pods');
    for (let i = 0; i < 3; i++) {
      expect(await w.authorize(request)).toMatchObject({ verdict: 'Allow' });
      expect(await w.authorize(other)).toMatchObject({ verdict: 'NoOpinion' });
    }
    expect(sent).toHaveLength(2);
    now += 30_000;
    expect(await w.authorize(other)).toMatchObject({ verdict: 'Allow' });
    expect(await w.authorize(request)).toMatchObject({ verdict: 'Allow' });
    expect(sent).toHaveLength(3);
    now += 270_000;
    expect(await w.authorize(request)).toMatchObject({ verdict: 'NoOpinion' });
    expect(sent).toHaveLength(4);
  });
  it('is not remembered without a time to live, nor when the question is huge', async () => {
    answers = [0, 1, 2, 3].map(() => status({ allowed: true }));
    const w = webhook({ authorizedTtl: 0 });
    await w.authorize(request);
    await w.authorize(request);
    const kept = webhook();
    const long = ask(alice, 'get', 'pods', { name: 'x'.repeat(20_000) });
    await kept.authorize(long);
    await kept.authorize(long);
    expect(sent).toHaveLength(4);
  });
});

describe('failures', () => {
  const request = ask(alice, 'get', 'pods');
  it.each(['NoOpinion', 'Deny'] as const)('mean %s as configured', async (failurePolicy) => {
    const calls: string[] = [];
    const observer = {
      called: (_: string, result: string, __: number, code: number | undefined) => void calls.push(`${result} ${code}`),
      failedOpen: (_: string, result: string) => void calls.push(`open ${result}`),
    };
    answers = [{ status: 403 }];
    const decision = await webhook({ failurePolicy, observer }).authorize(request);
    expect(decision).toMatchObject({ verdict: failurePolicy, error: 'authorization webhook answered with status 403' });
    expect(calls).toEqual(failurePolicy === 'NoOpinion' ? ['error 403', 'open error'] : ['error 403']);
  });
  it('that may pass are tried again, four times at most', async () => {
    const reset = Object.assign(new Error('reset'), { code: 'ECONNRESET' });
    answers = [{ status: 500 }, { status: 429 }, reset, status({ allowed: true })];
    expect(await webhook().authorize(request)).toMatchObject({ verdict: 'Allow' });
    expect(slept).toEqual([500, 750, 1125]);
    answers = [];
    expect(await webhook().authorize(request)).toMatchObject({ verdict: 'NoOpinion' });
    expect(sent).toHaveLength(9);
  });
  it.each([
    ['not json'],
    ['[]'],
    ['{"kind":"Pod"}'],
    ['{"kind":"SubjectAccessReview","apiVersion":"authorization.k8s.io/v2","status":{"allowed":true}}'],
  ])('to make sense: %s', async (body) => {
    answers = [{ body }];
    expect(await webhook().authorize(request)).toMatchObject({
      verdict: 'NoOpinion',
      error: expect.stringContaining('answered with'),
    });
    expect(sent).toHaveLength(1);
  });
  it('of conditions follow the policy, and a condition that is false skips the webhook', async () => {
    const broken = () => {
      throw new Error('no such key');
    };
    expect(await webhook({ failurePolicy: 'Deny', matches: broken }).authorize(request)).toMatchObject({
      verdict: 'Deny',
      error: 'no such key',
    });
    expect(await webhook({ failurePolicy: 'Deny', matches: () => false }).authorize(request)).toEqual({
      verdict: 'NoOpinion',
      reason: '',
      by: 'w',
    });
    expect(sent).toHaveLength(0);
  });
  it('does not list rights', () => {
    expect(webhook().rulesFor()).toMatchObject({
      incomplete: true,
      errors: ['webhook authorizer does not support user rule resolution'],
    });
  });
});
