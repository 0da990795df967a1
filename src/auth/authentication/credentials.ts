import type { Credentials, HeaderValues, PeerCertificate } from '../contract.js';

/** The parts of a request that say who sent it. */
export interface RequestParts {
  readonly headers: HeaderValues;
  /** Raw, percent-encoded, without the query. */
  readonly path: string;
  readonly peerCertificate: PeerCertificate | undefined;
}

/** Of several Authorization headers the first counts, whatever the others hold, as in Go. */
export function credentialsOf({ headers, path, peerCertificate }: RequestParts): Credentials {
  const given = headers.authorization;
  return {
    authorization: typeof given === 'string' ? given : given?.[0],
    headers,
    path: decodePath(path),
    peerCertificate,
  };
}

function decodePath(path: string): string {
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
