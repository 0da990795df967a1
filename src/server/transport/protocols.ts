import { createServer, type Server } from 'node:http';
import type { ServerSessionOptions } from 'node:http2';
import type { TransportLimits } from './contract.js';

export const DEFAULT_LIMITS: TransportLimits = {
  handshakeTimeout: 32_000,
  headerTimeout: 32_000,
  idleTimeout: 90_000,
  bodyIdleTimeout: 60_000,
  writeIdleTimeout: 60_000,
  maxHeaderBytes: 1 << 20,
  maxConcurrentStreams: 100,
  maxConnections: 16_384,
};

/** Of one stream, for uploads: nearly every object fits, so that it comes without waiting (as kube-apiserver sets it). */
const STREAM_WINDOW = 256 * 1024;

/** An HTTP/1.1 server that never listens: connections are handed to it after TLS. */
export function http1Server(limits: TransportLimits): Server {
  const server = createServer({
    maxHeaderSize: limits.maxHeaderBytes,
    keepAliveTimeout: limits.idleTimeout,
    headersTimeout: limits.headerTimeout,
    // Bodies have no time limit as a whole; one that stands still is cut by the transport.
    requestTimeout: 0,
    connectionsCheckingInterval: Math.min(5000, limits.headerTimeout / 2),
  });
  // A client that has sent its request and closes its side still gets the answer.
  Object.assign(server, { httpAllowHalfOpen: true });
  // The check of header timeouts starts with listening.
  server.emit('listening');
  return server;
}

/**
 * client-go puts all its watches on one connection: memory and windows are sized for that. Against floods nghttp2
 * bounds settings, pings, resets a second and bad frames by itself; the number of headers is bounded here.
 */
export function http2Options(
  limits: TransportLimits,
): ServerSessionOptions & { settings: { initialWindowSize: number } } {
  return {
    maxSessionMemory: 128,
    maxHeaderListPairs: 1000,
    settings: {
      initialWindowSize: STREAM_WINDOW,
      maxFrameSize: STREAM_WINDOW,
      maxHeaderListSize: limits.maxHeaderBytes,
      maxConcurrentStreams: limits.maxConcurrentStreams,
    },
  };
}
