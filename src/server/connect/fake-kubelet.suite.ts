import { createServer as createPlain, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTls } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { Issued } from '../transport/pki.suite.js';

/** What a backend was asked. */
export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** Common name of the client's certificate. */
  readonly client: string | undefined;
}

export interface Backend {
  readonly port: number;
  readonly asked: Asked[];
  close(): Promise<void>;
}

export interface BackendBehaviour {
  answer?(request: IncomingMessage, response: ServerResponse): void;
  upgrade?(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

/** A server for tests on a free port of loopback, over TLS with a client certificate wanted, or in the clear. */
export async function startBackend(
  { answer, upgrade }: BackendBehaviour,
  tls?: { readonly ca: Issued; readonly own: Issued },
): Promise<Backend> {
  const asked: Asked[] = [];
  const sockets = new Set<Duplex>();
  const note = (request: IncomingMessage, body: string) =>
    asked.push({
      method: request.method ?? '',
      url: request.url ?? '',
      headers: request.headers,
      body,
      client: tls && (request.socket as TLSSocket).getPeerCertificate().subject?.CN?.toString(),
    });
  const handler = (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      note(request, Buffer.concat(chunks).toString());
      if (answer) answer(request, response);
      else response.end('ok');
    });
  };
  const server: Server = tls
    ? createTls(
        { cert: tls.own.cert, key: tls.own.key, ca: tls.ca.cert, requestCert: true, rejectUnauthorized: false },
        handler,
      )
    : createPlain(handler);
  server.on(tls ? 'secureConnection' : 'connection', (socket: Duplex) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });
  if (upgrade) {
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      note(request, '');
      upgrade(request, socket, head);
    });
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
