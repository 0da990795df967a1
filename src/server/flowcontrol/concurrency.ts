import type { LevelSettings } from './configuration.js';

/** How many seats a priority level has: by right, at least, and at most. */
export interface SeatLimits {
  readonly nominal: number;
  readonly lower: number;
  readonly upper: number;
}

export const NO_SEATS: SeatLimits = { nominal: 0, lower: 0, upper: 0 };

/** Divides the seats of the server by the shares of the priority levels. */
export function seatLimits(settings: readonly LevelSettings[], serverSeats: number): SeatLimits[] {
  const shareSum = settings.reduce((sum, s) => sum + s.shares, 0);
  return settings.map(({ shares, lendablePercent, borrowingLimitPercent }) => {
    const nominal = shareSum === 0 ? 0 : Math.ceil((serverSeats * shares) / shareSum);
    const lendable = Math.round((nominal * lendablePercent) / 100);
    const borrowable =
      borrowingLimitPercent === undefined ? serverSeats : Math.round((nominal * borrowingLimitPercent) / 100);
    return { nominal, lower: nominal - lendable, upper: nominal + borrowable };
  });
}

/** What one request may take of a level with queues at most: a sixth or so, and less than a hand of queues holds. */
export function widestRequest({ nominal }: SeatLimits, handSize: number): number {
  return Math.max(1, Math.min(Math.ceil(nominal * 0.15), Math.floor(nominal / handSize)));
}

export interface Demand {
  readonly highWatermark: number;
  readonly average: number;
  readonly deviation: number;
}

/** How many seats were wanted over time. */
export class DemandMeter {
  #wanted = 0;
  #since: number;
  #from: number;
  #sum = 0;
  #squares = 0;
  #high = 0;

  constructor(now: number) {
    this.#since = now;
    this.#from = now;
  }

  get wanted(): number {
    return this.#wanted;
  }

  add(seats: number, now: number): void {
    this.#settle(now);
    this.#wanted += seats;
    if (this.#wanted > this.#high) this.#high = this.#wanted;
  }

  /** Of the time since the last call. */
  take(now: number): Demand {
    this.#settle(now);
    const time = now - this.#from;
    const average = time > 0 ? this.#sum / time : this.#wanted;
    const variance = time > 0 ? this.#squares / time - average * average : 0;
    const demand = { highWatermark: this.#high, average, deviation: Math.sqrt(Math.max(0, variance)) };
    this.#sum = 0;
    this.#squares = 0;
    this.#high = this.#wanted;
    this.#from = now;
    return demand;
  }

  #settle(now: number): void {
    const time = now - this.#since;
    if (time > 0) {
      this.#sum += this.#wanted * time;
      this.#squares += this.#wanted * this.#wanted * time;
    }
    this.#since = now;
  }
}

const SMOOTHING = 0.977;

/** A rise of the demand counts at once, a fall over minutes. */
export function smoothDemand(before: number, { average, deviation }: Demand): number {
  const envelope = average + deviation;
  return Math.max(envelope, SMOOTHING * before + (1 - SMOOTHING) * envelope);
}

/** One of those who share seats. `lower` <= `target` and `lower` <= `upper`. */
export interface Claim {
  readonly lower: number;
  readonly upper: number;
  readonly target: number;
}

const SMALLEST_TARGET = 0.001;
/** What sums may be off by. */
const ROUNDING = 1e-6;

/**
 * Gives everybody the same fraction of their target, as far as their bounds allow, so that `total` is given in all.
 *
 * @returns undefined when the bounds don't allow that
 */
export function allocateSeats(
  total: number,
  claims: readonly Claim[],
): { given: number[]; fraction: number } | undefined {
  const targets = claims.map((c) => Math.max(c.target, SMALLEST_TARGET));
  const give = (fraction: number): number[] =>
    claims.map(({ lower, upper }, i) => Math.min(upper, Math.max(lower, fraction * targets[i]!)));
  const sum = (fraction: number): number => give(fraction).reduce((a, b) => a + b, 0);
  // The sum is linear between the fractions at which somebody meets a bound.
  const bends = claims.flatMap((c, i) => [c.lower / targets[i]!, c.upper / targets[i]!]).sort((a, b) => a - b);
  const first = bends[0];
  if (first === undefined || sum(first) > total + ROUNDING || sum(bends.at(-1)!) < total - ROUNDING) return undefined;
  let low = first;
  for (const high of bends) {
    const above = sum(high);
    if (above >= total - ROUNDING) {
      const below = sum(low);
      const part = above === below ? 1 : Math.max(0, Math.min(1, (total - below) / (above - below)));
      const fraction = low + (high - low) * part;
      return { given: give(fraction), fraction };
    }
    low = high;
  }
  return undefined;
}
