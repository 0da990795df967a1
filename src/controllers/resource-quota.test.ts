import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ControlPlane, startControlPlane } from '../controlplane.js';
import type { JsonObject, KubeObject } from '../machinery/json.js';

const ADMIN = { name: 'admin', groups: ['system:masters'] };

// On disk, where a write takes its time: what was charged and what is stored differ for long enough to matter.
const dataDir = mkdtempSync(join(tmpdir(), 'porthole-quota-'));
let controlPlane: ControlPlane;
beforeAll(async () => {
  const controllers = ['resourcequota-controller', 'serviceaccount-controller', 'namespace-controller'];
  controlPlane = await startControlPlane({ controllers, dataDir });
});
afterAll(async () => {
  await controlPlane.close();
  rmSync(dataDir, { recursive: true, force: true });
});

let namespace = '';
let serial = 0;
beforeEach(async () => {
  namespace = `n${serial++}`;
  expect((await send('POST', '/api/v1/namespaces', { metadata: { name: namespace } })).status).toBe(201);
});

interface Answer {
  status: number;
  body: KubeObject & { message?: string; items?: KubeObject[] };
}

async function send(method: string, path: string, body?: object): Promise<Answer> {
  const patch = 'application/merge-patch+json';
  const headers = { 'content-type': method === 'PATCH' ? patch : 'application/json' };
  const answer = await controlPlane.inject({ method, path, body, headers, user: ADMIN });
  return { status: answer.status, body: await answer.json() };
}

const of = (resource: string) => `/api/v1/namespaces/${namespace}/${resource}`;
const pod = (name: string, spec: JsonObject = {}) => ({
  metadata: { name },
  spec: { containers: [{ name: 'c', image: 'i' }], ...spec },
});
const secret = (name: string) => ({ metadata: { name } });

async function quotaWith(hard: JsonObject, spec: JsonObject = {}): Promise<void> {
  await send('POST', of('resourcequotas'), { metadata: { name: 'q' }, spec: { hard, ...spec } });
  await usage((used) => Object.keys(hard).every((name) => used[name] !== undefined));
}

/** Waits until the quota's usage is as wanted; gives it. */
async function usage(wanted: (used: Record<string, string>) => boolean): Promise<Record<string, string>> {
  for (let i = 0; i < 1000; i++) {
    const { body } = await send('GET', `${of('resourcequotas')}/q`);
    const used = ((body.status as JsonObject | undefined)?.used ?? {}) as Record<string, string>;
    if (wanted(used)) return used;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('the usage never came to what it should be');
}

describe('a burst of writes', () => {
  it('gets what there is and no more', async () => {
    await quotaWith({ pods: '20', 'requests.cpu': '3' });
    const resources = { requests: { cpu: '100m' } };
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, i) =>
        send('POST', of('pods'), pod(`p${i}`, { containers: [{ name: 'c', image: 'i', resources }] })),
      ),
    );
    const created = answers.filter((a) => a.status === 201);
    expect(created.length).toBe(20);
    expect((await send('GET', of('pods'))).body.items?.length).toBe(20);
    const refused = answers.find((a) => a.status === 403);
    expect(refused?.body.message).toMatch(
      /is forbidden: exceeded quota: q, requested: pods=1, used: pods=20, limited: pods=20$/,
    );
    expect(await usage(() => true)).toEqual({ pods: '20', 'requests.cpu': '2' });
  });

  it('never overshoots while others delete and usage is counted again', async () => {
    await quotaWith({ 'count/secrets': '5' });
    let most = 0;
    let created = 0;
    const worker = async (w: number) => {
      for (let i = 0; i < 40; i++) {
        const name = `s-${w}-${i}`;
        const { status } = await send('POST', of('secrets'), secret(name));
        if (status === 201) {
          created++;
          most = Math.max(most, (await send('GET', of('secrets'))).body.items?.length ?? 0);
          await send('DELETE', `${of('secrets')}/${name}`);
        } else expect(status).toBe(403);
      }
    };
    await Promise.all(Array.from({ length: 12 }, (_, w) => worker(w)));
    expect(created).toBeGreaterThan(5);
    expect(most).toBeLessThanOrEqual(5);
    expect(await usage((used) => used['count/secrets'] === '0')).toEqual({ 'count/secrets': '0' });
  });

  it('is free to go on where no quota counts', async () => {
    await quotaWith({ 'count/secrets': '0' });
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => send('POST', of('configmaps'), secret(`c${i}`))),
    );
    expect(answers.every((a) => a.status === 201)).toBe(true);
  });
});

describe('usage', () => {
  it('counts what was there before the quota', async () => {
    await send('POST', of('secrets'), secret('a'));
    await send('POST', of('services'), { metadata: { name: 's' }, spec: { type: 'NodePort', ports: [{ port: 80 }] } });
    await quotaWith({ secrets: '2', services: '1', 'services.nodeports': '1' });
    expect(await usage(() => true)).toEqual({ secrets: '1', services: '1', 'services.nodeports': '1' });
    const second = { metadata: { name: 't' }, spec: { ports: [{ port: 80 }] } };
    expect((await send('POST', of('services'), second)).body.message).toContain('exceeded quota: q');
  });

  it('follows the quota, and what is deleted, finished and changed', async () => {
    await quotaWith({ pods: '2' });
    for (const name of ['a', 'b']) expect((await send('POST', of('pods'), pod(name))).status).toBe(201);
    await send('PATCH', `${of('resourcequotas')}/q`, { spec: { hard: { pods: '3', 'count/pods': '3' } } });
    await usage((used) => used['count/pods'] === '2');
    await send('PATCH', `${of('pods')}/a/status`, { status: { phase: 'Succeeded' } });
    expect(await usage((used) => used.pods === '1')).toEqual({ pods: '1', 'count/pods': '2' });
    await send('DELETE', `${of('pods')}/b?gracePeriodSeconds=0`);
    expect(await usage((used) => used['count/pods'] === '1')).toEqual({ pods: '0', 'count/pods': '1' });
  });

  it('counts only what is in the scopes', async () => {
    await quotaWith({ pods: '1' }, { scopes: ['Terminating'] });
    expect((await send('POST', of('pods'), pod('a'))).status).toBe(201);
    expect((await send('POST', of('pods'), pod('b', { activeDeadlineSeconds: 5 }))).status).toBe(201);
    expect((await send('POST', of('pods'), pod('c', { activeDeadlineSeconds: 5 }))).status).toBe(403);
    expect(await usage(() => true)).toEqual({ pods: '1' });
    // A pod that is put into the scope by an update takes from it, too.
    expect((await send('PATCH', `${of('pods')}/a`, { spec: { activeDeadlineSeconds: 5 } })).status).toBe(403);
  });

  it('leaves what is not counted alone, and takes nothing on a dry run', async () => {
    const hard = { secrets: '1', 'nobody.example.com/counts': '1' };
    await send('POST', of('resourcequotas'), { metadata: { name: 'q' }, spec: { hard } });
    await usage((used) => used.secrets === '0');
    expect((await send('POST', `${of('secrets')}?dryRun=All`, secret('a'))).status).toBe(201);
    expect(await usage(() => true)).toEqual({ secrets: '0' });
    expect((await send('POST', of('secrets'), secret('a'))).status).toBe(201);
    expect((await send('POST', `${of('secrets')}?dryRun=All`, secret('b'))).status).toBe(403);
  });
});
