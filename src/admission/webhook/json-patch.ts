import { DecodeError } from '../../machinery/codec/errors.js';
import { parseJson } from '../../machinery/codec/json/parse.js';
import { isStatusError } from '../../machinery/errors.js';
import type { JsonObject } from '../../machinery/json.js';
import { type JsonPatch, parseJsonPatch } from '../../machinery/patch/json-patch.js';

/**
 * The JSON patch of a webhook's response.
 *
 * @throws DecodeError
 */
export function decodePatch(bytes: Buffer): JsonPatch {
  const value = parseJson(bytes);
  try {
    return parseJsonPatch(value, false);
  } catch (e) {
    if (isStatusError(e)) throw new DecodeError(e.message);
    throw e;
  }
}

const MEMBERS = ['from', 'op', 'path', 'value'] as const;

/** Operations as the audit log has them: members in order of name. */
export function auditForm(patch: JsonPatch): JsonObject[] {
  return patch.map((op) =>
    Object.fromEntries(MEMBERS.filter((m) => op[m] !== undefined).map((m) => [m, op[m]] as const)),
  );
}

/** Where the operations change something. */
export function patchedPaths(patch: JsonPatch): string[] {
  const changing = patch.filter((op) => op.op !== 'test');
  return changing.flatMap((op) => (typeof op.path === 'string' ? [op.path] : []));
}
