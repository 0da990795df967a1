import { BASELINE } from './baseline-checks.js';
import type { Check } from './checks.js';
import type { LevelVersion } from './levels.js';
import type { Finding, PodView } from './pod-view.js';
import { RESTRICTED } from './restricted-checks.js';

/** Everything in a pod that its level forbids; nothing: it is allowed. */
export function evaluate({ level, minor }: LevelVersion, pod: PodView): Finding[] {
  if (level === 'privileged') return [];
  const strict = level === 'restricted' ? RESTRICTED.filter((check) => ruleAt(check, minor)) : [];
  const replaced = new Set(strict.map((check) => check.replaces));
  const checks = [...BASELINE.filter((check) => !replaced.has(check.id)), ...strict];
  return checks.map((check) => ruleAt(check, minor)?.(pod)).filter((finding) => finding !== undefined);
}

function ruleAt(check: Check, minor: number) {
  return check.since.findLast(([from]) => from <= minor)?.[1];
}

/** For a list of pods: what is wrong, in short. */
export const reasons = (findings: readonly Finding[]): string => findings.map((f) => f.reason).join(', ');
/** For one pod: who did what. */
export const details = (findings: readonly Finding[]): string =>
  findings.map((f) => (f.detail ? `${f.reason} (${f.detail})` : f.reason)).join(', ');
