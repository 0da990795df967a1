import { readCatalogFile } from '../../machinery/scheme/catalog.js';
import type { HealthCheck, HealthChecks, HealthEndpoint } from './contract.js';

export interface HealthState {
  /** Whether everything that happens after the start is done: kube-apiserver's post-start hooks pass with it. */
  started(): boolean;
  /** Whether livez passes though that is not done yet (`--livez-grace-period`). */
  starting?(): boolean;
  /** By name of the check; those named here are asked whenever somebody asks, the others pass with `started`. */
  readonly checks: Readonly<Record<string, () => Promise<void> | void>>;
}

const ALWAYS = new Set(['ping', 'log', 'loopback-serving-certificate']);

/** The checks that kube-apiserver has, under the same names, since people have them in their probes. */
export function healthChecks(state: HealthState): HealthChecks {
  const make =
    (graceful: boolean) =>
    (name: string): HealthCheck => {
      const own = state.checks[name];
      if (own) return { name, check: own };
      return {
        name,
        check() {
          const passes = ALWAYS.has(name) || state.started() || (graceful && state.starting?.());
          if (!passes) throw new Error('not finished');
        },
      };
    };
  const names = readNames();
  return {
    healthz: names.healthz.map(make(false)),
    livez: names.livez.map(make(true)),
    readyz: names.readyz.map(make(false)),
  };
}

function readNames(): Record<HealthEndpoint, string[]> {
  const names: Record<HealthEndpoint, string[]> = { healthz: [], livez: [], readyz: [] };
  let current: string[] = [];
  for (const line of readCatalogFile('healthz.txt').split('\n')) {
    const section = /^\[(healthz|livez|readyz)\]$/.exec(line);
    if (section) current = names[section[1] as HealthEndpoint];
    else if (line !== '') current.push(line);
  }
  return names;
}
