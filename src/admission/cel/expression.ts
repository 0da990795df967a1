import { type Compiled, compile, type Environment, type Program, types } from '../../machinery/cel/index.js';

/** An expression of a policy or webhook, ready to run or with the reason why it can't. */
export interface Expression {
  readonly text: string;
  readonly program: Program | undefined;
  /** Why there is no program. */
  readonly error: string;
  /** Undefined when it did not compile. */
  readonly type: types.Type | undefined;
}

/** Compiles an expression that must give one of these types. */
export function compileExpression(text: string, env: Environment, results: readonly types.Type[]): Expression {
  const compiled = compile(text, env);
  if (compiled.failed) return { text, program: undefined, error: failure(compiled), type: undefined };
  const type = compiled.outputType;
  if (!results.some((r) => r.kind === 'any' || types.isExact(type, r))) {
    return { text, program: undefined, error: wrongType(type, results), type: undefined };
  }
  return { text, program: compiled.program, error: '', type };
}

function failure({ failed, message }: Extract<Compiled, { failed: string }>): string {
  return failed === 'compilation' ? `compilation failed: ${message}` : `program instantiation failed: ${message}`;
}

function wrongType(found: types.Type, wanted: readonly types.Type[]): string {
  const names = wanted.map(types.typeToString);
  const list = names.length === 1 ? names[0] : `one of [${names.join(' ')}]`;
  return `must evaluate to ${list} but got ${types.typeToString(found)}`;
}
