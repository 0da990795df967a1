import { AUTHORIZATION_ENVIRONMENT, compile, LIMITS, type Program, types } from '../../machinery/cel/index.js';
import { isJsonObject, type JsonObject } from '../../machinery/json.js';
import type { CompileMatchConditions } from './structured-config.js';

/** CEL of AuthorizationConfiguration: all conditions must hold for a webhook to be asked. */
export const compileMatchConditions: CompileMatchConditions = (expressions) => {
  const conditions = expressions.map((text) => ({ text, program: compileCondition(text) }));
  return (request) => {
    const variables = { request: complete(request) };
    const errors: string[] = [];
    for (const { text, program } of conditions) {
      const result = program.eval(variables, { limit: LIMITS.perCall });
      if (result.error) {
        errors.push(`cel evaluation error: expression '${text}' resulted in error: ${result.error.message}`);
      } else if (result.value === false) return false;
    }
    if (errors.length > 0) throw new Error(errors.length === 1 ? errors[0] : `[${[...new Set(errors)].join(', ')}]`);
    return true;
  };
};

function compileCondition(text: string): Program {
  const compiled = compile(text, AUTHORIZATION_ENVIRONMENT);
  if (compiled.failed) {
    const what = compiled.failed === 'compilation' ? 'compilation failed' : 'program instantiation failed';
    throw new Error(`${what}: ${compiled.message}`);
  }
  const { outputType, program } = compiled;
  if (outputType !== types.BOOL) {
    throw new Error(`must evaluate to bool but got ${types.typeToString(outputType)}`);
  }
  return program;
}

const NAMES = ['namespace', 'verb', 'group', 'version', 'resource', 'subresource', 'name'];

/** Expressions see fields that are empty, too. */
function complete(spec: JsonObject): JsonObject {
  const out: JsonObject = { user: '', groups: [], uid: '', extra: {}, ...spec };
  const { resourceAttributes, nonResourceAttributes } = spec;
  if (isJsonObject(resourceAttributes)) {
    out.resourceAttributes = { ...Object.fromEntries(NAMES.map((name) => [name, ''])), ...resourceAttributes };
  }
  if (isJsonObject(nonResourceAttributes)) {
    out.nonResourceAttributes = { path: '', verb: '', ...nonResourceAttributes };
  }
  return out;
}
