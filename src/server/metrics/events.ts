import type { HealthEndpoint } from '../health/contract.js';
import type { MetricsRegistry } from './registry.js';

/** What one watch tells about itself. */
export interface WatchMeter {
  sent(bytes: number): void;
  /** Its reader was too slow, and it was cut off. */
  terminated(): void;
}

/** Counts the events of watches: look the meter up when a watch starts, and tell it the bytes of each event. */
export function watchMetrics(
  registry: MetricsRegistry,
): (group: string, version: string, resource: string) => WatchMeter {
  const total = registry.counter('apiserver_watch_events_total');
  const sizes = registry.histogram('apiserver_watch_events_sizes');
  const slow = registry.counter('apiserver_terminated_watchers_total');
  return (group, version, resource) => {
    const events = total.labels(group, resource, version);
    const size = sizes.labels(group, resource, version);
    return {
      sent(bytes) {
        events.inc();
        size.observe(bytes);
      },
      terminated: () => slow.labels(group, resource).inc(),
    };
  };
}

/** Keeps `/metrics/slis`: the last result of each health check, and how often it was good or bad. */
export function healthMetrics(
  registry: MetricsRegistry,
): (endpoint: HealthEndpoint, name: string, healthy: boolean) => void {
  const last = registry.gauge('kubernetes_healthcheck');
  const total = registry.counter('kubernetes_healthchecks_total');
  return (endpoint, name, healthy) => {
    last.labels(name, endpoint).set(healthy ? 1 : 0);
    total.labels(name, healthy ? 'success' : 'error', endpoint).inc();
  };
}
