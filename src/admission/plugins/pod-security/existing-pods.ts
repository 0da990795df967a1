import { compareBytes, goQuote } from '../../../machinery/go-format.js';
import type { KubeObject } from '../../../machinery/json.js';
import { evaluate, reasons } from './evaluate.js';
import { type LevelVersion, levelText } from './levels.js';
import { podView } from './pod-view.js';

const MAX_PODS = 3000;
const MAX_MS = 1000;

/**
 * Warnings about the pods that a namespace has when it is put under a stricter level. One pod of each controller is
 * looked at before the others, and there is an end to looking, in pods and in time.
 */
export function existingPodWarnings(
  namespace: string,
  pods: readonly KubeObject[],
  level: LevelVersion,
  now: () => number,
): string[] {
  const deadline = now() + MAX_MS;
  const found = new Map<string, string[]>();
  const ordered = onePerControllerFirst(pods).slice(0, MAX_PODS);
  let checked = 0;
  for (const pod of ordered) {
    const text = reasons(evaluate(level, podView(pod)));
    if (text) found.set(text, [...(found.get(text) ?? []), pod.metadata.name ?? '']);
    checked++;
    if (now() > deadline) break;
  }
  const warnings: string[] = [];
  if (checked < pods.length) {
    const text = `checked against the first ${checked} of ${pods.length} existing pods`;
    warnings.push(`new PodSecurity enforce level only ${text}`);
  }
  if (found.size > 0) {
    const text = `violate the new PodSecurity enforce level ${goQuote(levelText(level))}`;
    warnings.push(`existing pods in namespace ${goQuote(namespace)} ${text}`);
  }
  const lines = [...found].map(([text, names]) => `${podsText(names)}: ${text}`);
  return [...warnings, ...lines.sort(compareBytes)];
}

function podsText(names: readonly string[]): string {
  const [first = '', ...others] = [...names].sort(compareBytes);
  if (others.length === 0) return first;
  return `${first} (and ${others.length} other ${others.length === 1 ? 'pod' : 'pods'})`;
}

function onePerControllerFirst(pods: readonly KubeObject[]): KubeObject[] {
  const seen = new Set<string>();
  const first: KubeObject[] = [];
  const further: KubeObject[] = [];
  for (const pod of pods) {
    const controller = pod.metadata.ownerReferences?.find((o) => o.controller)?.uid;
    if (controller !== undefined && seen.has(controller)) further.push(pod);
    else first.push(pod);
    if (controller !== undefined) seen.add(controller);
  }
  return [...first, ...further];
}
