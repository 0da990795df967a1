import { DecodeError } from '../../machinery/codec/errors.js';
import { parseJson } from '../../machinery/codec/json/parse.js';
import { kindOf } from '../../machinery/codec/typed/context.js';
import { decodeTyped } from '../../machinery/codec/typed/decode.js';
import { parseYaml } from '../../machinery/codec/yaml/parse.js';
import type { Status } from '../../machinery/errors.js';
import { goQuote } from '../../machinery/go-format.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../../machinery/json.js';
import { catalog } from '../../machinery/scheme/catalog.js';
import type { WebhookAnswer } from './client/client.js';
import type { ReviewVersion } from './review.js';

/** What a webhook answered. */
export interface ReviewResponse {
  readonly allowed: boolean;
  readonly status: Partial<Status> | undefined;
  /** JSON text of a JSON patch. */
  readonly patch: Buffer | undefined;
  readonly patchType: string;
  readonly auditAnnotations: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
}

/** The answer is a response that breaks the rules of AdmissionReview, rather than no AdmissionReview. */
export class InvalidResponse extends Error {}

/** Where the scheme of upstream's webhook client is made; its messages name it. */
const SCHEME = 'pkg/util/webhook/client.go:71';
const META_STRUCT =
  'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';

/**
 * Reads and checks an AdmissionReview with a response.
 *
 * @throws DecodeError for what is no AdmissionReview; InvalidResponse
 */
export function readResponse(
  answer: WebhookAnswer,
  review: ReviewVersion,
  uid: string,
  mutating: boolean,
): ReviewResponse {
  if (answer.body.length === 0) {
    throw new DecodeError(
      `0-length response with status code: ${answer.status} and content type: ${answer.contentType}`,
    );
  }
  const value = parse(answer.body);
  const apiVersion = `admission.k8s.io/${review}`;
  const kind = meta(value, 'kind') || 'AdmissionReview';
  const found = meta(value, 'apiVersion') || apiVersion;
  if (kind !== 'AdmissionReview' || !/^admission\.k8s\.io\/(v1|v1beta1)$/.test(found)) {
    throw new DecodeError(`no kind ${goQuote(kind)} is registered for version ${goQuote(found)} in scheme "${SCHEME}"`);
  }
  if (found !== apiVersion) {
    throw new DecodeError(
      `converting (${found.split('/')[1]}.AdmissionReview) to (${review}.AdmissionReview): unknown conversion`,
    );
  }
  const response = new Fields(value, 'AdmissionReview', '').object('response');
  if (!response) throw new InvalidResponse('webhook response was absent');
  const fields = new Fields(response, 'AdmissionResponse', 'response');
  const raw = read(fields);
  if (review === 'v1beta1') return checkedV1beta1(raw, mutating);
  if (raw.uid !== uid) throw new InvalidResponse(`expected response.uid=${goQuote(uid)}, got ${goQuote(raw.uid)}`);
  if (!value.kind || !value.apiVersion) {
    const name = `${value.apiVersion ? apiVersion : '/'}, Kind=${value.kind ? kind : ''}`;
    throw new InvalidResponse(`expected webhook response of ${apiVersion}, Kind=AdmissionReview, got ${name}`);
  }
  return checkedV1(raw, mutating);
}

type Raw = Omit<ReviewResponse, 'patchType'> & { uid: string; patchType: string | undefined };

function parse(body: Buffer): JsonObject {
  const json = body.find((b) => b !== 0x20 && b !== 0x09 && b !== 0x0a && b !== 0x0d) === 0x7b;
  let value: JsonValue;
  try {
    value = json ? parseJson(body) : parseYaml(body).value;
  } catch (e) {
    const text = (e as Error).message;
    throw new DecodeError(json ? `couldn't get version/kind; json parse error: ${text}` : text);
  }
  if (value === null) return {};
  if (isJsonObject(value)) return value;
  throw new DecodeError(
    `couldn't get version/kind; json parse error: json: cannot unmarshal ${kindOf(value)} into Go value of type ${META_STRUCT}`,
  );
}

function meta(value: JsonObject, name: 'kind' | 'apiVersion'): string {
  const text = value[name] ?? '';
  if (typeof text === 'string') return text;
  throw new DecodeError(
    `couldn't get version/kind; json parse error: json: cannot unmarshal ${kindOf(text)} into Go struct field .${name} of type string`,
  );
}

