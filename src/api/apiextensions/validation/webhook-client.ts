import { X509Certificate } from 'node:crypto';
import { type ParsedURL, parseURL } from '../../../machinery/cel/kubernetes/url-parser.js';
import { type FieldError, invalidValue, type Path, required } from '../../../machinery/field.js';
import type { JsonObject } from '../../../machinery/json.js';
import { num, str } from '../../access.js';
import { formats } from '../../validation/index.js';

const FORM = '; desired format: https://host[/path]';

export function webhookUrlFaults(text: string, at: Path): FieldError[] {
  let url: ParsedURL;
  try {
    url = parseURL(text, false);
  } catch (e) {
    return [required(at, `url must be a valid URL: ${(e as Error).message}${FORM}`)];
  }
  const errors: FieldError[] = [];
  const forbid = (value: string, what: string) => {
    if (value !== '') errors.push(invalidValue(at, value, `${what} not permitted in the URL`));
  };
  if (url.scheme !== 'https') {
    errors.push(invalidValue(at, url.scheme, `'https' is the only allowed URL scheme${FORM}`));
  }
  if (url.host === '') errors.push(invalidValue(at, url.host, `host must be specified${FORM}`));
  forbid(url.userinfo, 'user information is');
  forbid(url.fragment, 'fragments are');
  forbid(url.rawQuery, 'query parameters are');
  return errors;
}

/**
 * Faults of a reference to a service. Upstream mixes the two names up when it validates definitions: the missing one is
 * reported as the other.
 */
export function webhookServiceFaults(service: JsonObject, at: Path): FieldError[] {
  const errors: FieldError[] = [];
  if (str(service, 'namespace') === '') errors.push(required(at.child('name')));
  if (str(service, 'name') === '') errors.push(required(at.child('namespace')));
  const port = num(service, 'port');
  const faults = formats.portNumber(port);
  if (faults.length > 0) errors.push(invalidValue(at.child('port'), port, `port is not valid: ${faults.join(', ')}`));
  errors.push(...pathFaults(str(service, 'path'), at.child('path')));
  return errors;
}

function pathFaults(path: string, at: Path): FieldError[] {
  if (path === '' || path === '/') return [];
  const fault = (text: string): FieldError => invalidValue(at, path, text);
  if (path === '//') return [fault('segment[0] may not be empty')];
  const errors = path.startsWith('/') ? [] : [fault("must start with a '/'")];
  const segments = path.slice(1).replace(/\/$/, '').split('/');
  for (const [i, segment] of segments.entries()) {
    if (segment === '') errors.push(fault(`segment[${i}] may not be empty`));
    else for (const text of formats.dns1123Subdomain(segment)) errors.push(fault(`segment[${i}]: ${text}`));
  }
  return errors;
}

/** @param bundle base64 of PEM */
export function caBundleFault(bundle: string): string | undefined {
  const start = 'unable to load root certificates: ';
  const pem = Buffer.from(bundle, 'base64').toString('latin1');
  const blocks = [...pem.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g)];
  if (blocks.length === 0) return `${start}unable to parse bytes as PEM block`;
  let last: string | undefined;
  for (const [block, type] of blocks) {
    if (type !== 'CERTIFICATE') continue;
    try {
      new X509Certificate(block);
      return undefined;
    } catch {
      last ??= 'failed to parse certificate: x509: malformed certificate';
    }
  }
  return `${start}${last ?? 'no valid certificate authority data seen'}`;
}
