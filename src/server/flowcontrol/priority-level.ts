import type { Clock, Timer } from '../../storage/clock.js';
import { DemandMeter } from './concurrency.js';
import type { Queuing } from './configuration.js';
import type { FlowMeters, FlowRequest, RejectReason, RequestCounts, Seat } from './contract.js';
import { RetryAfter } from './retry-after.js';
import { tooManyRequests } from './too-many-requests.js';
import type { WorkEstimate } from './work-estimate.js';

/** The requests of one FlowSchema at one priority level. */
export interface Flow {
  readonly flowSchemaUID: string;
  readonly priorityLevelUID: string;
  readonly counts: FlowCounts;
  readonly meters: FlowMeters | undefined;
}

export interface FlowCounts {
  executing: number;
  executingSeats: number;
  waiting: number;
  waitingSeats: number;
}

/** Requests of the whole server, to be counted by what they do. */
export interface ServerCounts {
  readonly executing: { -readonly [K in keyof RequestCounts]: number };
  readonly waiting: { -readonly [K in keyof RequestCounts]: number };
}

/** A request that asks to be worked on. */
export interface Applicant {
  readonly flow: Flow;
  readonly work: WorkEstimate;
  readonly mutating: boolean;
  readonly watch: boolean;
  /** Queues that it may stand in; empty: there is but one, or none. */
  readonly hand: readonly number[];
  readonly waitMs: number;
  /** Its signal is made when it is asked for, and most requests never wait. */
  readonly request: Pick<FlowRequest, 'signal'>;
}

/** What a request is charged in advance for each seat, and set right at its end. */
const EXPECTED_MS = 3;

/**
 * The seats of one priority level, and the queues for them.
 *
 * Queues take turns by start-time fair queuing: each has a tag, the seat-milliseconds that were spent on it since requests
 * began to wait; the smallest tag is next. As long as nobody waits nothing is remembered, so what somebody used while
 * nobody wanted it is never held against them.
 */
export class PriorityLevel {
  readonly exempt: boolean;
  readonly demand: DemandMeter;
  readonly #clock: Clock;
  readonly #server: ServerCounts;
  readonly #retryAfter = new RetryAfter();
  readonly #queues: Queue[] = [];
  /** Queues that somebody waits in. */
  readonly #backlog = new Set<Queue>();
  #queuing: Queuing;
  #limit = 0;
  #executing = 0;
  #seatsInUse = 0;
  #waiting = 0;
  /** Stretches of time in which somebody always waits, numbered. */
  #rush = 0;
  #rushBegan = 0;
  /** The highest tag that was served in this rush: where newcomers start. */
  #served = 0;
  /** Called when nothing is left to do. */
  onIdle: (() => void) | undefined;

  constructor(exempt: boolean, queuing: Queuing, clock: Clock, server: ServerCounts) {
    this.exempt = exempt;
    this.#queuing = queuing;
    this.#clock = clock;
    this.#server = server;
    this.demand = new DemandMeter(clock.now());
  }

  get limit(): number {
    return this.#limit;
  }

  set limit(seats: number) {
    this.#limit = seats;
    this.#dispatch();
  }

