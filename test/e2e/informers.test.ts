import { CoreV1Api, KubeConfig, makeInformer, type V1ConfigMap } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../support/control-plane.js';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster();
}, 120_000);
afterAll(() => cluster.close());

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`never: ${what}`);
}

describe('informers of @kubernetes/client-node', () => {
  it('list, watch, and go on after the connection broke', async () => {
    const config = new KubeConfig();
    config.loadFromString(cluster.controlPlane.kubeconfig);
    const api = config.makeApiClient(CoreV1Api);
    const namespace = 'default';
    const create = (name: string) =>
      api.createNamespacedConfigMap({ namespace, body: { metadata: { name }, data: { a: '1' } } });
    await create('before');
    const informer = makeInformer<V1ConfigMap>(config, `/api/v1/namespaces/${namespace}/configmaps`, () =>
      api.listNamespacedConfigMap({ namespace }),
    );
    const events: string[] = [];
    informer.on('add', (o) => events.push(`add ${o.metadata?.name}`));
    informer.on('update', (o) => events.push(`update ${o.metadata?.name}`));
    informer.on('delete', (o) => events.push(`delete ${o.metadata?.name}`));
    await informer.start();
    await until(() => events.includes('add before'), 'the listed object');
    await create('after');
    await until(() => events.includes('add after'), 'the new object');
    await informer.stop();
    await create('meanwhile');
    await informer.start();
    await until(() => events.includes('add meanwhile'), 'what happened in between');
    await api.deleteNamespacedConfigMap({ namespace, name: 'after' });
    await until(() => events.includes('delete after'), 'the removal');
    expect(informer.list().map((o) => o.metadata?.name)).toContain('meanwhile');
    await informer.stop();
  });
});
