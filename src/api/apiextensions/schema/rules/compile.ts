import {
  type Compiled,
  compile,
  type DeclType,
  type Environment,
  type Program,
  ruleEnvironment,
} from '../../../../machinery/cel/index.js';
import { BOOL, STRING, type Type } from '../../../../machinery/cel/types/type.js';
import type { ValidationRule } from '../props.js';
import type { Structural } from '../structural.js';
import { FieldPathError, findField } from './field-path.js';

/** One of `x-kubernetes-validations`, ready to run or refused. */
export interface CompiledRule {
  readonly rule: ValidationRule;
  /** Undefined for an empty rule and one that was refused. */
  readonly program?: Program;
  readonly fault?: string;
  readonly usesOldSelf: boolean;
  /** Most that one evaluation can cost; 0 when refused. */
  readonly maxCost: number;
  readonly message?: { readonly program: Program; readonly maxCost: number };
  readonly messageFault?: string;
  /** The field to blame, below the value; '' for the value itself. */
  readonly fieldPath: string;
}

/** The rules of a schema, without those below it. */
export function compileRules(schema: Structural, decl: DeclType): CompiledRule[] {
  const environments = new Map<boolean, Environment>();
  return schema.rules.map((rule) => {
    const optional = rule.optionalOldSelf === true;
    let env = environments.get(optional);
    if (!env) {
      env = ruleEnvironment(decl, optional);
      environments.set(optional, env);
    }
    return compileRule(rule, env, decl, schema);
  });
}

function compileRule(rule: ValidationRule, env: Environment, decl: DeclType, schema: Structural): CompiledRule {
  const refused = { rule, usesOldSelf: false, maxCost: 0, fieldPath: '' };
  const { rule: text = '' } = rule;
  if (text.trim() === '') return refused;
  const compiled = compile(text, env, decl);
  const fault = faultOf(compiled, BOOL, 'cel expression must evaluate to a bool', '');
  if (fault !== undefined || compiled.failed) return { ...refused, fault };
  const accepted = {
    rule,
    program: compiled.program,
    usesOldSelf: compiled.variables.has('oldSelf'),
    maxCost: compiled.estimatedCost.max,
    fieldPath: normalized(rule.fieldPath, schema),
  };
  if (!rule.messageExpression) return accepted;
  const message = compile(rule.messageExpression, env, decl);
  const messageFault = faultOf(message, STRING, 'messageExpression must evaluate to a string', 'messageExpression ');
  if (messageFault !== undefined || message.failed) return { ...accepted, fieldPath: '', messageFault };
  return { ...accepted, message: { program: message.program, maxCost: message.estimatedCost.max } };
}

function faultOf(compiled: Compiled, wanted: Type, otherType: string, what: string): string | undefined {
  if (compiled.failed === 'compilation') return `${what}compilation failed: ${compiled.message}`;
  if (compiled.failed) return `${what || 'program '}instantiation failed: ${compiled.message}`;
  const { outputType } = compiled;
  return outputType.kind === wanted.kind && !outputType.nullable ? undefined : otherType;
}

function normalized(fieldPath: string | undefined, schema: Structural): string {
  if (!fieldPath) return '';
  try {
    return findField(fieldPath, schema).path.text;
  } catch (e) {
    if (e instanceof FieldPathError) return '';
    throw e;
  }
}
