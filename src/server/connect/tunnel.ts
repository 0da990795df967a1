import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { FrontProxyHeaders } from '../../auth/authentication/headers.js';
import { StatusError } from '../../machinery/errors.js';
import type { ApiRequest } from '../api-request.js';
import { canonical, upgradeHeaders } from './headers.js';
import { dial, networkFault } from './network.js';
import { Pace } from './pace.js';
import { escapePath, type Location } from './target.js';

/** A head that is longer is none. */
const MAX_HEAD_BYTES = 64 * 1024;
/** How long the end of a connection may take. */
const LINGER_MS = 10_000;

export interface TunnelOptions {
  readonly dialTimeoutMs: number;
  readonly frontProxy: FrontProxyHeaders | undefined;
  /** How fast bytes may go each way; 0: as fast as they can. */
  readonly bytesPerSecond: number;
}

/**
 * Lets the client speak with a backend directly: its request goes there (without credentials), and once the backend
 * agrees to the upgrade, bytes go both ways as they are, be it SPDY or WebSocket. Settles when the tunnel is over.
 *
 * @throws StatusError as long as the client can still be told
 */
export async function tunnel(request: ApiRequest, location: Location, options: TunnelOptions): Promise<void> {
  const { http, response } = request;
  let backend: Socket;
  try {
    backend = await dial(location, options.dialTimeoutMs, request.signal);
  } catch (e) {
    throw failure(`error dialing backend: ${networkFault(e, location)}`);
  }
  const abandon = () => backend.destroy();
  request.signal.addEventListener('abort', abandon);
  backend.on('error', () => {});
  try {
    backend.write(requestHead(request, location, options.frontProxy), 'latin1');
    const { status, head, rest } = await responseHead(backend, location);
    if (status !== 101 && status < 400) throw failure(`invalid upgrade response: status code ${status}`);
    const takeOver = response.upgrade;
    if (!takeOver) throw failure('request connection cannot be hijacked: only HTTP/1.1 has upgrades');
    const client = takeOver();
    client.socket.on('error', () => {});
    client.socket.write(head);
    if (status === 101) {
      if (client.head.length > 0) backend.write(client.head);
      await join(client.socket, backend, rest, options.bytesPerSecond);
    } else await passRefusal(client.socket, backend, rest);
  } finally {
    request.signal.removeEventListener('abort', abandon);
    backend.destroy();
  }

  function requestHead(of: ApiRequest, to: Location, frontProxy: FrontProxyHeaders | undefined): string {
    const query = to.query && `?${to.query}`;
    let text = `${http.method} ${escapePath(to.path) || '/'}${query} HTTP/1.1\r\n`;
    for (const [name, value] of Object.entries(upgradeHeaders(of.http, frontProxy))) {
      for (const one of [value].flat()) text += `${canonical(name)}: ${one}\r\n`;
    }
    return `${text}\r\n`;
  }
}

const failure = (message: string): StatusError => new StatusError(500, '', message);

interface Head {
  readonly status: number;
  /** As the backend wrote it, with the empty line at its end. */
  readonly head: Buffer;
  /** What came after it. */
  readonly rest: Buffer;
}

/** Reads up to the end of the head, and leaves the socket paused. */
function responseHead(backend: Socket, location: Location): Promise<Head> {
  return new Promise((resolve, reject) => {
    let read: Buffer = Buffer.alloc(0);
    const settle = () => backend.pause().off('data', onData).off('close', onClose).off('error', onError);
    const fail = (message: string) => {
      settle();
      reject(failure(message));
    };
    const onError = (e: Error) => fail(networkFault(e, location));
    const onClose = () => fail('unexpected EOF');
    const onData = (chunk: Buffer) => {
      const from = Math.max(0, read.length - 3);
      read = Buffer.concat([read, chunk]);
      const end = read.indexOf('\r\n\r\n', from);
      if (end < 0) {
        if (read.length > MAX_HEAD_BYTES) fail('the head of the answer is too long');
        return;
      }
      const status = /^HTTP\/1\.[01] (\d{3})[ \r]/.exec(read.subarray(0, 32).toString('latin1'))?.[1];
      if (!status) {
        fail(`malformed HTTP response ${JSON.stringify(read.subarray(0, 32).toString('latin1'))}`);
        return;
      }
      settle();
      resolve({ status: Number(status), head: read.subarray(0, end + 4), rest: read.subarray(end + 4) });
    };
    backend.on('data', onData).on('close', onClose).on('error', onError);
  });
}

/** Bytes go both ways, no faster than either side reads, until one side is done and the other has what it said. */
function join(client: Duplex, backend: Socket, first: Buffer, bytesPerSecond: number): Promise<void> {
  return new Promise((resolve) => {
    const paced = (from: Duplex): Duplex => (bytesPerSecond > 0 ? from.pipe(new Pace(bytesPerSecond)) : from);
    const [down, up] = [paced(backend), paced(client)];
    let timer: NodeJS.Timeout | undefined;
    const over = () => {
      clearTimeout(timer);
      for (const stream of [client, backend, down, up]) stream.destroy();
      resolve();
    };
    const finish = (other: Duplex) => {
      timer ??= setTimeout(over, LINGER_MS);
      other.end(over);
    };
    if (first.length > 0) client.write(first);
    backend.once('error', over);
    client.once('close', over);
    down.once('end', () => finish(client)).pipe(client, { end: false });
    up.once('end', () => finish(backend)).pipe(backend, { end: false });
    // A pipe ends the reading side before it is closed, unless it broke.
    backend.once('close', () => (down === backend ? finish(client) : down.end()));
    if (client.destroyed || backend.destroyed) over();
  });
}

/** The backend's answer as far as it comes, and the end of the connection. */
function passRefusal(client: Duplex, backend: Socket, first: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const over = () => {
      clearTimeout(timer);
      client.destroy();
      resolve();
    };
    const timer = setTimeout(over, LINGER_MS);
    const finish = () => client.end(over);
    if (first.length > 0) client.write(first);
    backend.once('end', finish).once('close', finish);
    client.once('close', over);
    backend.pipe(client, { end: false });
  });
}
