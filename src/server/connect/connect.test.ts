import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlane, startControlPlane } from '../../controlplane.js';
import { type Issued, issue } from '../transport/pki.suite.js';
import { type Backend, type BackendBehaviour, startBackend } from './fake-kubelet.suite.js';

const ADMIN = { name: 'admin', groups: ['system:masters', 'system:authenticated'] };
const NS = '/api/v1/namespaces/default';
const MERGE = 'application/merge-patch+json';

let ca: Issued;
let own: Issued;
let cp: ControlPlane;
let directory: string;
const backends: Backend[] = [];

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'porthole-connect-'));
  ca = await issue('CN=kubelet-ca', undefined, [], true);
  own = await issue('CN=node', ca, ['localhost', '127.0.0.1']);
  const client = await issue('CN=apiserver', ca);
  const file = (name: string, text: string) => {
    const path = join(directory, name);
    writeFileSync(path, text);
    return path;
  };
  cp = await startControlPlane({
    controllers: [],
    disableAdmissionPlugins: ['ServiceAccount'],
    log: () => {},
    kubelet: {
      certificateAuthority: file('ca.crt', ca.cert),
      clientCertificate: file('client.crt', client.cert),
      clientKey: file('client.key', client.key),
      allowLocalAddresses: true,
    },
  });
});
afterEach(async () => {
  for (const backend of backends.splice(0)) await backend.close();
});
afterAll(async () => {
  await cp.close();
  rmSync(directory, { recursive: true, force: true });
});

async function ask(method: string, path: string, body?: object, type = 'application/json') {
  return cp.inject({ method, path, body, headers: { 'content-type': type }, user: ADMIN });
}

async function backend(behaviour: BackendBehaviour, tls = true): Promise<Backend> {
  const started = await startBackend(behaviour, tls ? { ca, own } : undefined);
  backends.push(started);
  return started;
}

/** A node whose kubelet is at this port. */
async function node(name: string, port: number, address = '127.0.0.1'): Promise<void> {
  await ask('POST', '/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name } });
  const addresses = [{ type: 'InternalIP', address }];
  const status = { addresses, daemonEndpoints: { kubeletEndpoint: { Port: port } } };
  await ask('PATCH', `/api/v1/nodes/${name}/status`, { status }, MERGE);
}

async function pod(name: string, nodeName?: string, spec: object = {}, podIP?: string): Promise<void> {
  await ask('POST', `${NS}/pods`, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { nodeName, containers: [{ name: 'c', image: 'i' }], ...spec },
  });
  if (podIP) {
    const status = { phase: 'Running', podIP, podIPs: [{ ip: podIP }] };
    await ask('PATCH', `${NS}/pods/${name}/status`, { status }, MERGE);
  }
}

