import { DerError, type DerReader } from './der-reader.js';
import type { SubjectAltNames } from './extensions.js';

const URI = 0x86;

/** A subtree of the nameConstraints extension: what it is about and its base. */
interface Subtree {
  readonly tag: number;
  readonly base: Buffer;
}

/**
 * Checks alternative names against a nameConstraints extension (RFC 5280, 4.2.1.10). Gives the first name that is not
 * permitted or is excluded. Kinds of names that are constrained but not understood here are violations.
 */
export function violatedConstraint(reader: DerReader, names: SubjectAltNames): string | undefined {
  let permitted: Subtree[];
  let excluded: Subtree[];
  try {
    const constraints = reader.sequence();
    permitted = subtrees(constraints.peek() === 0xa0 ? constraints.enter(0xa0) : undefined);
    excluded = subtrees(constraints.peek() === 0xa1 ? constraints.enter(0xa1) : undefined);
    constraints.end();
  } catch (e) {
    if (e instanceof DerError) return 'unreadable constraints';
    throw e;
  }
  const values: { tag: number; text: string; matches: (base: Buffer) => boolean }[] = [
    ...names.dns.map((n) => ({
      tag: 0x82,
      text: n,
      matches: (base: Buffer) => dnsMatches(n, base.toString('latin1')),
    })),
    ...names.emails.map((n) => ({
      tag: 0x81,
      text: n,
      matches: (base: Buffer) => emailMatches(n, base.toString('latin1')),
    })),
    ...names.ips.map((n) => ({ tag: 0x87, text: n.join('.'), matches: (base: Buffer) => ipMatches(n, base) })),
    ...names.uris.map((n) => ({
      tag: URI,
      text: n,
      matches: (base: Buffer) => uriMatches(n, base.toString('latin1')),
    })),
  ];
  for (const { tag, text, matches } of values) {
    const allowed = permitted.filter((s) => s.tag === tag);
    const refused = excluded.filter((s) => s.tag === tag);
    if (tag === URI && allowed.length + refused.length > 0 && hostOf(text) === undefined) return text;
    if (allowed.length > 0 && !allowed.some((s) => matches(s.base))) return text;
    if (refused.some((s) => matches(s.base))) return text;
  }
  return undefined;
}

function subtrees(reader: DerReader | undefined): Subtree[] {
  const found: Subtree[] = [];
  while (reader && !reader.done) {
    const { tag, content } = reader.sequence().next();
    found.push({ tag, base: content });
  }
  return found;
}

/** `example.com` covers itself and what is below it; a leading dot only what is below. */
function dnsMatches(name: string, base: string): boolean {
  const [host, of] = [name.toLowerCase(), base.toLowerCase()];
  if (of === '') return true;
  return of.startsWith('.') ? host.endsWith(of) : host === of || host.endsWith(`.${of}`);
}

function emailMatches(address: string, base: string): boolean {
  if (base.includes('@')) return address === base;
  const host = address.slice(address.lastIndexOf('@') + 1);
  return base.startsWith('.') ? dnsMatches(host, base) : host.toLowerCase() === base.toLowerCase();
}

/** The base is an address followed by a mask. */
function ipMatches(ip: Buffer, base: Buffer): boolean {
  if (base.length !== ip.length * 2) return false;
  return ip.every((byte, i) => (byte & base[ip.length + i]!) === (base[i]! & base[ip.length + i]!));
}

function uriMatches(uri: string, base: string): boolean {
  const host = hostOf(uri);
  return host !== undefined && (base.startsWith('.') ? dnsMatches(host, base) : host === base.toLowerCase());
}

/** Undefined when the URI has none, so that no constraint can be checked against it. */
function hostOf(uri: string): string | undefined {
  return URL.canParse(uri) ? new URL(uri).hostname || undefined : undefined;
}
