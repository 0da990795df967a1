import { badRequest, type StatusError } from '../errors.js';
import {
  apiVersionOf,
  type GroupVersionKind,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  type KubeObject,
  parseApiVersion,
} from '../json.js';
import { catalog } from '../scheme/catalog.js';
import type { Type } from '../scheme/type.js';
import { decodeCbor } from './cbor/decode.js';
import { DecodeError } from './errors.js';
import { parseJson } from './json/parse.js';
import type { Duplicates } from './json/scanner.js';
import { decodeMessage } from './protobuf/decode.js';
import { decodeEnvelope } from './protobuf/envelope.js';
import { kindOf } from './typed/context.js';
import { decodeTyped } from './typed/decode.js';
import { decodeUnstructured } from './typed/unstructured.js';
import { parseYaml } from './yaml/parse.js';

/** The encodings that a body may have. */
export type BodyFormat = 'json' | 'yaml' | 'protobuf' | 'cbor';

/** What an endpoint takes. */
export interface Expected {
  /** The kind of the endpoint. Also stands in for a kind or version that the body does not name. */
  gvk: GroupVersionKind;
  /** Built-in type of the kind; left out for custom resources, which are read as they are. */
  type?: Type;
}

export interface DecodedBody {
  /** The object in minimal form, with kind and apiVersion as found (or as expected). */
  object: KubeObject;
  gvk: GroupVersionKind;
  /**
   * What strict field validation refuses and Warn reports, e.g. `unknown field "spec.x"`. Empty unless asked for.
   * {@link strictDecodingError} makes the refusal of it.
   */
  strictErrors: string[];
}

/**
 * Reads the body of a write. Every fault is a StatusError 400 with the message that a client of upstream sees. The
 * version in the data may still differ from the expected one: see {@link checkVersion}.
 */
export function decodeBody(body: Uint8Array, format: BodyFormat, expected: Expected, strict: boolean): DecodedBody {
  let gvk: GroupVersionKind | undefined;
  try {
    const read = readValue(body, format, strict);
    gvk = withDefaults(read.gvk, expected.gvk);
    const { object, strictErrors } = decodeAs(read, gvk, expected, strict);
    return { object, gvk, strictErrors };
  } catch (e) {
    if (!(e instanceof DecodeError)) throw e;
    throw decodeFault(e.message, gvk, expected.gvk.kind, body);
  }
}

/** Reads an object whose kind may be any registered one (`porthole codec`, stored values); throws DecodeError. */
export function decodeAny(
  body: Uint8Array,
  format: BodyFormat,
  defaults?: GroupVersionKind,
): { object: KubeObject; gvk: GroupVersionKind } {
  const read = readValue(body, format, false);
  const gvk = defaults ? withDefaults(read.gvk, defaults) : read.gvk;
  if (!gvk.kind) throw new DecodeError(`Object 'Kind' is missing in '${Buffer.from(body).toString('utf8')}'`);
  const type = catalog().byGvk(gvk.group, gvk.version, gvk.kind);
  // What stands in is of every version: clients send options at the version of whatever group they speak to.
  if (!type && defaults && gvk.kind === defaults.kind) {
    const expected = { gvk: defaults, type: catalog().byGvk(defaults.group, defaults.version, defaults.kind) };
    return { object: decodeAs(read, defaults, expected, false).object, gvk };
  }
  return { object: decodeAs(read, gvk, { gvk, type }, false).object, gvk };
}

/** The refusal of a body that strict field validation finds faults in. */
export function strictDecodingError(gvk: GroupVersionKind, expectedKind: string, strictErrors: string[]): StatusError {
  return notHandled(gvk, expectedKind, `strict decoding error: ${strictErrors.join(', ')}`);
}

/** The refusal of a body that is no object of its kind. */
export function notHandled(gvk: GroupVersionKind, expectedKind: string, reason: string): StatusError {
  return badRequest(`${gvk.kind} in version "${gvk.version}" cannot be handled as a ${expectedKind}: ${reason}`);
}

/** Refuses an object of another version than the endpoint's. */
export function checkVersion(actual: GroupVersionKind, expected: GroupVersionKind): void {
  const found = apiVersionOf(actual);
  const wanted = apiVersionOf(expected);
  if (found !== wanted) {
    throw badRequest(`the API version in the data (${found}) does not match the expected API version (${wanted})`);
  }
}

/** A body as far as it can be read without its type. Protobuf stays bytes. */
interface Read {
  gvk: GroupVersionKind;
  value: JsonValue | undefined;
  message: Uint8Array | undefined;
  duplicates: Duplicates | undefined;
  strictErrors: string[];
}

function readValue(body: Uint8Array, format: BodyFormat, strict: boolean): Read {
  const duplicates: Duplicates | undefined = strict ? new Map() : undefined;
  const strictErrors: string[] = [];
  if (format === 'protobuf') {
    const { gvk, raw } = decodeEnvelope(body);
    return { gvk, value: undefined, message: raw, duplicates, strictErrors };
  }
  let value: JsonValue;
  if (format === 'json') {
    try {
      value = parseJson(body, duplicates);
    } catch (e) {
      throw new DecodeError(`couldn't get version/kind; json parse error: ${(e as Error).message}`);
    }
  } else if (format === 'yaml') {
    const yaml = parseYaml(body);
    value = yaml.value;
    if (strict) strictErrors.push(...yaml.duplicates);
  } else value = decodeCbor(body);
  return { gvk: gvkOf(value), value, message: undefined, duplicates, strictErrors };
}

