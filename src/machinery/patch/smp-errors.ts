import { badRequest, StatusError } from '../errors.js';
import { goType, goValue } from '../go-format.js';
import type { JsonObject, JsonValue } from '../json.js';

// What kube-apiserver answers to strategic merge patches that make no sense.

/** An error that upstream gives no status of its own: 500 without a reason. */
export function plainError(message: string): StatusError {
  return new StatusError(500, '', message);
}

export const badFormat = (of: 'retainKeys' | 'primitive list' | 'setElementOrder list'): StatusError =>
  badRequest(`invalid patch format of ${of}`);

export function noMergeKey(element: JsonObject, mergeKey: string): StatusError {
  return plainError(`map: ${goValue(element)} does not contain declared merge key: ${mergeKey}`);
}

/** `expected`: the Go type that was wanted. */
export function badType(actual: JsonValue, expected: '[]interface {}' | 'map[string]interface {}'): StatusError {
  return plainError(`expected a ${expected}, but received a ${actual === null ? '%!s(<nil>)' : goType(actual)}`);
}

export function badDirective(directive: JsonValue, patch: JsonObject): StatusError {
  const text = typeof directive === 'string' ? directive : `%!s(${goType(directive)}=${goValue(directive)})`;
  return plainError(`unknown patch type: ${text} in map: ${goValue(patch)}`);
}

/** Upstream's refusal of lists of lists; the reason does not reach the client. */
export function unprocessable(): StatusError {
  return new StatusError(422, 'Invalid', 'the server rejected our request due to an error in our request', {});
}
