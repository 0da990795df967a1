import { gvkOf, notRegistered } from '../../machinery/codec/body.js';
import { DecodeError } from '../../machinery/codec/errors.js';
import { parseJson } from '../../machinery/codec/json/parse.js';
import type { Duplicates } from '../../machinery/codec/json/scanner.js';
import {
  mediaTypeOf,
  routeConsumes,
  routeUnsupportedMediaType,
  unsupportedMediaType,
} from '../../machinery/codec/negotiate.js';
import { decodeUnstructured } from '../../machinery/codec/typed/unstructured.js';
import { parseYaml } from '../../machinery/codec/yaml/parse.js';
import { badRequest, notFound, StatusError } from '../../machinery/errors.js';
import { goValue } from '../../machinery/go-format.js';
import { apiVersionOf, isJsonObject, type JsonObject, type JsonValue, type KubeObject } from '../../machinery/json.js';
import { applyJsonPatch, parseJsonPatch, unknownPatchFields } from '../../machinery/patch/json-patch.js';
import { applyMergePatch, parseMergePatch } from '../../machinery/patch/merge-patch.js';
import { patchedInvalid, patchedText } from '../../machinery/patch/patched.js';
import {
  applyStrategicMergePatch,
  parseStrategicMergePatch,
  type StrategicMergeResult,
} from '../../machinery/patch/strategic-merge-patch.js';
import { checkUnstructured } from '../../machinery/patch/unstructured.js';
import type { KindVersion } from '../kind.js';
import { type WriteQuery, writeQuery } from '../options.js';
import type { VerbAnswer, VerbRequest, VerbServices } from './contract.js';
import { admitted } from './update.js';
import { checkName, checkNamespace, writeContext, writerOf } from './write.js';

export const JSON_PATCH = 'application/json-patch+json';
export const MERGE_PATCH = 'application/merge-patch+json';
export const STRATEGIC_MERGE_PATCH = 'application/strategic-merge-patch+json';
export const APPLY_PATCH = 'application/apply-patch+yaml';

/** Makes the patched object (request version, minimal form, defaulted, managedFields kept) from the live one. */
type Patcher = (live: KubeObject | undefined) => Promise<KubeObject>;

/** PATCH in its four forms. A patch without resourceVersion is applied again when another writer came first. */
export async function patch(request: VerbRequest, services: VerbServices): Promise<VerbAnswer> {
  const { endpoint, contentType } = request;
  const { version } = endpoint;
  const mediaType = patchType(contentType, version);
  const bytes = await request.body();
  const apply = mediaType === APPLY_PATCH;
  const options = writeQuery('PatchOptions', request.query, apply);
  const patcher = await request.stage('decode', () =>
    apply
      ? applyPatcher(request, services, options, bytes)
      : plainPatcher(request, services, options, bytes, mediaType),
  );
  const outcome = await endpoint.update!(writeContext(request, options.dryRun), {
    name: request.name,
    forceCreate: apply,
    ...admitted(request, services, options, async (live) => {
      const object = await patcher(live);
      checkName(object, request);
      checkNamespace(object, request);
      return version.toHub(object);
    }),
  });
  return { type: 'object', status: outcome.created ? 201 : 200, version, object: outcome.object };
}

/** Strategic merge needs Go types, so custom resources don't have it. */
export function patchTypes(version: KindVersion): string[] {
  return version.typed
    ? [JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH, APPLY_PATCH]
    : [JSON_PATCH, MERGE_PATCH, APPLY_PATCH];
}

/** @throws 415 where there is no route for the media type, before anything is said of the resource */
export function checkPatchRoute(contentType: string, version: KindVersion): void {
  if (version.typed && !routeConsumes(contentType, patchTypes(version))) throw routeUnsupportedMediaType();
}

/** @throws 415 by the rules of the endpoint */
function patchType(contentType: string, version: KindVersion): string {
  const types = patchTypes(version);
  const type = mediaTypeOf(contentType);
  if (!types.includes(type)) throw unsupportedMediaType(types);
  return type;
}

