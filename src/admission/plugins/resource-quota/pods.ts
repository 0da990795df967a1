import { list, num, obj, ptr, str } from '../../../api/access.js';
import { qosOf } from '../../../api/core/pod/qos.js';
import { isExtended, isNative } from '../../../api/core/pod/resources.js';
import { compareBytes } from '../../../machinery/go-format.js';
import { equalJson, type JsonObject, type KubeObject } from '../../../machinery/json.js';
import { addOverhead, isPodLevelResource } from '../pod-resources.js';
import type { ResourceList } from '../resource-list.js';
import { countName, type Evaluator, type ScopeSelector, selects } from './evaluator.js';
import { ONE } from './object-count.js';
import { actualPodResources } from './pod-usage.js';

const PODS = { group: '', resource: 'pods' };
const COUNT = countName(PODS);
/** Counted as requests under their own name and with a prefix, and as limits. */
const COMPUTE = ['cpu', 'memory', 'ephemeral-storage'];
const NAMES = new Set([COUNT, 'pods', ...COMPUTE.flatMap((r) => [r, `requests.${r}`, `limits.${r}`])]);
const REQUESTS = 'requests.';
const IMPLICIT = 'deviceclass.resource.kubernetes.io/';

/** With a quota on one of these, each container must say what it needs (a habit older than quality of service). */
const MUST_SAY = ['cpu', 'memory'].flatMap((r) => [r, `requests.${r}`, `limits.${r}`]);

export interface PodEvaluatorDependencies {
  gate(name: 'PodLevelResources'): boolean;
  /** UTC now. */
  now(): Date;
}

