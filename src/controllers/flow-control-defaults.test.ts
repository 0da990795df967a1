import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type ControlPlane, startControlPlane } from '../controlplane.js';
import type { JsonObject, KubeObject } from '../machinery/json.js';
import { revised } from './flow-control-defaults.js';

const GROUP = '/apis/flowcontrol.apiserver.k8s.io/v1';
const AUTO_UPDATE = 'apf.kubernetes.io/autoupdate-spec';
const ADMIN = { name: 'admin', groups: ['system:masters', 'system:authenticated'] };

describe('what becomes of an object', () => {
  const wanted: KubeObject = { metadata: { name: 'probes' }, spec: { n: 1 } };
  const current = (annotation: string | undefined, spec: JsonObject, generation = 1, name = 'probes'): KubeObject => ({
    metadata: { name, generation, annotations: { x: 'y', ...(annotation && { [AUTO_UPDATE]: annotation }) } },
    spec,
  });

  it.each<[string, KubeObject, [string, number] | undefined]>([
    ['as it should be', current('true', { n: 1 }), undefined],
    ['true in other words', current('T', { n: 1 }), undefined],
    ['changed', current('true', { n: 2 }, 2), ['true', 1]],
    ['changed by somebody who said so', current('false', { n: 2 }, 2), undefined],
    ['kept by somebody who said so', current('false', { n: 1 }), undefined],
    ['unsaid and never changed', current(undefined, { n: 2 }, 1), ['true', 1]],
    ['unsaid and changed', current(undefined, { n: 2 }, 2), ['false', 2]],
    ['badly said and changed', current('perhaps', { n: 2 }, 2), ['false', 2]],
    ['badly said and never changed', current('perhaps', { n: 1 }, 1), ['true', 1]],
    ['mandatory, against its will', current('false', { n: 1 }, 3, 'exempt'), ['true', 1]],
    ['mandatory and changed', current('true', { n: 2 }, 3, 'catch-all'), ['true', 1]],
  ])('%s', (_, object, expected) => {
    const after = revised(object, wanted);
    const spec = after?.spec as JsonObject | undefined;
    expect(after && [after.metadata.annotations?.[AUTO_UPDATE], spec?.n]).toEqual(expected);
    if (after) expect(after.metadata.annotations?.x).toBe('y');
  });

  it('leaves administrators the seats of exempt requests', () => {
    const level = (exempt: JsonObject): KubeObject => ({
      metadata: { name: 'exempt' },
      spec: { type: 'Exempt', exempt },
    });
    const named = { ...level({ nominalConcurrencyShares: 7, lendablePercent: 5 }) };
    named.metadata = { name: 'exempt', annotations: { [AUTO_UPDATE]: 'true' } };
    expect(revised(named, level({ nominalConcurrencyShares: 0, lendablePercent: 0 }))).toBeUndefined();
    const other = { ...named, spec: { type: 'Limited' } };
    expect(revised(other, level({}))?.spec).toEqual(level({}).spec);
  });
});

describe('while the server runs', () => {
  let cp: ControlPlane;
  const logged: string[] = [];
  beforeAll(async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    cp = await startControlPlane({ controllers: [], log: (_, message) => logged.push(message) });
  });
  afterAll(async () => {
    await cp.close();
    vi.useRealTimers();
  });

  async function ask(method: string, path: string, body?: object): Promise<KubeObject & { code?: number }> {
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const headers = { 'content-type': type };
    return (await cp.inject({ method, path: GROUP + path, body, headers, user: ADMIN })).json();
  }
  const versions = async (): Promise<string[]> => {
    const lists = await Promise.all(['/flowschemas', '/prioritylevelconfigurations'].map((path) => ask('GET', path)));
    return lists.flatMap((l) =>
      (l.items as unknown as KubeObject[]).map((o) => `${o.metadata.name} ${o.metadata.resourceVersion}`),
    );
  };
  const aMinute = () => vi.advanceTimersByTimeAsync(60_000);
  const labels = { a: 'b' };

  it('writes nothing when nothing is wrong', async () => {
    const settled = async () => {
      const { items } = await ask('GET', '/flowschemas');
      return (items as unknown as KubeObject[]).every((o) => (o.status as JsonObject | undefined)?.conditions);
    };
    await expect.poll(settled).toBe(true);
    expect(await versions()).toHaveLength(19);
    const before = await versions();
    await aMinute();
    await aMinute();
    expect(await versions()).toEqual(before);
  });

  it('brings back what was deleted, and what was changed where it may', async () => {
    for (const path of ['/flowschemas/catch-all', '/prioritylevelconfigurations/exempt', '/flowschemas/probes']) {
      expect((await ask('DELETE', path)).code ?? 200).toBe(200);
      expect((await ask('GET', path)).code).toBe(404);
    }
    await ask('PATCH', '/flowschemas/system-nodes', { spec: { matchingPrecedence: 777 } });
    const mine = { metadata: { annotations: { [AUTO_UPDATE]: 'false' } }, spec: { matchingPrecedence: 778 } };
    await ask('PATCH', '/flowschemas/service-accounts', mine);
    expect((await ask('PATCH', '/flowschemas/exempt', { spec: { matchingPrecedence: 5 } })).code).toBe(422);
    await ask('PATCH', '/flowschemas/exempt', { metadata: { labels, annotations: { [AUTO_UPDATE]: 'false' } } });
    await aMinute();
    await expect.poll(async () => (await ask('GET', '/flowschemas/catch-all')).code).toBeUndefined();
    await expect.poll(async () => (await ask('GET', '/flowschemas/probes')).code).toBeUndefined();
    const exempt = await ask('GET', '/prioritylevelconfigurations/exempt');
    expect(exempt.metadata.managedFields?.[0]?.manager).toBe('api-priority-and-fairness-config-producer-v1');
    await expect
      .poll(async () => ((await ask('GET', '/flowschemas/system-nodes')).spec as JsonObject).matchingPrecedence)
      .toBe(500);
    expect(((await ask('GET', '/flowschemas/service-accounts')).spec as JsonObject).matchingPrecedence).toBe(778);
    await expect
      .poll(async () => (await ask('GET', '/flowschemas/exempt')).metadata)
      .toMatchObject({ labels, annotations: { [AUTO_UPDATE]: 'true' } });
  });

  it('takes away what an older release made, and nothing of a user', async () => {
    const level = (name: string, annotation?: string) => ({
      metadata: { name, annotations: annotation ? { [AUTO_UPDATE]: annotation } : {} },
      spec: { type: 'Limited', limited: { limitResponse: { type: 'Reject' } } },
    });
    const made = [level('older', 'true'), level('mine'), level('kept', 'false'), level('odd', 'maybe')];
    for (const object of made) await ask('POST', '/prioritylevelconfigurations', object);
    await aMinute();
    await expect.poll(async () => (await ask('GET', '/prioritylevelconfigurations/older')).code).toBe(404);
    for (const name of ['mine', 'kept', 'odd']) {
      expect((await ask('GET', `/prioritylevelconfigurations/${name}`)).code).toBeUndefined();
    }
    expect(logged.filter((text) => text.startsWith('default flow'))).toEqual([]);
  });
});