function plainPatcher(
  request: VerbRequest,
  services: VerbServices,
  options: WriteQuery,
  bytes: Buffer,
  mediaType: string,
): Patcher {
  const { version, subresource } = request.endpoint;
  const read = readPatch(request, options, bytes, mediaType);
  const manager = version.fieldManager(subresource);
  const writer = writerOf(request, services, options);
  return async (live) => {
    // What is wrong with a patch is of no interest where there is nothing to patch.
    if (!live) throw notFound(request.endpoint.resource, request.name);
    if (read instanceof StatusError) throw read;
    const object = read.change(live, [...read.faults]);
    version.applyDefaults(object);
    return manager.onUpdate(live, object, writer);
  };
}

/** The patch, or the refusal of it. */
function readPatch(
  request: VerbRequest,
  options: WriteQuery,
  bytes: Buffer,
  mediaType: string,
): { change: Change; faults: string[] } | StatusError {
  const strict = options.fieldValidation !== 'Ignore';
  const duplicates: Duplicates | undefined = strict ? new Map() : undefined;
  try {
    const body = parsePatch(bytes, duplicates, strict);
    const change = mechanism(request, options, body, mediaType);
    request.recordBody(undefined, body);
    return { change, faults: duplicateTexts(body, duplicates) };
  } catch (e) {
    if (e instanceof StatusError) return e;
    throw e;
  }
}

function parsePatch(bytes: Buffer, duplicates: Duplicates | undefined, strict: boolean): JsonValue {
  try {
    return parseJson(bytes, duplicates);
  } catch (e) {
    if (e instanceof DecodeError) throw badRequest(`${strict ? 'error decoding patch: ' : ''}${e.message}`);
    throw e;
  }
}

function duplicateTexts(body: JsonValue, duplicates: Duplicates | undefined): string[] {
  const texts: string[] = [];
  if (duplicates && duplicates.size > 0 && isJsonObject(body)) decodeUnstructured(body, duplicates, texts);
  return texts;
}

type Change = (live: KubeObject, faults: string[]) => KubeObject;

/** Checks the patch once, and gives the function that applies it to whatever is live. */
function mechanism(request: VerbRequest, options: WriteQuery, body: JsonValue, mediaType: string): Change {
  const { version } = request.endpoint;
  const strict = options.fieldValidation !== 'Ignore';
  const document = (live: KubeObject) => JSON.parse(version.encode(live)) as JsonObject;
  switch (mediaType) {
    case JSON_PATCH: {
      const operations = parseJsonPatch(body, strict);
      const unknown = strict ? unknownPatchFields(operations) : [];
      return (live, faults) => {
        const patched = applyJsonPatch(document(live), operations);
        return decodePatched(request, options, patched, patchedText(patched), [...unknown, ...faults]);
      };
    }
    case MERGE_PATCH: {
      const merge = parseMergePatch(body, strict);
      return (live, faults) => {
        const patched = applyMergePatch(document(live), merge);
        return decodePatched(request, options, patched, patchedText(patched), faults);
      };
    }
    default: {
      const merge = parseStrategicMergePatch(body);
      return (live, faults) => {
        const patched = applyStrategicMergePatch(document(live), merge, version.type);
        return decodeMergedStrategically(request, options, patched, faults);
      };
    }
  }
}

/**
 * @param quoted what the message of a 422 shows
 * @param reported unknown fields are in `faults` already
 */
