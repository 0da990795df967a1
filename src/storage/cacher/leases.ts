import type { Clock } from '../clock.js';
import type { Storage } from '../contract.js';

/** The numbers of kube-apiserver (`--lease-reuse-duration-seconds`): a lease serves keys for 5 % of their time to live. */
const REUSE_SHARE = 0.05;
const REUSE_SECONDS = 60;
const KEYS_PER_LEASE = 1000;

interface Current {
  readonly id: Promise<bigint>;
  readonly expiry: number;
  keys: number;
}

/** Gives out leases, one to many keys that are to live about equally long: a lease for each would be a second write. */
export class LeasePool {
  readonly #storage: Storage;
  readonly #clock: Clock;
  /** By time to live in seconds. */
  readonly #current = new Map<number, Current>();

  constructor(storage: Storage, clock: Clock) {
    this.#storage = storage;
    this.#clock = clock;
  }

  /** A lease that lasts at least `ttlSeconds`, and little longer. */
  lease(ttlSeconds: number): Promise<bigint> {
    const now = this.#clock.now();
    const reuse = Math.min(REUSE_SECONDS, Math.trunc(ttlSeconds * REUSE_SHARE));
    const current = this.#current.get(ttlSeconds);
    if (current && now + ttlSeconds * 1000 <= current.expiry && current.keys < KEYS_PER_LEASE) {
      current.keys++;
      return current.id;
    }
    const id = this.#storage.grantLease(ttlSeconds + reuse);
    const next: Current = { id, expiry: now + (ttlSeconds + reuse) * 1000, keys: 1 };
    if (reuse > 0) this.#current.set(ttlSeconds, next);
    id.catch(() => {
      if (this.#current.get(ttlSeconds) === next) this.#current.delete(ttlSeconds);
    });
    return id;
  }
}
