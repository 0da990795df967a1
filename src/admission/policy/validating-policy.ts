import { LIMITS, types } from '../../machinery/cel/index.js';
import type { JsonObject } from '../../machinery/json.js';
import { type Bindings, Evaluation, type Outcome, OutOfBudget } from '../cel/evaluation.js';
import { compileExpression, type Expression } from '../cel/expression.js';
import { MatchConditionError, type MatchConditionSpec, MatchConditions } from '../cel/match-conditions.js';
import { PolicyVariables, type VariableSpec } from '../cel/variables.js';
import type { PolicySpec } from './hooks.js';

export interface ValidatingPolicySpec extends PolicySpec {
  readonly validations?: readonly ValidationSpec[];
  readonly auditAnnotations?: readonly { readonly key?: string; readonly valueExpression?: string }[];
  readonly matchConditions?: readonly MatchConditionSpec[];
  readonly variables?: readonly VariableSpec[];
}

interface ValidationSpec {
  readonly expression?: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly reason?: string;
}

/** What is wrong with a request according to one validation. */
export interface Denial {
  /** Place of the validation in the policy; undefined: the policy as a whole could not be evaluated. */
  readonly index: number | undefined;
  readonly message: string;
  /** '' stands for Invalid. */
  readonly reason: string;
  /** The policy could not be evaluated: its failurePolicy decides. */
  readonly failed: boolean;
}

export interface AuditAnnotation {
  readonly key: string;
  readonly value?: string;
  /** Why there is no value. */
  readonly error?: string;
}

export interface Validation {
  readonly denials: readonly Denial[];
  readonly annotations: readonly AuditAnnotation[];
}

const NOTHING: Validation = { denials: [], annotations: [] };

/** The compiled expressions of a ValidatingAdmissionPolicy. */
export class ValidatingPolicy {
  readonly #spec: ValidatingPolicySpec;
  readonly #variables: PolicyVariables;
  readonly #conditions: MatchConditions | undefined;
  readonly #validations: readonly Expression[];
  readonly #messages: readonly (Expression | undefined)[];
  readonly #annotations: readonly { key: string; expression: Expression }[];

  constructor(spec: ValidatingPolicySpec) {
    const has = { params: spec.paramKind !== undefined, authorizer: true };
    const variables = new PolicyVariables(spec.variables ?? [], has);
    const env = variables.environment({ ...has, patchTypes: false });
    const messageEnv = variables.environment({ ...has, authorizer: false, patchTypes: false });
    const { matchConditions = [], validations = [], auditAnnotations = [] } = spec;
    this.#spec = spec;
    this.#variables = variables;
    this.#conditions =
      matchConditions.length > 0 ? new MatchConditions(matchConditions, env, variables.expressions) : undefined;
    this.#validations = validations.map((v) => compileExpression(v.expression ?? '', env, [types.BOOL]));
    this.#messages = validations.map((v) =>
      v.messageExpression ? compileExpression(v.messageExpression, messageEnv, [types.STRING]) : undefined,
    );
    this.#annotations = auditAnnotations.map(({ key = '', valueExpression = '' }) => ({
      key,
      expression: compileExpression(valueExpression, env, [types.STRING, types.NULL]),
    }));
  }

  /** @param namespaceObject asked for when the match conditions hold */
  async validate(bindings: Bindings, namespaceObject: () => Promise<JsonObject | undefined>): Promise<Validation> {
    try {
      if (this.#conditions && !(await this.#conditions.match(bindings))) return NOTHING;
      const seen = { ...bindings, namespaceObject: await namespaceObject() };
      const denials = await this.#denials(seen);
      return { denials, annotations: await this.#audit({ ...seen, authorizer: undefined }) };
    } catch (e) {
      if (!(e instanceof MatchConditionError || e instanceof OutOfBudget)) throw e;
      return { denials: [{ index: undefined, message: e.message, reason: '', failed: true }], annotations: [] };
    }
  }

  async #denials(bindings: Bindings): Promise<Denial[]> {
    const { expressions } = this.#variables;
    const evaluation = new Evaluation(bindings, expressions, LIMITS.perRequest);
    const outcomes: Outcome[] = [];
    for (const validation of this.#validations) outcomes.push(await evaluation.run(validation));
    const messages = await this.#evaluateMessages(
      new Evaluation({ ...bindings, authorizer: undefined }, expressions, evaluation.budget),
    );
    return outcomes.flatMap((outcome, index): Denial[] => {
      const failed = (message: string) => [{ index, message, reason: '', failed: true }];
      if (outcome.error !== undefined) return failed(outcome.error);
      if (messages instanceof OutOfBudget) return failed(`failed messageExpression: ${messages.message}`);
      if (outcome.value === true) return [];
      const spec = this.#spec.validations?.[index] ?? {};
      return [{ index, message: denialText(spec, messages[index]), reason: spec.reason ?? '', failed: false }];
    });
  }

  /** Those of validations that hold are evaluated, too: upstream charges for them. */
  async #evaluateMessages(evaluation: Evaluation): Promise<readonly (Outcome | undefined)[] | OutOfBudget> {
    try {
      const outcomes: (Outcome | undefined)[] = [];
      for (const message of this.#messages) outcomes.push(message && (await evaluation.run(message)));
      return outcomes;
    } catch (e) {
      if (e instanceof OutOfBudget) return e;
      throw e;
    }
  }

  async #audit(bindings: Bindings): Promise<AuditAnnotation[]> {
    const evaluation = new Evaluation(bindings, this.#variables.expressions, LIMITS.perRequest);
    const annotations: AuditAnnotation[] = [];
    for (const { key, expression } of this.#annotations) {
      const { error, value } = (await evaluation.run(expression)) as { error?: string; value?: unknown };
      if (error !== undefined) annotations.push({ key, error });
      else if (typeof value === 'string' && value.trim() !== '') annotations.push({ key, value: value.trim() });
    }
    return annotations;
  }
}

/** The result of messageExpression if it is of use, else the message, else the expression. */
function denialText(spec: ValidationSpec, outcome: Outcome | undefined): string {
  const computed =
    outcome && outcome.error === undefined && typeof outcome.value === 'string' ? outcome.value.trim() : '';
  if (computed !== '' && Buffer.byteLength(computed) <= LIMITS.message && !computed.includes('\n')) return computed;
  return spec.message?.trim() || `failed expression: ${(spec.expression ?? '').trim()}`;
}
