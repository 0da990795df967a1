import {
  type WebhookClient,
  type WebhookClientConfig,
  WebhookTransportError,
} from '../../../admission/webhook/client/client.js';
import { DecodeError } from '../../../machinery/codec/errors.js';
import { encodePlain } from '../../../machinery/codec/json/encode.js';
import { kindOf } from '../../../machinery/codec/typed/context.js';
import { StatusError } from '../../../machinery/errors.js';
import { isJsonObject, type JsonObject, type JsonValue, type KubeObject } from '../../../machinery/json.js';
import type { Converter } from './converter.js';
import { changedIdentity, InvalidMetadata, restoreMetadata } from './metadata.js';
import { gvkText, InvalidReview, readReview, reviewRequest, reviewVersion } from './review.js';

const TIMEOUT_MS = 30_000;
const NEVER = new AbortController().signal;
/** Objects of one call. Upstream asks for each object alone; so few at once show nobody a difference. */
const BATCH = 100;
/** Lists up to this length are converted one object after the other: a webhook that fails is then told of as upstream does. */
const ONE_BY_ONE = 10;

export interface WebhookConversion {
  readonly config: WebhookClientConfig;
  readonly reviewVersions: readonly string[];
}

export interface WebhookConverterDeps {
  readonly client: Pick<WebhookClient, 'post'>;
  uuid(): string;
}

/** Strategy `Webhook`: somebody else converts (ConversionReview v1 and v1beta1). */
export function webhookConverter({ config, reviewVersions }: WebhookConversion, deps: WebhookConverterDeps): Converter {
  async function ask(objects: readonly KubeObject[], apiVersion: string): Promise<KubeObject[]> {
    const review = reviewVersion(reviewVersions);
    if (!review) throw failed('no supported conversion review versions');
    const from = gvkText(objects[0]!.apiVersion ?? '', objects[0]!.kind ?? '');
    const uid = deps.uuid();
    const converted = await exchange(review, uid, objects, apiVersion, from);
    if (converted.length !== objects.length) {
      const counts = `returned ${converted.length} objects, expected ${objects.length}`;
      throw failed(`conversion webhook for ${from} ${counts}`);
    }
    return objects.map((object, i) => accept(object, converted[i]!, apiVersion, from));
  }

  async function exchange(
    review: 'v1' | 'v1beta1',
    uid: string,
    objects: readonly KubeObject[],
    apiVersion: string,
    from: string,
  ): Promise<JsonValue[]> {
    try {
      const body = reviewRequest(review, uid, apiVersion, objects);
      const answer = await deps.client.post({ config, body, timeoutMs: TIMEOUT_MS, signal: NEVER });
      return readReview(answer, review, uid);
    } catch (e) {
      const known = e instanceof WebhookTransportError || e instanceof DecodeError || e instanceof InvalidReview;
      if (!known) throw e;
      throw failed(`conversion webhook for ${from} failed: ${e.message}`);
    }
  }

  return {
    async convert(objects, apiVersion) {
      const out: KubeObject[] = [];
      const size = objects.length <= ONE_BY_ONE ? 1 : BATCH;
      for (let at = 0; at < objects.length; at += size) {
        const batch = objects.slice(at, at + size);
        const rest = batch.filter((o) => o.apiVersion !== apiVersion && !isEmpty(o));
        const converted = rest.length === 0 ? [] : await ask(rest, apiVersion);
        for (const o of batch) {
          const i = rest.indexOf(o);
          out.push(i < 0 ? { ...o, apiVersion } : converted[i]!);
        }
      }
      return out;
    },
  };
}

/** Nothing but kind and version: there is nothing to convert. */
function isEmpty(object: KubeObject): boolean {
  return Object.keys(object).every((name) => name === 'kind' || name === 'apiVersion');
}

/** A converted object, with the metadata that it had. */
function accept(before: KubeObject, value: JsonValue, apiVersion: string, from: string): KubeObject {
  const after = unstructured(value);
  const found = textOf(after.apiVersion);
  const version = found.split('/').length > 2 ? '' : found;
  const returned = `conversion webhook for ${from} returned invalid`;
  if (version !== apiVersion) {
    throw failed(`${returned} object at index 0: invalid groupVersion (expected ${apiVersion}, received ${version})`);
  }
  if (after.kind !== before.kind) {
    const kinds = `(expected ${before.kind ?? ''}, received ${textOf(after.kind)})`;
    throw failed(`${returned} object at index 0: invalid kind ${kinds}`);
  }
  const changed = changedIdentity(before, after);
  if (changed !== undefined) throw failed(`${returned} object: ${changed}`);
  try {
    return restoreMetadata(before, after);
  } catch (e) {
    if (e instanceof InvalidMetadata) throw failed(`${returned} metadata: ${e.message}`);
    throw e;
  }
}

function unstructured(value: JsonValue): JsonObject {
  if (value === null) throw failed('unexpected end of JSON input');
  if (!isJsonObject(value)) {
    throw failed(`json: cannot unmarshal ${kindOf(value)} into Go value of type map[string]interface {}`);
  }
  if (!value.kind) throw failed(`Object 'Kind' is missing in '${encodePlain(value)}'`);
  return value;
}

/** What is no text counts as none, as in Go's accessors. */
const textOf = (value: JsonValue | undefined): string => (typeof value === 'string' ? value : '');

function failed(message: string): StatusError {
  return new StatusError(500, '', message);
}
