import { member, type Overload, overload } from '../types/declarations.js';
import { DYN, INT, listType, STRING } from '../types/type.js';
import { CelError } from '../values/error.js';
import type { Int } from '../values/numbers.js';
import { checkLength } from './limits.js';
import { formatText } from './string-format.js';

/** A text as array of code points, which is how CEL counts. */
function codePoints(text: string): ArrayLike<string> & Iterable<string> {
  // Most texts have no code points beyond 16 bits and can be indexed as they are.
  return /[\ud800-\udfff]/.test(text) ? [...text] : text;
}

function slice(points: ArrayLike<string>, from: number, to: number): string {
  return typeof points === 'string' ? points.slice(from, to) : (points as string[]).slice(from, to).join('');
}

function outOfRange(index: Int): CelError {
  return new CelError(`index out of range: ${index}`);
}

function charAt(text: string, index: Int): string {
  const points = codePoints(text);
  if (index < 0 || index > points.length) throw outOfRange(index);
  return points[Number(index)] ?? '';
}

/** Place (in code points) of a part at or after an offset, or -1. */
function indexOf(text: string, part: string, offset: Int = 0): Int {
  if (part === '') return offset;
  if (offset < 0) throw outOfRange(offset);
  const points = codePoints(text);
  if (offset >= points.length) return -1;
  const start = slice(points, 0, Number(offset)).length;
  const found = text.indexOf(part, start);
  return found < 0 ? -1 : Number(offset) + codePoints(text.slice(start, found)).length;
}

/** Place (in code points) of the last part that begins at or before an offset, or -1. */
function lastIndexOf(text: string, part: string, offset?: Int): Int {
  const points = codePoints(text);
  if (offset === undefined) {
    if (part === '') return points.length;
    offset = points.length - 1;
    if (points.length < codePoints(part).length) return -1;
  }
  if (part === '') return offset;
  if (offset < 0) throw outOfRange(offset);
  if (offset >= points.length) return -1;
  const found = text.lastIndexOf(part, slice(points, 0, Number(offset)).length);
  return found < 0 ? -1 : codePoints(text.slice(0, found)).length;
}

function replace(text: string, old: string, by: string, limit: Int = -1): string {
  let count = limit < 0 ? Infinity : Number(limit);
  if (old === '') {
    const points = [...text];
    count = Math.min(count, points.length + 1);
    checkLength(text.length + count * by.length);
    let out = '';
    for (let i = 0; i <= points.length; i++) out += (i < count ? by : '') + (points[i] ?? '');
    return out;
  }
  const pieces = text.split(old);
  const replaced = Math.min(count, pieces.length - 1);
  checkLength(text.length + replaced * by.length);
  return (
    pieces.slice(0, replaced + 1).join(by) +
    pieces
      .slice(replaced + 1)
      .map((piece) => old + piece)
      .join('')
  );
}

function split(text: string, separator: string, limit: Int = -1): string[] {
  const pieces = separator === '' ? [...text] : text.split(separator);
  const count = Number(limit);
  if (count < 0 || pieces.length <= count) return pieces;
  if (count === 0) return [];
  return [...pieces.slice(0, count - 1), pieces.slice(count - 1).join(separator)];
}

function substring(text: string, start: Int, end?: Int): string {
  const points = codePoints(text);
  if (end !== undefined && start > end) {
    throw new CelError(`invalid substring range. start: ${start}, end: ${end}`);
  }
  if (start < 0 || start > points.length) throw outOfRange(start);
  if (end !== undefined && (end < 0 || end > points.length)) throw outOfRange(end);
  return slice(points, Number(start), end === undefined ? points.length : Number(end));
}

/** Space as Unicode defines it (which is what Go trims). */
const SPACE = '[\\t\\n\\v\\f\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]';
const LEADING = new RegExp(`^${SPACE}+`);

function trim(text: string): string {
  const start = text.replace(LEADING, '');
  let end = start.length;
  while (end > 0 && LEADING.test(start[end - 1]!)) end--;
  return start.slice(0, end);
}

const QUOTED: Record<string, string> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
};

function quote(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that have escapes
  return `"${text.replace(/\p{Cs}/gu, '\ufffd').replace(/[\x07\b\f\n\r\t\v\\"]/g, (char) => QUOTED[char]!)}"`;
}

function join(list: unknown[], separator = ''): string {
  let length = separator.length * Math.max(0, list.length - 1);
  for (const element of list) {
    if (typeof element !== 'string') throw new CelError(`join: invalid input: ${String(element)}`);
    length += element.length;
  }
  checkLength(length);
  return list.join(separator);
}

const TEXTS = listType(STRING);

/** cel-go's strings extension in version 2, which is the one Kubernetes has. */
export const STRINGS: Record<string, Overload[]> = {
  charAt: [member('string_char_at_int', [STRING, INT], STRING, charAt)],
  indexOf: [
    member('string_index_of_string', [STRING, STRING], INT, (s: string, part: string) => indexOf(s, part)),
    member('string_index_of_string_int', [STRING, STRING, INT], INT, indexOf),
  ],
  lastIndexOf: [
    member('string_last_index_of_string', [STRING, STRING], INT, (s: string, part: string) => lastIndexOf(s, part)),
    member('string_last_index_of_string_int', [STRING, STRING, INT], INT, lastIndexOf),
  ],
  lowerAscii: [
    member('string_lower_ascii', [STRING], STRING, (s: string) => s.replace(/[A-Z]+/g, (part) => part.toLowerCase())),
  ],
  upperAscii: [
    member('string_upper_ascii', [STRING], STRING, (s: string) => s.replace(/[a-z]+/g, (part) => part.toUpperCase())),
  ],
  replace: [
    member('string_replace_string_string', [STRING, STRING, STRING], STRING, (s: string, old: string, by: string) =>
      replace(s, old, by),
    ),
    member('string_replace_string_string_int', [STRING, STRING, STRING, INT], STRING, replace),
  ],
  split: [
    member('string_split_string', [STRING, STRING], TEXTS, (s: string, separator: string) => split(s, separator)),
    member('string_split_string_int', [STRING, STRING, INT], TEXTS, split),
  ],
  substring: [
    member('string_substring_int', [STRING, INT], STRING, (s: string, start: Int) => substring(s, start)),
    member('string_substring_int_int', [STRING, INT, INT], STRING, substring),
  ],
  trim: [member('string_trim', [STRING], STRING, trim)],
  format: [
    member('string_format', [STRING, listType(DYN)], STRING, (s: string, args: unknown[]) => formatText(s, args)),
  ],
  'strings.quote': [overload('strings_quote', [STRING], STRING, quote)],
  join: [
    member('list_join', [TEXTS], STRING, (list: unknown[]) => join(list)),
    member('list_join_string', [TEXTS, STRING], STRING, join),
  ],
};
