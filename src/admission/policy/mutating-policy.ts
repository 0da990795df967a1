import { types } from '../../machinery/cel/index.js';
import type { Bindings } from '../cel/evaluation.js';
import { compileExpression } from '../cel/expression.js';
import { type MatchConditionSpec, MatchConditions } from '../cel/match-conditions.js';
import { PolicyVariables, type VariableSpec } from '../cel/variables.js';
import type { PolicySpec } from './hooks.js';
import type { Mutation } from './mutation.js';

export interface MutatingPolicySpec extends PolicySpec {
  readonly mutations?: readonly MutationSpec[];
  readonly matchConditions?: readonly MatchConditionSpec[];
  readonly variables?: readonly VariableSpec[];
  readonly reinvocationPolicy?: string;
}

interface MutationSpec {
  readonly patchType?: string;
  readonly applyConfiguration?: { readonly expression?: string };
  readonly jsonPatch?: { readonly expression?: string };
}

const OBJECT = types.objectType('Object');
const PATCH = types.listType(types.objectType('JSONPatch'));

/** The compiled expressions of a MutatingAdmissionPolicy. */
export class MutatingPolicy {
  readonly mutations: readonly Mutation[];
  readonly #conditions: MatchConditions | undefined;

  constructor(spec: MutatingPolicySpec) {
    const has = { params: spec.paramKind !== undefined, authorizer: true };
    const variables = new PolicyVariables(spec.variables ?? [], has);
    const { matchConditions = [], mutations = [] } = spec;
    const env = variables.environment({ ...has, patchTypes: true });
    this.#conditions =
      matchConditions.length > 0
        ? new MatchConditions(
            matchConditions,
            variables.environment({ ...has, patchTypes: false }),
            variables.expressions,
          )
        : undefined;
    this.mutations = mutations.map(({ patchType, applyConfiguration, jsonPatch }): Mutation => {
      const type = patchType === 'JSONPatch' ? 'JSONPatch' : 'ApplyConfiguration';
      const text = (type === 'JSONPatch' ? jsonPatch : applyConfiguration)?.expression ?? '';
      const expression = compileExpression(text, env, [type === 'JSONPatch' ? PATCH : OBJECT]);
      return { type, expression, variables: variables.expressions };
    });
  }

  /** @throws MatchConditionError */
  async applies(bindings: Bindings): Promise<boolean> {
    return !this.#conditions || this.#conditions.match(bindings);
  }
}
