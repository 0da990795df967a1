import type { IncomingHttpHeaders } from 'node:http';
import {
  type MediaOffer,
  mediaOffers,
  negotiate,
  noTransform,
  notAcceptable,
  producesOf,
  resourceTransform,
  routeNotAcceptable,
  routeProduces,
  wantsPretty,
} from '../../machinery/codec/negotiate.js';
import type { Endpoint } from '../../registry/endpoint.js';
import { PLAIN_JSON, type Representation } from './representation.js';

/** What an answer depends on besides the Accept header. */
export interface AnswerOptions {
  readonly headers: IncomingHttpHeaders;
  readonly query: URLSearchParams;
  /** Gate CBORServingAndStorage. */
  readonly cbor: boolean;
}

/** An error goes out in a format the client reads; when it names none of ours, as JSON. */
export function statusRepresentation(headers: IncomingHttpHeaders, query: URLSearchParams): Representation {
  const found = negotiate(headers.accept, mediaOffers({ cbor: false }), noTransform);
  return found ? representation(found.offer, found.pretty || pretty(headers, query)) : PLAIN_JSON;
}

/**
 * The form of an answer of an endpoint.
 *
 * @throws 406 by the rules of the route, then of the endpoint
 */
export function objectRepresentation(endpoint: Endpoint, verb: string, options: AnswerOptions): Representation {
  const { headers, query, cbor } = options;
  // What most clients of objects ask for needs no thought.
  if ((!headers.accept || headers.accept === 'application/json') && !pretty(headers, query)) return PLAIN_JSON;
  const offers = mediaOffers({ cbor });
  const stream = verb === 'watch';
  const produces = producesOf(offers, stream || verb === 'list');
  if (endpoint.version.typed && !routeProduces(headers.accept, produces)) throw routeNotAcceptable(produces);
  const found = negotiate(
    headers.accept,
    offers,
    resourceTransform({ builtIn: endpoint.version.typed, tables: endpoint.printer !== undefined }),
  );
  if (!found || (stream && !found.offer.streamType)) throw notAcceptable(offers, stream);
  const asked = found.pretty || pretty(headers, query);
  const plain = representation(found.offer, asked && found.offer.format === 'json');
  const contentType = stream ? streamType(found.offer) : plain.contentType;
  if (!found.convert) return { ...plain, contentType };
  return {
    ...plain,
    contentType,
    as: found.convert.kind as Representation['as'],
    asVersion: found.convert.version as Representation['asVersion'],
  };
}

function representation(offer: MediaOffer, wantsIndent: boolean): Representation {
  return { ...PLAIN_JSON, format: offer.format, contentType: offer.mediaType, pretty: wantsIndent };
}

/** JSON streams go out as plain JSON, the others say that they are streams. */
function streamType(offer: MediaOffer): string {
  return offer.format === 'json' ? offer.mediaType : (offer.streamType ?? offer.mediaType);
}

function pretty(headers: IncomingHttpHeaders, query: URLSearchParams): boolean {
  return wantsPretty(query.get('pretty'), headers['user-agent']);
}
