import {
  type AdmissionVariables,
  admissionEnvironment,
  CelError,
  type Environment,
  LazyObject,
  LIMITS,
  types,
  VariableTypes,
} from '../../machinery/cel/index.js';
import { compileExpression, type Expression } from './expression.js';

/** A variable that a policy defines. */
export interface VariableSpec {
  readonly name: string;
  readonly expression: string;
}

/** The compiled variables of a policy; each may use those before it. */
export class PolicyVariables {
  readonly expressions: ReadonlyMap<string, Expression>;
  readonly #types = new VariableTypes();

  constructor(specs: readonly VariableSpec[], has: Pick<AdmissionVariables, 'params' | 'authorizer'>) {
    const expressions = new Map<string, Expression>();
    const env = admissionEnvironment({ ...has, patchTypes: false, variables: this.#types });
    for (const { name, expression } of specs) {
      const compiled = compileExpression(expression, env, [types.ANY]);
      expressions.set(name, compiled);
      this.#types.set(name, compiled.type ? fieldType(compiled.type) : types.DYN);
    }
    this.expressions = expressions;
  }

  /** The environment of expressions that use the variables. */
  environment(has: Omit<AdmissionVariables, 'variables'>): Environment {
    return admissionEnvironment({ ...has, variables: this.#types });
  }
}

/** Types that `variables.x` keeps; of all others only the value knows. */
export function fieldType(type: types.Type): types.Type {
  switch (type.kind) {
    case 'any':
    case 'bool':
    case 'bytes':
    case 'double':
    case 'duration':
    case 'int':
    case 'null':
    case 'string':
    case 'timestamp':
    case 'uint':
      return type;
    case 'list':
      return types.listType(fieldType(type.params[0] ?? types.DYN));
    case 'map':
      return types.mapType(fieldType(type.params[0] ?? types.DYN), fieldType(type.params[1] ?? types.DYN));
    default:
      return types.DYN;
  }
}

/** `variables` of one evaluation: each is computed when it is first asked for, at its own expense. */
export class LazyVariables extends LazyObject {
  readonly #expressions: ReadonlyMap<string, Expression>;
  readonly #activation: Readonly<Record<string, unknown>>;
  readonly #interrupted: () => boolean;
  readonly #known = new Map<string, { value: unknown } | { error: CelError }>();
  #cost = 0;

  /** @param activation the other variables; `variables` itself is added to it */
  constructor(
    expressions: ReadonlyMap<string, Expression>,
    activation: Record<string, unknown>,
    interrupted: () => boolean,
  ) {
    super();
    this.#expressions = expressions;
    this.#activation = activation;
    this.#interrupted = interrupted;
    activation.variables = this;
  }

  /** What variables have cost since this was last asked. */
  takeCost(): number {
    const cost = this.#cost;
    this.#cost = 0;
    return cost;
  }

  field(name: string): unknown {
    const known = this.#known.get(name) ?? this.#compute(name);
    if (!known) return undefined;
    if ('error' in known) throw known.error;
    return known.value;
  }

  #compute(name: string): { value: unknown } | { error: CelError } | undefined {
    const expression = this.#expressions.get(name);
    if (!expression) return undefined;
    const outcome = this.#run(name, expression);
    this.#known.set(name, outcome);
    return outcome;
  }

  #run(name: string, { program, error }: Expression): { value: unknown } | { error: CelError } {
    if (!program) return { error: new CelError(`composited variable "${name}" fails to compile: ${error}`) };
    const result = program.eval(this.#activation, { limit: LIMITS.perCall, interrupted: this.#interrupted });
    this.#cost += result.cost;
    if (!result.error) return { value: result.value };
    return { error: new CelError(`composited variable "${name}" fails to evaluate: ${result.error.message}`) };
  }
}
