import type { HealthEndpoint } from '../health/contract.js';
import type { MetricsRegistry } from './registry.js';

/** Counts the events of a watch: look it up when the watch starts, call it with the bytes of each event. */
export function watchMetrics(
  registry: MetricsRegistry,
): (group: string, version: string, resource: string) => (bytes: number) => void {
  const total = registry.counter('apiserver_watch_events_total');
  const sizes = registry.histogram('apiserver_watch_events_sizes');
  return (group, version, resource) => {
    const events = total.labels(group, resource, version);
    const size = sizes.labels(group, resource, version);
    return (bytes) => {
      events.inc();
      size.observe(bytes);
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
