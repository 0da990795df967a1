import type { Finding, PodView } from './pod-view.js';

/** One rule of the standards. */
export interface Check {
  readonly id: string;
  /** The rule from a minor version of Kubernetes on, the oldest first. */
  readonly since: readonly (readonly [minor: number, rule: (pod: PodView) => Finding | undefined])[];
  /** The baseline check that it is a stricter form of; that one is left out. */
  readonly replaces?: string;
}
