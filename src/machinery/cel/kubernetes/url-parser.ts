import { goQuote } from '../../go-format.js';

/** The parts of a URL that expressions can ask for. */
export interface ParsedURL {
  scheme: string;
  /** What follows the scheme when that is not a path (`mailto:a@b`). */
  opaque: string;
  userinfo: string;
  /** Host with port, unescaped. */
  host: string;
  /** Path as written where that is well-formed, else escaped. */
  escapedPath: string;
  rawQuery: string;
  fragment: string;
}

class Reason extends Error {}

/**
 * Reads a URL by the rules of Go's net/url. `request` wants what can stand in a request line: an absolute URL or path.
 * @throws Error with that package's message.
 */
export function parseURL(text: string, request: boolean): ParsedURL {
  const hash = request ? -1 : text.indexOf('#');
  const main = hash < 0 ? text : text.slice(0, hash);
  try {
    const url = parseParts(main, request);
    if (hash >= 0) url.fragment = decode(text.slice(hash + 1), 'path');
    return url;
  } catch (e) {
    if (e instanceof Reason) throw new Error(`parse ${goQuote(text)}: ${e.message}`);
    throw e;
  }
}

function parseParts(text: string, request: boolean): ParsedURL {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not occur
  if (/[\x00-\x1f\x7f]/.test(text)) throw new Reason('net/url: invalid control character in URL');
  if (text === '' && request) throw new Reason('empty url');
  const url: ParsedURL = {
    scheme: '',
    opaque: '',
    userinfo: '',
    host: '',
    escapedPath: '',
    rawQuery: '',
    fragment: '',
  };
  if (text === '*') return { ...url, escapedPath: '*' };
  if (text.startsWith(':')) throw new Reason('missing protocol scheme');
  const scheme = /^[A-Za-z][A-Za-z0-9+.-]*:/.exec(text)?.[0] ?? '';
  url.scheme = scheme.slice(0, -1).toLowerCase();
  let rest = text.slice(scheme.length);
  const question = rest.indexOf('?');
  if (question >= 0) {
    url.rawQuery = rest.slice(question + 1);
    rest = rest.slice(0, question);
  }
  if (!rest.startsWith('/')) {
    if (scheme !== '') return { ...url, opaque: rest };
    if (request) throw new Reason('invalid URI for request');
    if (rest.split('/')[0]!.includes(':')) throw new Reason('first path segment in URL cannot contain colon');
  }
  if ((scheme !== '' || (!request && !rest.startsWith('///'))) && rest.startsWith('//')) {
    const slash = rest.indexOf('/', 2);
    const authority = slash < 0 ? rest.slice(2) : rest.slice(2, slash);
    rest = slash < 0 ? '' : rest.slice(slash);
    parseAuthority(authority, url);
  }
  url.escapedPath = escapedPath(rest);
  return url;
}

function parseAuthority(authority: string, url: ParsedURL): void {
  const at = authority.lastIndexOf('@');
  if (at >= 0) {
    url.userinfo = authority.slice(0, at);
    if (/[^A-Za-z0-9\-._:~!$&'()*+,;=%@]/.test(url.userinfo)) throw new Reason('net/url: invalid userinfo');
    decode(url.userinfo, 'path');
  }
  url.host = parseHost(authority.slice(at + 1));
}

function parseHost(host: string): string {
  if (host.startsWith('[')) {
    const end = host.lastIndexOf(']');
    if (end < 0) throw new Reason("missing ']' in host");
    checkPort(host.slice(end + 1));
    const zone = host.indexOf('%25');
    if (zone >= 0 && zone < end) {
      return (
        decode(host.slice(0, zone), 'host') + decode(host.slice(zone, end), 'zone') + decode(host.slice(end), 'host')
      );
    }
  } else {
    const colon = host.lastIndexOf(':');
    if (colon >= 0) checkPort(host.slice(colon));
  }
  return decode(host, 'host');
}

function checkPort(port: string): void {
  if (port !== '' && !/^:\d*$/.test(port)) throw new Reason(`invalid port ${goQuote(port)} after host`);
}

type Mode = 'path' | 'query' | 'host' | 'zone';

function decode(text: string, mode: Mode): string {
  const bad = /%(?![0-9A-Fa-f]{2})/.exec(text);
  if (bad) throw new Reason(`invalid URL escape ${goQuote(text.slice(bad.index, bad.index + 3))}`);
  if (mode === 'host' || mode === 'zone') {
    // In a host only what is not ASCII may be escaped.
    const ascii = mode === 'host' ? /%(?!25)[0-7][0-9A-Fa-f]/.exec(text) : undefined;
    if (ascii) throw new Reason(`invalid URL escape ${goQuote(ascii[0])}`);
    const odd = /[^A-Za-z0-9\-._~!$&'()*+,;=:[\]<>"%\u0080-\uffff]/.exec(text);
    if (odd) throw new Reason(`invalid character ${goQuote(odd[0])} in host name`);
  }
  const plus = mode === 'query' ? text.replaceAll('+', ' ') : text;
  return plus.replace(/(?:%[0-9A-Fa-f]{2})+/g, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'));
}

/** The path as written when it has only characters that may stand there, else with those escaped that may not. */
function escapedPath(path: string): string {
  const plain = decode(path, 'path');
  if (/^[A-Za-z0-9\-._~!$&'()*+,;=:@[\]%/]*$/.test(path)) return path;
  return [...Buffer.from(plain, 'utf8')]
    .map((byte) => {
      const char = String.fromCharCode(byte);
      return /[A-Za-z0-9\-._~$&+,/:;=@]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
}

export function hostname({ host }: ParsedURL): string {
  return splitPort(host)[0];
}

export function port({ host }: ParsedURL): string {
  return splitPort(host)[1];
}

function splitPort(host: string): [string, string] {
  const colon = host.lastIndexOf(':');
  const hasPort =
    colon >= 0 && /^:\d*$/.test(host.slice(colon)) && !(host.startsWith('[') && host.indexOf(']') > colon);
  const name = hasPort ? host.slice(0, colon) : host;
  return [name.startsWith('[') && name.endsWith(']') ? name.slice(1, -1) : name, hasPort ? host.slice(colon + 1) : ''];
}

/** Values of the query by name; pairs that are not well-formed are left out. */
export function queryValues({ rawQuery }: ParsedURL): Map<string, string[]> {
  const values = new Map<string, string[]>();
  for (const pair of rawQuery.split('&')) {
    if (pair === '' || pair.includes(';')) continue;
    const equals = pair.indexOf('=');
    try {
      const key = decode(equals < 0 ? pair : pair.slice(0, equals), 'query');
      const value = equals < 0 ? '' : decode(pair.slice(equals + 1), 'query');
      values.set(key, [...(values.get(key) ?? []), value]);
    } catch (e) {
      if (!(e instanceof Reason)) throw e;
    }
  }
  return values;
}
