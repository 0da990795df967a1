import type { ObjectFeed } from '../../auth/authorization/feed.js';
import type { Attributes } from '../../auth/contract.js';
import type { Clock, Timer } from '../../storage/clock.js';
import {
  allocateSeats,
  type Claim,
  type Demand,
  NO_SEATS,
  type SeatLimits,
  seatLimits,
  smoothDemand,
  widestRequest,
} from './concurrency.js';
import {
  CATCH_ALL,
  EXEMPT,
  FLOWCONTROL_GROUP,
  type FlowSchema,
  type LevelSettings,
  levelSettings,
  mandatoryConfiguration,
  type PriorityLevelConfiguration,
} from './configuration.js';
import type { FlowControl, FlowControlState, FlowMeters, FlowMetrics, FlowRequest, Seat } from './contract.js';
import { schemaMatcher } from './matcher.js';
import { type Flow, type FlowCounts, PriorityLevel, type ServerCounts, type Ticket } from './priority-level.js';
import { dealHand, flowHash } from './shuffle-sharding.js';
import { WatchCounts } from './watch-counts.js';
import {
  isMutation,
  listWork,
  mutatingWork,
  ONE_SEAT,
  type ResourceStats,
  readsCollection,
  type WorkEstimate,
} from './work-estimate.js';

export interface PriorityAndFairnessOptions {
  /** Seats of the server: `--max-requests-inflight` and `--max-mutating-requests-inflight` together. */
  readonly serverSeats: number;
  /** How long a request may wait in a queue that doesn't come with a timeout of its own. */
  readonly waitMs: number;
  readonly clock: Clock;
  /** undefined: not a resource that this server keeps. */
  readonly stats?: (group: string, resource: string) => ResourceStats | undefined;
  readonly metrics?: FlowMetrics;
}

const LONGEST_WAIT_MS = 60_000;
const REBALANCE_MS = 10_000;
const REMEMBERED_HANDS = 4096;
const READ_ONLY = new Set(['get', 'list', 'watch']);
const NO_HAND: readonly number[] = [];
const UNTRACKED: Seat = { flowSchemaUID: undefined, priorityLevelUID: undefined, initialized() {}, release() {} };

/** A priority level and what it is entitled to. */
interface Level {
  settings: LevelSettings;
  readonly queues: PriorityLevel;
  limits: SeatLimits;
  /** 0: no bound of its own. */
  widest: number;
  demand: Demand;
  smoothed: number;
  target: number;
  /** Its configuration is gone; it goes when its last request has. */
  leaving: boolean;
}

/** A FlowSchema in force. */
interface Classifier extends Flow {
  readonly schema: FlowSchema;
  readonly level: Level;
  readonly matches: (attributes: Attributes) => boolean;
  readonly hands: Map<string, readonly number[]>;
}

interface Tally {
  readonly schema: string;
  readonly level: string;
  readonly counts: FlowCounts;
  readonly meters: FlowMeters | undefined;
}

/**
 * API Priority and Fairness: every request belongs to a flow by the first FlowSchema that matches it, and every flow to a
 * priority level that has a part of the server's seats. What the objects say is in force for the next request.
 */
