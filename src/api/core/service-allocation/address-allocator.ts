import { type AddressRange, addressRange, addressText, type Family, inRange, readAddress } from './address-range.js';

/** Whom an address belongs to. */
export interface ServiceName {
  readonly namespace: string;
  readonly name: string;
}

/** Where addresses in use are on record for everybody: IPAddress objects. */
export interface AddressRecords {
  /** False: the address has a record already. */
  create(address: string, family: Family, service: ServiceName): Promise<boolean>;
  /** Fine when there is none. */
  remove(address: string): Promise<void>;
}

/** Why an address can't be had, in the words that clients see. */
export class AllocationError extends Error {}

interface Holder {
  readonly ranges: readonly AddressRange[];
  readonly ready: boolean;
}

/**
 * Hands out service addresses. An address is taken once its record exists; what is in use is learned from the records,
 * what is about to be is kept here, so that of two who want the same address at once one is told no without asking the
 * store.
 */
export class AddressAllocator {
  readonly #records: AddressRecords;
  /** 0 ≤ x < 1. */
  readonly #random: () => number;
  /** Networks by the ServiceCIDR that has them. */
  readonly #holders = new Map<string, Holder>();
  readonly #used: Record<Family, Set<bigint>> = { IPv4: new Set(), IPv6: new Set() };
  readonly #pending: Record<Family, Set<bigint>> = { IPv4: new Set(), IPv6: new Set() };

  constructor(records: AddressRecords, random: () => number) {
    this.#records = records;
    this.#random = random;
  }

  /** A ServiceCIDR came or changed. Nothing is taken from networks that are not ready. */
  setNetworks(name: string, cidrs: readonly string[], ready: boolean): void {
    const ranges = cidrs.map(addressRange).filter((range) => range !== undefined);
    this.#holders.set(name, { ranges, ready });
  }

  removeNetworks(name: string): void {
    this.#holders.delete(name);
  }

  recordAdded(address: string): void {
    const found = readAddress(address);
    if (found) this.#used[found.family].add(found.value);
  }

  recordRemoved(address: string): void {
    const found = readAddress(address);
    if (found) this.#used[found.family].delete(found.value);
  }

  /** @throws AllocationError */
  async take(service: ServiceName, address: string): Promise<void> {
    const { family, value } = this.#asked(address);
    if (!this.#ready(family).some((range) => inRange(range, value))) throw mismatch();
    if (!(await this.#tryTake(service, family, value))) throw new AllocationError('provided IP is already allocated');
  }

  /** Any free address. @throws AllocationError */
  async takeAny(service: ServiceName, family: Family): Promise<string> {
    // Records of others that this server has not seen yet.
    const taken = new Set<bigint>();
    for (const range of this.#ready(family)) {
      for (const [from, to] of bands(range)) {
        for (;;) {
          const value = this.#free(family, from, to, taken);
          if (value === undefined) break;
          if (await this.#tryTake(service, family, value)) return addressText(family, value);
          taken.add(value);
        }
      }
    }
    throw new AllocationError('range is full');
  }

  /** What a dry run may know of a wish: whether the address is one of the network's. */
  check(address: string): void {
    const { family, value } = this.#asked(address);
    const range = this.#ready(family)[0];
    if (!range) throw new AllocationError('allocator not ready');
    if (inRange(range, value)) return;
    throw new AllocationError(
      `the provided IP (${address}) is not in the valid range. The range of valid IPs is ${range.cidr}`,
    );
  }

  /** What a dry run shows instead of an address: that of the network. */
  sample(family: Family): string {
    const range = this.#ready(family)[0];
    if (!range) throw new AllocationError('allocator not ready');
    return addressText(family, range.network);
  }

  /** Fine for addresses that are not taken. */
  async release(address: string): Promise<void> {
    const found = readAddress(address);
    if (found) await this.#records.remove(addressText(found.family, found.value));
  }

  #asked(address: string): { family: Family; value: bigint } {
    const found = readAddress(address);
    if (!found) throw mismatch();
    return found;
  }

  #ready(family: Family): AddressRange[] {
    const ready = [...this.#holders.values()].filter((holder) => holder.ready);
    return ready.flatMap((holder) => holder.ranges.filter((range) => range.family === family));
  }

  /** False: taken by somebody else. */
  async #tryTake(service: ServiceName, family: Family, value: bigint): Promise<boolean> {
    const pending = this.#pending[family];
    if (this.#used[family].has(value) || pending.has(value)) return false;
    pending.add(value);
    try {
      return await this.#records.create(addressText(family, value), family, service);
    } finally {
      pending.delete(value);
    }
  }

  /** A free address between two, both included, looked for from a random one on. */
  #free(family: Family, from: bigint, to: bigint, taken: ReadonlySet<bigint>): bigint | undefined {
    const size = to - from + 1n;
    if (size <= 0n) return undefined;
    const used = this.#used[family];
    const pending = this.#pending[family];
    const start = BigInt(Math.floor(this.#random() * Number(size < SEARCHED ? size : SEARCHED)));
    const tries = Math.min(Number(size), used.size + pending.size + taken.size + 1);
    for (let i = 0n; i < tries; i++) {
      const value = from + ((start + i) % size);
      if (!used.has(value) && !pending.has(value) && !taken.has(value)) return value;
    }
    return undefined;
  }
}

/** Random numbers are no finer than this. */
const SEARCHED = 1n << 48n;

/** Dynamic addresses first. */
function bands({ first, dynamic, last }: AddressRange): [bigint, bigint][] {
  return [
    [dynamic, last],
    [first, dynamic - 1n < last ? dynamic - 1n : last],
  ];
}

function mismatch(): AllocationError {
  return new AllocationError('the provided network does not match the current range');
}
