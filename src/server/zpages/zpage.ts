import { type AnyOffer, mediaOffers, negotiate, notAcceptable } from '../../machinery/codec/negotiate.js';
import { apiVersionOf, type JsonObject } from '../../machinery/json.js';
import type { ApiRequest } from '../api-request.js';
import { Document } from '../discovery/document.js';
import type { Route } from '../request-path.js';
import { sendText } from '../respond/text.js';

/** Name of this server on its pages. */
const COMPONENT = 'apiserver';
const GROUP = 'config.k8s.io';
const WARNING =
  'Warning: This endpoint is not meant to be machine parseable, has no formatting compatibility guarantees and is for debugging purposes only.';

/** The formats in the order in which they are preferred and listed; protobuf is none of them. */
const STRUCTURED = mediaOffers({ cbor: false }).filter((offer) => offer.format !== 'protobuf');
const TEXT: AnyOffer = { mediaType: 'text/plain' };
const OFFERS: readonly AnyOffer[] = [...STRUCTURED, TEXT];

export interface ZPage {
  /** `flagz`: the last part of its path, and its name in the text. */
  readonly name: string;
  readonly kind: string;
  /** The lines below the heading. */
  text(): string;
  /** The fields of the structured form, after its metadata. */
  fields(): JsonObject;
}

/**
 * Answers a page about the server for people (plain text) and, when the Accept header names the kind
 * (`application/json;as=Flagz;g=config.k8s.io;v=v1beta1`), for programs (KEP-4827, KEP-4828).
 */
export function zpageRoute(page: ZPage): Route {
  return async (request) => {
    if (request.info.path !== `/${page.name}`) return false;
    const { accept } = request.http.headers;
    const found = negotiate(accept?.trim() || TEXT.mediaType, OFFERS, (mediaType, target) => {
      if (mediaType === TEXT.mediaType || !target) return mediaType === TEXT.mediaType && !target;
      return target.group === GROUP && /^v1(?:alpha|beta)1$/.test(target.version) && target.kind === page.kind;
    });
    if (!found) throw notAcceptable(OFFERS);
    const offer = STRUCTURED.find((o) => o === found.offer);
    if (offer && found.convert) await sendStructured(request, page, { ...found, offer }, found.convert.version);
    else sendText(request, 200, `\n${COMPONENT} ${page.name}\n${WARNING}\n${page.text()}`);
    return true;
  };
}

function sendStructured(
  request: ApiRequest,
  page: ZPage,
  negotiated: Parameters<Document['send']>[1],
  version: string,
): Promise<void> {
  if (version === 'v1alpha1') {
    request.warn(`This version of the ${page.name} endpoint is deprecated. Please use a newer version.`);
  }
  const apiVersion = apiVersionOf({ group: GROUP, version });
  const value = { kind: page.kind, apiVersion, metadata: { name: COMPONENT }, ...page.fields() };
  return new Document(value).send(request, negotiated);
}

const SEPARATORS = [':', ': ', '=', ' '] as const;

/** What stands between names and values: another one at each start, so that no program relies on it. */
export function separator(random: () => number): string {
  return SEPARATORS[Math.floor(random() * SEPARATORS.length)]!;
}
