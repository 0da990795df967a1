import { StatusError } from '../errors.js';
import type { GroupVersionKind } from '../json.js';
import type { BodyFormat } from './body.js';

/** A format that the server reads and writes. */
export interface MediaOffer {
  readonly mediaType: string;
  readonly format: BodyFormat;
  /** Media type of a watch in this format; YAML has none. */
  readonly streamType?: string;
}

const JSON_OFFER: MediaOffer = {
  mediaType: 'application/json',
  format: 'json',
  streamType: 'application/json;stream=watch',
};
const YAML_OFFER: MediaOffer = { mediaType: 'application/yaml', format: 'yaml' };
const PROTOBUF_OFFER: MediaOffer = {
  mediaType: 'application/vnd.kubernetes.protobuf',
  format: 'protobuf',
  streamType: 'application/vnd.kubernetes.protobuf;stream=watch',
};
const CBOR_OFFER: MediaOffer = { mediaType: 'application/cbor', format: 'cbor', streamType: 'application/cbor-seq' };

/**
 * The formats in the order that they are preferred and listed in. Custom resources list them all too, though they do
 * not have all: {@link resourceTransform} tells.
 *
 * @param gates `cbor`: CBORServingAndStorage
 */
export function mediaOffers(gates: { cbor: boolean }): readonly MediaOffer[] {
  return gates.cbor ? [JSON_OFFER, YAML_OFFER, PROTOBUF_OFFER, CBOR_OFFER] : [JSON_OFFER, YAML_OFFER, PROTOBUF_OFFER];
}

/** What negotiation must know of a format. */
export type AnyOffer = Pick<MediaOffer, 'mediaType' | 'streamType'>;

/** What the client wants, as far as the Accept header says. */
export interface Negotiated<Offer = MediaOffer> {
  offer: Offer;
  /** `pretty=1` as a media type parameter; see {@link wantsPretty} for the other ways to ask. */
  pretty: boolean;
  /** `as`, `v` and `g`: the object in another form (Table, PartialObjectMetadata, …). */
  convert?: GroupVersionKind;
  /** `profile` of discovery. */
  profile: string;
}

/** Whether an endpoint answers in a media type, and in another form of the object when one is asked for. */
export type AllowsTransform = (mediaType: string, target: GroupVersionKind | undefined) => boolean;

/** Endpoints (and errors) that only have their own form. */
export const noTransform: AllowsTransform = (_, target) => target === undefined;

/**
 * Resource endpoints: metadata alone in every format, tables (where the endpoint makes any) in JSON and YAML. The objects
 * of custom resources have no protobuf form.
 */
export function resourceTransform(kind: { builtIn: boolean; tables: boolean }): AllowsTransform {
  return (mediaType, target) => {
    if (!target) return kind.builtIn || mediaType !== PROTOBUF_OFFER.mediaType;
    if (target.group !== 'meta.k8s.io' || (target.version !== 'v1' && target.version !== 'v1beta1')) return false;
    if (target.kind === 'Table') {
      return kind.tables && (mediaType === JSON_OFFER.mediaType || mediaType === YAML_OFFER.mediaType);
    }
    return target.kind === 'PartialObjectMetadata' || target.kind === 'PartialObjectMetadataList';
  };
}

/**
 * Picks the first offer that the Accept header and the endpoint agree on; undefined means 406 ({@link notAcceptable}).
 * As upstream reads it: an empty header takes the first offer, a quality of 0 does not exclude, and a clause with a
 * form that the endpoint does not have is passed over.
 */
export function negotiate<Offer extends AnyOffer>(
  accept: string | undefined,
  offers: readonly Offer[],
  allows: AllowsTransform,
): Negotiated<Offer> | undefined {
  if (!accept) return { offer: offers[0]!, pretty: false, profile: '' };
  for (const clause of parseAccept(accept)) {
    for (const offer of offers) {
      const [type, subtype] = offer.mediaType.split('/');
      const matches =
        (clause.type === type && (clause.subtype === subtype || clause.subtype === '*')) ||
        (clause.type === '*' && clause.subtype === '*');
      const result = matches ? withParameters(clause.parameters, offer, allows) : undefined;
      if (result) return result;
    }
  }
  return undefined;
}

function withParameters<Offer extends AnyOffer>(
  parameters: ReadonlyMap<string, string>,
  offer: Offer,
  allows: AllowsTransform,
): Negotiated<Offer> | undefined {
  const get = (name: string): string => parameters.get(name) ?? '';
  const stream = get('stream');
  if (stream !== '' && (!offer.streamType || stream !== 'watch')) return undefined;
  const asked = parameters.has('as') || parameters.has('g') || parameters.has('v');
  const convert = asked ? { group: get('g'), version: get('v'), kind: get('as') } : undefined;
  if (get('sv') !== '' || !allows(offer.mediaType, convert)) return undefined;
  return { offer, pretty: get('pretty') === '1', convert, profile: get('profile') };
}

