// URLs as Go's net/url writes them: a proxied request must reach the other server as kube-apiserver would send it.

const UPPER = Array.from({ length: 256 }, (_, byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`);
const PLAIN_IN_PATH = new Set(Buffer.from(`${alphanumeric()}-_.~$&+,/:;=@`));
const PLAIN_IN_QUERY = new Set(Buffer.from(`${alphanumeric()}-_.~`));
const PERCENT = 0x25;

function alphanumeric(): string {
  return 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
}

/**
 * The path with its escapes undone and made again, so that equal paths are written alike: `%2F` becomes a slash.
 *
 * @param path as it came, percent-encoded
 */
export function canonicalPath(path: string): string {
  return percentEncoded(percentDecoded(path, false) ?? bytesOf(path), PLAIN_IN_PATH);
}

/** The shortest path that means the same: no `//`, `.` and `..`, no slash at the end. Works on escaped paths. */
export function cleanPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

/** The query sorted by key and encoded anew; pairs that Go does not understand are left out. */
export function canonicalQuery(query: string): string {
  const pairs: { key: Buffer; value: Buffer }[] = [];
  for (const pair of query.split('&')) {
    if (pair === '' || pair.includes(';')) continue;
    const equals = pair.indexOf('=');
    const key = percentDecoded(equals < 0 ? pair : pair.slice(0, equals), true);
    const value = percentDecoded(equals < 0 ? '' : pair.slice(equals + 1), true);
    if (key && value) pairs.push({ key, value });
  }
  return pairs
    .sort((a, b) => Buffer.compare(a.key, b.key))
    .map(({ key, value }) => `${queryText(key)}=${queryText(value)}`)
    .join('&');
}

function queryText(bytes: Buffer): string {
  return percentEncoded(bytes, PLAIN_IN_QUERY).replaceAll('%20', '+');
}

function percentEncoded(bytes: Buffer, plain: ReadonlySet<number>): string {
  let out = '';
  for (const byte of bytes) out += plain.has(byte) ? String.fromCharCode(byte) : UPPER[byte]!;
  return out;
}

/** Undefined for an escape that is none. */
function percentDecoded(text: string, plusIsBlank: boolean): Buffer | undefined {
  const bytes = bytesOf(plusIsBlank ? text.replaceAll('+', ' ') : text);
  let length = 0;
  for (let i = 0; i < bytes.length; i++) {
    let byte = bytes[i]!;
    if (byte === PERCENT) {
      const hex = bytes.toString('latin1', i + 1, i + 3);
      if (!/^[0-9a-fA-F]{2}$/.test(hex)) return undefined;
      byte = Number.parseInt(hex, 16);
      i += 2;
    }
    bytes[length++] = byte;
  }
  return bytes.subarray(0, length);
}

/** Node hands out what came over a socket one character a byte. */
function bytesOf(text: string): Buffer {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0xff) return Buffer.from(text);
  return Buffer.from(text, 'latin1');
}
