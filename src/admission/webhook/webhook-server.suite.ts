import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Authority, issueAuthority, issueServing } from '../../auth/pki/issue.js';
import { generateKey, privateKeyPem } from '../../auth/pki/keys.js';
import { encodePem } from '../../auth/pki/pem.js';
import type { JsonObject } from '../../machinery/json.js';

// A webhook on loopback, for tests.

const HOUR = 3_600_000;
const valid = (from: number, to: number) => ({ notBefore: Date.now() + from, notAfter: Date.now() + to });

const authority: Authority = issueAuthority('webhook-ca', generateKey(), valid(-HOUR, HOUR), randomBytes);
/** As configurations have it: PEM in base64. */
export const caBundle = Buffer.from(encodePem('CERTIFICATE', authority.certificate.raw)).toString('base64');
/** An authority that has signed nothing. */
export const otherCaBundle = Buffer.from(
  encodePem('CERTIFICATE', issueAuthority('other-ca', generateKey(), valid(-HOUR, HOUR), randomBytes).certificate.raw),
).toString('base64');

export type Answer = (review: JsonObject, request: IncomingMessage, response: ServerResponse) => JsonObject | undefined;

export interface TestWebhook {
  readonly url: string;
  readonly port: number;
  /** Bodies of all requests. */
  readonly reviews: JsonObject[];
  /** Connections made since the start. */
  connections(): number;
  close(): Promise<void>;
}

export interface TestWebhookOptions {
  /** Names and addresses in the certificate. */
  readonly hosts?: readonly string[];
  readonly expired?: boolean;
}

/**
 * @param answer gives the response's fields, which go back with the uid of the request; undefined when it has written
 * the answer itself, or never will
 */
export async function startWebhook(answer: Answer, options: TestWebhookOptions = {}): Promise<TestWebhook> {
  const key = generateKey();
  const hosts = options.hosts ?? ['127.0.0.1', 'localhost'];
  const validity = options.expired ? valid(-2 * HOUR, -HOUR) : valid(-HOUR, HOUR);
  const cert = encodePem('CERTIFICATE', issueServing('webhook', hosts, key, authority, validity, randomBytes));
  const reviews: JsonObject[] = [];
  const sockets = new Set<Duplex>();
  let connections = 0;
  const server: Server = createServer({ cert, key: privateKeyPem(key) }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const review = parse(Buffer.concat(chunks).toString('utf8'));
      reviews.push(review);
      const fields = answer(review, request, response);
      if (!fields) return;
      const { uid } = (review.request ?? {}) as { uid?: string };
      response.setHeader('content-type', 'application/json');
      const { apiVersion } = review;
      response.end(JSON.stringify({ apiVersion, kind: 'AdmissionReview', response: { uid, ...fields } }));
    });
  });
  server.on('connection', (socket) => {
    connections++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('tlsClientError', () => {});
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return {
    url: `https://127.0.0.1:${port}`,
    port,
    reviews,
    connections: () => connections,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function parse(text: string): JsonObject {
  try {
    return JSON.parse(text) as JsonObject;
  } catch {
    return {};
  }
}
