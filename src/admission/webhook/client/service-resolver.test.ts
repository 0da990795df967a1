import { describe, expect, it } from 'vitest';
import type { JsonObject, KubeObject } from '../../../machinery/json.js';
import { serviceResolver } from './service-resolver.js';

interface World {
  service?: JsonObject;
  slices?: (JsonObject & { of?: string })[];
  subsets?: JsonObject[];
}

function resolver({ service, slices = [], subsets }: World, random = 0) {
  return serviceResolver(
    {
      async get({ resource }) {
        const found = resource === 'services' ? service && { spec: service } : subsets && { subsets };
        return found ? ({ metadata: { name: 's' }, ...found } as KubeObject) : undefined;
      },
      async list() {
        return slices.map(({ of = 's', ...slice }): KubeObject => {
          return { metadata: { labels: { 'kubernetes.io/service-name': of } }, addressType: 'IPv4', ...slice };
        });
      },
    },
    () => random,
  );
}

const SPEC = { type: 'ClusterIP', ipFamilies: ['IPv4'], ports: [{ name: 'https', port: 443, targetPort: 8443 }] };
const PORTS = [{ name: 'https', port: 8443 }];
const at = (...addresses: string[]) => addresses.map((a) => ({ addresses: [a] }));

describe('services', () => {
  it('are found by the ready endpoints of their slices', async () => {
    const endpoints = [{ addresses: ['10.0.0.1'], conditions: { ready: false } }, ...at('10.0.0.2', '10.0.0.3')];
    const slices = [
      { ports: PORTS, endpoints },
      { of: 'other', ports: PORTS, endpoints: at('10.9.9.9') },
    ];
    expect(await resolver({ service: SPEC, slices })('n', 's', 443)).toEqual({ host: '10.0.0.2', port: 8443 });
    expect(await resolver({ service: SPEC, slices }, 0.99)('n', 's', 443)).toEqual({ host: '10.0.0.3', port: 8443 });
  });

  it('are reached over their first family when it has endpoints', async () => {
    const v6 = { addressType: 'IPv6', ports: PORTS, endpoints: at('fd00::1') };
    const v4 = { ports: PORTS, endpoints: at('10.0.0.1') };
    expect(await resolver({ service: SPEC, slices: [v6, v4] })('n', 's', 443)).toMatchObject({ host: '10.0.0.1' });
    expect(await resolver({ service: SPEC, slices: [v6] })('n', 's', 443)).toMatchObject({ host: 'fd00::1' });
  });

  it('are found by Endpoints when there are no slices', async () => {
    const subsets = [{ addresses: [{ ip: '10.0.0.7' }], ports: PORTS }];
    expect(await resolver({ service: SPEC, subsets })('n', 's', 443)).toEqual({ host: '10.0.0.7', port: 8443 });
  });

  it('may be a name elsewhere', async () => {
    const service = { type: 'ExternalName', externalName: 'hooks.example' };
    expect(await resolver({ service })('n', 's', 9443)).toEqual({ host: 'hooks.example', port: 9443 });
  });

  it.each<[string, World, number, string]>([
    ['there is none', {}, 443, 'service "s" not found'],
    ['it lacks the port', { service: SPEC }, 80, 'no service port 80 found for service "s"'],
    ['nothing is behind it', { service: SPEC }, 443, 'no endpoints available for service "s"'],
    [
      'nothing is ready',
      {
        service: SPEC,
        slices: [{ ports: PORTS, endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready: false } }] }],
      },
      443,
      'no endpoints available for service "s"',
    ],
    [
      'the port has another name',
      { service: SPEC, slices: [{ ports: [{ name: 'http', port: 80 }], endpoints: at('10.0.0.1') }] },
      443,
      'no endpoints available for service "s"',
    ],
    [
      'what is behind it makes no sense',
      { service: SPEC, slices: [{ ports: 'x', endpoints: 1 }] },
      443,
      'no endpoints available for service "s"',
    ],
  ])('are refused when %s', async (_, world, port, message) => {
    await expect(resolver(world)('n', 's', port)).rejects.toThrow(message);
  });
});
