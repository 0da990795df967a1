import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlane, startControlPlane } from '../controlplane.js';

const user = { name: 'admin', groups: ['system:masters'] };
let controlPlane: ControlPlane;

beforeAll(async () => {
  controlPlane = await startControlPlane({ controllers: [] });
});
afterAll(() => controlPlane.close());

const ask = (method: string, path: string, body?: object) => controlPlane.inject({ method, path, body, user });
/** The value of a series; undefined when there is none. */
async function value(series: string): Promise<number | undefined> {
  const lines = (await (await ask('GET', '/metrics')).text()).split('\n');
  const found = lines.find((line) => line.startsWith(`${series} `));
  return found === undefined ? undefined : Number(found.slice(series.length));
}

const configMaps = '/api/v1/namespaces/default/configmaps';
const storage = (operation: string, resource = 'configmaps', group = '') =>
  `etcd_requests_total{group="${group}",operation="${operation}",resource="${resource}"}`;

describe('numbers of a running server', () => {
  it('storage: requests by resource and operation, objects, size', async () => {
    const objects = 'apiserver_storage_objects{resource="configmaps"}';
    const before = await value(objects);
    await ask('POST', configMaps, { metadata: { name: 'a' } });
    await ask('POST', configMaps, { metadata: { name: 'b' } });
    await ask('PUT', `${configMaps}/a`, { metadata: { name: 'a' }, data: { x: '1' } });
    expect(await value(objects)).toBe(before! + 2);
    expect(await value('apiserver_resource_objects{group="",resource="configmaps"}')).toBe(before! + 2);
    const creates = await value(storage('create'));
    expect(creates).toBeGreaterThanOrEqual(2);
    expect(await value(storage('update'))).toBe(1);
    expect(await value('etcd_request_duration_seconds_count{group="",operation="create",resource="configmaps"}')).toBe(
      creates,
    );
    expect(await value('apiserver_storage_size_bytes{storage_cluster_id=""}')).toBeGreaterThan(0);
    await ask('DELETE', `${configMaps}/b`);
    expect(await value(storage('delete'))).toBe(1);
    expect(await value(objects)).toBe(before! + 1);
    // What was refused was not asked of the storage, and a kind in a group carries it.
    await ask('POST', configMaps, { metadata: { name: 'NOT A NAME' } });
    expect(await value(storage('create'))).toBe(creates);
    expect(await value('apiserver_storage_objects{resource="clusterroles.rbac.authorization.k8s.io"}')).toBeGreaterThan(
      50,
    );
    // Prefixes of two segments, as services have.
    expect(await value(storage('create', 'services'))).toBe(1);
  });

  it('watches: events and their sizes, and requests', async () => {
    const events = 'apiserver_watch_events_total{group="",resource="secrets",version="v1"}';
    expect(await value(events)).toBeUndefined();
    const secrets = '/api/v1/namespaces/default/secrets';
    for (const name of ['a', 'b', 'c']) await ask('POST', secrets, { metadata: { name } });
    const bytes = (await (await ask('GET', `${secrets}?watch=1&timeoutSeconds=1`)).text()).length;
    expect(await value(events)).toBe(3);
    expect(await value('apiserver_watch_events_sizes_sum{group="",resource="secrets",version="v1"}')).toBe(bytes);
    const labels = (code: number, scope: string, verb: string) =>
      `{code="${code}",component="apiserver",dry_run="",group="",resource="secrets",scope="${scope}",subresource="",verb="${verb}",version="v1"}`;
    expect(await value(`apiserver_request_total${labels(201, 'resource', 'POST')}`)).toBe(3);
    expect(await value(`apiserver_request_total${labels(200, 'namespace', 'WATCH')}`)).toBe(1);
  });
});
