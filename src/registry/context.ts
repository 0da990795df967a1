import type { UserInfo } from '../auth/contract.js';

/** Who is asking and what the answer carries besides the object; one per request. */
export interface OperationContext {
  readonly user: UserInfo;
  readonly signal: AbortSignal;
  /** When the request must be answered, on the scale of performance.now(); undefined: nobody waits. */
  readonly deadline?: number;
  readonly userAgent: string;
  /** Adds a Warning header to the answer. */
  warn(text: string): void;
  /** Adds an audit annotation; with `level`, only to records that hold what was requested. */
  annotate(key: string, value: string, level?: 'Request'): void;
}

/** Side effects of the registry, passed in so that tests can hold them still. */
export interface Environment {
  /** UTC now. */
  now(): Date;
  uuid(): string;
  /** Five characters for generated names, from the alphabet of Kubernetes (no vowels, no look-alikes). */
  nameSuffix(): string;
  gate(name: string): boolean;
  /** False: nobody collects garbage, and deletions must not wait for it. */
  readonly garbageCollection?: boolean;
}

let second = Number.NaN;
let text = '';

/** RFC 3339 in whole seconds, as meta.v1.Time writes it. Most writes come in the same second as the one before. */
export function metaTime(date: Date): string {
  const now = Math.floor(date.getTime() / 1000);
  if (now !== second) {
    text = `${date.toISOString().slice(0, 19)}Z`;
    second = now;
  }
  return text;
}
