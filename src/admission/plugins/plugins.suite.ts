import { MemoryFeed } from '../../auth/authorization/memory-feed.suite.js';
import type { Attributes, Authorizer, Decision } from '../../auth/contract.js';
import { StatusError } from '../../machinery/errors.js';
import { cloneJson, type JsonObject, type KubeObject } from '../../machinery/json.js';
import type { AdmissionAttributes, AdmissionPlugin, Reinvocation } from '../contract.js';

/** Objects in memory that plugins look at. */
export const world = (): MemoryFeed => new MemoryFeed();

/** An object with that name, in namespace `n`. */
export const named = (name: string, more: JsonObject = {}, metadata: JsonObject = {}): KubeObject => ({
  metadata: { name, namespace: 'n', ...metadata },
  ...more,
});
export const clustered = (name: string, more: JsonObject = {}, metadata: JsonObject = {}): KubeObject =>
  named(name, more, { namespace: undefined, ...metadata });

/** A pod with one container. */
export const pod = (spec: JsonObject = {}, metadata: JsonObject = {}): KubeObject =>
  named('p', { spec: { containers: [{ name: 'c', image: 'i' }], ...spec } }, metadata);

const KINDS: Readonly<Record<string, string>> = {
  pods: 'Pod',
  namespaces: 'Namespace',
  events: 'Event',
  persistentvolumeclaims: 'PersistentVolumeClaim',
};

export interface Given extends Partial<AdmissionAttributes> {
  /** group/resource/subresource. */
  on: string;
}

/** Attributes of a create, or of an update when there is an old object; what plugins tell is collected. */
export function attributes({ on, ...more }: Given): AdmissionAttributes & { warnings: string[]; notes: JsonObject } {
  const [group = '', resource = '', subresource = ''] = on.split('/');
  const warnings: string[] = [];
  const notes: JsonObject = {};
  return {
    operation: more.oldObject ? 'UPDATE' : 'CREATE',
    kind: { group, version: 'v1', kind: KINDS[resource] ?? '' },
    resource: { group, version: 'v1', resource },
    subresource,
    namespace: resource === 'namespaces' ? '' : 'n',
    name: more.object?.metadata.name ?? '',
    object: undefined,
    oldObject: undefined,
    options: undefined,
    dryRun: false,
    user: { name: 'alice', groups: ['dev'] },
    namespaced: true,
    warn: (text) => warnings.push(text),
    annotate: (key, value) => {
      notes[key] = value;
    },
    signal: () => new AbortController().signal,
    ...more,
    warnings,
    notes,
  };
}

const ONCE: Reinvocation = { again: false, request() {}, memory: (_, make) => make() };

/** Runs both phases of a plugin, as the chain would. `text` is `ok`, or code and message of the rejection. */
export async function run(plugin: AdmissionPlugin, given: Given) {
  const a = attributes(given.object ? { ...given, object: cloneJson(given.object) } : given);
  let text = 'ok';
  try {
    if (plugin.handles(a.operation)) {
      await plugin.admit?.(a, ONCE);
      await plugin.validate?.(a);
    }
  } catch (e) {
    if (!(e instanceof StatusError)) throw e;
    text = `${e.code} ${e.message}`;
  }
  return { text, object: a.object, warnings: a.warnings, notes: a.notes };
}

/** The spec that a plugin makes of an object. Throws when it rejects it. */
export async function specAfter(plugin: AdmissionPlugin, given: Given): Promise<JsonObject> {
  const { text, object } = await run(plugin, given);
  if (text !== 'ok') throw new Error(text);
  return object?.spec as JsonObject;
}

/** Answers every question alike, and keeps what it was asked. */
export function authorizer(verdict: Decision['verdict'] | ((a: Attributes) => boolean)) {
  const asked: Attributes[] = [];
  const self: Authorizer = {
    name: 'test',
    authorize(a) {
      asked.push(a);
      if (typeof verdict === 'string') return { verdict, reason: 'because' };
      return { verdict: verdict(a) ? 'Allow' : 'NoOpinion', reason: 'because' };
    },
  };
  return Object.assign(self, { asked });
}
