import { CelError, JsonPatchValue, LIMITS, ObjectValue, toJson } from '../../machinery/cel/index.js';
import { DecodeError } from '../../machinery/codec/errors.js';
import { internalError } from '../../machinery/errors.js';
import { apiVersionOf, type JsonObject, type JsonValue, type KubeObject } from '../../machinery/json.js';
import { applyOperations, PatchFault } from '../../machinery/patch/json-patch.js';
import { type Bindings, Evaluation } from '../cel/evaluation.js';
import type { Expression } from '../cel/expression.js';
import type { AdmittedVersion } from '../matching/versions.js';

/** One mutation of a policy. */
export interface Mutation {
  readonly type: 'ApplyConfiguration' | 'JSONPatch';
  readonly expression: Expression;
  readonly variables: ReadonlyMap<string, Expression>;
}

/**
 * The object as a mutation makes it; undefined when it leaves it as it is.
 *
 * @param object at `version`, which is also `bindings.object`
 * @throws Error whose message is the reason of the failure; StatusError 500 when the result is no object of the kind
 */
export async function mutate(
  mutation: Mutation,
  object: JsonObject,
  version: AdmittedVersion,
  bindings: Bindings,
): Promise<KubeObject | undefined> {
  const { expression, variables, type } = mutation;
  if (!expression.program) throw new Error(expression.error);
  const outcome = await new Evaluation(bindings, variables, LIMITS.perRequest).run(expression);
  if (outcome.error !== undefined) throw new Error(outcome.error);
  return type === 'JSONPatch' ? patch(outcome.value, object, version) : configure(outcome.value, object, version);
}

async function configure(value: unknown, object: JsonObject, version: AdmittedVersion): Promise<KubeObject> {
  if (!(value instanceof ObjectValue)) throw new Error('unsupported return type from ApplyConfiguration expression');
  checkPlaces(value);
  const { kind } = version;
  const config = { ...(plain(value) as JsonObject), apiVersion: apiVersionOf(kind), kind: kind.kind };
  let merged: JsonObject;
  try {
    merged = version.overlay(object, config);
  } catch (e) {
    throw new Error(`error applying patch: ${(e as Error).message}`);
  }
  return version.read(merged);
}

async function patch(value: unknown, object: JsonObject, version: AdmittedVersion): Promise<KubeObject | undefined> {
  const operations = (Array.isArray(value) ? value : []).map(operation);
  let patched: JsonValue;
  try {
    patched = applyOperations(object, operations);
  } catch (e) {
    if (!(e instanceof PatchFault)) throw e;
    // A test that fails is how a patch says that it does not want to be applied.
    if (e.testFailed) return undefined;
    throw new Error(`JSON Patch: ${e.message}`);
  }
  const unknown: string[] = [];
  let result: KubeObject;
  try {
    result = await version.read(patched as JsonObject, (text) => unknown.push(text));
  } catch (e) {
    if (e instanceof DecodeError) throw internalError(e.message);
    throw e;
  }
  if (unknown.length > 0) throw internalError(`strict decoding error: ${unknown.join(', ')}`);
  return result;
}

function operation(value: unknown): JsonObject {
  if (!(value instanceof JsonPatchValue)) {
    throw new Error('type mismatch: JSONPatchType.expression should evaluate to array of JSONPatch');
  }
  const op: JsonObject = { op: value.op, path: value.path };
  if (value.from !== '') op.from = value.from;
  if (value.value === undefined) return op;
  if (value.value instanceof ObjectValue) checkPlaces(value.value);
  op.value = plain(value.value);
  return op;
}

function checkPlaces(value: ObjectValue): void {
  const misplaced = value.misplaced();
  if (misplaced.length > 0) throw new Error(`type mismatch: ${misplaced.join('\n')}`);
}

function plain(value: unknown): JsonValue {
  try {
    return toJson(value) as JsonValue;
  } catch (e) {
    if (!(e instanceof CelError)) throw e;
    throw new Error(`JSONPath valueExpression evaluated to a type that could not marshal to JSON: ${e.message}`);
  }
}
