import type { ClientRequest } from 'node:http';
import type { HttpRequest } from '../../server/http.js';

/** The body of a request, before its first bytes are sent on. */
export interface Upload {
  /** Nothing to send. */
  readonly empty: boolean;
  /** Sends it as fast as it is taken. An upload that breaks off ends the request. Never rejects. */
  sendTo(outgoing: ClientRequest): Promise<void>;
}

const NOTHING: Upload = {
  empty: true,
  async sendTo(outgoing) {
    outgoing.end();
  },
};

/** Waits for the first bytes where the headers don't tell whether there will be any. */
export async function openUpload(http: HttpRequest): Promise<Upload> {
  if (http.headers['content-length'] === '0') return NOTHING;
  const chunks = http.stream[Symbol.asyncIterator]();
  const first = await chunks.next();
  if (first.done) return NOTHING;
  return {
    empty: false,
    async sendTo(outgoing) {
      try {
        for (let next: IteratorResult<Buffer> = first; !next.done; next = await chunks.next()) {
          if (outgoing.destroyed) return;
          if (!outgoing.write(next.value)) await taken(outgoing);
        }
        outgoing.end();
      } catch {
        outgoing.destroy();
      }
    },
  };
}

function taken(outgoing: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      outgoing.off('drain', done).off('close', done);
      resolve();
    };
    outgoing.on('drain', done).on('close', done);
    if (outgoing.destroyed) done();
  });
}
