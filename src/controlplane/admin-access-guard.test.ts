import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlane, startControlPlane } from '../controlplane.js';

const ADMIN = { name: 'admin', groups: ['system:masters', 'system:authenticated'] };

let cp: ControlPlane;
// biome-ignore lint/suspicious/noExplicitAny: answers of every kind
async function create(path: string, body: object): Promise<any> {
  const answer = await cp.inject({ method: 'POST', path, body, user: ADMIN });
  return { code: answer.status, ...((await answer.json()) as object) };
}
beforeAll(async () => {
  cp = await startControlPlane({ controllers: [], log: () => {} });
  for (const [name, value] of [
    ['plain', undefined],
    ['trusted', 'true'],
    ['odd', 'yes'],
  ]) {
    const labels = value && { 'resource.kubernetes.io/admin-access': value };
    await create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
  }
});
afterAll(() => cp.close());

const devices = (adminAccess: boolean | undefined) => ({
  requests: [
    { name: 'first', exactly: { deviceClassName: 'c.example.com' } },
    { name: 'second', exactly: { deviceClassName: 'c.example.com', adminAccess } },
  ],
});
const claim = (namespace: string, adminAccess?: boolean) =>
  create(`/apis/resource.k8s.io/v1/namespaces/${namespace}/resourceclaims`, {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceClaim',
    metadata: { generateName: 'c-' },
    spec: { devices: devices(adminAccess) },
  });
const template = (namespace: string, adminAccess?: boolean) =>
  create(`/apis/resource.k8s.io/v1/namespaces/${namespace}/resourceclaimtemplates`, {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceClaimTemplate',
    metadata: { generateName: 't-' },
    spec: { spec: { devices: devices(adminAccess) } },
  });

describe('admin access to devices', () => {
  it('is for namespaces that carry the label', async () => {
    expect((await claim('trusted', true)).code).toBe(201);
    expect((await template('trusted', true)).code).toBe(201);
  });

  it.each(['plain', 'odd'])('is for nobody else: %s', async (namespace) => {
    for (const make of [claim, template]) {
      expect(await make(namespace, true)).toMatchObject({
        code: 422,
        details: { causes: [{ reason: 'FieldValueForbidden', field: 'spec.devices.requests[1].adminAccess' }] },
      });
    }
  });

  it('is not asked for by most', async () => {
    for (const make of [claim, template]) {
      expect([(await make('plain')).code, (await make('plain', false)).code]).toEqual([201, 201]);
    }
  });
});
