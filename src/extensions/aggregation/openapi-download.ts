import { createHash } from 'node:crypto';
import { encodeRaw } from '../../machinery/codec/json/encode.js';
import { parseJson } from '../../machinery/codec/json/parse.js';
import { isJsonObject, type JsonObject } from '../../machinery/json.js';
import { filterV2 } from '../../server/openapi/merge.js';
import type { Backend, BackendDocument } from './backend.js';
import { convertToV3 } from './openapi-convert.js';

/** What an aggregated server says about the shape of one group version. JSON texts: few clients ever ask for them. */
export interface OpenApiDocuments {
  readonly v3: Buffer | undefined;
  readonly v2: Buffer | undefined;
  /** Changes whenever a document does. */
  readonly revision: string;
  /** Where the OpenAPI 3.0 document was found, with its hash; it need not be asked for again while this stays. */
  readonly location: string | undefined;
  readonly etagV2: string | undefined;
}

const AGGREGATOR = { name: 'system:aggregator', groups: ['system:masters'] };
const TIMEOUT_MS = 30_000;
const MAX_BYTES = 8 << 20;

/**
 * Asks for the documents about one group version. A server may speak OpenAPI 3.0, Swagger 2.0, both or none; the former
 * is made from the latter when it is missing.
 *
 * @param known what was heard before: used again when the server says that nothing has changed
 * @throws Error when the server does not answer, or answers something else
 */
export async function downloadOpenApi(
  backend: Backend,
  group: string,
  version: string,
  known: OpenApiDocuments | undefined,
  signal: AbortSignal,
): Promise<OpenApiDocuments> {
  const ask = async (path: string, etag?: string): Promise<BackendDocument | undefined> => {
    const headers = { Accept: 'application/json', ...(etag && { 'If-None-Match': etag }) };
    const found = await backend.fetch({
      path,
      headers,
      user: AGGREGATOR,
      timeoutMs: TIMEOUT_MS,
      maxBytes: MAX_BYTES,
      signal,
    });
    if (found.status === 200 || (etag && found.status === 304)) return found;
    // Whoever may not see it, or has none.
    if ([401, 403, 404, 406].includes(found.status)) return undefined;
    throw new Error(`${path} answers ${found.status}`);
  };
  const key = group === '' ? `api/${version}` : `apis/${group}/${version}`;

  const index = await ask('/openapi/v3');
  const location = index && locationOf(read(index.body), key);
  let v3: Buffer | undefined;
  if (location !== undefined && location === known?.location) v3 = known.v3;
  else if (location !== undefined) {
    const document = await ask(location);
    if (document && typeof read(document.body).openapi === 'string') v3 = document.body;
  }

  const swagger = await ask('/openapi/v2', known?.etagV2);
  let v2 = known?.v2;
  if (!swagger) v2 = undefined;
  else if (swagger.status === 200) {
    const own = filterV2(read(swagger.body), (path) => path.startsWith(`/${key}/`));
    v2 = Object.keys(own.paths as JsonObject).length > 0 ? Buffer.from(encodeRaw(own)) : undefined;
  }
  if (!v3 && v2) v3 = Buffer.from(encodeRaw(convertToV3(read(v2))));
  const revision = createHash('sha256');
  for (const text of [v3, v2]) revision.update(text ?? '').update('\0');
  return { v3, v2, revision: revision.digest('hex'), location, etagV2: swagger?.headers.etag ?? known?.etagV2 };
}

/** Only a path of the same server will do. */
function locationOf(index: JsonObject, key: string): string | undefined {
  const paths = isJsonObject(index.paths) ? index.paths : {};
  const entry = Object.hasOwn(paths, key) ? paths[key] : undefined;
  if (entry === undefined) return undefined;
  const url = isJsonObject(entry) ? `${entry.serverRelativeURL ?? ''}` : '';
  return /^\/openapi\/v3\/[\x21-\x7e]*$/.test(url) ? url : `/openapi/v3/${key}`;
}

function read(body: Buffer): JsonObject {
  const value = parseJson(body);
  if (!isJsonObject(value)) throw new Error('the answer is no OpenAPI document');
  return value;
}
