import { admissionEnvironment } from '../../machinery/cel/index.js';
import type { KubeObject } from '../../machinery/json.js';
import { type LabelSelector, labelSelectorOf } from '../../machinery/selectors/label-selector.js';
import { type MatchConditionSpec, MatchConditions } from '../cel/match-conditions.js';
import type { Rule } from '../matching/rules.js';
import type { WebhookClientConfig } from './client/client.js';

/** One webhook of a configuration, as the API has it. */
interface WebhookSpec {
  readonly name?: string;
  readonly clientConfig?: WebhookClientConfig;
  readonly rules?: readonly Rule[];
  readonly failurePolicy?: string;
  readonly matchPolicy?: string;
  readonly namespaceSelector?: KubeObject;
  readonly objectSelector?: KubeObject;
  readonly sideEffects?: string;
  readonly timeoutSeconds?: number;
  readonly admissionReviewVersions?: readonly string[];
  readonly matchConditions?: readonly MatchConditionSpec[];
  readonly reinvocationPolicy?: string;
}

/** A webhook, ready to be matched and called. What takes long to make is made at first use. */
export class Hook {
  /** Unique among all webhooks of one sort. */
  readonly id: string;
  readonly configuration: string;
  readonly name: string;
  readonly client: WebhookClientConfig;
  readonly rules: readonly Rule[];
  readonly matchPolicy: string | undefined;
  readonly sideEffects: string | undefined;
  /** Milliseconds; undefined: only the request's own deadline counts. */
  readonly timeoutMs: number | undefined;
  readonly ignoresFailures: boolean;
  readonly reviewVersions: readonly string[];
  readonly reinvokeIfNeeded: boolean;
  readonly #spec: WebhookSpec;
  #namespaceSelector: LabelSelector | undefined;
  #objectSelector: LabelSelector | undefined;
  #conditions: MatchConditions | undefined;

  constructor(configuration: string, spec: WebhookSpec, id: string) {
    this.id = id;
    this.configuration = configuration;
    this.name = spec.name ?? '';
    this.client = spec.clientConfig ?? {};
    this.rules = spec.rules ?? [];
    this.matchPolicy = spec.matchPolicy;
    this.sideEffects = spec.sideEffects;
    this.timeoutMs = spec.timeoutSeconds === undefined ? undefined : spec.timeoutSeconds * 1000;
    this.ignoresFailures = spec.failurePolicy === 'Ignore';
    this.reviewVersions = spec.admissionReviewVersions ?? [];
    this.reinvokeIfNeeded = spec.reinvocationPolicy === 'IfNeeded';
    this.#spec = spec;
  }

  /** Absent selects nothing, as upstream has it; defaulting makes it empty. */
  get namespaceSelector(): LabelSelector {
    this.#namespaceSelector ??= labelSelectorOf(this.#spec.namespaceSelector);
    return this.#namespaceSelector;
  }
  get objectSelector(): LabelSelector {
    this.#objectSelector ??= labelSelectorOf(this.#spec.objectSelector);
    return this.#objectSelector;
  }

  /** Undefined when it has none. */
  get conditions(): MatchConditions | undefined {
    if (!this.#spec.matchConditions?.length) return undefined;
    this.#conditions ??= new MatchConditions(this.#spec.matchConditions, CONDITIONS);
    return this.#conditions;
  }
}

const CONDITIONS = admissionEnvironment({ params: false, authorizer: true, patchTypes: false });

/** The webhooks of a configuration, in their order. */
export function hooksOf(configuration: KubeObject): Hook[] {
  const name = configuration.metadata.name ?? '';
  const count = new Map<string, number>();
  return ((configuration.webhooks ?? []) as unknown as WebhookSpec[]).map((spec) => {
    const nth = count.get(spec.name ?? '') ?? 0;
    count.set(spec.name ?? '', nth + 1);
    return new Hook(name, spec, `${name}/${spec.name}/${nth}`);
  });
}
