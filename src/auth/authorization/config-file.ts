import { parseYaml } from '../../machinery/codec/yaml/parse.js';
import { goQuote } from '../../machinery/go-format.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../../machinery/json.js';

/** What a value of a configuration file looks like; every field may be absent. A list holds the shape of its items. */
export type Shape = 'string' | 'boolean' | 'number' | 'any' | readonly [Shape] | { readonly [field: string]: Shape };

/**
 * Reads one configuration object, YAML or JSON, strictly: unknown and repeated fields and values of a wrong type are
 * errors, all of them named.
 * @param apiVersions the versions in which the kind is accepted
 * @param tolerate when given, is told about unknown and repeated fields instead
 * @throws Error
 */
export function decodeConfigFile(
  text: string,
  kind: string,
  apiVersions: readonly string[],
  shape: { readonly [field: string]: Shape },
  tolerate?: (faults: readonly string[]) => void,
): JsonObject {
  const { value, duplicates } = parseYaml(text);
  if (!isJsonObject(value)) throw new Error(`couldn't get version/kind; expected a ${kind}`);
  const { apiVersion = '', kind: given = '' } = value;
  if (given === '') throw new Error("Object 'Kind' is missing");
  if (apiVersion === '') throw new Error("Object 'apiVersion' is missing");
  if (given !== kind || typeof apiVersion !== 'string' || !apiVersions.includes(apiVersion)) {
    const known = `${kind} of ${apiVersions.join(', ')} is`;
    throw new Error(
      `no kind ${goQuote(String(given))} is registered for version ${goQuote(String(apiVersion))}; ${known}`,
    );
  }
  const unknown = [...duplicates];
  const wrong: string[] = [];
  checkShape(value, { apiVersion: 'string', kind: 'string', ...shape }, '', unknown, wrong);
  if (!tolerate || wrong.length > 0) {
    const faults = [...unknown, ...wrong];
    if (faults.length > 0) throw new Error(`strict decoding error: ${faults.join(', ')}`);
  } else if (unknown.length > 0) tolerate(unknown);
  return value;
}

function checkShape(
  value: JsonValue | undefined,
  shape: Shape,
  path: string,
  unknown: string[],
  wrong: string[],
): void {
  if (value === null || value === undefined || shape === 'any') return;
  if (typeof shape === 'string') {
    if (typeof value !== shape) wrong.push(`${path}: expected a ${shape}, found ${describe(value)}`);
  } else if (isList(shape)) {
    if (!Array.isArray(value)) wrong.push(`${path}: expected a list, found ${describe(value)}`);
    else for (const [i, item] of value.entries()) checkShape(item, shape[0], `${path}[${i}]`, unknown, wrong);
  } else if (!isJsonObject(value)) wrong.push(`${path}: expected an object, found ${describe(value)}`);
  else {
    for (const [field, one] of Object.entries(value)) {
      const at = path === '' ? field : `${path}.${field}`;
      if (Object.hasOwn(shape, field)) checkShape(one, shape[field]!, at, unknown, wrong);
      else unknown.push(`unknown field ${goQuote(at)}`);
    }
  }
}

const isList = (shape: Shape): shape is readonly [Shape] => Array.isArray(shape);
const describe = (value: JsonValue): string => (Array.isArray(value) ? 'a list' : `a ${typeof value}`);

const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1e3,
  m: 6e4,
  h: 36e5,
};

/** Milliseconds of a Go duration such as `1m30s`; undefined when it is none. */
export function durationMs(text: string): number | undefined {
  const sign = text.startsWith('-') ? -1 : 1;
  const body = text.replace(/^[+-]/, '');
  if (body === '0') return 0;
  let at = 0;
  let sum = 0;
  for (const match of body.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)) {
    if (match.index !== at) return undefined;
    at += match[0].length;
    sum += Number(match[1]) * UNITS[match[2]!]!;
  }
  return at > 0 && at === body.length ? sign * sum : undefined;
}

/** A duration as Go prints it: `1m30s`, `500ms`. */
export function goDuration(ms: number): string {
  if (ms === 0) return '0s';
  if (ms < 0) return `-${goDuration(-ms)}`;
  if (ms < 1000) return ms >= 1 ? `${trim(ms)}ms` : `${trim(ms * 1000)}µs`;
  const hours = Math.floor(ms / 36e5);
  const minutes = Math.floor((ms % 36e5) / 6e4);
  const seconds = `${trim((ms % 6e4) / 1000)}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}
const trim = (n: number): string => String(Number(n.toFixed(9)));
