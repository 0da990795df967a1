import { channel } from 'node:diagnostics_channel';
import { changedPaths } from '../machinery/changed-paths.js';
import { cloneJson } from '../machinery/json.js';
import type { AdmissionAttributes, AdmissionPlugin } from './contract.js';

/** Published on the channel `porthole.admission` after each plugin that looked at a write. */
export interface PluginRecord {
  readonly attributes: AdmissionAttributes;
  readonly plugin: string;
  readonly phase: 'admit' | 'validate';
  readonly ms: number;
  /** JSON pointers of what it changed in the object. */
  readonly changed: readonly string[];
  /** Its rejection. */
  readonly error: unknown;
}

const plugins = channel('porthole.admission');

/** Runs one plugin. Costs one check when nobody listens. */
export function traced(
  plugin: AdmissionPlugin,
  phase: 'admit' | 'validate',
  attributes: AdmissionAttributes,
  run: (plugin: AdmissionPlugin) => Promise<void> | void,
): Promise<void> | void {
  return plugins.hasSubscribers ? observed(plugin, phase, attributes, run) : run(plugin);
}

async function observed(
  plugin: AdmissionPlugin,
  phase: 'admit' | 'validate',
  attributes: AdmissionAttributes,
  run: (plugin: AdmissionPlugin) => Promise<void> | void,
): Promise<void> {
  const before = attributes.object && phase === 'admit' ? cloneJson(attributes.object) : undefined;
  const started = performance.now();
  let error: unknown;
  try {
    await run(plugin);
  } catch (e) {
    error = e;
    throw e;
  } finally {
    const ms = performance.now() - started;
    const changed = before ? changedPaths(before, attributes.object) : [];
    plugins.publish({ attributes, plugin: plugin.name, phase, ms, changed, error } satisfies PluginRecord);
  }
}
