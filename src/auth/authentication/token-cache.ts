import { hash } from 'node:crypto';
import type { TokenAuthenticator, TokenResult } from './contract.js';

export interface TokenCacheOptions {
  /** Milliseconds; 0 keeps nothing of that kind. */
  readonly successTtl: number;
  readonly failureTtl: number;
  /** True: a refusal with a reason counts as failure. False: it is never kept, since it may be an outage. */
  readonly cacheErrors: boolean;
  readonly now: () => number;
  readonly random: (bytes: number) => Buffer;
}

/** A cache of token results. `forget` ends the results that came from an object. */
export interface TokenCache extends TokenAuthenticator {
  forget(objectKey: string): void;
  /** Ends every result, as when the configuration changed. */
  clear(): void;
}

/** Kubernetes is built for 5,000 nodes and 10,000 namespaces; an entry is about half a kilobyte. */
const MAX_ENTRIES = 32_768;

type Outcome = { readonly result: TokenResult | undefined } | { readonly error: unknown };
interface Entry {
  readonly outcome: Outcome;
  readonly until: number;
}

/**
 * Remembers results by a keyed hash of token and audiences: tokens themselves are not kept, and who sends many of them
 * can't choose where they land. Requests with the same token at the same time share one look-up. Bounded: the entry that
 * was made first goes first.
 */
export function tokenCache(delegate: TokenAuthenticator, options: TokenCacheOptions): TokenCache {
  const secret = options.random(32).toString('base64');
  const entries = new Map<string, Entry>();
  const pending = new Map<string, Promise<TokenResult | undefined>>();
  const byObject = new Map<string, Set<string>>();
  /** Grows with everything forgotten: what was looked up before that is not kept. */
  let epoch = 0;

  const keyOf = (token: string, audiences: readonly string[] | undefined): string => {
    const wanted = audiences === undefined ? '-' : JSON.stringify(audiences);
    return hash('sha256', `${secret}${wanted.length}:${wanted}${token}`, 'base64');
  };

  function drop(key: string): void {
    const entry = entries.get(key);
    if (!entry) return;
    entries.delete(key);
    for (const object of dependencies(entry.outcome)) {
      const keys = byObject.get(object);
      keys?.delete(key);
      if (keys?.size === 0) byObject.delete(object);
    }
  }

  function keep(key: string, outcome: Outcome, ttl: number): void {
    const now = options.now();
    const expiresAt = 'result' in outcome ? outcome.result?.expiresAt : undefined;
    const until = Math.min(now + ttl, expiresAt ?? Number.POSITIVE_INFINITY);
    if (until <= now) return;
    drop(key);
    for (const oldest of entries.keys()) {
      if (entries.size < MAX_ENTRIES && entries.get(oldest)!.until > now) break;
      drop(oldest);
    }
    entries.set(key, { outcome, until });
    for (const object of dependencies(outcome)) {
      const keys = byObject.get(object);
      if (keys) keys.add(key);
      else byObject.set(object, new Set([key]));
    }
  }

  async function lookUp(key: string, token: string, audiences: readonly string[] | undefined) {
    const began = epoch;
    let outcome: Outcome;
    try {
      outcome = { result: await delegate.authenticateToken(token, audiences) };
    } catch (error) {
      outcome = { error };
    }
    const failed = 'error' in outcome;
    const ttl = 'result' in outcome && outcome.result ? options.successTtl : options.failureTtl;
    if (ttl > 0 && epoch === began && (!failed || options.cacheErrors)) keep(key, outcome, ttl);
    return settle(outcome);
  }

  return {
    name: delegate.name,
    authenticateToken(token, audiences) {
      const key = keyOf(token, audiences);
      const entry = entries.get(key);
      if (entry) {
        if (entry.until > options.now()) return settle(entry.outcome);
        drop(key);
      }
      const running = pending.get(key);
      if (running) return running;
      const started = lookUp(key, token, audiences).finally(() => pending.delete(key));
      pending.set(key, started);
      return started;
    },
    forget(object) {
      epoch++;
      for (const key of [...(byObject.get(object) ?? [])]) drop(key);
    },
    clear() {
      epoch++;
      entries.clear();
      byObject.clear();
    },
  };
}

function settle(outcome: Outcome): TokenResult | undefined {
  if ('error' in outcome) throw outcome.error;
  return outcome.result;
}

const dependencies = (outcome: Outcome): readonly string[] =>
  'result' in outcome ? (outcome.result?.dependsOn ?? []) : [];
