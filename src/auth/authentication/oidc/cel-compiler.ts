import {
  CelError,
  CLAIMS_ENVIRONMENT,
  compile,
  LIMITS,
  toJson,
  types,
  USER_ENVIRONMENT,
} from '../../../machinery/cel/index.js';
import type { JsonValue } from '../../../machinery/json.js';
import type { ExpressionCompiler } from './expressions.js';

const ENVIRONMENTS = { claims: CLAIMS_ENVIRONMENT, user: USER_ENVIRONMENT };

/**
 * CEL of AuthenticationConfiguration. What kind of value an expression over claims gives is only known when it has run;
 * rules must be known to give a bool.
 */
export const celCompiler: ExpressionCompiler = {
  compile(text, variable, result) {
    const compiled = compile(text, ENVIRONMENTS[variable]);
    if (compiled.failed) {
      const what = compiled.failed === 'compilation' ? 'compilation failed' : 'program instantiation failed';
      throw new Error(`${what}: ${compiled.message}`);
    }
    if (result === 'bool' && compiled.outputType !== types.BOOL) throw new Error('must evaluate to bool');
    const { program, selections } = compiled;
    const failed = (why: string) => new Error(`expression '${text}' resulted in error: ${why}`);
    return {
      evaluate(input) {
        const { value, error } = program.eval(input, { limit: LIMITS.perCall }) as {
          value?: unknown;
          error?: { message: string };
        };
        if (error) throw failed(error.message);
        try {
          return toJson(value) as JsonValue;
        } catch (e) {
          throw e instanceof CelError ? failed(e.message) : e;
        }
      },
      selects: (field) => selections.has(`${variable}.${field}`),
    };
  },
};