/** Over a socket, as the administrator's certificate. */
function real(method: string, path: string, headers: Record<string, string | string[]> = {}, body?: string) {
  return new Promise<{ status: number; headers: Record<string, unknown>; text: string }>((resolve, reject) => {
    const url = new URL(path, cp.url);
    const tls = { ca: cp.caCertificate, cert: cp.clientCertificate, key: cp.clientKey };
    const request = httpsRequest(url, { method, headers, agent: false, ...tls }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode!, headers: response.headers, text: Buffer.concat(chunks).toString() }),
      );
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** Sends a request that wants an upgrade; gives the socket. */
function upgrade(path: string, headers: Record<string, string> = {}, method = 'POST'): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(cp.url);
    const socket = connect({
      host: hostname,
      port: Number(port),
      ca: cp.caCertificate,
      cert: cp.clientCertificate,
      key: cp.clientKey,
      ALPNProtocols: ['http/1.1'],
    });
    const all = { Host: 'api', Connection: 'Upgrade', Upgrade: 'SPDY/3.1', ...headers };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.on('error', reject);
    socket.once('secureConnect', () => {
      socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`);
      resolve(socket);
    });
  });
}

/** Reads until the text is there. */
function until(socket: TLSSocket, wanted: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const onData = (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (!text.includes(wanted)) return;
      socket.off('data', onData);
      resolve(text);
    };
    socket.on('data', onData);
    socket.once('close', () => reject(new Error(`closed after ${JSON.stringify(text)}`)));
  });
}

const closed = (socket: TLSSocket): Promise<void> =>
  new Promise((resolve) => {
    socket.resume();
    if (socket.destroyed) resolve();
    else socket.once('close', () => resolve());
  });

const ECHO: BackendBehaviour = {
  upgrade(_request, socket, head) {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\nwelcome');
    if (head.length > 0) socket.write(head);
    socket.pipe(socket);
  },
};

describe('logs', () => {
  it('come from the kubelet as they are, asked with the client certificate', async () => {
    const kubelet = await backend({ answer: (_, response) => response.end('line 1\nline 2\n') });
    await node('logs-a', kubelet.port);
    await pod('logs-a', 'logs-a');
    const query = 'tailLines=5&timestamps=true&sinceTime=2026-01-01T00:00:00Z&previous=false';
    const answer = await ask('GET', `${NS}/pods/logs-a/log?${query}`);
    expect([answer.status, answer.headers['content-type'], await answer.text()]).toEqual([
      200,
      'text/plain',
      'line 1\nline 2\n',
    ]);
    expect(kubelet.asked).toMatchObject([
      {
        url: '/containerLogs/default/logs-a/c?sinceTime=2026-01-01T00%3A00%3A00Z&tailLines=5&timestamps=true',
        client: 'apiserver',
      },
    ]);
  });

  it('that are followed come line by line, and end when the client goes', async () => {
    let gone = false;
    const kubelet = await backend({
      answer(_, response) {
        response.write('first\n');
        response.on('close', () => {
          gone = true;
        });
      },
    });
    await node('logs-b', kubelet.port);
    await pod('logs-b', 'logs-b');
    const answer = await ask('GET', `${NS}/pods/logs-b/log?follow=true`);
    for await (const chunk of answer.stream) {
      expect(chunk.toString()).toBe('first\n');
      break;
    }
    await expect.poll(() => gone).toBe(true);
  });

  it('are read no faster than the client reads', async () => {
    let sent = 0;
    const chunk = Buffer.alloc(64 * 1024, 'x');
    const kubelet = await backend({
      answer(_, response) {
        const more = () => {
          while (sent < 1000 && response.write(chunk)) sent++;
        };
        response.on('drain', more);
        more();
      },
    });
    await node('logs-c', kubelet.port);
    await pod('logs-c', 'logs-c');
    const answer = await ask('GET', `${NS}/pods/logs-c/log?follow=true`);
    let last = -1;
    const still = () => {
      const same = sent === last;
      last = sent;
      return same;
    };
    await expect.poll(still, { interval: 200 }).toBe(true);
    expect(sent).toBeLessThan(1000);
    for await (const _ of answer.stream) break;
  });

  it('that break off do not look whole', async () => {
    const kubelet = await backend({
      answer(_, response) {
        response.write('half');
        setTimeout(() => response.destroy(), 50);
      },
    });
    await node('logs-d', kubelet.port);
    await pod('logs-d', 'logs-d');
    await expect(real('GET', `${NS}/pods/logs-d/log`)).rejects.toThrow();
  });

  it.each([
    [404, 'NotFound', 'the server could not find the requested resource ( pods/log logs-e)'],
    [500, 'InternalError', 'Internal error occurred: container is gone'],
    [400, 'BadRequest', 'container is gone'],
    [403, 'Forbidden', 'container is gone ( pods/log logs-e)'],
    [
      502,
      'InternalError',
      'an error on the server ("container is gone") has prevented the request from succeeding ( pods/log logs-e)',
    ],
  ])('that the kubelet refuses with %i are refused as %s', async (code, reason, message) => {
    const kubelet = await backend({ answer: (_, response) => response.writeHead(code).end('container is gone') });
    await node('logs-e', kubelet.port);
    await pod('logs-e', 'logs-e');
    const answer = await ask('GET', `${NS}/pods/logs-e/log`);
    expect(answer.status).toBe(code);
    expect(await answer.json()).toMatchObject({ reason, message });
  });

  it('of pods that are nowhere are empty, of a node that is gone or silent an error', async () => {
    await pod('logs-f');
    expect((await ask('GET', `${NS}/pods/logs-f/log`)).status).toBe(204);
    await pod('logs-g', 'no-such-node');
    expect(await (await ask('GET', `${NS}/pods/logs-g/log`)).json()).toMatchObject({
      code: 404,
      message: 'pods "no-such-node" not found',
    });
    await node('silent', 1);
    await pod('logs-h', 'silent');
    expect(await (await ask('GET', `${NS}/pods/logs-h/log`)).json()).toMatchObject({
      code: 500,
      message:
        'Get "https://127.0.0.1:1/containerLogs/default/logs-h/c": dial tcp 127.0.0.1:1: connect: connection refused',
    });
  });

  it('of a kubelet with a certificate of somebody else are not read, unless the client does not care', async () => {
    const other = await issue('CN=other', await issue('CN=other-ca', undefined, [], true), ['127.0.0.1']);
    const kubelet = await startBackend({}, { ca, own: other });
    backends.push(kubelet);
    await node('logs-i', kubelet.port);
    await pod('logs-i', 'logs-i');
    const refused = await (await ask('GET', `${NS}/pods/logs-i/log`)).json<{ code: number; message: string }>();
    expect([refused.code, kubelet.asked]).toEqual([500, []]);
    expect(refused.message).toContain('tls: failed to verify certificate');
    expect((await ask('GET', `${NS}/pods/logs-i/log?insecureSkipTLSVerifyBackend=true`)).status).toBe(200);
  });

  it.each([
    ['tailLines=-1', 422, 'tailLines: Invalid value: -1: must be greater than or equal to 0'],
    ['tailLines=x', 400, 'strconv.ParseInt: parsing "x": invalid syntax'],
    ['sinceSeconds=0', 422, 'sinceSeconds: Invalid value: 0: must be greater than 0'],
    ['limitBytes=0', 422, 'limitBytes: Invalid value: 0: must be greater than 0'],
    ['sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z', 422, 'at most one of'],
    ['sinceTime=x', 400, 'parsing time "x"'],
    ['stream=Stdout', 422, 'stream: Forbidden: may not be specified'],
    ['container=zz', 400, 'container zz is not valid for pod logs-f'],
  ])('asked with %s are refused', async (query, code, text) => {
    const answer = await (await ask('GET', `${NS}/pods/logs-f/log?${query}`)).json<{ code: number; message: string }>();
    expect([answer.code, answer.message]).toEqual([code, expect.stringContaining(text)]);
  });
});

describe('exec', () => {
  it('is a tunnel to the kubelet, once that agrees', async () => {
    const kubelet = await backend(ECHO);
    await node('exec-a', kubelet.port);
    await pod('exec-a', 'exec-a');
    const path = `${NS}/pods/exec-a/exec?command=sh&command=-c&command=ls%20/&stdin=true&stdout=1&tty=false`;
    const socket = await upgrade(path, {
      'X-Stream-Protocol-Version': 'v4.channel.k8s.io',
      'X-Remote-User': 'mallory',
      'Impersonate-User': 'admin',
      'Impersonate-Group': 'system:masters',
      'X-Forwarded-For': '192.0.2.7',
    });
    const head = await until(socket, 'welcome');
    expect(head).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/);
    expect(head).toContain('Upgrade: SPDY/3.1');
    socket.write('ping');
    expect(await until(socket, 'ping')).toBe('ping');
    const big = 'y'.repeat(3_000_000);
    socket.write(`${big}!`);
    expect(await until(socket, '!')).toHaveLength(big.length + 1);
    const [asked] = kubelet.asked;
    expect(asked).toMatchObject({
      method: 'POST',
      url: '/exec/default/exec-a/c?command=sh&command=-c&command=ls+%2F&input=1&output=1',
      client: 'apiserver',
    });
    expect(asked!.headers).toMatchObject({
      upgrade: 'SPDY/3.1',
      connection: 'Upgrade',
      'x-stream-protocol-version': 'v4.channel.k8s.io',
      'x-forwarded-for': '192.0.2.7, 127.0.0.1',
    });
    for (const name of ['authorization', 'x-remote-user', 'impersonate-user'])
      expect(asked!.headers[name]).toBeUndefined();
    socket.destroy();
  });

  it('ends on both sides when one is done', async () => {
    const ends: Promise<void>[] = [];
    const kubelet = await backend({
      upgrade(_request, socket) {
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
        ends.push(new Promise((resolve) => socket.once('close', () => resolve())));
        socket.on('data', (chunk: Buffer) => {
          if (chunk.toString().includes('bye')) socket.end('good bye');
        });
      },
    });
    await node('exec-b', kubelet.port);
    await pod('exec-b', 'exec-b');
    const path = `${NS}/pods/exec-b/attach?stdout=true`;
    const first = await upgrade(path);
    await until(first, '\r\n\r\n');
    first.write('bye');
    await until(first, 'good bye');
    await closed(first);
    const second = await upgrade(path);
    await until(second, '\r\n\r\n');
    second.destroy();
    await Promise.all(ends);
    expect(ends).toHaveLength(2);
  });

  it('passes on what the kubelet says instead', async () => {
    const kubelet = await backend({
      upgrade: (_request, socket) =>
        socket.end('HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nnope'),
    });
    await node('exec-c', kubelet.port);
    await pod('exec-c', 'exec-c');
    const socket = await upgrade(`${NS}/pods/exec-c/portforward?ports=80&ports=81`);
    const text = await until(socket, 'nope');
    expect(text).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/);
    await closed(socket);
    expect(kubelet.asked[0]!.url).toBe('/portForward/default/exec-c?port=80%2C81');
  });

  it('takes the token out of what a browser sends', async () => {
    const kubelet = await backend(ECHO);
    await node('exec-d', kubelet.port);
    await pod('exec-d', 'exec-d');
    const token = Buffer.from('secret').toString('base64url');
    const socket = await upgrade(
      `${NS}/pods/exec-d/exec?command=x`,
      {
        Upgrade: 'websocket',
        'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
        'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Protocol': `base64url.bearer.authorization.k8s.io.${token}, v4.channel.k8s.io`,
      },
      'GET',
    );
    await until(socket, 'welcome');
    expect(kubelet.asked[0]!.headers['sec-websocket-protocol']).toBe('v4.channel.k8s.io');
    socket.destroy();
  });

  it.each([
    ['invalid upgrade response: status code 200', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
    ['malformed HTTP response "hello\\r\\n\\r\\n"', 'hello\r\n\r\n'],
    ['unexpected EOF', 'HTTP/1.1 101 Swi'],
    ['the head of the answer is too long', `HTTP/1.1 101 x\r\nA: ${'a'.repeat(70_000)}`],
  ])('is an error when the kubelet answers nonsense: %s', async (message, bytes) => {
    const kubelet = await backend({ upgrade: (_request, socket) => socket.end(bytes) });
    await node('exec-e', kubelet.port);
    await pod('exec-e', 'exec-e');
    const socket = await upgrade(`${NS}/pods/exec-e/exec?command=x`);
    const text = await until(socket, '"code":500');
    expect(JSON.parse(text.split('\r\n\r\n')[1]!)).toMatchObject({ code: 500, message });
    await closed(socket);
  });

  it.each([
    ['pods/lost/exec?command=x', 400, 'pod lost does not have a host assigned'],
    ['pods/lost/portforward', 400, 'pod lost does not have a host assigned'],
    ['pods/none/exec?command=x', 404, 'pods "none" not found'],
    ['pods/lost/exec?container=zz', 400, 'container zz is not valid for pod lost'],
    ['pods/two/exec', 400, 'a container name must be specified for pod two, choose one of: [init a b]'],
    ['pods/plain/exec?command=x', 400, 'Upgrade request required'],
  ])('%s without an upgrade is refused', async (path, code, message) => {
    await pod('lost');
    const two = ['a', 'b'].map((name) => ({ name, image: 'i' }));
    await pod('two', undefined, { initContainers: [{ name: 'init', image: 'i' }], containers: two });
    await node('plain', 1);
    await pod('plain', 'plain');
    const answer = await ask('POST', `${NS}/${path}`);
    expect(await answer.json()).toMatchObject({ code, message });
    expect((await ask('DELETE', `${NS}/${path}`)).status).toBe(405);
  });

  it('tells when no connection can be opened, and asks for no wrong path', async () => {
    await node('dead', 1);
    await pod('dead', 'dead');
    const socket = await upgrade(`${NS}/pods/dead/exec?command=x`);
    const text = await until(socket, '"code":500');
    expect(text).toContain('error dialing backend: dial tcp 127.0.0.1:1: connect: connection refused');
    expect((await ask('POST', `${NS}/pods/dead/exec/more`)).status).toBe(404);
    expect((await ask('POST', '/api/v1/pods/dead/exec')).status).toBe(404);
  });

  it('needs the right to create, even for a GET', async () => {
    const role = (verbs: string[]) => ({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: { name: 'reader' },
      rules: [{ apiGroups: [''], resources: ['pods/exec'], verbs }],
    });
    const roles = '/apis/rbac.authorization.k8s.io/v1/namespaces/default';
    await ask('POST', `${roles}/roles`, role(['get']));
    await ask('POST', `${roles}/rolebindings`, {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: 'reader' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' },
      subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'rita' }],
    });
    const user = { name: 'rita', groups: ['system:authenticated'] };
    const tryIt = () => cp.inject({ path: `${NS}/pods/lost/exec?command=x`, user });
    expect(await (await tryIt()).json()).toMatchObject({ code: 403, details: { kind: 'pods', name: 'lost' } });
    await ask('PUT', `${roles}/roles/reader`, role(['get', 'create']));
    expect((await tryIt()).status).toBe(400);
  });
});

describe('proxy', () => {
  it('passes requests on to pods, and answers back', async () => {
    const web = await backend(
      {
        answer(_, response) {
          response.setHeader('Access-Control-Allow-Origin', '*');
          response.setHeader('X-Own', ['a', 'b']);
          response.setHeader('Keep-Alive', 'timeout=5');
          response.writeHead(418).end('tea');
        },
      },
      false,
    );
    await pod('web', 'somewhere', {}, '127.0.0.1');
    const headers = { 'X-Remote-Group': 'system:masters', 'X-Custom': 'yes', Host: 'kubernetes.default' };
    const path = `${NS}/pods/web:${web.port}/proxy/a%20b/../c%2Fd/?q=1&q=%20`;
    const answer = await real('POST', path, headers, 'the body');
    expect([
      answer.status,
      answer.text,
      answer.headers['x-own'],
      answer.headers['access-control-allow-origin'],
    ]).toEqual([418, 'tea', 'a, b', undefined]);
    expect(web.asked).toMatchObject([{ method: 'POST', url: '/c/d/?q=1&q=%20', body: 'the body' }]);
    const seen = web.asked[0]!.headers;
    expect(seen).toMatchObject({
      'x-custom': 'yes',
      host: 'kubernetes.default',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-uri': expect.stringMatching(/^\/api\/v1\/namespaces\/default\/pods\/web:\d+\/proxy\//),
    });
    expect(seen['x-remote-group']).toBeUndefined();
  });

  it('leads clients to the root of what they ask for', async () => {
    await pod('root', 'somewhere', {}, '127.0.0.1');
    const answer = await ask('GET', `${NS}/pods/root:80/proxy?x=1`);
    expect([answer.status, answer.headers.location]).toEqual([301, `${NS}/pods/root:80/proxy/?x=1`]);
  });

  it('keeps the links of a backend under its own path', async () => {
    const html = '<a href="/x?a=1&amp;b=2">x</a><img src=\'/y\'><a href="rel">r</a><script>"<a href=/no>"</script>';
    const web = await backend(
      {
        answer(request, response) {
          if (request.url === '/moved') response.writeHead(302, { Location: '/there' }).end();
          else if (request.url === '/zip')
            response
              .writeHead(200, { 'Content-Type': 'text/html; charset=utf-8', 'Content-Encoding': 'gzip' })
              .end(gzipSync(html));
          else response.writeHead(200, { 'Content-Type': 'text/html', 'Content-Length': html.length }).end(html);
        },
      },
      false,
    );
    await pod('links', 'somewhere', {}, '127.0.0.1');
    const base = `${NS}/pods/links:${web.port}/proxy`;
    expect((await real('GET', `${base}/moved`)).headers.location).toBe(`${base}/there`);
    expect((await real('GET', `${base}/`)).text).toBe(
      `<a href="${base}/x?a=1&amp;b=2">x</a><img src='${base}/y'><a href="rel">r</a><script>"<a href=/no>"</script>`,
    );
    expect((await real('GET', `${base}/zip`)).headers['content-encoding']).toBe('gzip');
  });

  it('goes to a pod behind the service, and to no other address', async () => {
    const web = await backend({}, false);
    await pod('behind', 'somewhere', {}, '127.0.0.1');
    const ports = [{ name: 'web', port: 80 }];
    await ask('POST', `${NS}/services`, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'svc' },
      spec: { ports },
    });
    const get = async (id: string) => {
      const answer = await ask('GET', `${NS}/services/${id}/proxy/x`);
      return [answer.status, await answer.text()];
    };
    expect(await get('svc')).toMatchObject([404, expect.stringContaining('services \\"svc\\" not found')]);
    const endpoints = (targetRef?: object, over: object = {}) => ({
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: { name: 'svc' },
      subsets: [{ addresses: [{ ip: '10.1.2.3', targetRef }], ports: [{ name: 'web', port: web.port }] }],
      ...over,
    });
    await ask('POST', `${NS}/endpoints`, endpoints(undefined, { subsets: [] }));
    expect(await get('svc')).toMatchObject([
      503,
      expect.stringContaining('no endpoints available for service \\"svc\\"'),
    ]);
    await ask('PUT', `${NS}/endpoints/svc`, endpoints({ kind: 'Pod', namespace: 'default', name: 'behind' }));
    // The pod has another address than its endpoint says.
    expect(await get('svc:web')).toMatchObject([503, expect.stringContaining('no endpoints available')]);
    await ask(
      'PATCH',
      `${NS}/pods/behind/status`,
      { status: { podIP: '10.1.2.3', podIPs: [{ ip: '10.1.2.3' }] } },
      MERGE,
    );
    expect(await get('svc:81')).toMatchObject([503, expect.stringContaining('no service port 81 found')]);
    expect(await get('svc:other')).toMatchObject([503, expect.stringContaining('no endpoints available')]);
    expect(await get('a:b:c:d')).toMatchObject([400, expect.stringContaining('invalid service request')]);
    expect(await get('ftp:svc:80')).toMatchObject([400, expect.stringContaining('invalid service request')]);
  });

  it('goes to the kubelet of a node with the client certificate, to other ports without', async () => {
    const kubelet = await backend({ answer: (_, response) => response.end('healthy') });
    const other = await backend({}, false);
    await node('proxied', kubelet.port);
    const nodes = '/api/v1/nodes/proxied';
    expect(await (await ask('GET', `${nodes}/proxy/healthz`)).text()).toBe('healthy');
    expect(kubelet.asked).toMatchObject([{ url: '/healthz', client: 'apiserver' }]);
    expect(await (await ask('GET', `${nodes}:${other.port}/proxy/x`)).text()).toBe('ok');
    expect(await (await ask('GET', '/api/v1/nodes/none/proxy/')).json()).toMatchObject({
      code: 404,
      message: 'nodes "none" not found',
    });
  });

  it('carries upgrades', async () => {
    const web = await backend(ECHO, false);
    await pod('ws', 'somewhere', {}, '127.0.0.1');
    const socket = await upgrade(`${NS}/pods/ws:${web.port}/proxy/chat?room=1`, { Upgrade: 'websocket' }, 'GET');
    await until(socket, 'welcome');
    socket.write('hello');
    await until(socket, 'hello');
    expect(web.asked[0]!.url).toBe('/chat?room=1');
    socket.destroy();
  });

  it('tells when nobody is there', async () => {
    await pod('deaf', 'somewhere', {}, '127.0.0.1');
    const answer = await ask('GET', `${NS}/pods/deaf:1/proxy/`);
    expect(await answer.json()).toMatchObject({
      code: 503,
      reason: 'ServiceUnavailable',
      message: 'error trying to reach service: dial tcp 127.0.0.1:1: connect: connection refused',
    });
    expect((await ask('GET', `${NS}/pods/none/proxy/`)).status).toBe(404);
    expect((await ask('GET', `${NS}/pods/a:b:c:d/proxy/`)).status).toBe(400);
  });
});

describe('addresses of this host', () => {
  it('are nobody’s business', async () => {
    const strict = await startControlPlane({
      controllers: [],
      disableAdmissionPlugins: ['ServiceAccount'],
      log: () => {},
    });
    const send = async (method: string, path: string, body?: object, type = 'application/json') => {
      const answer = await strict.inject({ method, path, body, headers: { 'content-type': type }, user: ADMIN });
      return answer.json<{ code: number; message: string }>();
    };
    try {
      const spec = { nodeName: 'n', containers: [{ name: 'c', image: 'i' }] };
      await send('POST', `${NS}/pods`, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec });
      await send('POST', '/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' } });
      expect(await send('GET', `${NS}/pods/p/proxy/`)).toMatchObject({ code: 400, message: 'address not allowed' });
      expect(await send('GET', '/api/v1/nodes/n/proxy/')).toMatchObject({
        code: 500,
        message: 'no preferred addresses found; known addresses: []',
      });
      for (const address of ['127.0.0.1', '169.254.169.254', '::1', 'fe80::1', 'localhost']) {
        const podIPs = [{ ip: address }];
        await send('PATCH', `${NS}/pods/p/status`, { status: { podIP: address, podIPs } }, MERGE);
        const addresses = [{ type: 'InternalIP', address }];
        await send('PATCH', '/api/v1/nodes/n/status', { status: { addresses } }, MERGE);
        expect(await send('GET', `${NS}/pods/p:80/proxy/`)).toMatchObject({
          code: 400,
          message: 'address not allowed',
        });
        expect(await send('GET', '/api/v1/nodes/n/proxy/')).toMatchObject({
          code: 400,
          message: 'address not allowed',
        });
      }
    } finally {
      await strict.close();
    }
  });
});
