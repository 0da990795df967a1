import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlane, startControlPlane } from '../controlplane.js';
import type { KubeObject } from '../machinery/json.js';

const ADMIN = { name: 'admin', groups: ['system:masters', 'system:authenticated'] };
const SERVICES = '/api/v1/namespaces/default/services';
const IPS = '/apis/networking.k8s.io/v1/ipaddresses';
const CIDRS = '/apis/networking.k8s.io/v1/servicecidrs';

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: answers of every kind
  readonly body: any;
}

async function ask(cp: ControlPlane, method: string, path: string, body?: object): Promise<Answer> {
  const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  const answer = await cp.inject({ method, path, body, headers: { 'content-type': type }, user: ADMIN });
  return { status: answer.status, body: JSON.parse((await answer.text()) || 'null') };
}

const service = (name: string, spec: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { ports: [{ port: 80 }], ...spec },
});

const allIPs = async (cp: ControlPlane): Promise<string[]> =>
  (await ask(cp, 'GET', IPS)).body.items.map((o: KubeObject) => o.metadata.name).sort();

describe('services', () => {
  let cp: ControlPlane;
  beforeAll(async () => {
    cp = await startControlPlane({ serviceClusterIpRanges: ['10.96.0.0/16'], controllers: [] });
  });
  afterAll(() => cp.close());
  const post = (body: object, query = '') => ask(cp, 'POST', SERVICES + query, body);

  it('share no address and no port, two thousand at once', async () => {
    const made = await Promise.all(
      Array.from({ length: 2000 }, (_, i) => post(service(`many-${i}`, { type: i % 2 ? 'NodePort' : 'ClusterIP' }))),
    );
    expect(made.every((a) => a.status === 201)).toBe(true);
    const addresses = made.map((a) => a.body.spec.clusterIP);
    expect(new Set(addresses).size).toBe(2000);
    const ports = made.flatMap((a) => a.body.spec.ports[0].nodePort ?? []);
    expect([ports.length, new Set(ports).size]).toEqual([1000, 1000]);
    const records = new Set(await allIPs(cp));
    expect(addresses.every((a) => records.has(a))).toBe(true);
    await ask(cp, 'DELETE', SERVICES);
    expect(await allIPs(cp)).toEqual([]);
  });

  it('are on record under their address, kube-apiserver owning the record', async () => {
    const { body } = await post(service('a', { clusterIP: '10.96.7.7' }));
    expect(body.spec).toMatchObject({ clusterIPs: ['10.96.7.7'], ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' });
    const record = (await ask(cp, 'GET', `${IPS}/10.96.7.7`)).body;
    expect(record.spec).toEqual({ parentRef: { namespace: 'default', resource: 'services', name: 'a' } });
    expect(record.metadata.labels).toEqual({
      'ipaddress.kubernetes.io/ip-family': 'IPv4',
      'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
    });
    expect(record.metadata.managedFields[0].manager).toBe('kube-apiserver');
    const again = await post(service('b', { clusterIP: '10.96.7.7' }));
    expect(again.body.message).toBe(
      'Service "b" is invalid: spec.clusterIPs: Invalid value: ["10.96.7.7"]: failed to allocate IP 10.96.7.7: provided IP is already allocated',
    );
    await ask(cp, 'DELETE', `${SERVICES}/a`);
    expect((await ask(cp, 'GET', `${IPS}/10.96.7.7`)).status).toBe(404);
    expect((await post(service('b', { clusterIP: '10.96.7.7' }))).status).toBe(201);
    await ask(cp, 'DELETE', `${SERVICES}/b`);
  });

  it('that are refused leave nothing behind', async () => {
    const before = await allIPs(cp);
    await post(service('taken', { type: 'NodePort', ports: [{ port: 80, nodePort: 30001 }] }));
    const refused = [
      service('taken', { clusterIP: '10.96.9.1' }),
      service('x', { clusterIP: '10.96.9.2', sessionAffinity: 'Odd' }),
      service('x', { clusterIP: '10.96.9.3', type: 'NodePort', ports: [{ port: 1, nodePort: 30001 }] }),
      service('x', { clusterIP: '10.96.9.4', type: 'NodePort', ports: [{ port: 1, nodePort: 80 }] }),
      service('UPPER', { clusterIP: '10.96.9.5', type: 'NodePort', ports: [{ port: 1, nodePort: 30005 }] }),
    ];
    for (const body of refused) expect((await post(body)).status).toBeGreaterThan(400);
    const nameless = await post(service(''));
    expect([nameless.status, nameless.body.message]).toEqual([
      422,
      expect.stringMatching(/\[""\]: failed to allocate IP: IPAddress.* spec.parentRef.name: Required value$/),
    ]);
    expect((await post(service('dry', { clusterIP: '10.96.9.6' }), '?dryRun=All')).status).toBe(201);
    await ask(cp, 'DELETE', `${SERVICES}/taken`);
    expect(await allIPs(cp)).toEqual(before);
    const ports = [{ port: 1, nodePort: 30005 }];
    expect((await post(service('ok', { type: 'NodePort', ports, clusterIP: '10.96.9.5' }))).status).toBe(201);
    await ask(cp, 'DELETE', `${SERVICES}/ok`);
  });

  it('give back and take again when their type changes', async () => {
    await post(service('t', { type: 'LoadBalancer', externalTrafficPolicy: 'Local', clusterIP: '10.96.8.8' }));
    const change = (spec: object) => ask(cp, 'PATCH', `${SERVICES}/t`, { spec });
    const made = (await ask(cp, 'GET', `${SERVICES}/t`)).body.spec;
    expect(made.healthCheckNodePort).toBeGreaterThanOrEqual(30000);
    const external = await change({ type: 'ExternalName', externalName: 'a.b', externalTrafficPolicy: null });
    expect(external.body.spec).toEqual({
      type: 'ExternalName',
      externalName: 'a.b',
      ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
      sessionAffinity: 'None',
    });
    expect(await allIPs(cp)).not.toContain('10.96.8.8');
    const health = made.healthCheckNodePort;
    const other = await post(service('u', { type: 'NodePort', ports: [{ port: 1, nodePort: health }] }));
    expect(other.status).toBe(201);
    const back = await change({ type: 'ClusterIP', externalName: null });
    expect(await allIPs(cp)).toContain(back.body.spec.clusterIP);
    await ask(cp, 'DELETE', SERVICES);
  });

  it('ask for no node ports when told so, but may name some', async () => {
    const ports = [
      { name: 'a', port: 80 },
      { name: 'b', port: 81, nodePort: 30444 },
    ];
    const { body } = await post(service('lb', { type: 'LoadBalancer', allocateLoadBalancerNodePorts: false, ports }));
    expect(body.spec.ports.map((p: { nodePort?: number }) => p.nodePort)).toEqual([undefined, 30444]);
    await ask(cp, 'DELETE', `${SERVICES}/lb`);
  });

  it('take their Endpoints with them', async () => {
    await post(service('e'));
    const endpoints = { apiVersion: 'v1', kind: 'Endpoints', metadata: { name: 'e' } };
    await ask(cp, 'POST', '/api/v1/namespaces/default/endpoints', endpoints);
    await ask(cp, 'DELETE', `${SERVICES}/e`);
    expect((await ask(cp, 'GET', '/api/v1/namespaces/default/endpoints/e')).status).toBe(404);
  });

  it('take addresses from networks that are added later', async () => {
    const cidr = { apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR', metadata: { name: 'more' } };
    expect((await post(service('far', { clusterIP: '10.200.0.5' }))).body.message).toContain(
      'failed to allocate IP 10.200.0.5: the provided network does not match the current range',
    );
    await ask(cp, 'POST', CIDRS, { ...cidr, spec: { cidrs: ['10.200.0.0/24'] } });
    expect((await post(service('far', { clusterIP: '10.200.0.5' }))).status).toBe(201);
    await ask(cp, 'DELETE', `${SERVICES}/far`);
    await ask(cp, 'DELETE', `${CIDRS}/more`);
    expect((await post(service('far', { clusterIP: '10.200.0.5' }))).status).toBe(422);
  });
});

describe('services of two families', () => {
  let cp: ControlPlane;
  beforeAll(async () => {
    cp = await startControlPlane({ serviceClusterIpRanges: ['fd00:96::/112', '10.96.0.0/24'], controllers: [] });
  });
  afterAll(() => cp.close());
  const post = (body: object) => ask(cp, 'POST', SERVICES, body);

  it('get what they ask for', async () => {
    const { body: plain } = await post(service('plain'));
    expect([plain.spec.ipFamilies, plain.spec.ipFamilyPolicy]).toEqual([['IPv6'], 'SingleStack']);
    const { body: both } = await post(service('both', { ipFamilyPolicy: 'RequireDualStack' }));
    expect(both.spec.ipFamilies).toEqual(['IPv6', 'IPv4']);
    expect(both.spec.clusterIPs).toHaveLength(2);
    const { body: v4 } = await post(service('v4', { ipFamilies: ['IPv4'], ipFamilyPolicy: 'PreferDualStack' }));
    expect([v4.spec.ipFamilies, v4.spec.clusterIP]).toEqual([['IPv4', 'IPv6'], v4.spec.clusterIPs[0]]);
    const { body: named } = await post(
      service('named', {
        clusterIP: '10.96.0.40',
        clusterIPs: ['10.96.0.40', 'fd00:96::40'],
        ipFamilyPolicy: 'PreferDualStack',
      }),
    );
    expect(named.spec.ipFamilies).toEqual(['IPv4', 'IPv6']);
  });

  it('are moved to two families and back', async () => {
    const { body: made } = await post(service('moving'));
    const change = (spec: object) => ask(cp, 'PATCH', `${SERVICES}/moving`, { spec });
    const { body: dual } = await change({ ipFamilyPolicy: 'RequireDualStack' });
    expect(dual.spec.clusterIPs).toEqual([made.spec.clusterIP, expect.stringMatching(/^10\.96\.0\./)]);
    expect(await allIPs(cp)).toContain(dual.spec.clusterIPs[1]);
    const { body: refused } = await change({ clusterIPs: [made.spec.clusterIP] });
    expect(refused.message).toContain("must be 'SingleStack' to release the secondary cluster IP");
    const { body: single } = await change({ ipFamilyPolicy: 'SingleStack' });
    expect([single.spec.clusterIPs, single.spec.ipFamilies]).toEqual([[made.spec.clusterIP], ['IPv6']]);
    expect(await allIPs(cp)).not.toContain(dual.spec.clusterIPs[1]);
  });
});

describe('at start', () => {
  it('addresses and records are brought in line', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'porthole-services-'));
    const options = { dataDir, serviceClusterIpRanges: ['10.96.0.0/24'], controllers: [], log: () => {} };
    try {
      const first = await startControlPlane(options);
      await ask(first, 'POST', SERVICES, service('a', { clusterIP: '10.96.0.77', type: 'NodePort' }));
      const port = (await ask(first, 'GET', `${SERVICES}/a`)).body.spec.ports[0].nodePort;
      await first.close();
      const second = await startControlPlane(options);
      const taken = service('b', { type: 'NodePort', ports: [{ port: 1, nodePort: port }] });
      expect((await ask(second, 'POST', SERVICES, taken)).status).toBe(422);
      expect((await ask(second, 'POST', SERVICES, service('c', { clusterIP: '10.96.0.77' }))).status).toBe(422);
      expect(await allIPs(second)).toEqual(['10.96.0.1', '10.96.0.77']);
      // A record that goes while its service has the address comes back.
      await ask(second, 'DELETE', `${IPS}/10.96.0.77`);
      await expect.poll(() => allIPs(second)).toEqual(['10.96.0.1', '10.96.0.77']);
      await second.close();
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  });

  it.each([[[]], [['x']], [['10.0.0.0/24', '10.1.0.0/24']], [['10.0.0.0/24', 'fd00::/112', '10.2.0.0/24']]])(
    'the networks %j are refused',
    async (serviceClusterIpRanges) => {
      await expect(startControlPlane({ serviceClusterIpRanges, controllers: [] })).rejects.toThrow(/network/);
    },
  );
});