const META_STRUCT =
  'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';

/**
 * Kind and version as a value names them; empty where it does not. Go matches these two keys whatever their case.
 *
 * @throws DecodeError when they are no texts
 */
export function gvkOf(value: JsonValue): GroupVersionKind {
  const fail = (what: string): never => {
    throw new DecodeError(`couldn't get version/kind; json parse error: json: cannot unmarshal ${what}`);
  };
  if (value === null) return { group: '', version: '', kind: '' };
  if (!isJsonObject(value)) return fail(`${kindOf(value)} into Go value of type ${META_STRUCT}`);
  const text = (name: string): string => {
    let v: JsonValue | undefined;
    if (Object.hasOwn(value, name)) v = value[name];
    else {
      const key = Object.keys(value).find((k) => k.toLowerCase() === name.toLowerCase());
      v = key === undefined ? undefined : value[key];
    }
    if (v === undefined || v === null) return '';
    if (typeof v !== 'string') return fail(`${kindOf(v)} into Go struct field .${name} of type string`);
    return v;
  };
  const apiVersion = text('apiVersion');
  const kind = text('kind');
  if (apiVersion.split('/').length > 2) throw new DecodeError(`unexpected GroupVersion string: ${apiVersion}`);
  const { group, version } = parseApiVersion(apiVersion);
  return { group, version, kind };
}

function withDefaults(actual: GroupVersionKind, defaults: GroupVersionKind): GroupVersionKind {
  if (actual.version !== '' && actual.kind !== '') return actual;
  const kind = actual.kind || defaults.kind;
  if (actual.version !== '') return { ...actual, kind };
  const takes = actual.group === '' || actual.group === defaults.group;
  return takes ? { group: defaults.group, version: defaults.version, kind } : { ...actual, kind };
}

/** What upstream says of custom resources in protobuf. */
const NO_PROTOBUF =
  'object *unstructured.Unstructured does not implement the protobuf marshalling interface and cannot be encoded to a protobuf message';

function decodeAs(
  read: Read,
  gvk: GroupVersionKind,
  expected: Expected,
  strict: boolean,
): { object: KubeObject; strictErrors: string[] } {
  if (!expected.type) {
    if (read.message) throw new DecodeError(NO_PROTOBUF);
    const object = decodeUnstructured(read.value!, read.duplicates, read.strictErrors);
    return { object: withTypeMeta(object, gvk), strictErrors: read.strictErrors };
  }
  const type = catalog().byGvk(gvk.group, gvk.version, gvk.kind);
  if (!type) throw new DecodeError(notRegistered(gvk, expected.gvk.group));
  if (gvk.kind !== expected.gvk.kind) throw new DecodeError(unknownConversion(gvk, expected.gvk));
  if (read.message) return { object: withTypeMeta(decodeMessage(type, read.message), gvk), strictErrors: [] };
  const decoded = decodeTyped(type, read.value!, { strict, duplicates: read.duplicates });
  return { object: withTypeMeta(decoded.object, gvk), strictErrors: [...read.strictErrors, ...decoded.unknown] };
}

function withTypeMeta(object: JsonObject, gvk: GroupVersionKind): KubeObject {
  object.kind = gvk.kind;
  object.apiVersion = apiVersionOf(gvk);
  return object as KubeObject;
}

/** Where the scheme of a group is made; error texts name it. */
const SCHEMES: Record<string, string> = {
  'apiextensions.k8s.io': 'pkg/apiserver/apiserver.go:55',
  'apiregistration.k8s.io': 'pkg/apiserver/scheme/scheme.go:28',
};

/** @param group of the endpoint, which names the scheme */
export function notRegistered(gvk: GroupVersionKind, group: string): string {
  const scheme = SCHEMES[group] ?? 'pkg/api/legacyscheme/scheme.go:30';
  return `no kind "${gvk.kind}" is registered for version "${apiVersionOf(gvk)}" in scheme "${scheme}"`;
}

function unknownConversion(from: GroupVersionKind, to: GroupVersionKind): string {
  return `converting (${from.version}.${from.kind}) to (${internalTypeName(to)}): unknown conversion`;
}

/** The internal Go type of a kind as messages name it: `core.Pod`, `apps.Deployment`. */
export function internalTypeName(gvk: GroupVersionKind): string {
  const group = gvk.group === '' || gvk.group === 'events.k8s.io' ? 'core' : gvk.group.split('.')[0]!;
  const name = { rbac: 'rbac', 'internal.apiserver.k8s.io': 'apiserverinternal' }[gvk.group] ?? group;
  return `${name}.${gvk.kind}`;
}

function decodeFault(message: string, gvk: GroupVersionKind | undefined, kind: string, body: Uint8Array): StatusError {
  return gvk?.kind
    ? notHandled(gvk, kind, message)
    : badRequest(`the object provided is unrecognized (must be of type ${kind}): ${message} (${summary(body)})`);
}

/** The start of a body for an error text: JSON as it is, anything else in hexadecimal. */
function summary(body: Uint8Array): string {
  if (body.length === 0) return '<empty>';
  const start = Buffer.from(body.subarray(0, 30));
  return start.toString(body[0] === 0x7b ? 'utf8' : 'hex') + (body.length > 30 ? ' ...' : '');
}
