import type { Registry } from 'prom-client';

let registry: Registry | undefined;

/** Metrics of the process and its runtime (`process_*`, `nodejs_*`). Loaded, and measured, from the first call on. */
export async function processMetrics(): Promise<string> {
  if (!registry) {
    const { collectDefaultMetrics, Registry: Default } = await import('prom-client');
    registry = new Default();
    collectDefaultMetrics({ register: registry });
  }
  return registry.metrics();
}
