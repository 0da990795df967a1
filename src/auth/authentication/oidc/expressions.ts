import type { JsonObject, JsonValue } from '../../../machinery/json.js';

/** A CEL expression over `claims` or `user`, compiled and type-checked. */
export interface CompiledExpression {
  /** Throws an Error with the reason when evaluation fails or costs too much. */
  evaluate(input: JsonObject): JsonValue;
  /** True when it reads `<variable>.<field>`, or `<variable>.?<field>`. */
  selects(field: string): boolean;
}

export type ExpressionResult = 'string' | 'bool' | 'string or list of strings';

/** Compiles CEL for AuthenticationConfiguration. Absent: configurations that hold expressions are refused by name. */
export interface ExpressionCompiler {
  /** Throws an Error whose message is the detail of the field error, e.g. `compilation failed: …`. */
  compile(expression: string, variable: 'claims' | 'user', result: ExpressionResult): CompiledExpression;
}

/** The compiled expressions of one JWT authenticator, in the order of the configuration. */
export interface JwtExpressions {
  username?: CompiledExpression;
  groups?: CompiledExpression;
  uid?: CompiledExpression;
  readonly extra: { readonly key: string; readonly expression: CompiledExpression }[];
  readonly claimRules: { readonly message: string; readonly expression: CompiledExpression; readonly text: string }[];
  readonly userRules: { readonly message: string; readonly expression: CompiledExpression; readonly text: string }[];
}