function read(fields: Fields): Raw {
  const patch = fields.text('patch');
  const status = fields.object('status');
  return {
    uid: fields.text('uid') ?? '',
    allowed: fields.bool('allowed'),
    status: status && readStatus(status),
    patch: patch ? decodeBase64(patch) : undefined,
    patchType: fields.text('patchType'),
    auditAnnotations: fields.texts('auditAnnotations'),
    warnings: fields.list('warnings'),
  };
}

/** A meta.v1.Status; what is no such thing is refused as the typed decoder does. */
function readStatus(value: JsonObject): Partial<Status> {
  const type = catalog().byGvk('', 'v1', 'Status');
  if (!type) throw new Error('the catalog has no Status');
  return decodeTyped(type, value, { strict: false }).object as unknown as Partial<Status>;
}

function checkedV1(raw: Raw, mutating: boolean): ReviewResponse {
  const { patch, patchType } = raw;
  const fail = (text: string): never => {
    throw new InvalidResponse(text);
  };
  if (!mutating) {
    if (patch) fail('validating webhook may not return response.patch');
    if (patchType !== undefined) fail('validating webhook may not return response.patchType');
  } else {
    if (patch && patchType === undefined) fail('webhook returned response.patch but not response.patchType');
    if (!patch && patchType !== undefined) fail('webhook returned response.patchType but not response.patch');
    if (patchType === '') fail('webhook returned invalid response.patchType of ""');
  }
  return { ...raw, patchType: patchType ?? '' };
}

/** This version never checked more. */
function checkedV1beta1(raw: Raw, mutating: boolean): ReviewResponse {
  const patch = mutating ? raw.patch : undefined;
  return { ...raw, patch, patchType: patch ? 'JSONPatch' : '' };
}

function decodeBase64(text: string): Buffer | undefined {
  const clean = text.replace(/[\r\n]/g, '');
  const bad = /[^A-Za-z0-9+/=]/.exec(clean);
  const bytes = Buffer.from(clean, 'base64');
  if (bad || clean.length % 4 !== 0) {
    throw new DecodeError(`illegal base64 data at input byte ${bad ? bad.index : clean.length - (clean.length % 4)}`);
  }
  return bytes.length > 0 ? bytes : undefined;
}

/** Members of a Go struct, with the messages of its JSON decoder. */
class Fields {
  readonly value: JsonObject;
  readonly #struct: string;
  readonly #path: string;

  constructor(value: JsonObject, struct: string, path: string) {
    this.value = value;
    this.#struct = struct;
    this.#path = path;
  }

  mismatch(name: string, value: JsonValue, type: string): DecodeError {
    const path = this.#path ? `${this.#path}.${name}` : name;
    return new DecodeError(
      `json: cannot unmarshal ${kindOf(value)} into Go struct field ${this.#struct}.${path} of type ${type}`,
    );
  }

  text(name: string): string | undefined {
    const value = this.value[name] ?? undefined;
    if (value === undefined || typeof value === 'string') return value;
    throw this.mismatch(name, value, 'string');
  }
  bool(name: string): boolean {
    const value = this.value[name] ?? false;
    if (typeof value === 'boolean') return value;
    throw this.mismatch(name, value, 'bool');
  }
  object(name: string): JsonObject | undefined {
    const value = this.value[name] ?? undefined;
    if (value === undefined || isJsonObject(value)) return value;
    throw this.mismatch(name, value, `v1.${name === 'response' ? 'AdmissionResponse' : 'Status'}`);
  }
  list(name: string): string[] {
    const value = this.value[name] ?? [];
    if (!Array.isArray(value)) throw this.mismatch(name, value, '[]string');
    return value.map((v) => {
      if (v !== null && typeof v !== 'string') throw this.mismatch(name, v, 'string');
      return v ?? '';
    });
  }
  texts(name: string): Record<string, string> {
    const out: Record<string, string> = Object.create(null);
    const value = this.object(name) ?? {};
    for (const [key, v] of Object.entries(value)) {
      if (v !== null && v !== undefined && typeof v !== 'string') throw this.mismatch(name, v, 'string');
      out[key] = v ?? '';
    }
    return out;
  }
}
