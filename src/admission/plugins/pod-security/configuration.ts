import type { Policy } from './levels.js';

export interface PodSecurityConfiguration {
  /** For namespaces that say nothing. */
  readonly defaults: Policy;
  /** Whose pods are not looked at. */
  readonly exemptions: {
    readonly usernames: ReadonlySet<string>;
    readonly namespaces: ReadonlySet<string>;
    readonly runtimeClasses: ReadonlySet<string>;
  };
}

const PRIVILEGED = { level: 'privileged', minor: Infinity } as const;

/** What counts when there is no configuration: nothing is asked of pods unless their namespace says so. */
export const DEFAULT_CONFIGURATION: PodSecurityConfiguration = {
  defaults: { enforce: PRIVILEGED, audit: PRIVILEGED, warn: PRIVILEGED },
  exemptions: { usernames: new Set(), namespaces: new Set(), runtimeClasses: new Set() },
};