function decodePatched(
  request: VerbRequest,
  options: WriteQuery,
  patched: JsonValue,
  quoted: string,
  faults: string[],
  reported = false,
): KubeObject {
  const { version } = request.endpoint;
  const silent = reported || options.fieldValidation === 'Ignore';
  const unknown: string[] = [];
  const strict = silent ? undefined : { report: (text: string) => unknown.push(text) };
  let object: KubeObject;
  try {
    if (!isJsonObject(patched)) throw new DecodeError(`couldn't get version/kind; json parse error: unexpected value`);
    checkPatchedKind(version, patched, quoted);
    object = version.decode(patched, strict);
  } catch (e) {
    if (e instanceof DecodeError) throw patchedInvalid(quoted, e.message);
    throw e;
  }
  faults.push(...(unknown.length > 1 ? inOrderOfText(version, quoted) : unknown));
  if (faults.length > 0) {
    if (options.fieldValidation === 'Strict') {
      throw patchedInvalid(quoted, `strict decoding error: ${faults.join(', ')}`);
    }
    for (const fault of faults) request.ctx.warn(fault);
  }
  return object;
}

/** Unknown fields as they come in the text of the patched object, whose members may stand elsewhere than in the values. */
function inOrderOfText(version: KindVersion, text: string): string[] {
  const unknown: string[] = [];
  version.decode(parseJson(Buffer.from(text)), { report: (fault) => unknown.push(fault) });
  return unknown;
}

/** The result of a strategic merge is checked as values, not decoded from text: its faults read otherwise. */
function decodeMergedStrategically(
  request: VerbRequest,
  options: WriteQuery,
  patched: StrategicMergeResult,
  faults: string[],
): KubeObject {
  const { version } = request.endpoint;
  const quoted = goValue(patched.patch);
  const report = options.fieldValidation === 'Ignore' ? undefined : (text: string) => faults.push(text);
  try {
    checkUnstructured(patched.object, version.type, report);
  } catch (e) {
    throw patchedInvalid(quoted, (e as Error).message);
  }
  return decodePatched(request, options, patched.object, quoted, faults, true);
}

function checkPatchedKind(version: KindVersion, patched: JsonObject, quoted: string): void {
  if (!version.typed) {
    // Another kind or version is for the validation of the custom resource to refuse.
    if (!gvkOf(patched).kind) throw patchedInvalid(quoted, `Object 'Kind' is missing in '${quoted}'`);
    return;
  }
  const { group, kind } = version;
  const found = gvkOf({ kind: patched.kind ?? kind, apiVersion: patched.apiVersion ?? version.apiVersion });
  if (found.kind === kind && apiVersionOf(found) === version.apiVersion) return;
  throw patchedInvalid(quoted, notRegistered(found, group));
}

function applyPatcher(request: VerbRequest, services: VerbServices, options: WriteQuery, bytes: Buffer): Patcher {
  const { version, subresource } = request.endpoint;
  const config = readConfig(request, bytes, options);
  request.recordBody(undefined, config);
  const manager = version.fieldManager(subresource);
  const applier = { ...writerOf(request, services, options), force: options.force };
  return async (live) => {
    const merged = await manager.apply(live, config, applier);
    const object = decodeMerged(version, merged);
    version.applyDefaults(object);
    return object;
  };
}

function decodeMerged(version: KindVersion, merged: KubeObject): KubeObject {
  try {
    return version.decode(merged);
  } catch (e) {
    if (e instanceof DecodeError) throw badRequest(e.message);
    throw e;
  }
}

/** The applied configuration: YAML (or JSON, which is YAML), kept as the client wrote it. */
function readConfig(request: VerbRequest, bytes: Buffer, options: WriteQuery): KubeObject {
  let parsed: ReturnType<typeof parseYaml>;
  try {
    parsed = parseYaml(bytes);
  } catch (e) {
    if (e instanceof DecodeError) throw badRequest(`error decoding YAML: ${e.message}`);
    throw e;
  }
  if (!isJsonObject(parsed.value)) {
    throw badRequest('error decoding YAML: json: cannot unmarshal into Go value of type map[string]interface {}');
  }
  if (parsed.duplicates.length > 0) {
    if (options.fieldValidation === 'Strict') {
      throw badRequest(`error strict decoding YAML: ${parsed.duplicates.join(', ')}`);
    }
    if (options.fieldValidation === 'Warn') for (const text of parsed.duplicates) request.ctx.warn(text);
  }
  return parsed.value as KubeObject;
}
