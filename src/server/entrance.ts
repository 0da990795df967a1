import { matcher } from '../machinery/cel/library/regular-expressions.js';
import { CelError } from '../machinery/cel/values/error.js';
import type { ApiRequest } from './api-request.js';
import { sendText } from './respond/text.js';

export interface EntranceOptions {
  /** Regular expressions of origins that pages may ask from (`--cors-allowed-origins`). None: no CORS headers. */
  readonly corsAllowedOrigins?: readonly string[];
  /** `max-age=31536000`, `includeSubDomains`, `preload` (`--strict-transport-security-directives`). */
  readonly hstsDirectives?: readonly string[];
  /** Share of HTTP/2 requests whose connection is asked to close when it is idle, up to 0.02 (`--goaway-chance`). */
  readonly goawayChance?: number;
  /** From 0 up to 1. */
  random(): number;
  /** New requests are to be sent elsewhere (`--shutdown-send-retry-after`). */
  leaving(): boolean;
}

/**
 * What concerns a request before anybody looks at who sends it: sets headers of its answer, and answers what needs no
 * more. True: it is answered.
 */
export type Entrance = (request: ApiRequest) => boolean;

/** @throws Error that names the flag whose value is wrong */
export function entrance(options: EntranceOptions): Entrance {
  const { corsAllowedOrigins = [], hstsDirectives = [], goawayChance = 0, random, leaving } = options;
  const origins = corsAllowedOrigins.map(originMatcher);
  for (const directive of hstsDirectives) checkHsts(directive);
  if (!(goawayChance >= 0 && goawayChance <= 0.02)) {
    throw new Error('--goaway-chance can not be less than 0 or greater than 0.02');
  }
  const hsts = hstsDirectives.join('; ');
  return (request) => {
    const { http, headers } = request;
    if (hsts) headers['Strict-Transport-Security'] = hsts;
    if (leaving() && !STAYS.test(request.info.path)) {
      const away = { Connection: 'close', 'Retry-After': '5', 'X-Content-Type-Options': 'nosniff' };
      sendText(request, 429, 'The apiserver is shutting down, please try again later.\n', away);
      return true;
    }
    if (goawayChance > 0 && http.httpVersion === '2.0' && random() < goawayChance) headers.Connection = 'close';
    const { origin } = http.headers;
    if (!origin || !origins.some((allows) => allows(origin))) return false;
    Object.assign(headers, { 'Access-Control-Allow-Origin': origin }, CORS);
    if (http.method !== 'OPTIONS') return false;
    request.response.head(204, request.answerHeaders({}));
    request.response.end();
    return true;
  };
}

/** Probes and scrapes are answered to the end. */
const STAYS = /^\/(?:readyz|livez|healthz|metrics)/;

const CORS = {
  'Access-Control-Allow-Methods': 'POST, GET, OPTIONS, PUT, DELETE, PATCH',
  'Access-Control-Allow-Headers':
    'Content-Type, Content-Length, Accept-Encoding, X-CSRF-Token, Authorization, X-Requested-With, If-Modified-Since',
  'Access-Control-Expose-Headers': 'Date',
  'Access-Control-Allow-Credentials': 'true',
};

/** A pattern that matches in the middle of a host would let in foreign ones (CVE-2022-1996). */
function originMatcher(pattern: string): (origin: string) => boolean {
  if (pattern === '') throw new Error('empty value in --cors-allowed-origins');
  const invalid = (why: string) => new Error(`--cors-allowed-origins has an invalid regular expression: ${why}`);
  try {
    const matches = matcher(pattern);
    if (!/\^|\/\//.test(pattern) || !/[$:]/.test(pattern)) {
      throw invalid('regular expression does not pin to start/end of host in the origin header');
    }
    return matches;
  } catch (e) {
    throw e instanceof CelError ? invalid(e.message) : e;
  }
}

function checkHsts(directive: string): void {
  if (directive.trim() === '') throw new Error('empty value in strict-transport-security-directives');
  if (directive === 'includeSubDomains' || directive === 'preload' || /^max-age=[^=]*$/.test(directive)) return;
  throw new Error(
    '--strict-transport-security-directives invalid, allowed values: max-age=expireTime, includeSubDomains, preload. see https://tools.ietf.org/html/rfc6797#section-6.1 for more information',
  );
}
