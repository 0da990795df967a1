import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Cluster, startCluster } from '../support/control-plane.js';

/** A kubelet that knows logs and commands, the latter over WebSocket as of kubelet 1.36. */
async function startKubelet(cert: string, key: string) {
  const sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => (offered.has('v5.channel.k8s.io') ? 'v5.channel.k8s.io' : false),
  });
  const server = createServer({ cert, key }, (request, response) => {
    if (request.url?.startsWith('/containerLogs/')) response.end(`log of ${request.url}\n`);
    else response.writeHead(404).end();
  });
  const send = (socket: WebSocket, channel: number, text: string) =>
    socket.send(Buffer.concat([Buffer.from([channel]), Buffer.from(text)]));
  server.on('upgrade', (request, stream, head) =>
    sockets.handleUpgrade(request, stream, head, (socket) => {
      const url = new URL(request.url ?? '', 'https://kubelet');
      const finish = (status: object) => {
        send(socket, 3, JSON.stringify({ metadata: {}, ...status }));
        socket.close(1000);
      };
      send(socket, 1, `ran ${url.searchParams.getAll('command').join(' ')}\n`);
      if (url.searchParams.get('input') !== '1') {
        finish({ status: 'Success' });
        return;
      }
      socket.on('message', (data: Buffer) => {
        // Channel 255 closes another one: here the input, when it is over.
        if (data[0] === 0) send(socket, 1, data.subarray(1).toString().toUpperCase());
        else if (data[0] === 255) finish({ status: 'Success' });
      });
    }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('kubectl with a kubelet', () => {
  let cluster: Cluster;
  let kubelet: Awaited<ReturnType<typeof startKubelet>>;
  const run = (args: string, input?: string) => cluster.run(args, input);

  beforeAll(async () => {
    cluster = await startCluster({ disableAdmissionPlugins: ['ServiceAccount'] });
    const { clientCertificate, clientKey } = cluster.controlPlane;
    kubelet = await startKubelet(clientCertificate, clientKey);
    await run('apply -f -', 'apiVersion: v1\nkind: Node\nmetadata: {name: n1}\n');
    const status = {
      addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
      daemonEndpoints: { kubeletEndpoint: { Port: kubelet.port } },
      conditions: [{ type: 'Ready', status: 'True' }],
    };
    await cluster.kubectl([
      'patch',
      'node',
      'n1',
      '--subresource=status',
      '--type=merge',
      '-p',
      JSON.stringify({ status }),
    ]);
    await run(
      'apply -f -',
      'apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {app: p}}\nspec: {nodeName: n1, containers: [{name: c, image: i}]}\n',
    );
    const running = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
    await cluster.kubectl(['patch', 'pod', 'p', '--subresource=status', '-p', JSON.stringify({ status: running })]);
  }, 120_000);
  afterAll(async () => {
    await cluster.close();
    await kubelet.close();
  });

  it('reads logs', async () => {
    expect(await run('logs p --tail=3')).toBe('log of /containerLogs/default/p/c?tailLines=3\n');
    const { code, stderr } = await cluster.kubectl(['logs', 'p', '-c', 'zz']);
    expect([code, stderr]).toEqual([1, expect.stringContaining('container zz is not valid for pod p')]);
  });

  it('runs commands', async () => {
    expect(await run('exec p -- echo hello')).toBe('ran echo hello\n');
    expect(await run('exec -i p -- cat', 'from here\n')).toBe('ran cat\nFROM HERE\n');
  });

  it('is told why it can not', async () => {
    await run('run lost --image=i --overrides={"spec":{"nodeName":null}}');
    const { code, stderr } = await cluster.kubectl(['exec', 'lost', '--', 'ls']);
    expect([code, stderr]).toEqual([1, expect.stringContaining('pod lost does not have a host assigned')]);
  });

  it('scales, and drains a node within its budget', async () => {
    await run('create deployment d --image=i --replicas=1');
    expect(await run('scale deployment d --replicas=4 --current-replicas=1')).toContain('scaled');
    expect(await run('get deployment d -o jsonpath={.spec.replicas}')).toBe('4');
    await run('create poddisruptionbudget b --selector=app=p --min-available=1');
    const none = {
      observedGeneration: 1,
      disruptionsAllowed: 0,
      currentHealthy: 1,
      desiredHealthy: 1,
      expectedPods: 1,
    };
    const patch = JSON.stringify({ status: none });
    await cluster.kubectl(['patch', 'pdb', 'b', '--subresource=status', '--type=merge', '-p', patch]);
    const refused = await cluster.kubectl(['drain', 'n1', '--force', '--timeout=1s']);
    expect(refused.stderr).toContain("Cannot evict pod as it would violate the pod's disruption budget");
    await run('delete poddisruptionbudget b');
    const drain = cluster.kubectl(['drain', 'n1', '--force', '--timeout=20s', '--grace-period=0']);
    expect(await drain).toMatchObject({ code: 0, stdout: expect.stringContaining('node/n1 drained') });
  });
});
