import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { ControlPlane } from '../../src/index.js';
import { type Issued, issue } from '../../src/server/transport/pki.suite.js';

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** What reached the server. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly rawHeaders: readonly string[];
  /** Common name of the client's certificate; undefined without one. */
  readonly client: string | undefined;
  readonly body: string;
}

/** An API server on loopback for a control plane to stand in front of. */
export interface AggregatedServer {
  readonly port: number;
  /** PEM in base64. */
  readonly caBundle: string;
  readonly seen: Seen[];
  /** Answers by path without the query, or by its beginning when it ends in `*`. Others get 404. */
  readonly answers: Map<string, Answer>;
  onUpgrade: ((request: IncomingMessage, socket: Duplex) => void) | undefined;
  /** Connections that were ever made. */
  connections: number;
  /** Cuts every connection and takes no more. */
  stop(): Promise<void>;
  /** Listens again on the same port. */
  restart(): Promise<void>;
}

const authority: Promise<Issued> = issue('CN=test-authority', undefined, [], true);

export interface AggregatedServerOptions {
  /** Names in its certificate. */
  readonly names: readonly string[];
  readonly plain?: boolean;
}

export async function startAggregatedServer(options: AggregatedServerOptions): Promise<AggregatedServer> {
  const ca = await authority;
  const own = await issue('CN=aggregated', ca, [...options.names]);
  const answers = new Map<string, Answer>();
  const seen: Seen[] = [];
  const sockets = new Set<Duplex>();
  const serve: Answer = (request, response) => {
    const chunks: Buffer[] = [];
    const { method = '', url = '' } = request;
    const answer = find(answers, url.split('?')[0]!);
    request.on('data', (chunk) => chunks.push(chunk)).on('error', () => {});
    response.on('error', () => {});
    request.on('end', () => {
      const client = (request.socket as TLSSocket).getPeerCertificate?.().subject?.CN as string | undefined;
      const { headers, rawHeaders } = request;
      seen.push({ method, url, headers, rawHeaders, client, body: Buffer.concat(chunks).toString('utf8') });
      if (answer) answer(request, response);
      else json(response, 404, { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 404 });
    });
  };
  const tls = { cert: own.cert, key: own.key, ca: ca.cert, requestCert: true, rejectUnauthorized: false };
  const server: Server = options.plain ? createServer(serve) : createTlsServer(tls, serve);
  const made: AggregatedServer = {
    port: 0,
    caBundle: Buffer.from(ca.cert).toString('base64'),
    seen,
    answers,
    onUpgrade: undefined,
    connections: 0,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    async restart() {
      await listen(server, made.port);
    },
  };
  server.on('connection', (socket) => {
    made.connections++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
  });
  server.on('tlsClientError', () => {});
  server.on('upgrade', (request, socket) => {
    socket.on('error', () => {});
    if (made.onUpgrade) made.onUpgrade(request, socket);
    else socket.destroy();
  });
  const port = await listen(server, 0);
  return Object.assign(made, { port });
}

function find(answers: ReadonlyMap<string, Answer>, path: string): Answer | undefined {
  const exact = answers.get(path);
  if (exact) return exact;
  for (const [key, answer] of answers) if (key.endsWith('*') && path.startsWith(key.slice(0, -1))) return answer;
  return undefined;
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : 0);
    });
  });
}

export function json(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
  response.end(JSON.stringify(value));
}

/** A resource of a legacy discovery document. */
export function resource(name: string, kind: string, namespaced = false): Record<string, unknown> {
  return { name, singularName: '', namespaced, kind, verbs: ['get', 'list'] };
}

/** Makes the server answer for a group version, as far as discovery goes. */
export function announce({ answers }: AggregatedServer, groupVersion: string, resources: readonly object[]): void {
  answers.set(`/apis/${groupVersion}`, (_, response) =>
    json(response, 200, { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources }),
  );
}

/** Puts an APIService for a group version in front of a port on this host. Does not wait for it to be available. */
export async function register(
  controlPlane: ControlPlane,
  group: string,
  { port, caBundle, insecure = false }: { port: number; caBundle?: string; insecure?: boolean },
): Promise<void> {
  const service = group.replaceAll('.', '-');
  await write(controlPlane, 'POST', '/api/v1/namespaces/default/services', {
    metadata: { name: service },
    spec: { type: 'ExternalName', externalName: 'localhost' },
  });
  await write(controlPlane, 'POST', '/apis/apiregistration.k8s.io/v1/apiservices', {
    metadata: { name: `v1.${group}` },
    spec: {
      group,
      version: 'v1',
      groupPriorityMinimum: 100,
      versionPriority: 10,
      service: { namespace: 'default', name: service, port },
      ...(insecure ? { insecureSkipTLSVerify: true } : { caBundle }),
    },
  });
}

/** Name in the certificate of the server that {@link register} expects for a group. */
export const serverName = (group: string): string => `${group.replaceAll('.', '-')}.default.svc`;

export const ADMIN = { name: 'admin', uid: 'u-1', groups: ['system:masters'], extra: { 'Scopes/of': ['a', 'b'] } };

async function write(controlPlane: ControlPlane, method: string, path: string, body: object): Promise<void> {
  const answer = await controlPlane.inject({ method, path, user: ADMIN, body });
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${await answer.text()}`);
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

/** Waits until the condition Available has a reason, for at most 30 s. */
export async function untilAvailability(controlPlane: ControlPlane, group: string, reason: string): Promise<Condition> {
  let last: Condition | undefined;
  for (let i = 0; i < 600; i++) {
    const path = `/apis/apiregistration.k8s.io/v1/apiservices/v1.${group}`;
    const found = await (await controlPlane.inject({ path, user: ADMIN })).json<{
      status?: { conditions?: Condition[] };
    }>();
    last = found.status?.conditions?.find((c) => c.type === 'Available');
    if (last?.reason === reason) return last;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`v1.${group} is ${JSON.stringify(last)}, not ${reason}`);
}

/** Tries until `check` no longer throws, for at most 30 s. */
export async function eventually<T>(check: () => Promise<T> | T): Promise<T> {
  for (let i = 0; ; i++) {
    try {
      return await check();
    } catch (e) {
      if (i >= 600) throw e;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** A port that takes connections and never says a word. */
export async function startSilentServer(): Promise<{ port: number; connections: () => number; stop(): Promise<void> }> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createTcpServer((socket) => {
    connections++;
    sockets.add(socket);
    socket.on('error', () => {}).resume();
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });
  return {
    port,
    connections: () => connections,
    stop() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
