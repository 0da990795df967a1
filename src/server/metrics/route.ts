import type { Route } from '../request-path.js';
import { sendBytes } from '../respond/send.js';
import { processMetrics } from './process.js';
import type { MetricsRegistry } from './registry.js';

const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
const SLIS = new Set(['kubernetes_healthcheck', 'kubernetes_healthchecks_total']);

/** Answers `/metrics` and `/metrics/slis` in the text format of Prometheus; `refresh` looks up what is not counted as it happens. */
export function metricsRoute(registry: MetricsRegistry, refresh: () => Promise<void> = async () => {}): Route {
  return async (request) => {
    const { path } = request.info;
    if (path !== '/metrics' && path !== '/metrics/slis') return false;
    await refresh();
    const slis = path === '/metrics/slis';
    const text = slis
      ? registry.text((n) => SLIS.has(n))
      : registry.text((n) => !SLIS.has(n)) + (await processMetrics());
    await sendBytes(request, 200, Buffer.from(text), { contentType: CONTENT_TYPE });
    return true;
  };
}
