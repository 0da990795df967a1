import { AllocationError } from './address-allocator.js';

/** Inclusive. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** `30000-32767`, or `30000+2768`. @throws Error */
export function parsePortRange(text: string): PortRange {
  const match = /^(\d{1,5})([-+])(\d{1,5})$/.exec(text.trim());
  if (!match) throw new Error(`invalid port range ${JSON.stringify(text)}: want first-last`);
  const first = Number(match[1]);
  const last = match[2] === '-' ? Number(match[3]) : first + Number(match[3]) - 1;
  if (first < 1 || last > 65535 || last < first) throw new Error(`invalid port range ${JSON.stringify(text)}`);
  return { first, last };
}

const STATIC_MIN = 16;
const STATIC_MAX = 128;
const STATIC_SHARE = 32;

/** Hands out node ports. Which are in use is learned from the services; what is about to be is kept here. */
export class PortAllocator {
  readonly #range: PortRange;
  readonly #random: () => number;
  /** From here on ports are handed out first; those before are left to who asks for one by number (KEP-3668). */
  readonly #dynamic: number;
  /** How many services have a port; more than one only by an accident of the past. */
  readonly #used = new Map<number, number>();
  readonly #pending = new Set<number>();

  constructor(range: PortRange, random: () => number) {
    this.#range = range;
    this.#random = random;
    const size = range.last - range.first + 1;
    const share = Math.min(Math.max(STATIC_MIN, Math.floor(size / STATIC_SHARE)), STATIC_MAX);
    this.#dynamic = size <= STATIC_MIN ? range.first : range.first + share;
  }

  portUsed(port: number): void {
    this.#used.set(port, (this.#used.get(port) ?? 0) + 1);
  }

  portFreed(port: number): void {
    const count = (this.#used.get(port) ?? 0) - 1;
    if (count > 0) this.#used.set(port, count);
    else this.#used.delete(port);
  }

  has(port: number): boolean {
    return this.#used.has(port) || this.#pending.has(port);
  }

  /** @throws AllocationError */
  take(port: number): void {
    this.check(port);
    if (this.has(port)) throw new AllocationError('provided port is already allocated');
    this.#pending.add(port);
  }

  /** @throws AllocationError for a port outside of the range */
  check(port: number): void {
    const { first, last } = this.#range;
    if (port >= first && port <= last) return;
    throw new AllocationError(`provided port is not in the valid range. The range of valid ports is ${first}-${last}`);
  }

  /** @throws AllocationError */
  takeAny(): number {
    const { first, last } = this.#range;
    const port = this.#free(this.#dynamic, last) ?? this.#free(first, this.#dynamic - 1);
    if (port === undefined) throw new AllocationError('range is full');
    this.#pending.add(port);
    return port;
  }

  /** The write is over: a service has the port now, or nobody. */
  settle(ports: Iterable<number>): void {
    for (const port of ports) this.#pending.delete(port);
  }

  #free(from: number, to: number): number | undefined {
    const size = to - from + 1;
    const start = Math.floor(this.#random() * size);
    for (let i = 0; i < size; i++) {
      const port = from + ((start + i) % size);
      if (!this.has(port)) return port;
    }
    return undefined;
  }
}

/** The ports that one write takes. */
export interface PortTaker {
  /** @throws AllocationError */
  take(port: number): void;
  /** @throws AllocationError */
  takeAny(): number;
  /** Ends it, whether the write went through or not. */
  settle(): void;
}

export function portTaker(allocator: PortAllocator, dryRun: boolean): PortTaker {
  const taken = new Set<number>();
  if (!dryRun) {
    return {
      take(port) {
        allocator.take(port);
        taken.add(port);
      },
      takeAny() {
        const port = allocator.takeAny();
        taken.add(port);
        return port;
      },
      settle: () => allocator.settle(taken),
    };
  }
  return {
    take(port) {
      if (allocator.has(port) || taken.has(port)) throw new AllocationError('provided port is already allocated');
      taken.add(port);
    },
    // Nobody can have these: a dry run only shows that there would be some.
    takeAny() {
      const port = Math.max(FIRST_IMPOSSIBLE - 1, ...taken) + 1;
      taken.add(port);
      return port;
    },
    settle() {},
  };
}

const FIRST_IMPOSSIBLE = 32769;
