import { estimateCost } from './cost/estimate.js';
import type { Range } from './cost/size.js';
import type { Environment } from './environment.js';
import type { Program } from './program/program.js';
import { children, type Expr } from './syntax/ast.js';
import type { Issue } from './syntax/issues.js';
import type { DeclType } from './types/decl-type.js';
import type { Type } from './types/type.js';
import { CelError } from './values/error.js';

/** An expression that was accepted. */
export interface CompiledExpression {
  program: Program;
  outputType: Type;
  /** Bounds of the cost of one evaluation. */
  estimatedCost: Range;
  /** Names of the variables that it uses. */
  variables: ReadonlySet<string>;
  /** Names of the fields that it selects. */
  fields: ReadonlySet<string>;
  /** Fields that it selects of variables, as `variable.field`. */
  selections: ReadonlySet<string>;
  failed?: undefined;
}

/** An expression that was refused. */
export interface RefusedExpression {
  /** Where it failed: parsing and type check, or computing its constants. */
  failed: 'compilation' | 'instantiation';
  /** What cel-go prints about it, with the source lines. */
  message: string;
  issues: Issue[];
}

export type Compiled = CompiledExpression | RefusedExpression;

/**
 * Parses, checks and compiles an expression. `sizes` is the type of the data (for CRD rules: of `self`), from which
 * sizes for the cost estimate are taken. Callers put their own words before `message` (`compilation failed: …`,
 * `program instantiation failed: …`) and check `outputType` themselves.
 */
export function compile(text: string, env: Environment, sizes?: DeclType): Compiled {
  const checked = env.check(text);
  if (checked.issues) {
    return { failed: 'compilation', message: checked.issues.toString(), issues: checked.issues.sorted() };
  }
  let program: Program;
  try {
    program = env.program(checked);
  } catch (e) {
    if (!(e instanceof CelError)) throw e;
    return { failed: 'instantiation', message: e.message, issues: [] };
  }
  const variables = new Set<string>();
  const fields = new Set<string>();
  const selections = new Set<string>();
  collectNames(checked.expr, variables, fields, selections);
  return {
    program,
    outputType: checked.type,
    estimatedCost: estimateCost(checked.expr, sizes),
    variables,
    fields,
    selections,
  };
}

function collectNames(e: Expr, variables: Set<string>, fields: Set<string>, selections: Set<string>): void {
  if ((e.kind === 'ident' || e.kind === 'select') && e.ref) variables.add(e.ref.name);
  else if (e.kind === 'select') {
    fields.add(e.field);
    if (e.operand.kind === 'ident') selections.add(`${e.operand.name}.${e.field}`);
  } else if (e.kind === 'call' && e.fn === '_?._' && e.args[1]?.kind === 'const') {
    fields.add(String(e.args[1].value));
    if (e.args[0]?.kind === 'ident') selections.add(`${e.args[0].name}.${e.args[1].value}`);
  }
  for (const child of children(e)) collectNames(child, variables, fields, selections);
}
