import type { HeaderValues, RequestAuthenticator } from '../contract.js';
import type { TokenAuthenticator } from './contract.js';
import { refused } from './errors.js';
import { headerValues } from './headers.js';

const PREFIX = 'base64url.bearer.authorization.k8s.io.';

/** What a browser, which can't set headers, sends as WebSocket subprotocols. */
export interface WebSocketProtocols {
  /** Undefined when no subprotocol carries one. */
  readonly token: string | undefined;
  /** The others: what may be negotiated. */
  readonly protocols: readonly string[];
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Undefined when the request opens no WebSocket. Throws an AuthenticationError when the token is not well formed. */
export function webSocketProtocols(headers: HeaderValues): WebSocketProtocols | undefined {
  const list = (name: string): string[] =>
    headerValues(headers, name).flatMap((value) => value.split(',').map((part) => part.trim()));
  const upgrades = list('connection').some((option) => option.toLowerCase() === 'upgrade');
  if (!upgrades || headerValues(headers, 'upgrade')[0]?.toLowerCase() !== 'websocket') return undefined;

  let token: string | undefined;
  const protocols: string[] = [];
  for (const protocol of list('sec-websocket-protocol')) {
    if (!protocol.startsWith(PREFIX)) {
      protocols.push(protocol);
      continue;
    }
    if (token !== undefined) throw refused('multiple base64.bearer.authorization tokens specified');
    const encoded = protocol.slice(PREFIX.length);
    const bytes = Buffer.from(encoded, 'base64url');
    if (!/^[A-Za-z0-9_-]*$/.test(encoded) || encoded.length % 4 === 1) {
      throw refused('invalid base64.bearer.authorization token encoding');
    }
    try {
      token = utf8.decode(bytes);
    } catch {
      throw refused('invalid base64.bearer.authorization token');
    }
  }
  if (token && protocols.length === 0) throw refused('missing additional subprotocol');
  return { token: token || undefined, protocols };
}

export function webSocketAuthenticator(tokens: TokenAuthenticator): RequestAuthenticator {
  return {
    name: 'websocket',
    async authenticate({ headers, audiences }) {
      const token = webSocketProtocols(headers)?.token;
      if (token === undefined) return undefined;
      const result = await tokens.authenticateToken(token, audiences);
      if (!result) throw refused('invalid bearer token');
      return result;
    },
  };
}
