import type { JsonObject, KubeObject } from '../../machinery/json.js';
import { str } from '../access.js';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;
/** What a duration of 64 bits in nanoseconds can hold, in seconds: 292 years. */
const LONGEST = 2 ** 63 / 1e9;

/**
 * A duration as people read it, in two or three significant figures: `119s`, `4m5s`, `7h10m`, `3d4h`, `2y35d`. Up to two
 * seconds below zero pass for differing clocks; before that it is `<invalid>`.
 */
export function humanDuration(milliseconds: number): string {
  const seconds = Math.trunc(Math.max(-LONGEST, Math.min(LONGEST, milliseconds / 1000)));
  if (seconds < -1) return '<invalid>';
  if (seconds < 2 * MINUTE) return `${Math.max(seconds, 0)}s`;
  if (seconds < 10 * MINUTE) return inUnits(seconds, MINUTE, 'm', 1, 's');
  if (seconds < 3 * HOUR) return `${Math.floor(seconds / MINUTE)}m`;
  if (seconds < 8 * HOUR) return inUnits(seconds, HOUR, 'h', MINUTE, 'm');
  if (seconds < 2 * DAY) return `${Math.floor(seconds / HOUR)}h`;
  if (seconds < 8 * DAY) return inUnits(seconds, DAY, 'd', HOUR, 'h');
  if (seconds < 2 * YEAR) return `${Math.floor(seconds / DAY)}d`;
  if (seconds < 8 * YEAR) return inUnits(seconds, YEAR, 'y', DAY, 'd');
  return `${Math.floor(seconds / YEAR)}y`;
}

function inUnits(seconds: number, large: number, largeName: string, small: number, smallName: string): string {
  const rest = Math.floor((seconds % large) / small);
  return `${Math.floor(seconds / large)}${largeName}${rest === 0 ? '' : `${rest}${smallName}`}`;
}

/** A field of type Time or MicroTime in milliseconds; undefined when it is not set. */
export function time(o: JsonObject | undefined, name: string): number | undefined {
  const at = Date.parse(str(o, name));
  return Number.isNaN(at) ? undefined : at;
}

/** How long ago the time in a field is; `<unknown>` when it is not set. */
export function since(o: JsonObject | undefined, name: string, now: number): string {
  const at = time(o, name);
  return at === undefined ? '<unknown>' : humanDuration(now - at);
}

/** The cell of the column Age. */
export const age = (object: KubeObject, now: number): string => since(object.metadata, 'creationTimestamp', now);
