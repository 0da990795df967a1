import type { FlowRequest } from './contract.js';

/** What is known of the objects of a resource. */
export interface ResourceStats {
  readonly objects: number;
  /** Size of an object on average; leave it out where nobody keeps count. */
  readonly averageBytes?: number;
}

export interface WorkEstimate {
  /** Seats while the request is worked on. */
  readonly seats: number;
  /** Seats that are still taken for a while after it, by watchers that are being told. */
  readonly finalSeats: number;
  readonly finalMs: number;
}

const ONE_SEAT: WorkEstimate = { seats: 1, finalSeats: 0, finalMs: 0 };
const MOST_SEATS_BY_COUNT = 10;
const MOST_SEATS_BY_SIZE = 100;
const OBJECTS_PER_SEAT = 100;
const BYTES_PER_SEAT = 100_000;
/** A list from the cache is sent as it is encoded, never whole in memory. */
const CACHED_LIST_BYTES = 1_000_000;
const MOST_MUTATING_SEATS = 10;
const WATCHES_PER_SEAT = 10;
const EVENT_MS = 5;

const MUTATING = new Set(['create', 'update', 'patch', 'delete']);

/** Whether `mutatingWork` applies. */
export function isMutation({ attributes: { verb, resource, subresource } }: FlowRequest): boolean {
  // A token is not an event.
  return MUTATING.has(verb) && !(resource === 'serviceaccounts' && subresource === 'token');
}

/** Whether the request reads a collection, which `listWork` knows the width of. */
export function readsCollection({ attributes, sendInitialEvents, resourceVersion }: FlowRequest): boolean {
  if (attributes.verb === 'list') return true;
  return attributes.verb === 'watch' && (sendInitialEvents === true || !resourceVersion || resourceVersion === '0');
}

/**
 * @param stats undefined: not known here, so the work is somebody else's
 * @param widest what the priority level allows at most; 0: no bound of its own
 */
export function listWork(request: FlowRequest, stats: ResourceStats | undefined, widest: number): WorkEstimate {
  if (!stats) return ONE_SEAT;
  const bySize = stats.averageBytes !== undefined;
  const most = bySize ? MOST_SEATS_BY_SIZE : MOST_SEATS_BY_COUNT;
  const wanted = bySize
    ? seatsBySize(request, stats.objects, stats.averageBytes)
    : seatsByCount(request, stats.objects);
  const seats = Math.max(1, Math.min(wanted, widest === 0 ? most : Math.min(widest, most)));
  return seats === 1 ? ONE_SEAT : { seats, finalSeats: 0, finalMs: 0 };
}

function seatsByCount(request: FlowRequest, objects: number): number {
  let read = objects;
  if (request.attributes.name) read = 1;
  else if (!fromCache(request))
    read = (selects(request) ? objects : limited(request, objects)) + limited(request, objects);
  return Math.ceil(read / OBJECTS_PER_SEAT);
}

function seatsBySize(request: FlowRequest, objects: number, averageBytes: number): number {
  let read = limited(request, objects);
  if (request.attributes.name) read = 1;
  else if (!fromCache(request) && selects(request)) read = Math.max(read, Math.floor(objects / 2));
  const bytes = read * averageBytes;
  return Math.ceil((fromCache(request) ? Math.min(bytes, CACHED_LIST_BYTES) : bytes) / BYTES_PER_SEAT);
}

function limited({ limit }: FlowRequest, objects: number): number {
  return limit !== undefined && limit > 0 ? Math.min(limit, objects) : objects;
}

function selects({ attributes }: FlowRequest): boolean {
  return Boolean(attributes.fieldSelector || attributes.labelSelector);
}

/** States of the past are read from storage. */
function fromCache({ attributes, limit, resourceVersion, resourceVersionMatch, ...request }: FlowRequest): boolean {
  if (attributes.verb === 'watch' || resourceVersionMatch === 'NotOlderThan') return true;
  if (resourceVersionMatch || request.continue) return false;
  return !(limit && resourceVersion && resourceVersion !== '0');
}

/** @param watches how many will be told */
export function mutatingWork(watches: number, widest: number): WorkEstimate {
  if (watches < WATCHES_PER_SEAT) return ONE_SEAT;
  const wanted = Math.ceil(watches / WATCHES_PER_SEAT);
  const finalSeats = Math.min(wanted, widest === 0 ? MOST_MUTATING_SEATS : Math.min(widest, MOST_MUTATING_SEATS));
  return { seats: 1, finalSeats, finalMs: (wanted * EVENT_MS) / finalSeats };
}

export { ONE_SEAT };
