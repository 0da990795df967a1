import { type BodyFormat, checkVersion, decodeBody, strictDecodingError } from '../machinery/codec/body.js';
import type { KubeObject } from '../machinery/json.js';
import type { KindVersion } from './kind.js';

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

/**
 * A request body as an object of the expected kind and version, in minimal form, defaults not applied. Unknown and
 * repeated fields are refused, reported or ignored, as the client asked.
 *
 * @throws 400
 */
export function readObject(
  version: KindVersion,
  bytes: Buffer,
  format: BodyFormat,
  validation: FieldValidation,
  warn: (text: string) => void,
): KubeObject {
  const { group, kind } = version;
  const gvk = { group, version: version.version, kind };
  const decoded = decodeBody(
    bytes,
    format,
    { gvk, type: version.typed ? version.type : undefined },
    validation !== 'Ignore',
  );
  checkVersion(decoded.gvk, gvk);
  const faults = decoded.strictErrors;
  const object = version.typed
    ? decoded.object
    : version.decode(decoded.object, { report: (text) => faults.push(text) });
  if (faults.length > 0 && validation === 'Strict') throw strictDecodingError(gvk, kind, faults);
  if (validation === 'Warn') for (const text of faults) warn(text);
  object.metadata ??= {};
  return object;
}