/** Pods that have not run to their end, and what they may use; and `count/pods`, which counts the finished ones, too. */
export function pods({ gate, now }: PodEvaluatorDependencies): Evaluator {
  const isBestEffort = (pod: KubeObject) => qosOf(pod, gate('PodLevelResources')) === 'BestEffort';
  const isCounted = (pod: KubeObject): boolean => {
    if (['Failed', 'Succeeded'].includes(str(obj(pod, 'status'), 'phase'))) return false;
    const { deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata;
    if (!deletionTimestamp || deletionGracePeriodSeconds === undefined) return true;
    // Its node is lost: others must be able to take its place.
    return now().getTime() <= Date.parse(deletionTimestamp) + deletionGracePeriodSeconds * 1000;
  };
  return {
    resource: PODS,
    handles(a) {
      if (a.subresource === 'resize') return a.operation === 'UPDATE';
      if (a.subresource !== '') return false;
      return (
        a.operation === 'CREATE' || (a.operation === 'UPDATE' && isTerminating(a.object) !== isTerminating(a.oldObject))
      );
    },
    counts: (names) => names.filter((name) => NAMES.has(name) || isHugePages(name) || isExtendedRequest(name)),
    lacks(names, pod) {
      if (gate('PodLevelResources') && hasPodLevelResources(pod)) return undefined;
      return missing(
        names.filter((name) => MUST_SAY.includes(name)),
        pod,
      );
    },
    matchesScope(selector, pod) {
      switch (selector.scopeName) {
        case 'Terminating':
          return isTerminating(pod);
        case 'NotTerminating':
          return !isTerminating(pod);
        case 'BestEffort':
          return isBestEffort(pod);
        case 'NotBestEffort':
          return !isBestEffort(pod);
        case 'PriorityClass':
          return matchesPriority(selector, pod);
        case 'CrossNamespacePodAffinity':
          return looksAcrossNamespaces(pod);
        default:
          return false;
      }
    },
    usage(pod) {
      const usage: ResourceList = new Map([[COUNT, ONE]]);
      if (!isCounted(pod)) return usage;
      const podLevel = gate('PodLevelResources') ? isPodLevelResource : undefined;
      const requests = actualPodResources(pod, 'requests', podLevel);
      const limits = actualPodResources(pod, 'limits', podLevel);
      addOverhead(pod, 'requests', requests);
      addOverhead(pod, 'limits', limits);
      usage.set('pods', ONE);
      count(usage, requests, limits);
      return usage;
    },
    frees: (pod, old) =>
      isTerminating(pod) !== isTerminating(old) || (isCounted(old) && !isCounted(pod)) || resourcesChanged(pod, old),
    fleeting: (pod) => pod.metadata.deletionTimestamp !== undefined,
  };
}

function count(usage: ResourceList, requests: ResourceList, limits: ResourceList): void {
  for (const [name, q] of requests) {
    const extended = isExtended(name) || name.startsWith(IMPLICIT);
    const plain = COMPUTE.includes(name) || name.startsWith('hugepages-');
    if (plain) usage.set(name, q);
    if (plain || extended) usage.set(REQUESTS + name, q);
  }
  for (const [name, q] of limits) if (COMPUTE.includes(name)) usage.set(`limits.${name}`, q);
}

const isHugePages = (name: string): boolean =>
  name.startsWith('hugepages-') || name.startsWith(`${REQUESTS}hugepages-`);

/** `requests.<name>` of a resource that no node has by itself. */
export function isExtendedRequest(name: string): boolean {
  return name.startsWith(REQUESTS) && (!isNative(name) || name.startsWith(REQUESTS + IMPLICIT));
}

function hasPodLevelResources(pod: KubeObject): boolean {
  const own = obj(obj(pod, 'spec'), 'resources');
  return [...Object.keys(obj(own, 'requests')), ...Object.keys(obj(own, 'limits'))].some(isPodLevelResource);
}

/** Which containers do not say what they need of what. */
function missing(names: readonly string[], pod: KubeObject): string | undefined {
  const spec = obj(pod, 'spec');
  const containers = [...list(spec, 'containers'), ...list(spec, 'initContainers')];
  const parts = [...names].sort(compareBytes).flatMap((name) => {
    const side = name.startsWith('limits.') ? 'limits' : 'requests';
    const resource = name.replace(/^(requests|limits)\./, '');
    const silent = containers.filter((c) => !Object.hasOwn(obj(obj(c, 'resources'), side), resource));
    const who = [...new Set(silent.map((c) => str(c, 'name')))].sort(compareBytes);
    return who.length > 0 ? [`${name} for: ${who.join(',')}`] : [];
  });
  return parts.length > 0 ? `must specify ${parts.join('; ')}` : undefined;
}

/** It will be stopped after some time; not: it is being deleted. */
function isTerminating(pod: KubeObject | undefined): boolean {
  const spec = obj(pod, 'spec');
  return spec.activeDeadlineSeconds !== undefined && num(spec, 'activeDeadlineSeconds') >= 0;
}

function matchesPriority(selector: ScopeSelector, pod: KubeObject): boolean {
  const name = str(obj(pod, 'spec'), 'priorityClassName');
  return selects(selector, name ? [name] : []);
}

/** It wants to be near, or far from, pods of other namespaces. */
function looksAcrossNamespaces(pod: KubeObject): boolean {
  const affinity = obj(obj(pod, 'spec'), 'affinity');
  return ['podAffinity', 'podAntiAffinity'].some((field) => {
    const rules = obj(affinity, field);
    const terms = [
      ...list(rules, 'requiredDuringSchedulingIgnoredDuringExecution'),
      ...list(rules, 'preferredDuringSchedulingIgnoredDuringExecution').map((t) => obj(t, 'podAffinityTerm')),
    ];
    return terms.some((term) => list(term, 'namespaces').length > 0 || ptr(term, 'namespaceSelector') !== undefined);
  });
}

/** A resize took effect. */
function resourcesChanged(pod: KubeObject, old: KubeObject): boolean {
  return ['containerStatuses', 'initContainerStatuses'].some((field) => {
    const now = list(obj(pod, 'status'), field);
    return list(obj(old, 'status'), field).some((was) => {
      const is = now.find((s) => s.name === was.name);
      return is !== undefined && !equalJson(resourcesOf(is), resourcesOf(was));
    });
  });
}

const resourcesOf = (status: JsonObject): JsonObject => obj(status, 'resources');
