import { createHash } from 'node:crypto';
import { prettyJson } from '../../machinery/codec/json/encode.js';
import { type MediaOffer, mediaOffers, type Negotiated, wantsPretty } from '../../machinery/codec/negotiate.js';
import { encodeEnvelope } from '../../machinery/codec/protobuf/envelope.js';
import { formatYaml } from '../../machinery/codec/yaml/format.js';
import { type JsonObject, parseApiVersion } from '../../machinery/json.js';
import { catalog } from '../../machinery/scheme/catalog.js';
import type { ApiRequest } from '../api-request.js';
import { sendBytes } from '../respond/send.js';

export const OFFERS: readonly MediaOffer[] = mediaOffers({ cbor: false });
export const MEDIA_TYPES: readonly string[] = OFFERS.map((offer) => offer.mediaType);

/** A document that many clients ask for: encoded once in each form. */
export class Document {
  readonly #value: JsonObject;
  readonly #encoded = new Map<string, Buffer>();
  #etag: string | undefined;

  constructor(value: JsonObject) {
    this.#value = value;
  }

  /** Quoted, as the header wants it. */
  get etag(): string {
    this.#etag ??= `"${createHash('sha512').update(JSON.stringify(this.#value)).digest('hex').toUpperCase()}"`;
    return this.#etag;
  }

  async send(request: ApiRequest, negotiated: Negotiated): Promise<void> {
    const { offer, convert } = negotiated;
    const { http, query } = request;
    const pretty = negotiated.pretty || wantsPretty(query.get('pretty'), http.headers['user-agent']);
    const form = convert ? `;g=${convert.group};v=${convert.version};as=${convert.kind}` : '';
    await sendBytes(request, 200, this.#bytes(offer, pretty), { contentType: `${offer.mediaType}${form}` });
  }

  #bytes({ format }: MediaOffer, pretty: boolean): Buffer {
    const key = format === 'json' && pretty ? 'pretty' : format;
    let bytes = this.#encoded.get(key);
    if (!bytes) {
      bytes = encode(this.#value, key);
      this.#encoded.set(key, bytes);
    }
    return bytes;
  }
}

function encode(value: JsonObject, form: string): Buffer {
  if (form === 'yaml') return Buffer.from(formatYaml(value));
  if (form === 'pretty') return Buffer.from(prettyJson(JSON.stringify(value)));
  if (form === 'json') return Buffer.from(`${JSON.stringify(value)}\n`);
  const { kind, apiVersion, ...message } = value;
  // The core group's documents say no version, but are of version v1.
  const named = parseApiVersion(String(apiVersion ?? ''));
  const known = named.version === '' ? { group: '', version: 'v1' } : named;
  const type = catalog().byGvk(known.group, known.version, String(kind));
  if (!type) throw new Error(`no protobuf form of ${apiVersion} ${kind}`);
  return encodeEnvelope(type, { ...named, kind: String(kind) }, message);
}
