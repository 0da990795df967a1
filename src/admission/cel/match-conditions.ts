import { type Environment, LIMITS, types } from '../../machinery/cel/index.js';
import { type Bindings, Evaluation, OutOfBudget } from './evaluation.js';
import { compileExpression, type Expression } from './expression.js';

export interface MatchConditionSpec {
  readonly name: string;
  readonly expression: string;
}

/** Conditions of a webhook or policy that must all hold for it to be asked. */
export class MatchConditions {
  readonly #expressions: readonly Expression[];
  readonly #variables: ReadonlyMap<string, Expression> | undefined;

  /** @param variables those of the policy */
  constructor(
    conditions: readonly MatchConditionSpec[],
    env: Environment,
    variables?: ReadonlyMap<string, Expression>,
  ) {
    this.#expressions = conditions.map((c) => compileExpression(c.expression, env, [types.BOOL]));
    this.#variables = variables;
  }

  /**
   * Whether all hold. One that does not decides, even when others fail.
   *
   * @throws MatchConditionError when one can't be evaluated and none is false
   */
  async match(bindings: Bindings): Promise<boolean> {
    const evaluation = new Evaluation(bindings, this.#variables, LIMITS.matchConditions);
    const errors: string[] = [];
    let matches = true;
    for (const expression of this.#expressions) {
      let outcome: Awaited<ReturnType<Evaluation['run']>>;
      try {
        outcome = await evaluation.run(expression);
      } catch (e) {
        if (e instanceof OutOfBudget) throw new MatchConditionError([e.message]);
        throw e;
      }
      if (outcome.error !== undefined) errors.push(outcome.error);
      else if (outcome.value === false) matches = false;
    }
    if (!matches) return false;
    if (errors.length > 0) throw new MatchConditionError(errors);
    return true;
  }
}

/** Match conditions that could not be evaluated: the failure policy decides. */
export class MatchConditionError extends Error {
  constructor(errors: readonly string[]) {
    const unique = [...new Set(errors)];
    super(unique.length === 1 ? unique[0] : `[${unique.join(', ')}]`);
  }
}
