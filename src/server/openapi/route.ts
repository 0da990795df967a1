import { createHash } from 'node:crypto';
import type { OutgoingHttpHeaders } from 'node:http';
import type { ApiRequest } from '../api-request.js';
import type { Route } from '../request-path.js';
import { sendBytes } from '../respond/send.js';
import { acceptable } from './accept.js';
import type { OpenApiPart, OpenApiSource } from './contract.js';
import { documentText, documentV2, documentV3 } from './document.js';
import { encodeGnostic } from './gnostic.js';

export interface OpenApiOptions {
  /** Keys must differ between sources; of equal ones the first counts. */
  readonly sources: readonly OpenApiSource[];
  /** What `/version` says: `v1.36.0+…`. */
  readonly version: string;
  /** Milliseconds since 1970. */
  now(): number;
}

/** Answers `/openapi/v2`, the index at `/openapi/v3`, and the documents below it. */
export function openApiRoute(options: OpenApiOptions): Route {
  const openapi = new OpenApi(options);
  return (request) => openapi.answer(request);
}

const YEAR = 365 * 24 * 3600 * 1000;
/** Documents that were asked for last are kept up to this size in all. */
const KEPT_BYTES = 8 << 20;

interface Published {
  readonly part: OpenApiPart;
  readonly hash: string;
}

class OpenApi {
  readonly #options: OpenApiOptions;
  #lists: readonly (readonly OpenApiPart[])[] = [];
  #parts = new Map<string, Published>();
  #hashV2 = '';
  /** By kind and key, least recently used first. */
  #kept = new Map<string, { bytes: Promise<Buffer>; size: number }>();

  constructor(options: OpenApiOptions) {
    this.#options = options;
  }

  answer(request: ApiRequest): Promise<boolean> | boolean {
    const { path } = request.info;
    if (!path.startsWith('/openapi/v')) return false;
    if (path === '/openapi/v2') return this.#v2(request);
    if (path === '/openapi/v3') return this.#index(request);
    return path.startsWith('/openapi/v3/') && this.#v3(request, path.slice('/openapi/v3/'.length));
  }

  async #v2(request: ApiRequest): Promise<boolean> {
    this.#refresh();
    const form = acceptable(request.http.headers.accept, 2);
    if (!form) return sendNothing(request, 406);
    return this.#send(request, form, this.#hashV2, 'v2', async () =>
      documentV2(
        [...this.#parts.values()].map((p) => p.part),
        this.#options.version,
      ),
    );
  }

  async #index(request: ApiRequest): Promise<boolean> {
    this.#refresh();
    const paths: Record<string, { serverRelativeURL: string }> = {};
    for (const [key, { hash }] of this.#parts) paths[key] = { serverRelativeURL: `/openapi/v3/${key}?hash=${hash}` };
    const body = Buffer.from(JSON.stringify({ paths }));
    await sendBytes(request, 200, body, { contentType: 'text/plain; charset=utf-8' });
    return true;
  }

  async #v3(request: ApiRequest, key: string): Promise<boolean> {
    this.#refresh();
    const form = acceptable(request.http.headers.accept, 3);
    if (!form) return sendNothing(request, 406, { Vary: 'Accept' });
    const published = this.#parts.get(key);
    if (!published) return sendNothing(request, 404, { Vary: 'Accept' });
    const { hash, part } = published;
    const asked = request.query.get('hash');
    if (asked && asked !== hash) {
      const location = `/openapi/v3/${key}?hash=${hash}`;
      return sendNothing(request, 301, { Location: location, 'Content-Type': form.contentType, ETag: `"${hash}"` });
    }
    if (asked) {
      const expires = new Date(this.#options.now() + YEAR).toUTCString();
      Object.assign(request.headers, { 'Cache-Control': 'public, immutable', Expires: expires });
    }
    return this.#send(request, form, hash, key, () => documentV3(part));
  }

  async #send(
    request: ApiRequest,
    form: { protobuf: boolean; contentType: string },
    hash: string,
    key: string,
    build: () => ReturnType<typeof documentV3>,
  ): Promise<boolean> {
    Object.assign(request.headers, { ETag: `"${hash}"`, Vary: 'Accept' });
    if (request.http.headers['if-none-match'] === `"${hash}"`) return sendNothing(request, 304);
    const dialect = key === 'v2' ? 2 : 3;
    const bytes = await this.#document(`${form.protobuf ? 'protobuf' : 'json'} ${key} ${hash}`, async () => {
      const document = await build();
      return form.protobuf ? encodeGnostic(document, dialect) : documentText(document);
    });
    await sendBytes(request, 200, bytes, form);
    return true;
  }

  async #document(key: string, build: () => Promise<Buffer>): Promise<Buffer> {
    const kept = this.#kept.get(key) ?? { bytes: build(), size: 0 };
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    try {
      kept.size = (await kept.bytes).length;
    } catch (e) {
      this.#kept.delete(key);
      throw e;
    }
    let total = 0;
    for (const { size } of this.#kept.values()) total += size;
    for (const [old, { size }] of this.#kept) {
      if (total <= KEPT_BYTES || old === key) break;
      this.#kept.delete(old);
      total -= size;
    }
    return kept.bytes;
  }

  #refresh(): void {
    const lists = this.#options.sources.map((s) => s.parts());
    if (lists.length === this.#lists.length && lists.every((l, i) => l === this.#lists[i])) return;
    this.#lists = lists;
    const parts = new Map<string, Published>();
    const all = lists.flat().sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    for (const part of all) {
      if (!parts.has(part.key)) parts.set(part.key, { part, hash: hashOf(`${part.key} ${part.revision}`) });
    }
    this.#parts = parts;
    this.#hashV2 = hashOf([...parts.values()].map((p) => p.hash).join(' '));
  }
}

function hashOf(text: string): string {
  return createHash('sha512').update(text).digest('hex').toUpperCase();
}

function sendNothing(request: ApiRequest, status: number, headers: OutgoingHttpHeaders = {}): true {
  request.response.head(status, request.answerHeaders(headers));
  request.response.end();
  return true;
}
