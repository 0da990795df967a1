import type { KubeObject } from '../../machinery/json.js';
import type { Authenticated } from '../contract.js';

/** What a token authenticator found. */
export interface TokenResult extends Authenticated {
  /** The result must not be used after this, milliseconds since the epoch. */
  readonly expiresAt?: number;
  /** Objects that the result came from, see `objectKey`: a change of one of them ends it. */
  readonly dependsOn?: readonly string[];
}

/**
 * One way to tell whom a bearer token belongs to. `undefined`: not mine, ask the next. A throw means mine, but wrong; its
 * message never holds the token. `audiences`: the token must be meant for one of them; undefined when there is no limit.
 */
export interface TokenAuthenticator {
  readonly name: string;
  authenticateToken(
    token: string,
    audiences: readonly string[] | undefined,
  ): Promise<TokenResult | undefined> | TokenResult | undefined;
}

/** Names an object of the core group for `TokenResult.dependsOn`. */
export const objectKey = (resource: string, namespace: string, name: string): string =>
  `${resource}/${namespace}/${name}`;

/** Reads files, and tells when they may have changed. */
export interface FileSource {
  /** Throws the file system's error. */
  read(path: string): Buffer;
  /** Calls back, perhaps too often, after a change. Gives a function that ends it. */
  watch(path: string, changed: () => void): () => void;
}

export type Log = (level: 'info' | 'warning' | 'error', message: string) => void;

/** Marks Secrets of legacy tokens as used; a merge patch of labels. */
export type LabelSecret = (secret: KubeObject, labels: Readonly<Record<string, string>>) => Promise<void>;
