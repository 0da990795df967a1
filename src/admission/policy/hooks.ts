import type { KubeObject } from '../../machinery/json.js';
import { type Feed, Following } from '../following.js';
import { MatchResources, type MatchResourcesSpec } from './match-resources.js';
import type { ParamKind, ParamRef } from './params.js';

/** What validating and mutating policies have in common. */
export interface PolicySpec {
  readonly paramKind?: ParamKind;
  readonly matchConstraints?: MatchResourcesSpec;
  readonly failurePolicy?: string;
}

interface BindingSpec {
  readonly policyName?: string;
  readonly paramRef?: ParamRef;
  readonly matchResources?: MatchResourcesSpec;
  readonly validationActions?: readonly string[];
}

/** A policy. Its expressions are compiled at first use, once for each generation. */
export class Policy<S extends PolicySpec, E> {
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
  readonly spec: S;
  /** Undefined: it names no constraints, which is a fault. */
  readonly constraints: MatchResources | undefined;
  readonly ignoresFailures: boolean;
  readonly #compile: (spec: S) => E;
  #evaluator: E | undefined;

  constructor(object: KubeObject, compile: (spec: S) => E) {
    const { name = '', uid = '', generation = 0 } = object.metadata;
    this.name = name;
    this.uid = uid;
    this.generation = generation;
    this.spec = (object.spec ?? {}) as unknown as S;
    this.constraints = this.spec.matchConstraints && new MatchResources(this.spec.matchConstraints);
    this.ignoresFailures = this.spec.failurePolicy === 'Ignore';
    this.#compile = compile;
  }

  get evaluator(): E {
    this.#evaluator ??= this.#compile(this.spec);
    return this.#evaluator;
  }

  /** Changes that bring no new generation (of the status, of metadata) do not concern it. */
  isStill({ metadata }: KubeObject): boolean {
    return metadata.uid === this.uid && metadata.generation === this.generation;
  }
}

export class Binding {
  readonly name: string;
  readonly policy: string;
  readonly spec: BindingSpec;
  /** Undefined: whatever the policy is about. */
  readonly resources: MatchResources | undefined;

  constructor(object: KubeObject) {
    this.name = object.metadata.name ?? '';
    this.spec = (object.spec ?? {}) as BindingSpec;
    this.policy = this.spec.policyName ?? '';
    this.resources = this.spec.matchResources && new MatchResources(this.spec.matchResources);
  }
}

/** A policy in force: with bindings. */
export interface PolicyHook<S extends PolicySpec, E> {
  readonly policy: Policy<S, E>;
  readonly bindings: readonly Binding[];
}

const GROUP = 'admissionregistration.k8s.io';

/** The policies that are bound, in force from the moment their write is acknowledged; in the order of their names. */
export class PolicyHooks<S extends PolicySpec, E> {
  readonly #policies: Following<Policy<S, E>>;
  readonly #bindings: Following<Binding>;
  #hooks: readonly PolicyHook<S, E>[] | undefined;

  /** @param resources plurals of policies and of their bindings */
  constructor(feed: Feed, resources: { policies: string; bindings: string }, compile: (spec: S) => E) {
    const changed = () => {
      this.#hooks = undefined;
    };
    this.#policies = new Following<Policy<S, E>>(
      feed,
      { group: GROUP, resource: resources.policies },
      (object, before) => (before?.isStill(object) ? before : new Policy(object, compile)),
      changed,
    );
    this.#bindings = new Following<Binding>(
      feed,
      { group: GROUP, resource: resources.bindings },
      (object) => new Binding(object),
      changed,
    );
  }

  /** Waits for the policies there are; undefined when they are there already. */
  ready(): Promise<unknown> | undefined {
    const policies = this.#policies.ready();
    const bindings = this.#bindings.ready();
    return policies || bindings ? Promise.all([policies, bindings]) : undefined;
  }

  all(): readonly PolicyHook<S, E>[] {
    this.#hooks ??= this.#join();
    return this.#hooks;
  }

  close(): void {
    this.#policies.close();
    this.#bindings.close();
  }

  #join(): PolicyHook<S, E>[] {
    const bound = new Map<string, Binding[]>();
    for (const binding of this.#bindings.all()) {
      const others = bound.get(binding.policy);
      if (others) others.push(binding);
      else bound.set(binding.policy, [binding]);
    }
    return this.#policies.all().flatMap((policy) => {
      const bindings = bound.get(policy.name);
      return bindings ? [{ policy, bindings }] : [];
    });
  }
}