  /** Queues that are not meant to be any more are served until they are empty. */
  set queuing(queuing: Queuing) {
    this.#queuing = queuing;
    if (this.#queues.length > queuing.queues) this.#queues.length = queuing.queues;
  }

  get executing(): number {
    return this.#executing;
  }

  get seatsInUse(): number {
    return this.#seatsInUse;
  }

  get waiting(): number {
    return this.#waiting;
  }

  get idle(): boolean {
    return this.#executing === 0 && this.#waiting === 0 && this.#seatsInUse === 0;
  }

  /** Gives a seat, or a promise of one. Throws the 429, or rejects with it. */
  admit(applicant: Applicant): Ticket | Promise<Ticket> {
    const now = this.#clock.now();
    const ticket = new Ticket(this, applicant);
    const queued = this.#queuing.queues > 0;
    if (queued) ticket.queue = this.#queueFor(applicant.hand);
    if (this.#backlog.size === 0 || !queued) {
      if (this.#fits(ticket.seats)) {
        this.demand.add(ticket.seats, now);
        this.#start(ticket, now, undefined);
        return ticket;
      }
      if (!queued) throw this.#refusal(ticket, 'concurrency-limit', now, undefined);
    }
    if (applicant.request.signal?.aborted) throw this.#refusal(ticket, 'cancelled', now, undefined);
    const { waiting } = ticket.queue!;
    if (waiting.length >= this.#queuing.queueLengthLimit && this.#seatsInUse >= this.#limit) {
      throw this.#refusal(ticket, 'queue-full', now, undefined);
    }
    return this.#enqueue(ticket, applicant, now);
  }

  /** Something to be told to a request that is refused. */
  #refusal({ flow }: Ticket, reason: RejectReason, now: number, waited: number | undefined): Error {
    this.#retryAfter.refused(now);
    flow.meters?.rejected(reason, waited);
    return tooManyRequests(this.#retryAfter.seconds, flow);
  }

  /** A request that is wider than all the seats is let in when it is alone. */
  #fits(seats: number): boolean {
    if (this.exempt || this.#seatsInUse + seats <= this.#limit) return true;
    return seats > this.#limit && this.#seatsInUse === 0;
  }

  #queueFor(hand: readonly number[]): Queue {
    let best = this.#queue(hand[0] ?? 0);
    for (let i = 1; i < hand.length && best.seats > 0; i++) {
      const queue = this.#queue(hand[i]!);
      if (queue.seats < best.seats) best = queue;
    }
    return best;
  }

  #queue(index: number): Queue {
    this.#queues[index] ??= new Queue();
    return this.#queues[index];
  }

  #enqueue(ticket: Ticket, { waitMs, request: { signal } }: Applicant, now: number): Promise<Ticket> {
    const queue = ticket.queue!;
    if (this.#backlog.size === 0) {
      this.#rush++;
      this.#rushBegan = now;
      this.#served = 0;
    }
    queue.enter(this.#rush);
    if (queue.waiting.length === 0) {
      // Time in which a queue wanted nothing is not saved up.
      queue.tag = queue.executing === 0 ? this.#served : Math.max(queue.tag, this.#served);
      this.#backlog.add(queue);
    }
    queue.waiting.push(ticket);
    queue.seats += ticket.seats;
    this.#countWaiting(ticket, 1);
    this.demand.add(ticket.seats, now);
    ticket.flow.meters?.enqueued(queue.waiting.length);
    return new Promise((resolve, reject) => {
      const leave = (reason: RejectReason): void => {
        const then = this.#clock.now();
        this.#leave(ticket, then);
        reject(this.#refusal(ticket, reason, then, then - now));
        this.#dispatch();
        if (this.idle) this.onIdle?.();
      };
      const timer = this.#clock.setTimeout(() => leave('time-out'), waitMs);
      const gone = (): void => leave('cancelled');
      signal?.addEventListener('abort', gone);
      const settle = (): void => {
        timer.cancel();
        signal?.removeEventListener('abort', gone);
      };
      ticket.place = { since: now, settle, seated: () => resolve(ticket) };
      this.#dispatch();
    });
  }

  /** Out of the queue, one way or another. */
  #leave(ticket: Ticket, now: number, at = ticket.queue!.waiting.indexOf(ticket)): void {
    const queue = ticket.queue!;
    queue.waiting.splice(at, 1);
    if (queue.waiting.length === 0) this.#backlog.delete(queue);
    queue.seats -= ticket.seats;
    this.#countWaiting(ticket, -1);
    this.demand.add(-ticket.seats, now);
    ticket.place!.settle();
    ticket.place = undefined;
  }

  #dispatch(): void {
    while (this.#backlog.size > 0) {
      const queue = this.#next();
      const ticket = queue.waiting[0]!;
      if (!this.#fits(ticket.seats)) {
        // Nobody overtakes it: else a wide request would wait for ever.
        ticket.flow.meters?.notAccommodated();
        return;
      }
      const now = this.#clock.now();
      const { since, seated } = ticket.place!;
      this.#leave(ticket, now, 0);
      this.#served = Math.max(this.#served, queue.tag);
      queue.tag += ticket.seats * EXPECTED_MS;
      ticket.rush = this.#rush;
      this.demand.add(ticket.seats, now);
      this.#start(ticket, now, now - since);
      seated();
    }
  }

  #next(): Queue {
    let next: Queue | undefined;
    for (const queue of this.#backlog) {
      if (!next || queue.tag < next.tag || (queue.tag === next.tag && queue.executing < next.executing)) next = queue;
    }
    return next!;
  }

  #start(ticket: Ticket, now: number, waited: number | undefined): void {
    const { flow, queue, seats } = ticket;
    ticket.started = now;
    this.#executing++;
    this.#seatsInUse += seats;
    flow.counts.executing++;
    flow.counts.executingSeats += seats;
    this.#server.executing[ticket.kind]++;
    if (queue) {
      queue.executing++;
      queue.seats += seats;
    }
    flow.meters?.dispatched(waited);
  }

  /** The work on a request is done; what it leaves behind may take seats for a while. */
  finish(ticket: Ticket): Timer | undefined {
    const now = this.#clock.now();
    this.#executing--;
    ticket.flow.counts.executing--;
    this.#server.executing[ticket.kind]--;
    ticket.flow.meters?.executed(now - ticket.started, ticket.watch ? 'watch' : 'regular');
    const { finalSeats, finalMs } = ticket.work;
    if (finalSeats === 0) {
      this.#giveBack(ticket, ticket.seats, now);
      return undefined;
    }
    if (ticket.seats > finalSeats) {
      this.#release(ticket, ticket.seats - finalSeats, now);
      this.#dispatch();
    }
    return this.#clock.setTimeout(() => this.#giveBack(ticket, finalSeats, this.#clock.now()), finalMs);
  }

  #giveBack(ticket: Ticket, seats: number, now: number): void {
    const { queue } = ticket;
    this.#release(ticket, seats, now);
    if (queue) {
      queue.executing--;
      if (this.#backlog.size > 0) this.#charge(ticket, queue, now);
    }
    this.#dispatch();
    if (this.onIdle && this.idle) this.onIdle();
  }

  #release({ flow, queue }: Ticket, seats: number, now: number): void {
    this.#seatsInUse -= seats;
    flow.counts.executingSeats -= seats;
    this.demand.add(-seats, now);
    if (queue) queue.seats -= seats;
  }

  /** What the request really took in this rush. */
  #charge(ticket: Ticket, queue: Queue, now: number): void {
    queue.enter(this.#rush);
    const expected = ticket.rush === this.#rush ? EXPECTED_MS : 0;
    // The clock may have been set back.
    const took = Math.max(0, now - Math.max(ticket.started, this.#rushBegan));
    queue.tag += ticket.seats * (took - expected);
  }

  #countWaiting({ flow, kind, seats }: Ticket, by: 1 | -1): void {
    this.#waiting += by;
    flow.counts.waiting += by;
    flow.counts.waitingSeats += by * seats;
    this.#server.waiting[kind] += by;
  }
}