interface Clause {
  type: string;
  subtype: string;
  quality: number;
  parameters: Map<string, string>;
}

/** The clauses of an Accept header, best first: by quality, then named types before wildcards. */
function parseAccept(header: string): Clause[] {
  const clauses: Clause[] = [];
  for (const part of header.split(',')) {
    const [media = '', ...parameters] = part.split(';');
    const [type = '', subtype, more] = media.split('/').map((s) => s.trim());
    if (more !== undefined || (!subtype && type !== '*')) continue;
    const clause: Clause = { type, subtype: subtype || '*', quality: 1, parameters: new Map() };
    for (const parameter of parameters) {
      const [name = '', value, rest] = parameter.split('=');
      if (!value || rest) continue;
      if (name.trim() === 'q') clause.quality = Number(value) || 0;
      else clause.parameters.set(name.trim(), value.trim());
    }
    clauses.push(clause);
  }
  const wildcards = (c: Clause): number => (c.type === '*' ? 2 : 0) + (c.subtype === '*' ? 1 : 0);
  return clauses.sort((a, b) => b.quality - a.quality || wildcards(a) - wildcards(b));
}

/** Pretty print: the query says so, or the client is one that people look at. `pretty` is the query's first value. */
export function wantsPretty(pretty: string | null | undefined, userAgent: string | undefined): boolean {
  if (pretty) return /^(?:1|t|T|true|TRUE|True)$/.test(pretty);
  return /^(?:curl|Wget|Mozilla\/5\.0)/.test(userAgent ?? '');
}

/** 406 of an endpoint; for a watch the list names the media types of streams. */
export function notAcceptable(offers: readonly AnyOffer[], stream = false): StatusError {
  const types = stream ? offers.flatMap((o) => o.streamType ?? []) : offers.map((o) => o.mediaType);
  return new StatusError(406, 'NotAcceptable', `only the following media types are accepted: ${types.join(', ')}`);
}

/** The format of a body. Without a content type it is the first offer. @throws 415 */
export function inputFormat(contentType: string | undefined, offers: readonly MediaOffer[]): BodyFormat {
  if (!contentType) return offers[0]!.format;
  const mediaType = mediaTypeOf(contentType);
  const offer = offers.find((o) => o.mediaType === mediaType);
  if (offer) return offer.format;
  throw unsupportedMediaType(offers.map((o) => o.mediaType));
}

/** 415 of an endpoint. */
export function unsupportedMediaType(accepted: readonly string[]): StatusError {
  return new StatusError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  );
}

const TOKEN = "[!#$%&'*+.^_`|~0-9a-z-]+";
const MEDIA_TYPE = new RegExp(`^${TOKEN}(?:/${TOKEN})?$`);
const PARAMETER = new RegExp(`^\\s*${TOKEN}\\s*=\\s*(?:${TOKEN}|"(?:[^"\\\\]|\\\\.)*")\\s*$`, 'i');

/** The media type of a Content-Type in lower case; '' when the header is malformed. */
export function mediaTypeOf(contentType: string): string {
  const [media = '', ...parameters] = contentType.split(';');
  const type = media.trim().toLowerCase();
  if (!MEDIA_TYPE.test(type)) return '';
  const wellFormed = parameters.every((p, i) => {
    if (p.trim() === '') return i === parameters.length - 1; // a semicolon at the end
    return PARAMETER.test(p);
  });
  return wellFormed ? type : '';
}

/**
 * The routes of built-in kinds refuse by media type alone before the endpoint looks: every parameter is ignored, and
 * only the wildcard of all types counts.
 */
export function routeProduces(accept: string | undefined, produces: readonly string[]): boolean {
  return !accept || mediaTypes(accept).some((type) => type === '*/*' || produces.includes(type));
}

/** Whether a route reads the content type; without one a route that wants a body reads nothing. */
export function routeConsumes(contentType: string | undefined, consumes: readonly string[]): boolean {
  return mediaTypes(contentType || 'application/octet-stream').some((type) => consumes.includes(type));
}

/** 406 of a route. Lists carry the media types of their watches too. */
export function routeNotAcceptable(produces: readonly string[]): StatusError {
  const text = `406: Not Acceptable\n\nAvailable representations: ${produces.join(', ')}`;
  return new StatusError(406, 'NotAcceptable', text, {});
}

/** 415 of a route. */
export function routeUnsupportedMediaType(): StatusError {
  return new StatusError(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
}

/** What a route of built-in kinds produces: lists name their watches, too. */
export function producesOf(offers: readonly MediaOffer[], isList: boolean): string[] {
  return [...offers.map((o) => o.mediaType), ...(isList ? offers.flatMap((o) => o.streamType ?? []) : [])];
}

function mediaTypes(header: string): string[] {
  return header.split(',').map((part) => part.split(';')[0]!.trim());
}
