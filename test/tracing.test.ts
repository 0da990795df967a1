import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PluginRecord } from '../src/admission/trace.js';
import { type ControlPlane, startControlPlane } from '../src/controlplane.js';
import type { StageRecord } from '../src/server/trace.js';

const ADMIN = { name: 'admin', groups: ['system:masters', 'system:authenticated'] };
const PODS = '/api/v1/namespaces/default/pods';
const pod = (name: string, rest: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { containers: [{ name: 'c', image: 'i' }] },
  ...rest,
});

describe('tracing', () => {
  let cp: ControlPlane;
  const stages: StageRecord[] = [];
  const plugins: PluginRecord[] = [];
  const onStage = (record: unknown) => stages.push(record as StageRecord);
  const onPlugin = (record: unknown) => plugins.push(record as PluginRecord);

  beforeAll(async () => {
    cp = await startControlPlane({ controllers: [], disableAdmissionPlugins: ['ServiceAccount'] });
  });
  afterAll(() => cp.close());

  async function traced(method: string, path: string, body?: object, user = ADMIN): Promise<number> {
    stages.length = 0;
    plugins.length = 0;
    subscribe('porthole.stage', onStage);
    subscribe('porthole.admission', onPlugin);
    try {
      const headers = { 'content-type': 'application/json' };
      const { status } = await cp.inject({ method, path, body, headers, user });
      // The last stage is over after its answer.
      await new Promise(setImmediate);
      return status;
    } finally {
      unsubscribe('porthole.stage', onStage);
      unsubscribe('porthole.admission', onPlugin);
    }
  }
  const stage = (name: string) => stages.find((s) => s.stage === name);

  it('tells the stages of a write, what they found and what it came to', async () => {
    expect(await traced('POST', PODS, pod('a'))).toBe(201);
    // A stage is told when it is over: the parts of `handle` before it.
    expect(stages.map((s) => s.stage)).toEqual([
      'authenticate',
      'audit',
      'flow-control',
      'authorize',
      'decode',
      'mutate',
      'admit',
      'verb',
      'respond',
      'handle',
    ]);
    expect(stage('authenticate')?.result).toMatchObject({ user: { name: 'admin' } });
    expect(stage('authorize')?.result).toMatchObject({ verdict: 'Allow' });
    expect(stage('decode')?.result).toMatchObject({ kind: 'Pod', metadata: { name: 'a' } });
    expect(stage('verb')?.result).toMatchObject({ type: 'object', status: 201 });
    expect(stages.every((s) => s.error === undefined && s.ms >= 0)).toBe(true);
  });

  it('tells what each admission plugin changed', async () => {
    await traced('POST', PODS, pod('b'));
    expect(plugins.find((p) => p.plugin === 'DefaultTolerationSeconds')).toMatchObject({
      phase: 'admit',
      changed: ['/spec/tolerations'],
      error: undefined,
    });
    expect(plugins.filter((p) => p.plugin === 'NamespaceLifecycle').every((p) => p.changed.length === 0)).toBe(true);
    expect(plugins.findLast((p) => p.phase === 'validate')?.plugin).toBe('ResourceQuota');
  });

  it('tells which stage refused, and nothing of those after it', async () => {
    expect(await traced('POST', PODS, pod('c'), { name: 'eve', groups: ['system:authenticated'] })).toBe(403);
    expect(stages.at(-1)).toMatchObject({ stage: 'authorize', error: { code: 403 } });
    expect(await traced('POST', PODS, { apiVersion: 'v1', kind: 'Service' })).toBe(400);
    expect(stage('decode')?.error).toMatchObject({ code: 400 });
    expect(stage('mutate')).toBeUndefined();
    expect(await traced('POST', '/api/v1/namespaces/none/pods', pod('d'))).toBe(404);
    expect(plugins.at(-1)).toMatchObject({ plugin: 'NamespaceLifecycle', error: { code: 404 } });
    expect(stage('admit')).toBeUndefined();
  });

  it('tells the stages of every kind of write', async () => {
    expect(await traced('PUT', `${PODS}/a`, pod('a', { metadata: { name: 'a', labels: { l: '1' } } }))).toBe(200);
    expect(stages.map((s) => s.stage)).toContain('mutate');
    expect(await traced('DELETE', `${PODS}/a`)).toBe(200);
    expect(stages.map((s) => s.stage)).toEqual(expect.arrayContaining(['mutate', 'admit']));
    expect(await traced('GET', PODS)).toBe(200);
    expect(stages.map((s) => s.stage)).not.toContain('decode');
  });

  it('tells nothing when nobody listens', async () => {
    await traced('GET', PODS);
    const seen = stages.length;
    await cp.inject({ method: 'GET', path: PODS, user: ADMIN });
    expect(stages.length).toBe(seen);
  });
});
