import type { JsonValue } from './json.js';

// Values as Go's fmt package prints them, for messages that clients see. Source: documentation of Go's fmt and strconv.

const PLAIN = /^[ !#-[\]-~]*$/;
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u;
const SHORT: Readonly<Record<number, string>> = {
  7: '\\a',
  8: '\\b',
  9: '\\t',
  10: '\\n',
  11: '\\v',
  12: '\\f',
  13: '\\r',
};

/** `%q`: differs from JSON in control characters, DEL and invisible characters. */
export function goQuote(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  let out = '"';
  for (const char of text) out += quotedChar(char);
  return `${out}"`;
}

/** `%q` of a list of strings: `["a" "b"]`. */
export function goQuoteList(texts: readonly string[]): string {
  return `[${texts.map(goQuote).join(' ')}]`;
}

function quotedChar(char: string): string {
  const code = char.codePointAt(0)!;
  if (char === '"' || char === '\\') return `\\${char}`;
  if (code >= 0x20 && code < 0x7f) return char;
  if (SHORT[code]) return SHORT[code];
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`;
  if (PRINTABLE.test(char)) return char;
  if (code >= 0xd800 && code < 0xe000) return '\ufffd';
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\U${code.toString(16).padStart(8, '0')}`;
}

/** Orders strings as Go does, by their UTF-8 bytes; JavaScript compares UTF-16 units. */
export function compareBytes(a: string, b: string): number {
  if (a === b) return 0;
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    // Surrogates stand for code points above all other units.
    const high = (c: number): number => (c >= 0xd800 && c < 0xe000 ? c + 0x10000 : c);
    return high(x) < high(y) ? -1 : 1;
  }
  return a.length < b.length ? -1 : 1;
}

/** `%v` of a JSON value as decoded into Go's `interface{}`: `map[a:1 b:[x y]]`, keys sorted, `<nil>` for null. */
export function goValue(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(goValue).join(' ')}]`;
  if (typeof value === 'object') {
    const keys = Object.keys(value).sort(compareBytes);
    return `map[${keys.map((k) => `${k}:${goValue(value[k])}`).join(' ')}]`;
  }
  return typeof value === 'number' ? goNumber(value) : `${value}`;
}

/** `%#v` of a JSON value as decoded into Go's `interface{}`. */
export function goSyntax(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return 'interface {}(nil)';
  if (typeof value === 'string') return goQuote(value);
  if (Array.isArray(value)) return `[]interface {}{${value.map(goSyntax).join(', ')}}`;
  if (typeof value === 'object') {
    const keys = Object.keys(value).sort(compareBytes);
    return `map[string]interface {}{${keys.map((k) => `${goQuote(k)}:${goSyntax(value[k])}`).join(', ')}}`;
  }
  return typeof value === 'number' ? goNumber(value) : `${value}`;
}

/** `%T` of a JSON value as decoded into Go's `interface{}`, whole numbers being int64. */
export function goType(value: JsonValue | undefined): string {
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'boolean':
      return 'bool';
    case 'bigint':
      return 'int64';
    case 'number':
      return Number.isInteger(value) ? 'int64' : 'float64';
    default:
      if (value === undefined || value === null) return '<nil>';
      return Array.isArray(value) ? '[]interface {}' : 'map[string]interface {}';
  }
}

/** `%v` of a float64 or int64: the exponent form starts at 1e+21 for floats and has two digits. */
function goNumber(value: number): string {
  if (Number.isSafeInteger(value)) return `${value}`;
  const text = Math.abs(value) < 1e-4 && value !== 0 ? value.toExponential() : `${value}`;
  return text.replace(/e([+-])(\d)$/, 'e$10$2');
}

/** A JSON string as Go writes it: `<`, `>`, `&` and the line separators escaped. */
export function goJsonString(text: string): string {
  return JSON.stringify(text)
    .replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .replace(/\\([bf])/g, (all, c: string, at: number, whole: string) =>
      escaped(whole, at) ? all : c === 'b' ? '\\u0008' : '\\u000c',
    );
}

/** Whether the backslash at `at` is itself the second half of an escaped backslash. */
function escaped(text: string, at: number): boolean {
  let n = 0;
  while (text[at - 1 - n] === '\\') n++;
  return n % 2 === 1;
}

/** A JSON value as Go writes one that it has decoded: object members sorted, no spaces. */
export function goJson(value: JsonValue | undefined): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'string') return goJsonString(value);
  if (typeof value !== 'object') return `${value}`;
  if (Array.isArray(value)) return `[${value.map(goJson).join(',')}]`;
  const keys = Object.keys(value)
    .filter((k) => value[k] !== undefined)
    .sort(compareBytes);
  return `{${keys.map((k) => `${goJsonString(k)}:${goJson(value[k])}`).join(',')}}`;
}

/** What stands for a character after a backslash, in Go as in CEL and JSONPath; quotes are for each to add. */
export const GO_ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
};
