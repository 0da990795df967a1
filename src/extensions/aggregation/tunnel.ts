import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ApiRequest } from '../../server/api-request.js';

/** How long the side that still has something to read may take when the other one is gone. */
const LINGER_MS = 5_000;

/**
 * Asks for another protocol and, when the server agrees, joins the two connections until one of them ends.
 *
 * @param answered called when the server has answered, whatever it says
 * @returns the answer of a server that refuses (400 and above), to be passed on; undefined when the tunnel is over
 * @throws Error when there was no usable answer, or the client's connection can't be taken over
 */
export async function tunnel(
  request: ApiRequest,
  outgoing: ClientRequest,
  answered: () => void,
): Promise<IncomingMessage | undefined> {
  const { response, socket, head } = await agreement(outgoing);
  answered();
  if (!socket) {
    const { statusCode = 0 } = response;
    if (statusCode >= 400) return response;
    response.destroy();
    throw new Error(`invalid upgrade response: status code ${statusCode}`);
  }
  const client = request.response.upgrade?.();
  if (!client) {
    socket.destroy();
    throw new Error('request connection cannot be hijacked');
  }
  client.socket.write(headOf(response));
  if (head.length > 0) client.socket.write(head);
  if (client.head.length > 0) socket.write(client.head);
  await join(client.socket, socket, request.signal);
  return undefined;
}

interface Agreement {
  readonly response: IncomingMessage;
  /** Only when the server changed the protocol. */
  readonly socket?: Duplex;
  readonly head: Buffer;
}

function agreement(outgoing: ClientRequest): Promise<Agreement> {
  return new Promise((resolve, reject) => {
    outgoing.on('error', reject);
    outgoing.once('response', (response) => resolve({ response, head: Buffer.alloc(0) }));
    outgoing.once('upgrade', (response, socket, head) => resolve({ response, socket, head }));
    outgoing.end();
  });
}

function headOf({ rawHeaders }: IncomingMessage): Buffer {
  let text = 'HTTP/1.1 101 Switching Protocols\r\n';
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) text += `${rawHeaders[i]}: ${rawHeaders[i + 1]}\r\n`;
  return Buffer.from(`${text}\r\n`, 'latin1');
}

function join(a: Duplex, b: Duplex, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const cut = () => {
      a.destroy();
      b.destroy();
    };
    const timers: NodeJS.Timeout[] = [];
    let open = 2;
    const closed = (other: Duplex) => () => {
      other.end();
      timers.push(setTimeout(cut, LINGER_MS));
      if (--open > 0) return;
      for (const timer of timers) clearTimeout(timer);
      signal.removeEventListener('abort', cut);
      resolve();
    };
    a.on('error', ignore).on('close', closed(b));
    b.on('error', ignore).on('close', closed(a));
    signal.addEventListener('abort', cut);
    if (signal.aborted) cut();
    a.pipe(b);
    b.pipe(a);
  });
}

function ignore(): void {}
