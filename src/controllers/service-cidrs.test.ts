import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlane, startControlPlane } from '../controlplane.js';
import type { KubeObject } from '../machinery/json.js';

const ADMIN = { name: 'admin', groups: ['system:masters', 'system:authenticated'] };
const CIDRS = '/apis/networking.k8s.io/v1/servicecidrs';
const SERVICES = '/api/v1/namespaces/default/services';
const FINALIZER = 'networking.k8s.io/service-cidr-finalizer';

describe('service-cidr-controller', () => {
  let cp: ControlPlane;
  beforeAll(async () => {
    cp = await startControlPlane({ controllers: ['service-cidr-controller'], log: () => {} });
  });
  afterAll(() => cp.close());

  async function ask(method: string, path: string, body?: object): Promise<KubeObject> {
    const headers = { 'content-type': 'application/json' };
    return (await cp.inject({ method, path, body, headers, user: ADMIN })).json();
  }
  const add = (name: string, ...cidrs: string[]) =>
    ask('POST', CIDRS, {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'ServiceCIDR',
      metadata: { name },
      spec: { cidrs },
    });
  const state = async (name: string): Promise<unknown[]> => {
    const cidr = await ask('GET', `${CIDRS}/${name}`);
    const conditions = (cidr.status as { conditions?: { status: string; reason: string }[] })?.conditions ?? [];
    return [cidr.metadata.finalizers, conditions.map((c) => c.status + c.reason)];
  };

  it('makes networks ready and holds on to them', async () => {
    await expect.poll(() => state('kubernetes')).toEqual([[FINALIZER], ['True']]);
    await add('more', '10.50.0.0/24');
    await expect.poll(() => state('more')).toEqual([[FINALIZER], ['True']]);
  });

  it('lets none go while an address would be in no network', async () => {
    await add('held', '10.60.0.0/24');
    await expect.poll(() => state('held')).toEqual([[FINALIZER], ['True']]);
    const spec = { clusterIP: '10.60.0.9', ports: [{ port: 1 }] };
    await ask('POST', SERVICES, { apiVersion: 'v1', kind: 'Service', metadata: { name: 's' }, spec });
    await ask('DELETE', `${CIDRS}/held`);
    await expect.poll(() => state('held')).toEqual([[FINALIZER], ['FalseTerminating']]);
    const other = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 't' },
      spec: { ...spec, clusterIP: '10.60.0.8' },
    };
    expect(await ask('POST', SERVICES, other)).toMatchObject({ code: 422 });
    await ask('DELETE', `${SERVICES}/s`);
    // Other servers get ten seconds to see it.
    await expect.poll(() => ask('GET', `${CIDRS}/held`), { timeout: 20_000 }).toMatchObject({ code: 404 });
  });
});
