// Strategies under test, without a server: what becomes of an object that a client sends, and what is wrong with it.
import { cloneJson, type JsonObject, type KubeObject, parseApiVersion } from '../machinery/json.js';
import { catalog } from '../machinery/scheme/catalog.js';
import { applyDefaults } from './defaulting/index.js';
import { strategyFor } from './index.js';
import { decodeMinimal, defaultGate, emulateReservation, NOW, testContext, UID } from './recorded.suite.js';
import type { Strategy } from './strategy.js';

export interface Written {
  readonly obj: KubeObject;
  /** Such as `spec.replicas: Invalid value: -1: must be …`. */
  readonly faults: string[];
  readonly warnings: string[];
}

function decoded(body: JsonObject): { obj: KubeObject; strategy: Strategy; kind: string } {
  const { group, version } = parseApiVersion(String(body.apiVersion));
  const kind = String(body.kind);
  const obj = decodeMinimal(group, version, kind, body);
  applyDefaults(catalog().byGvk(group, version, kind)!, obj, testContext());
  return { obj, strategy: strategyFor(group, kind), kind };
}

const gates = (on: readonly string[]) => ({ gate: (name: string) => on.includes(name) || defaultGate(name) });

/**
 * Creates the object in namespace `ns`, if its kind lives in one.
 *
 * @param on features beside those that are on by default
 */
export function create(body: JsonObject, ...on: string[]): Written {
  const { obj, strategy, kind } = decoded({ ...body, metadata: { name: 'x', ...(body.metadata as JsonObject) } });
  const ctx = testContext({ namespace: 'ns', requestVersion: String(body.apiVersion), ...gates(on) });
  Object.assign(obj.metadata, { namespace: 'ns', uid: UID, creationTimestamp: NOW });
  emulateReservation(kind, obj);
  strategy.prepareForCreate?.(ctx, obj);
  const faults = (strategy.validate?.(ctx, obj) ?? []).map(String);
  return { obj, faults, warnings: faults.length > 0 ? [] : (strategy.warningsOnCreate?.(ctx, obj) ?? []) };
}

/** Changes a stored object, as a client does that sends it whole. */
export function update(old: KubeObject, change: (obj: KubeObject) => void, subresource = '', ...on: string[]): Written {
  const stored = cloneJson(old);
  stored.metadata.resourceVersion = '1';
  const sent = cloneJson(stored);
  change(sent);
  const { obj, strategy, kind } = decoded(sent);
  const requestVersion = String(sent.apiVersion);
  const ctx = testContext({ namespace: 'ns', requestVersion, subresource, ...gates(on) });
  const hooks = subresource ? strategy.subresources?.[subresource] : strategy;
  if (!subresource) emulateReservation(kind, obj, stored);
  hooks?.prepareForUpdate?.(ctx, obj, stored);
  const faults = (hooks?.validateUpdate?.(ctx, obj, stored) ?? []).map(String);
  return { obj, faults, warnings: faults.length > 0 ? [] : (hooks?.warningsOnUpdate?.(ctx, obj, stored) ?? []) };
}

/** A value deep in an object, for changing it. */
export const part = (o: JsonObject, ...path: (string | number)[]): JsonObject =>
  path.reduce<JsonObject>((v, name) => v[name as string] as JsonObject, o);
