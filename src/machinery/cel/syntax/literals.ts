import { GO_ESCAPES } from '../../go-format.js';
import { type Double, INT_MAX, INT_MIN, type Int, toDouble, toInt, UINT_MAX, Uint } from '../values/numbers.js';

/** The value of an int literal (decimal or 0x…, with sign), or undefined when it does not fit into 64 bits. */
export function parseIntLiteral(text: string, negative: boolean): Int | undefined {
  const value = negative ? -BigInt(text) : BigInt(text);
  return value < INT_MIN || value > INT_MAX ? undefined : toInt(value);
}

/** The value of a uint literal, without its suffix, or undefined when it does not fit. */
export function parseUintLiteral(text: string): Uint | undefined {
  const value = BigInt(text);
  return value > UINT_MAX ? undefined : new Uint(value);
}

export function parseDoubleLiteral(text: string): number | Double | undefined {
  const value = Number(text);
  return Number.isFinite(value) ? toDouble(value) : undefined;
}

const ESCAPES: Readonly<Record<string, string>> = { ...GO_ESCAPES, "'": "'", '"': '"', '`': '`', '?': '?' };
const UNREADABLE = 'unable to unescape string';

/** Thrown for escapes that the lexer accepts but that mean nothing; the message is the client's. */
export class UnescapeError extends Error {}

/** The value of a string literal as written (quotes and raw prefix included). */
export function parseStringLiteral(text: string): string {
  const { body, raw } = unquote(text);
  return raw || !body.includes('\\') ? body : decode(body, (code) => codePoint(code));
}

/** The value of a bytes literal as written, without its `b`. */
export function parseBytesLiteral(text: string): Uint8Array {
  const { body, raw } = unquote(text);
  if (raw || !body.includes('\\')) return new TextEncoder().encode(body);
  const parts: Uint8Array[] = [];
  let plain = '';
  const flush = () => {
    if (plain) parts.push(new TextEncoder().encode(plain));
    plain = '';
  };
  for (const piece of pieces(body)) {
    if (typeof piece === 'string') plain += piece;
    else {
      if (piece.wide) throw new UnescapeError(UNREADABLE);
      flush();
      parts.push(Uint8Array.of(piece.code));
    }
  }
  flush();
  return new Uint8Array(Buffer.concat(parts));
}

function unquote(text: string): { body: string; raw: boolean } {
  const raw = text[0] === 'r' || text[0] === 'R';
  const quoted = (raw ? text.slice(1) : text).replace(/\r\n?/g, '\n');
  const width = quoted.length >= 6 && /^("""|''')/.test(quoted) ? 3 : 1;
  return { body: quoted.slice(width, quoted.length - width), raw };
}

function decode(body: string, char: (code: number) => string): string {
  let out = '';
  for (const piece of pieces(body)) out += typeof piece === 'string' ? piece : char(piece.code);
  return out;
}

function codePoint(code: number): string {
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) throw new UnescapeError('invalid unicode code point');
  return String.fromCodePoint(code);
}

const PIECE = /[^\\]+|\\(?:([0-3][0-7]{2})|[xX]([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))/gs;

function* pieces(body: string): Generator<string | { code: number; wide: boolean }> {
  for (const [whole, octal, byte, short, long, simple] of body.matchAll(PIECE)) {
    if (octal !== undefined) yield { code: Number.parseInt(octal, 8), wide: false };
    else if (byte !== undefined) yield { code: Number.parseInt(byte, 16), wide: false };
    else if (short !== undefined) yield { code: Number.parseInt(short, 16), wide: true };
    else if (long !== undefined) yield { code: Number.parseInt(long, 16), wide: true };
    else if (simple !== undefined) {
      const value = ESCAPES[simple];
      if (value === undefined) throw new UnescapeError(UNREADABLE);
      yield value;
    } else yield whole;
  }
}
