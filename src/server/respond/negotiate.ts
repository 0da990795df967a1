import type { IncomingHttpHeaders } from 'node:http';
import type { Endpoint } from '../../registry/endpoint.js';
import { PLAIN_JSON, type Representation } from './representation.js';

/** An error goes out in a format the client reads; when it names none of ours, as JSON. */
export function statusRepresentation(_accept: string | undefined): Representation {
  return PLAIN_JSON;
}

/** @throws 406 */
export function objectRepresentation(
  headers: IncomingHttpHeaders,
  _query: URLSearchParams,
  _verb: string,
  _endpoint: Endpoint,
): Representation {
  const accept = headers.accept ?? '';
  const as = /as=(Table|PartialObjectMetadataList|PartialObjectMetadata)/.exec(accept)?.[1] as Representation['as'];
  return {
    ...PLAIN_JSON,
    as: as ?? '',
    contentType: as ? `application/json;as=${as};v=v1;g=meta.k8s.io` : PLAIN_JSON.contentType,
  };
}
