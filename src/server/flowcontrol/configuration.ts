import type { KubeObject } from '../../machinery/json.js';
import { readCatalogFile } from '../../machinery/scheme/catalog.js';

export const FLOWCONTROL_GROUP = 'flowcontrol.apiserver.k8s.io';
export const EXEMPT = 'exempt';
export const CATCH_ALL = 'catch-all';

/** A FlowSchema as far as it is read here. */
export interface FlowSchema {
  readonly metadata: { readonly name: string; readonly uid?: string };
  readonly spec: {
    readonly priorityLevelConfiguration: { readonly name: string };
    readonly matchingPrecedence?: number;
    readonly distinguisherMethod?: { readonly type: 'ByUser' | 'ByNamespace' };
    readonly rules?: readonly PolicyRule[];
  };
}

export interface PolicyRule {
  readonly subjects?: readonly Subject[];
  readonly resourceRules?: readonly ResourceRule[];
  readonly nonResourceRules?: readonly NonResourceRule[];
}

export interface Subject {
  readonly kind: 'User' | 'Group' | 'ServiceAccount';
  readonly user?: { readonly name: string };
  readonly group?: { readonly name: string };
  readonly serviceAccount?: { readonly namespace: string; readonly name: string };
}

export interface ResourceRule {
  readonly verbs: readonly string[];
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly clusterScope?: boolean;
  readonly namespaces?: readonly string[];
}

export interface NonResourceRule {
  readonly verbs: readonly string[];
  readonly nonResourceURLs: readonly string[];
}

interface Shares {
  readonly nominalConcurrencyShares?: number;
  readonly lendablePercent?: number;
}

/** A PriorityLevelConfiguration as far as it is read here. */
export interface PriorityLevelConfiguration {
  readonly metadata: { readonly name: string; readonly uid?: string };
  readonly spec: {
    readonly type: 'Exempt' | 'Limited';
    readonly exempt?: Shares;
    readonly limited?: Shares & {
      readonly borrowingLimitPercent?: number;
      readonly limitResponse?: {
        readonly type: 'Queue' | 'Reject';
        readonly queuing?: {
          readonly queues?: number;
          readonly handSize?: number;
          readonly queueLengthLimit?: number;
        };
      };
    };
  };
}

/** What a priority level does with requests that there is no room for. */
export interface Queuing {
  /** 0: refuse them. */
  readonly queues: number;
  readonly handSize: number;
  readonly queueLengthLimit: number;
}

export interface LevelSettings {
  readonly name: string;
  readonly uid: string;
  readonly exempt: boolean;
  readonly shares: number;
  readonly lendablePercent: number;
  /** undefined: as much as there is. */
  readonly borrowingLimitPercent: number | undefined;
  readonly queuing: Queuing;
}

const NO_QUEUES: Queuing = { queues: 0, handSize: 0, queueLengthLimit: 0 };

/** undefined for an object that contradicts itself: it counts as not there. */
export function levelSettings({ metadata, spec }: PriorityLevelConfiguration): LevelSettings | undefined {
  const { name, uid = '' } = metadata;
  const exempt = spec.type === 'Exempt';
  if (exempt !== (name === EXEMPT)) return undefined;
  const common = { name, uid, exempt };
  if (exempt) {
    const { nominalConcurrencyShares: shares = 0, lendablePercent = 0 } = spec.exempt ?? {};
    return { ...common, shares, lendablePercent, borrowingLimitPercent: undefined, queuing: NO_QUEUES };
  }
  if (!spec.limited) return undefined;
  const { nominalConcurrencyShares: shares = 30, lendablePercent = 0, borrowingLimitPercent } = spec.limited;
  const { queues = 64, handSize = 8, queueLengthLimit = 50 } = spec.limited.limitResponse?.queuing ?? {};
  const queuing = spec.limited.limitResponse?.type === 'Queue' ? { queues, handSize, queueLengthLimit } : NO_QUEUES;
  return { ...common, shares, lendablePercent, borrowingLimitPercent, queuing };
}

export interface MandatoryConfiguration {
  readonly levels: readonly PriorityLevelConfiguration[];
  readonly schemas: { readonly exempt: FlowSchema; readonly catchAll: FlowSchema };
}

/** What is in force whether there are objects or not. */
export function mandatoryConfiguration(): MandatoryConfiguration {
  const entries = JSON.parse(readCatalogFile('bootstrap.json')) as { path: string; object: KubeObject }[];
  const named = (resource: string, name: string): unknown => {
    const path = `/apis/${FLOWCONTROL_GROUP}/v1/${resource}`;
    return entries.find((e) => e.path === path && e.object.metadata.name === name)?.object;
  };
  const level = (name: string) => named('prioritylevelconfigurations', name) as PriorityLevelConfiguration;
  const schema = (name: string) => named('flowschemas', name) as FlowSchema;
  return {
    levels: [level(EXEMPT), level(CATCH_ALL)],
    schemas: { exempt: schema(EXEMPT), catchAll: schema(CATCH_ALL) },
  };
}
