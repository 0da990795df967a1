import { StatusError } from '../../../machinery/errors.js';
import { compareBytes } from '../../../machinery/go-format.js';
import type { KubeObject } from '../../../machinery/json.js';
import { Quantity } from '../../../machinery/quantity.js';
import type { AdmissionAttributes } from '../../contract.js';
import { rejectedBy } from '../../errors.js';
import { addInto, type ResourceList } from '../resource-list.js';
import type { LimitedResource } from './configuration.js';
import type { Evaluator, ScopeSelector } from './evaluator.js';
import { inScopes, type QuotaState } from './quota-state.js';

const ZERO = Quantity.of(0);

/** A write that a namespace's quotas have a say in. */
export interface QuotaRequest {
  readonly attributes: AdmissionAttributes;
  readonly object: KubeObject;
  readonly evaluator: Evaluator;
  readonly usage: ResourceList;
  /** Of the stored object, on updates. */
  readonly usageBefore: ResourceList | undefined;
}

/**
 * The new usage of each quota that a write takes from, by the quota's name; empty when it takes nothing.
 *
 * @throws 403 when a quota has not that much left, does not know what is used, or needs the object to say more
 */
export function checkRequest(
  request: QuotaRequest,
  quotas: readonly QuotaState[],
  limited: readonly LimitedResource[],
): Map<string, ResourceList> {
  const { attributes: a, object, evaluator } = request;
  const matching = quotas.filter((q) => matches(evaluator, q, object));
  for (const quota of matching) demandKnown(a, evaluator, quota, object);
  const negative = [...request.usage].filter(([, q]) => q.sign() < 0).map(([name]) => name);
  if (negative.length > 0) throw rejectedBy(a, `quota usage is negative for resource(s): ${names(negative)}`);

  // What an object used already counts only where it was counted before.
  const { oldObject } = a;
  const grown = request.usageBefore ? difference(request.usage, request.usageBefore) : request.usage;
  const wants = new Map<QuotaState, ResourceList>();
  for (const quota of matching) {
    const counted = oldObject && request.usageBefore && matches(evaluator, quota, oldObject);
    const delta = nonZero(counted ? grown : request.usage);
    if (delta.size > 0) wants.set(quota, delta);
  }
  if (matching.length > 0 ? wants.size === 0 : nonZero(grown).size === 0) return new Map();
  demandCovered(request, quotas, matching, limited);

  const out = new Map<string, ResourceList>();
  for (const [quota, delta] of wants) {
    const requested = new Map([...delta].filter(([name]) => quota.hard.has(name)));
    const used = new Map(quota.used);
    addInto(used, requested);
    if (a.subresource !== 'status') demandRoom(a, quota, requested, used);
    out.set(quota.name, used);
  }
  return out;
}

function matches(evaluator: Evaluator, quota: QuotaState, object: KubeObject): boolean {
  return evaluator.counts([...quota.hard.keys()]).length > 0 && inScopes(evaluator, quota.scopes, object);
}

function demandKnown(a: AdmissionAttributes, evaluator: Evaluator, quota: QuotaState, object: KubeObject): void {
  const counted = evaluator.counts([...quota.hard.keys()]);
  const lack = evaluator.lacks?.(counted, object);
  if (lack) throw rejectedBy(a, `failed quota: ${quota.name}: ${lack}`);
  if (counted.every((name) => quota.used.has(name))) return;
  throw rejectedBy(a, `status unknown for quota: ${quota.name}, resources: ${names(counted)}`);
}

function demandRoom(a: AdmissionAttributes, quota: QuotaState, requested: ResourceList, used: ResourceList): void {
  const exceeded = [...requested.keys()].filter((name) => used.get(name)!.compare(quota.hard.get(name)!) > 0);
  if (exceeded.length === 0) return;
  const shown = (amounts: ResourceList) =>
    exceeded
      .filter((name) => amounts.has(name))
      .sort(compareBytes)
      .map((name) => `${name}=${amounts.get(name)}`)
      .join(',');
  const text = `requested: ${shown(requested)}, used: ${shown(quota.used)}, limited: ${shown(quota.hard)}`;
  throw rejectedBy(a, `exceeded quota: ${quota.name}, ${text}`);
}

/** What the administrator limited must be covered by some quota. */
function demandCovered(
  { attributes: a, object, evaluator, usage }: QuotaRequest,
  quotas: readonly QuotaState[],
  matching: readonly QuotaState[],
  limited: readonly LimitedResource[],
): void {
  if (limited.length === 0) return;
  const { group, resource } = a.resource;
  const parts = limited.filter((l) => l.group === group && l.resource === resource).flatMap((l) => l.matchContains);
  const limitedNames = [...usage]
    .filter(([name, q]) => q.sign() > 0 && parts.some((part) => name.includes(part)))
    .map(([name]) => name);
  const covered = new Set(matching.flatMap((q) => evaluator.counts([...q.hard.keys()])));
  const uncovered = limitedNames.filter((name) => !covered.has(name));
  if (uncovered.length > 0) throw rejectedBy(a, `insufficient quota to consume: ${names(uncovered)}`);

  const matched = (selectors: readonly ScopeSelector[]) =>
    selectors.filter((selector) => evaluator.matchesScope?.(selector, object));
  const limitedScopes = matched(limited.flatMap((l) => l.matchScopes));
  const coveredScopes = new Set(quotas.flatMap((q) => matched(q.scopes)).map((s) => s.scopeName));
  const open = limitedScopes.filter((s) => !coveredScopes.has(s.scopeName));
  if (open.length === 0) return;
  const shown = open.map((s) => `{${s.scopeName} ${s.operator} [${s.values.join(' ')}]}`).join(' ');
  throw new StatusError(500, '', `insufficient quota to match these scopes: [${shown}]`);
}

const names = (list: readonly string[]): string => [...list].sort(compareBytes).join(',');

/** What there is more of; less counts as nothing. */
function difference(now: ResourceList, before: ResourceList): ResourceList {
  return new Map(
    [...now].map(([name, q]) => {
      const more = q.sub(before.get(name) ?? ZERO);
      return [name, more.sign() > 0 ? more : ZERO];
    }),
  );
}

const nonZero = (amounts: ResourceList): ResourceList => new Map([...amounts].filter(([, q]) => !q.isZero()));
