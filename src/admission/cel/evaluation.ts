import { evalAsync, LIMITS, type OpaqueValue } from '../../machinery/cel/index.js';
import type { JsonObject } from '../../machinery/json.js';
import type { Expression } from './expression.js';
import { LazyVariables } from './variables.js';

/** The whole of what an evaluation may cost is spent. */
export class OutOfBudget extends Error {
  constructor() {
    super('validation failed due to running out of cost budget, no further validation rules will be run');
  }
}

/** Values of the variables that expressions of policies and webhooks see. */
export interface Bindings {
  readonly object: JsonObject | undefined;
  readonly oldObject: JsonObject | undefined;
  readonly request: JsonObject;
  readonly namespaceObject?: JsonObject;
  readonly params?: JsonObject;
  readonly authorizer?: { readonly authorizer: OpaqueValue; readonly requestResource: OpaqueValue };
  /** Ends an evaluation that nobody waits for any more. */
  interrupted(): boolean;
}

export type Outcome = { readonly value: unknown; readonly error?: undefined } | { readonly error: string };

/** Runs expressions over one set of variables, within one budget. */
export class Evaluation {
  readonly #activation: Record<string, unknown>;
  readonly #variables: LazyVariables | undefined;
  readonly #interrupted: () => boolean;
  #budget: number;

  /**
   * @param variables those that a policy defines
   * @param budget in units of CEL cost
   */
  constructor(bindings: Bindings, variables: ReadonlyMap<string, Expression> | undefined, budget: number) {
    this.#activation = {
      object: bindings.object ?? null,
      oldObject: bindings.oldObject ?? null,
      request: bindings.request,
      namespaceObject: bindings.namespaceObject ?? null,
      params: bindings.params ?? null,
      authorizer: bindings.authorizer?.authorizer,
      'authorizer.requestResource': bindings.authorizer?.requestResource,
    };
    this.#interrupted = () => bindings.interrupted();
    this.#variables = variables && new LazyVariables(variables, this.#activation, this.#interrupted);
    this.#budget = budget;
  }

  /** What is left to spend. */
  get budget(): number {
    return this.#budget;
  }

  /** @throws OutOfBudget */
  async run(expression: Expression): Promise<Outcome> {
    if (!expression.program) return { error: `compilation error: ${expression.error}` };
    const result = await evalAsync(expression.program, this.#activation, {
      limit: LIMITS.perCall,
      interrupted: this.#interrupted,
    });
    this.#spend(this.#variables?.takeCost() ?? 0);
    this.#spend(result.cost);
    if (!result.error) return { value: result.value };
    return { error: `expression '${expression.text}' resulted in error: ${result.error.message}` };
  }

  #spend(cost: number): void {
    if (cost > this.#budget) throw new OutOfBudget();
    this.#budget -= cost;
  }
}
