import {
  type BodyFormat,
  checkVersion,
  type DecodedBody,
  decodeBody,
  notHandled,
  strictDecodingError,
} from '../machinery/codec/body.js';
import { DecodeError } from '../machinery/codec/errors.js';
import { apiVersionOf, type KubeObject } from '../machinery/json.js';
import type { KindVersion } from './kind.js';

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

/**
 * A request body as an object of the expected kind and version, in minimal form, defaults not applied. Unknown and
 * repeated fields are refused, reported or ignored, as the client asked.
 *
 * @param accepted apiVersions of the same shape that are as good as the expected one
 * @throws 400
 */
export function readObject(
  version: KindVersion,
  bytes: Buffer,
  format: BodyFormat,
  validation: FieldValidation,
  warn: (text: string) => void,
  accepted?: readonly string[],
): KubeObject {
  const { group, kind } = version;
  const gvk = { group, version: version.version, kind };
  const decoded = decodeBody(
    bytes,
    format,
    { gvk, type: version.typed ? version.type : undefined },
    validation !== 'Ignore',
  );
  if (!accepted?.includes(apiVersionOf(decoded.gvk))) checkVersion(decoded.gvk, gvk);
  decoded.object.apiVersion = apiVersionOf(gvk);
  const faults = decoded.strictErrors;
  const object = version.typed ? decoded.object : readUntyped(version, decoded, (text) => faults.push(text));
  if (faults.length > 0 && validation === 'Strict') throw strictDecodingError(gvk, kind, faults);
  if (validation === 'Warn') for (const text of faults) warn(text);
  object.metadata ??= {};
  return object;
}

function readUntyped(version: KindVersion, { object, gvk }: DecodedBody, report: (text: string) => void): KubeObject {
  try {
    return version.decode(object, { report });
  } catch (e) {
    throw e instanceof DecodeError ? notHandled(gvk, version.kind, e.message) : e;
  }
}
