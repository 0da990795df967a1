/** TLS side of a connection to another server. PEM texts. */
export interface ConnectOptions {
  /** Authorities to trust; the host's own when absent. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly serverName?: string;
  /** True: whoever answers is believed. */
  readonly insecure?: boolean;
}

export interface OutgoingRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Milliseconds for the whole exchange. */
  readonly timeout: number;
}

export interface IncomingResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** Asks one other server. Rejects when it does not answer in time or answers too much. */
export interface HttpClient {
  request(request: OutgoingRequest): Promise<IncomingResponse>;
  close(): void;
}

export type HttpConnector = (options: ConnectOptions) => HttpClient;

/** Key sets, discovery documents and reviews are a thousandth of this. */
const MAX_BODY = 4 << 20;

/** Clients on undici, which is loaded with the first request. */
export const undiciConnector: HttpConnector = (options) => {
  const loaded = async () => {
    const { Agent, request } = await import('undici');
    const agent = new Agent({
      connect: {
        ...(options.ca !== undefined && { ca: options.ca }),
        ...(options.cert !== undefined && { cert: options.cert, key: options.key }),
        ...(options.serverName !== undefined && { servername: options.serverName }),
        rejectUnauthorized: options.insecure !== true,
      },
    });
    return { agent, request };
  };
  let client: ReturnType<typeof loaded> | undefined;
  return {
    async request({ method, url, headers, body, timeout }) {
      client ??= loaded();
      const { agent, request } = await client;
      const response = await request(url, {
        method,
        dispatcher: agent,
        signal: AbortSignal.timeout(timeout),
        ...(headers && { headers }),
        ...(body !== undefined && { body }),
      });
      const chunks: Buffer[] = [];
      let length = 0;
      for await (const chunk of response.body as AsyncIterable<Buffer>) {
        length += chunk.length;
        if (length > MAX_BODY) throw new Error(`the answer of ${new URL(url).host} is larger than ${MAX_BODY} bytes`);
        chunks.push(chunk);
      }
      return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString('utf8') };
    },
    close() {
      void client?.then(({ agent }) => agent.destroy());
    },
  };
};
