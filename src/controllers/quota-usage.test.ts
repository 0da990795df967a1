import { describe, expect, it } from 'vitest';
import { toJson } from '../admission/plugins/resource-list.js';
import { QuotaRegistry } from '../admission/plugins/resource-quota/registry.js';
import { Reservations } from '../admission/plugins/resource-quota/reservations.js';
import { MemoryFeed } from '../auth/authorization/memory-feed.suite.js';
import type { JsonObject, KubeObject } from '../machinery/json.js';
import type { ResourceTable } from '../registry/resource-table.js';
import { UsageCounter } from './quota-usage.js';

const PODS = { group: '', resource: 'pods' };
const CLAIMS = { group: '', resource: 'persistentvolumeclaims' };

const objects = new MemoryFeed();
/** A table over the objects in memory, as far as counting looks at it. */
const table = {
  preferred: (group: string, resource: string) => ({
    stored: {
      cache: {
        list: async () => ({
          async *batches() {
            const found = objects.list({ group, resource });
            yield found.map((o) => ({ name: o.metadata.name, parsed: () => o }));
          },
        }),
      },
    },
  }),
} as unknown as ResourceTable;

let clock = 0;
const reservations = new Reservations(() => clock);
const registry = new QuotaRegistry({ objects, gate: () => true, now: () => new Date(0) });
const counter = new UsageCounter({ table, registry, reservations });
const quota: KubeObject = { metadata: { name: 'q', namespace: 'n' } };
const count = async (...names: string[]) => toJson(await counter.count(quota, names));

const pod = (name: string): KubeObject => ({
  metadata: { name, namespace: 'n' },
  spec: { containers: [{ name: 'c', resources: { requests: { cpu: '1' } } }] },
});
const claim = (name: string, storage: string): KubeObject => {
  const spec: JsonObject = { resources: { requests: { storage } } };
  return { metadata: { name, namespace: 'n' }, spec };
};

describe('usage with writes on their way', () => {
  it('counts what admission let through before the store shows it, once', async () => {
    objects.put(PODS, pod('a'));
    expect(await count('pods', 'cpu')).toEqual({ pods: '1', cpu: '1' });
    reservations.add(PODS, 'n', 'b', pod('b'));
    expect(await count('pods', 'cpu')).toEqual({ pods: '2', cpu: '2' });
    objects.put(PODS, pod('b'));
    expect(await count('pods', 'cpu')).toEqual({ pods: '2', cpu: '2' });
    reservations.settle(PODS, 'n', 'b');
    objects.remove(PODS, 'n', 'b');
    expect(await count('pods')).toEqual({ pods: '1' });
  });

  it('gives up on a write that never comes', async () => {
    reservations.add(PODS, 'n', 'lost', pod('lost'));
    expect(reservations.pendingMs('n')).toBeGreaterThan(0);
    expect(reservations.pendingMs('other')).toBeUndefined();
    expect(await count('pods')).toEqual({ pods: '2' });
    clock += 10_001;
    expect(await count('pods')).toEqual({ pods: '1' });
    expect(reservations.pendingMs('n')).toBeUndefined();
  });

  it('takes the larger of a claim and what it is about to be', async () => {
    objects.put(CLAIMS, claim('c', '1Gi'));
    reservations.add(CLAIMS, 'n', 'c', claim('c', '3Gi'));
    expect(await count('requests.storage')).toEqual({ 'requests.storage': '3Gi' });
    reservations.add(CLAIMS, 'n', 'c', claim('c', '1Mi'));
    expect(await count('requests.storage')).toEqual({ 'requests.storage': '1Gi' });
  });

  it('counts nothing for names that nothing counts', async () => {
    expect(await count('count/widgets.example.com', 'nonsense', 'nobody.example.com/x')).toEqual({
      'count/widgets.example.com': '0',
    });
  });
});
