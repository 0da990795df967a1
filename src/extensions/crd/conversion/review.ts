import type { WebhookAnswer } from '../../../admission/webhook/client/client.js';
import { DecodeError } from '../../../machinery/codec/errors.js';
import { encodeUnstructured } from '../../../machinery/codec/json/encode.js';
import { parseJson } from '../../../machinery/codec/json/parse.js';
import { kindOf } from '../../../machinery/codec/typed/context.js';
import { parseYaml } from '../../../machinery/codec/yaml/parse.js';
import { goQuote } from '../../../machinery/go-format.js';
import { isJsonObject, type JsonObject, type JsonValue, type KubeObject } from '../../../machinery/json.js';

export type ReviewVersion = 'v1' | 'v1beta1';

const GROUP = 'apiextensions.k8s.io';
const KIND = 'ConversionReview';
/** Where the scheme of upstream's webhook client is made; its messages name it. */
const SCHEME = 'pkg/util/webhook/client.go:71';
const META_STRUCT =
  'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';

/** What a webhook answered breaks the rules of ConversionReview. */
export class InvalidReview extends Error {}

/** The first version in the webhook's list that this server speaks. */
export function reviewVersion(versions: readonly string[]): ReviewVersion | undefined {
  return versions.find((v): v is ReviewVersion => v === 'v1' || v === 'v1beta1');
}

/** JSON of a request for conversion, objects with their members sorted. Upstream sends an empty response along. */
export function reviewRequest(
  version: ReviewVersion,
  uid: string,
  desiredAPIVersion: string,
  objects: readonly KubeObject[],
): string {
  const head = `"kind":"${KIND}","apiVersion":"${GROUP}/${version}"`;
  const target = `"uid":${JSON.stringify(uid)},"desiredAPIVersion":${JSON.stringify(desiredAPIVersion)}`;
  const response = '"response":{"uid":"","convertedObjects":[],"result":{"metadata":{}}}';
  return `{${head},"request":{${target},"objects":[${objects.map(encodeUnstructured).join(',')}]},${response}}`;
}

/**
 * The objects of a successful answer, as they are.
 *
 * @throws DecodeError for what is no ConversionReview; InvalidReview
 */
export function readReview(answer: WebhookAnswer, version: ReviewVersion, uid: string): JsonValue[] {
  if (answer.body.length === 0) {
    const what = `status code: ${answer.status} and content type: ${answer.contentType}`;
    throw new DecodeError(`0-length response with ${what}`);
  }
  const review = parse(answer.body);
  const kind = textOf(review, 'kind');
  const apiVersion = textOf(review, 'apiVersion');
  checkKind(kind || KIND, apiVersion || `${GROUP}/${version}`, version);
  const response = member(review, 'response', 'ConversionReview.response', `${version}.ConversionResponse`);
  if (version === 'v1') {
    if (kind !== KIND || apiVersion === '') {
      const wanted = `${GROUP}/v1, Kind=${KIND}`;
      throw new InvalidReview(`expected webhook response of ${wanted}, got ${gvkText(apiVersion, kind)}`);
    }
    const found = response ? textOf(response, 'uid') : '';
    if (response && found !== uid) {
      throw new InvalidReview(`expected response.uid=${goQuote(uid)}, got ${goQuote(found)}`);
    }
  }
  if (!response) throw new InvalidReview('no response provided');
  const result = member(response, 'result', 'ConversionResponse.response.result', 'v1.Status') ?? {};
  const status = textOf(result, 'status');
  if (status !== 'Success') {
    throw new InvalidReview(textOf(result, 'message') || `response.result.status was '${status}', not 'Success'`);
  }
  const { convertedObjects = null } = response;
  if (convertedObjects === null) return [];
  if (Array.isArray(convertedObjects)) return convertedObjects;
  const where = 'ConversionResponse.response.convertedObjects of type []runtime.RawExtension';
  throw new DecodeError(`json: cannot unmarshal ${kindOf(convertedObjects)} into Go struct field ${where}`);
}

function parse(body: Buffer): JsonObject {
  const json = body.find((b) => b !== 0x20 && b !== 0x09 && b !== 0x0a && b !== 0x0d) === 0x7b;
  let value: JsonValue;
  try {
    value = json ? parseJson(body) : parseYaml(body).value;
  } catch (e) {
    if (!(e instanceof DecodeError)) throw e;
    throw new DecodeError(json ? `couldn't get version/kind; json parse error: ${e.message}` : e.message);
  }
  if (value === null) return {};
  if (isJsonObject(value)) return value;
  const what = `json: cannot unmarshal ${kindOf(value)} into Go value of type ${META_STRUCT}`;
  throw new DecodeError(`couldn't get version/kind; json parse error: ${what}`);
}

function checkKind(kind: string, apiVersion: string, version: ReviewVersion): void {
  // Every version of the API has these kinds of meta.
  const isMeta = apiVersion === 'v1' && kind === 'Status';
  const isReview = kind === KIND && /^apiextensions\.k8s\.io\/(v1|v1beta1)$/.test(apiVersion);
  if (!isMeta && !isReview) {
    const what = `no kind ${goQuote(kind)} is registered for version ${goQuote(apiVersion)}`;
    throw new DecodeError(`${what} in scheme ${goQuote(SCHEME)}`);
  }
  if (isReview && apiVersion === `${GROUP}/${version}`) return;
  const found = isMeta ? 'v1' : apiVersion.slice(GROUP.length + 1);
  throw new DecodeError(`converting (${found}.${kind}) to (${version}.${KIND}): unknown conversion`);
}

function textOf(value: JsonObject, name: string): string {
  const text = value[name] ?? '';
  if (typeof text === 'string') return text;
  throw new DecodeError(`json: cannot unmarshal ${kindOf(text)} into Go struct field .${name} of type string`);
}

function member(value: JsonObject, name: string, where: string, type: string): JsonObject | undefined {
  const found = value[name] ?? undefined;
  if (found === undefined || isJsonObject(found)) return found;
  throw new DecodeError(`json: cannot unmarshal ${kindOf(found)} into Go struct field ${where} of type ${type}`);
}

/** A group, version and kind as Go prints them; a version that can't be split counts as none. */
export function gvkText(apiVersion: string, kind: string): string {
  const parts = apiVersion.split('/');
  if (parts.length > 2) return '/, Kind=';
  const [group, version] = parts.length === 2 ? parts : ['', parts[0]];
  return `${group}/${version}, Kind=${kind}`;
}