export class PriorityAndFairness implements FlowControl {
  readonly #options: PriorityAndFairnessOptions;
  readonly #mandatory = mandatoryConfiguration();
  readonly #levelObjects = new Map<string, PriorityLevelConfiguration>();
  readonly #schemaObjects = new Map<string, { schema: FlowSchema; matches: Classifier['matches'] }>();
  readonly #levels = new Map<string, Level>();
  readonly #tallies = new Map<string, Tally>();
  readonly #watches = new WatchCounts();
  readonly #server: ServerCounts = {
    executing: { readOnly: 0, mutating: 0 },
    waiting: { readOnly: 0, mutating: 0 },
  };
  #classifiers: readonly Classifier[] = [];
  #catchAll!: Classifier;
  #fairFraction = 0;
  #stops: (() => void)[] = [];
  #timer: Timer;
  #closed = false;

  constructor(options: PriorityAndFairnessOptions) {
    this.#options = options;
    this.#configure();
    this.#timer = this.#nextRebalance();
  }

  /** Settles when the objects there are are in force. */
  async follow(feed: ObjectFeed): Promise<void> {
    const at = (resource: string) => ({ group: FLOWCONTROL_GROUP, resource });
    const levels = await feed.subscribe(at('prioritylevelconfigurations'), ({ type, object }) => {
      if (type === 'DELETED') this.#levelObjects.delete(object.metadata.name!);
      else this.#levelObjects.set(object.metadata.name!, object as unknown as PriorityLevelConfiguration);
      this.#configure();
    });
    this.#stops.push(levels);
    const schemas = await feed.subscribe(at('flowschemas'), ({ type, object }) => {
      const schema = object as unknown as FlowSchema;
      if (type === 'DELETED') this.#schemaObjects.delete(schema.metadata.name);
      else this.#schemaObjects.set(schema.metadata.name, { schema, matches: schemaMatcher(schema) });
      this.#configure();
    });
    this.#stops.push(schemas);
    if (this.#closed) this.close();
  }

  enter(request: FlowRequest): Seat | Promise<Seat> {
    const { attributes } = request;
    const watch = attributes.verb === 'watch';
    if (request.longRunning && !watch) return UNTRACKED;
    const flow = this.#classify(attributes);
    const { level } = flow;
    const mutation = isMutation(request);
    const admitted = level.queues.admit({
      flow,
      work: this.#estimate(request, flow, mutation),
      mutating: !READ_ONLY.has(attributes.verb),
      watch,
      hand: level.settings.queuing.queues > 1 ? handOf(flow, attributes) : NO_HAND,
      waitMs: this.#waitMs(request),
      request,
    });
    if (!watch) return admitted;
    const register = (ticket: Ticket): Seat => {
      ticket.onRelease = this.#watches.add(attributes);
      return ticket;
    };
    return admitted instanceof Promise ? admitted.then(register) : register(admitted);
  }

  close(): void {
    this.#closed = true;
    this.#timer.cancel();
    for (const stop of this.#stops.splice(0)) stop();
  }

  state(): FlowControlState {
    return {
      levels: [...this.#levels.values()].map(levelState),
      flows: [...this.#tallies.values()].map(({ schema, level, counts }) => ({
        flowSchema: schema,
        priorityLevel: level,
        ...counts,
      })),
      fairFraction: this.#fairFraction,
      executing: { ...this.#server.executing },
      waiting: { ...this.#server.waiting },
    };
  }

  #classify(attributes: Attributes): Classifier {
    for (const classifier of this.#classifiers) if (classifier.matches(attributes)) return classifier;
    return this.#catchAll;
  }

  #estimate(request: FlowRequest, { level, meters }: Classifier, mutation: boolean): WorkEstimate {
    const { group, resource } = request.attributes;
    let work = ONE_SEAT;
    if (mutation) {
      const watches = this.#watches.interestedIn(request.attributes);
      meters?.watchesInterested(watches);
      work = mutatingWork(watches, level.widest);
    } else if (readsCollection(request)) {
      work = listWork(request, this.#options.stats?.(group, resource), level.widest);
    }
    meters?.estimated(Math.max(work.seats, work.finalSeats));
    return work;
  }

  #waitMs({ attributes, timeoutMs }: FlowRequest): number {
    const own = attributes.verb === 'watch' || timeoutMs === undefined ? this.#options.waitMs : timeoutMs / 4;
    return Math.min(own, LONGEST_WAIT_MS);
  }

  /** Puts in force what the objects say. */
  #configure(): void {
    const settings = new Map<string, LevelSettings>();
    for (const object of this.#levelObjects.values()) {
      const found = levelSettings(object);
      if (found) settings.set(found.name, found);
    }
    const schemas = [...this.#schemaObjects.values()]
      .filter(({ schema }) => settings.has(schema.spec.priorityLevelConfiguration.name))
      .sort((a, b) => bySchema(a.schema, b.schema));
    // What must be there is imagined as long as it isn't.
    for (const object of this.#mandatory.levels) {
      const { name } = object.metadata;
      if (!settings.has(name)) settings.set(name, { ...levelSettings(object)!, uid: '' });
    }
    const { exempt, catchAll } = this.#mandatory.schemas;
    const has = (name: string) => schemas.some((s) => s.schema.metadata.name === name);
    if (!has(EXEMPT)) schemas.unshift({ schema: exempt, matches: schemaMatcher(exempt) });
    if (!has(CATCH_ALL)) schemas.push({ schema: catchAll, matches: schemaMatcher(catchAll) });

    this.#setLevels(settings);
    this.#classifiers = schemas.map(({ schema, matches }) => this.#classifier(schema, matches));
    this.#catchAll = this.#classifiers.find((c) => c.schema.metadata.name === CATCH_ALL)!;
    const inUse = new Set(this.#classifiers.map((c) => c.counts));
    for (const [key, { counts }] of this.#tallies) {
      if (!inUse.has(counts) && counts.executingSeats === 0 && counts.waiting === 0) this.#tallies.delete(key);
    }
  }

  #classifier(schema: FlowSchema, matches: Classifier['matches']): Classifier {
    const level = this.#levels.get(schema.spec.priorityLevelConfiguration.name)!;
    const { counts, meters } = this.#tally(schema.metadata.name, level.settings.name);
    return {
      schema,
      level,
      matches,
      counts,
      meters,
      hands: new Map(),
      flowSchemaUID: schema.metadata.uid ?? '',
      priorityLevelUID: level.settings.uid,
    };
  }

  #tally(schema: string, level: string): Tally {
    const key = `${schema}/${level}`;
    let tally = this.#tallies.get(key);
    if (!tally) {
      const counts = { executing: 0, executingSeats: 0, waiting: 0, waitingSeats: 0 };
      tally = { schema, level, counts, meters: this.#options.metrics?.of(schema, level) };
      this.#tallies.set(key, tally);
    }
    return tally;
  }

  #setLevels(wanted: ReadonlyMap<string, LevelSettings>): void {
    for (const settings of wanted.values()) {
      const { name, exempt, queuing } = settings;
      const level = this.#levels.get(name);
      if (level) {
        level.settings = settings;
        level.queues.queuing = queuing;
        level.leaving = false;
        level.queues.onIdle = undefined;
        continue;
      }
      this.#levels.set(name, {
        settings,
        queues: new PriorityLevel(exempt, queuing, this.#options.clock, this.#server),
        limits: NO_SEATS,
        widest: 0,
        demand: { highWatermark: 0, average: 0, deviation: 0 },
        smoothed: 0,
        target: 0,
        leaving: false,
      });
    }
    for (const [name, level] of this.#levels) {
      if (wanted.has(name)) continue;
      if (level.queues.idle) this.#levels.delete(name);
      else {
        level.leaving = true;
        level.queues.onIdle = () => this.#configure();
      }
    }
    this.#entitle();
  }

  /** Tells every level what it is entitled to, and gives the new ones their first seats. */
  #entitle(): void {
    const levels = [...this.#levels.values()];
    const limits = seatLimits(
      levels.map((l) => l.settings),
      this.#options.serverSeats,
    );
    let changed = false;
    levels.forEach((level, i) => {
      const { nominal, lower, upper } = limits[i]!;
      const { exempt, queuing } = level.settings;
      const before = level.limits;
      changed ||= before.nominal !== nominal || before.lower !== lower || before.upper !== upper;
      level.limits = limits[i]!;
      level.widest = queuing.queues > 0 && !exempt ? widestRequest(level.limits, queuing.handSize) : 0;
    });
    if (changed) this.#rebalance();
  }

  #nextRebalance(): Timer {
    return this.#options.clock.setTimeout(() => {
      this.#rebalance();
      this.#timer = this.#nextRebalance();
    }, REBALANCE_MS);
  }

  /** Lends the seats that some levels don't need to those that do. */
  #rebalance(): void {
    const now = this.#options.clock.now();
    const levels = [...this.#levels.values()];
    let left = levels.reduce((sum, l) => sum + l.limits.nominal, 0);
    const nominalSeats = left;
    const shared: { level: Level; claim: Claim }[] = [];
    for (const level of levels) {
      const { nominal, lower: least, upper } = level.limits;
      level.demand = level.queues.demand.take(now);
      level.smoothed = smoothDemand(level.smoothed, level.demand);
      const { highWatermark } = level.demand;
      if (level.settings.exempt) {
        level.target = Math.max(least, highWatermark);
        level.queues.limit = level.target;
        left -= level.target;
      } else {
        const lower = Math.max(least, Math.min(nominal, highWatermark));
        level.target = Math.max(lower, level.smoothed);
        shared.push({ level, claim: { lower, upper, target: level.target } });
      }
    }
    this.#share(left, nominalSeats, shared);
  }

  #share(left: number, nominalSeats: number, shared: readonly { level: Level; claim: Claim }[]): void {
    const least = shared.reduce((sum, { level }) => sum + level.limits.lower, 0);
    const wanted = shared.reduce((sum, { claim }) => sum + claim.lower, 0);
    this.#fairFraction = 0;
    if (left <= wanted) {
      // Not even what is in use: everybody keeps the same part of what is beyond their least.
      const part = left <= least ? 0 : (left - least) / (wanted - least);
      for (const { level, claim } of shared) {
        const { lower } = level.limits;
        level.queues.limit = lower + Math.round((claim.lower - lower) * part);
      }
      return;
    }
    const allocated = allocateSeats(
      nominalSeats,
      shared.map((s) => s.claim),
    );
    this.#fairFraction = allocated?.fraction ?? 0;
    shared.forEach(({ level }, i) => {
      level.queues.limit = Math.round(allocated ? allocated.given[i]! : level.queues.limit || level.limits.nominal);
    });
  }
}

