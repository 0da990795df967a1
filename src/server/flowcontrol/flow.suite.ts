import { MemoryFeed } from '../../auth/authorization/memory-feed.suite.js';
import type { Attributes, UserInfo } from '../../auth/contract.js';
import { StatusError } from '../../machinery/errors.js';
import type { KubeObject } from '../../machinery/json.js';
import { readCatalogFile } from '../../machinery/scheme/catalog.js';
import { FakeClock } from '../../storage/fake-clock.suite.js';
import { FLOWCONTROL_GROUP, type PolicyRule, type Queuing, type Subject } from './configuration.js';
import type { FlowMeters, FlowMetrics, FlowRequest, Seat } from './contract.js';
import { PriorityAndFairness, type PriorityAndFairnessOptions } from './priority-and-fairness.js';

// Short constructors for the tests of this folder.

export const SCHEMAS = { group: FLOWCONTROL_GROUP, resource: 'flowschemas' };
export const LEVELS = { group: FLOWCONTROL_GROUP, resource: 'prioritylevelconfigurations' };

export const someone = (name: string, ...groups: string[]): UserInfo => ({
  name,
  groups: [...groups, 'system:authenticated'],
});

/** What somebody asks for: `resource/subresource` in a namespace, or a path. */
export function asks(user: UserInfo, verb: string, what: string, more: Partial<Attributes> = {}): Attributes {
  const isPath = what.startsWith('/');
  const [resource = '', subresource = ''] = isPath ? [] : what.split('/');
  const common = { user, verb, isResourceRequest: !isPath, group: '', version: isPath ? '' : 'v1', name: '' };
  return { ...common, resource, subresource, namespace: isPath ? '' : 'default', path: isPath ? what : '', ...more };
}

export function wants(
  user: UserInfo,
  verb: string,
  what: string,
  more: Partial<Attributes> = {},
  request: Partial<FlowRequest> = {},
): FlowRequest {
  return { attributes: asks(user, verb, what, more), longRunning: verb === 'watch', ...request };
}

export const EVERYTHING: Pick<PolicyRule, 'resourceRules' | 'nonResourceRules'> = {
  resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], clusterScope: true, namespaces: ['*'] }],
  nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
};

export const toUser = (name: string): Subject => ({ kind: 'User', user: { name } });
export const toGroup = (name: string): Subject => ({ kind: 'Group', group: { name } });
export const toAccount = (namespace: string, name: string): Subject => ({
  kind: 'ServiceAccount',
  serviceAccount: { namespace, name },
});

export function schema(name: string, level: string, subjects: readonly Subject[], more: object = {}): KubeObject {
  return {
    metadata: { name, uid: `fs-${name}` },
    spec: {
      priorityLevelConfiguration: { name: level },
      matchingPrecedence: 100,
      rules: [{ subjects, ...EVERYTHING }],
      ...more,
    },
  } as unknown as KubeObject;
}

export function level(name: string, shares: number, queuing?: Queuing, more: object = {}): KubeObject {
  return {
    metadata: { name, uid: `pl-${name}` },
    spec: {
      type: 'Limited',
      limited: {
        nominalConcurrencyShares: shares,
        lendablePercent: 0,
        limitResponse: queuing ? { type: 'Queue', queuing } : { type: 'Reject' },
        ...more,
      },
    },
  } as unknown as KubeObject;
}

/** The objects that every cluster starts with. */
export function bootstrapObjects(feed: MemoryFeed): void {
  const entries = JSON.parse(readCatalogFile('bootstrap.json')) as { path: string; object: KubeObject }[];
  for (const { path, object } of entries) {
    for (const [resource, prefix] of [
      [LEVELS, 'pl'],
      [SCHEMAS, 'fs'],
    ] as const) {
      if (path !== `/apis/${FLOWCONTROL_GROUP}/v1/${resource.resource}`) continue;
      feed.put(resource, { ...object, metadata: { ...object.metadata, uid: `${prefix}-${object.metadata.name}` } });
    }
  }
}

/** Writes down what is counted. */
export class RecordedMetrics implements FlowMetrics {
  readonly lines: string[] = [];

  of(flowSchema: string, priorityLevel: string): FlowMeters {
    const note = (what: string) => (a?: unknown, b?: unknown) => {
      this.lines.push([`${flowSchema}/${priorityLevel}`, what, a, b].filter((x) => x !== undefined).join(' '));
    };
    return {
      dispatched: note('dispatched'),
      rejected: note('rejected'),
      executed: note('executed'),
      estimated: note('estimated'),
      enqueued: note('enqueued'),
      notAccommodated: note('notAccommodated'),
      watchesInterested: note('watches'),
    };
  }
}

/** Priority and fairness over objects in memory, and a clock that stands still. */
export class FlowWorld {
  readonly feed = new MemoryFeed();
  readonly clock = new FakeClock();
  readonly metrics = new RecordedMetrics();
  readonly flow: PriorityAndFairness;

  private constructor(options: Partial<PriorityAndFairnessOptions>) {
    const { clock, metrics } = this;
    this.flow = new PriorityAndFairness({ serverSeats: 600, waitMs: 15_000, clock, metrics, ...options });
  }

  static async create(
    objects: 'bootstrap' | 'none' = 'bootstrap',
    options: Partial<PriorityAndFairnessOptions> = {},
  ): Promise<FlowWorld> {
    const world = new FlowWorld(options);
    if (objects === 'bootstrap') bootstrapObjects(world.feed);
    await world.flow.follow(world.feed);
    return world;
  }

  /** `flow schema → priority level` by UID; the request is over at once. */
  async classify(request: FlowRequest): Promise<string> {
    const seat = await this.flow.enter(request);
    seat.release();
    return `${seat.flowSchemaUID} → ${seat.priorityLevelUID}`;
  }

  level(name: string) {
    return this.flow.state().levels.find((l) => l.priorityLevel === name);
  }
}

/** A seat that must be free. */
export function seated(given: Seat | Promise<Seat>): Seat {
  if (given instanceof Promise) throw new Error('has to wait');
  return given;
}

/** What became of a request so far: `seated`, `waits`, or the refusal. */
export class Outcome {
  now = 'waits';
  seat: Seat | undefined;

  static of(enter: () => Seat | Promise<Seat>): Outcome {
    const outcome = new Outcome();
    const refused = (e: unknown) => {
      outcome.now = e instanceof StatusError ? `${e.code} ${e.headers['Retry-After']}` : `${e}`;
    };
    const got = (seat: Seat) => {
      outcome.now = 'seated';
      outcome.seat = seat;
    };
    try {
      const given = enter();
      if (given instanceof Promise) given.then(got, refused);
      else got(given);
    } catch (e) {
      refused(e);
    }
    return outcome;
  }
}

/** Lets promises settle. */
export const settle = (): Promise<void> => new Promise((done) => setImmediate(done));
