import { list, num, obj, str } from '../../api/access.js';
import { StatusError } from '../../machinery/errors.js';
import { type FieldError, fieldErrorsMessage, invalidValue, notSupported, Path } from '../../machinery/field.js';
import type { AdmissionAttributes, AdmissionPlugin } from '../contract.js';
import { decodePluginConfiguration, type PluginConfiguration } from './configuration.js';

export interface EventLimit {
  readonly type: 'Server' | 'Namespace' | 'User' | 'SourceAndObject';
  /** Events a second, in the long run. */
  readonly qps: number;
  /** Events at once. */
  readonly burst: number;
  /** How many namespaces, users or sources are told apart; the one that was quiet for longest is forgotten. */
  readonly cacheSize: number;
}

const KEYS: Readonly<Record<EventLimit['type'], (a: AdmissionAttributes) => string>> = {
  Server: () => '',
  Namespace: (a) => a.namespace,
  User: (a) => a.user.name,
  SourceAndObject(a) {
    const source = obj(a.object, 'source');
    const object = obj(a.object, 'involvedObject');
    const fields = ['kind', 'namespace', 'name', 'uid', 'apiVersion'];
    return [str(source, 'component'), str(source, 'host'), ...fields.map((field) => str(object, field))].join('');
  },
};

export interface EventRateLimitDependencies {
  readonly limits: readonly EventLimit[];
  /** Milliseconds of a clock that only goes forward. */
  now(): number;
}

/** Events beyond a rate are refused, by server, namespace, user, or what they come from and are about. */
export function eventRateLimit({ limits, now }: EventRateLimitDependencies): AdmissionPlugin {
  const buckets = limits.map((limit) => new Buckets(limit, now));
  return {
    name: 'EventRateLimit',
    handles: (operation) => operation === 'CREATE' || operation === 'UPDATE',
    validate(a) {
      if (a.kind.group !== '' || a.kind.kind !== 'Event' || a.dryRun) return;
      const refused: string[] = [];
      for (const bucket of buckets) {
        const { type } = bucket.limit;
        const key = KEYS[type](a);
        if (!bucket.take(key)) refused.push(`limit reached on type ${type} for key ${key}`);
      }
      if (refused.length === 0) return;
      const text = refused.length === 1 ? refused[0]! : `[${refused.join(', ')}]`;
      throw new StatusError(429, 'TooManyRequests', text);
    },
  };
}

/** A token bucket for each key. */
class Buckets {
  readonly limit: EventLimit;
  readonly #now: () => number;
  /** In the order of their last use. */
  readonly #levels = new Map<string, { tokens: number; at: number }>();

  constructor(limit: EventLimit, now: () => number) {
    this.limit = limit;
    this.#now = now;
  }

  take(key: string): boolean {
    const { qps, burst, cacheSize } = this.limit;
    const now = this.#now();
    const known = this.#levels.get(key);
    this.#levels.delete(key);
    const full = known ? Math.min(burst, known.tokens + ((now - known.at) / 1000) * qps) : burst;
    const taken = full >= 1;
    this.#levels.set(key, { tokens: taken ? full - 1 : full, at: now });
    if (this.#levels.size > cacheSize) this.#levels.delete(this.#levels.keys().next().value!);
    return taken;
  }
}

const DEFAULT_CACHE = 4096;
const LIMIT = { type: 'string', qps: 'number', burst: 'number', cacheSize: 'number' } as const;

/**
 * eventratelimit.admission.k8s.io/v1alpha1 Configuration.
 *
 * @throws Error when there is none: the plugin makes no sense without limits
 */
export function eventLimits(given: PluginConfiguration | undefined): EventLimit[] {
  const versions = ['eventratelimit.admission.k8s.io/v1alpha1'];
  const value = given && decodePluginConfiguration(given, 'Configuration', versions, { limits: [LIMIT] });
  const at = new Path('limits');
  const limits = list(value, 'limits');
  const errors: FieldError[] = [];
  if (limits.length === 0) errors.push(invalidValue(at, null, 'must not be empty'));
  const out = limits.map((limit, i): EventLimit => {
    const here = at.index(i);
    const type = str(limit, 'type');
    const types = Object.keys(KEYS);
    if (!types.includes(type)) errors.push(notSupported(here.child('type'), type, types));
    for (const field of ['burst', 'qps']) {
      if (num(limit, field) <= 0) errors.push(invalidValue(here.child(field), num(limit, field), 'must be positive'));
    }
    const cacheSize = num(limit, 'cacheSize');
    if (type !== 'Server' && cacheSize < 0) {
      errors.push(invalidValue(here.child('cacheSize'), cacheSize, 'must not be negative'));
    }
    return {
      type: type as EventLimit['type'],
      qps: num(limit, 'qps'),
      burst: num(limit, 'burst'),
      cacheSize: cacheSize || DEFAULT_CACHE,
    };
  });
  if (errors.length > 0) throw new Error(fieldErrorsMessage(errors));
  return out;
}