class Queue {
  readonly waiting: Ticket[] = [];
  executing = 0;
  /** Of those that wait and those that are worked on. */
  seats = 0;
  tag = 0;
  #rush = 0;

  enter(rush: number): void {
    if (this.#rush === rush) return;
    this.#rush = rush;
    this.tag = 0;
  }
}

/** A request at its priority level: first in a queue maybe, then on its seats. */
export class Ticket implements Seat {
  readonly #level: PriorityLevel;
  readonly flow: Flow;
  readonly work: WorkEstimate;
  readonly seats: number;
  readonly kind: keyof RequestCounts;
  readonly watch: boolean;
  queue: Queue | undefined;
  /** While it waits. */
  place: { readonly since: number; readonly settle: () => void; readonly seated: () => void } | undefined;
  started = 0;
  /** The rush that it came out of its queue in. */
  rush = 0;
  /** Called once, at the end of the request. */
  onRelease: (() => void) | undefined;
  #state: 'working' | 'streaming' | 'done' = 'working';

  constructor(level: PriorityLevel, { flow, work, mutating, watch }: Applicant) {
    this.#level = level;
    this.flow = flow;
    this.work = work;
    this.seats = Math.max(work.seats, work.finalSeats);
    this.kind = mutating ? 'mutating' : 'readOnly';
    this.watch = watch;
  }

  get flowSchemaUID(): string {
    return this.flow.flowSchemaUID;
  }

  get priorityLevelUID(): string {
    return this.flow.priorityLevelUID;
  }

  initialized(): void {
    if (this.#state !== 'working') return;
    this.#state = 'streaming';
    this.#level.finish(this);
  }

  release(): void {
    if (this.#state === 'done') return;
    const working = this.#state === 'working';
    this.#state = 'done';
    if (working) this.#level.finish(this);
    this.onRelease?.();
  }
}