function bySchema(a: FlowSchema, b: FlowSchema): number {
  const precedence = (s: FlowSchema) => s.spec.matchingPrecedence ?? 1000;
  return precedence(a) - precedence(b) || (a.metadata.name < b.metadata.name ? -1 : 1);
}

function handOf({ schema, level, hands }: Classifier, { user, namespace }: Attributes): readonly number[] {
  const method = schema.spec.distinguisherMethod?.type;
  const distinguisher = method === 'ByUser' ? user.name : method === 'ByNamespace' ? namespace : '';
  let hand = hands.get(distinguisher);
  if (!hand) {
    const { queues, handSize } = level.settings.queuing;
    hand = dealHand(flowHash(schema.metadata.name, distinguisher), queues, handSize);
    if (hands.size >= REMEMBERED_HANDS) hands.clear();
    hands.set(distinguisher, hand);
  }
  return hand;
}

function levelState({ settings, limits, queues, target, demand, smoothed }: Level): FlowControlState['levels'][number] {
  return {
    priorityLevel: settings.name,
    nominalSeats: limits.nominal,
    lowerSeats: limits.lower,
    upperSeats: limits.upper,
    currentSeats: queues.limit,
    targetSeats: target,
    demand: { ...demand, smoothed },
    seatsInUse: queues.seatsInUse,
    executing: queues.executing,
    waiting: queues.waiting,
  };
}
