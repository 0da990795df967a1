import { isJsonObject, type JsonObject, type JsonValue } from '../../json.js';
import { analyzeScalar } from './analyze.js';
import { resolvePlain } from './resolve.js';

/** Lines are folded at the first space behind this column, as Go's writer does. */
const WIDTH = 80;

/**
 * YAML text of a JSON value as the API writes it (JSON turned into YAML by Go's writer): block style, lists not
 * indented, keys in natural order, strings quoted only where their plain text would read as something else. The input
 * must be complete: pass what the JSON encoder would write, not the minimal form.
 */
export function formatYaml(value: JsonValue): string {
  const w = new YamlWriter();
  w.node(value, { mapping: false, key: false });
  return w.finish();
}

interface Place {
  /** The value of a mapping entry. */
  mapping: boolean;
  /** A key that stands before its `:` on one line. */
  key: boolean;
}

/** Keeps the state that decides about spaces and line breaks: column, indentation, what was written last. */
class YamlWriter {
  #out = '';
  #column = 0;
  #indent = -1;
  /** The last character was white space, or nothing is written yet. */
  #whitespace = true;
  /** Only indentation and indicators stand on the line so far. */
  #indention = true;

  node(value: JsonValue, place: Place): void {
    if (Array.isArray(value)) this.#sequence(value, place);
    else if (isJsonObject(value)) this.#mapping(value);
    else this.#scalar(value, place);
  }

  finish(): string {
    this.#writeIndent();
    return this.#out;
  }

  #sequence(items: JsonValue[], place: Place): void {
    if (items.length === 0) {
      this.#indicator('[]', true, false, false);
      return;
    }
    const before = this.#indent;
    const indentless = place.mapping && !this.#indention;
    if (this.#indent < 0) this.#indent = 0;
    else if (!indentless) this.#indent += 2;
    for (const item of items) {
      this.#writeIndent();
      this.#indicator('-', true, false, true);
      this.node(item, { mapping: false, key: false });
    }
    this.#indent = before;
  }

  #mapping(object: JsonObject): void {
    const keys = Object.keys(object).filter((k) => object[k] !== undefined);
    if (keys.length === 0) {
      this.#indicator('{}', true, false, false);
      return;
    }
    const before = this.#indent;
    this.#indent = this.#indent < 0 ? 0 : this.#indent + 2;
    for (const key of keys.sort(compareNatural)) {
      this.#writeIndent();
      if (Buffer.byteLength(key) <= 128 && !/[\n\r\u0085\u2028\u2029]/.test(key)) {
        this.#scalar(key, { mapping: true, key: true });
        this.#indicator(':', false, false, false);
      } else {
        this.#indicator('?', true, false, true);
        this.#scalar(key, { mapping: true, key: false });
        this.#writeIndent();
        this.#indicator(':', true, false, true);
      }
      this.node(object[key]!, { mapping: true, key: false });
    }
    this.#indent = before;
  }

  /** Further lines of a scalar stand one level deeper. */
  #scalar(value: JsonValue, place: Place): void {
    const before = this.#indent;
    this.#indent = before < 0 ? 2 : before + 2;
    this.#styled(value, place);
    this.#indent = before;
  }

  #styled(value: JsonValue, place: Place): void {
    if (typeof value !== 'string') this.#plain(plainText(value), false);
    else {
      const facts = analyzeScalar(value);
      const multiline = value.includes('\n');
      const wantsPlain = !multiline && resolvePlain(value).tag === 'str' && !isBase60(value);
      if (multiline && facts.blockAllowed && !place.key) this.#literal(value);
      else if (wantsPlain && facts.plainAllowed) this.#plain(value, !place.key);
      else if (wantsPlain && facts.singleQuotedAllowed) this.#singleQuoted(value, !place.key);
      else this.#doubleQuoted(value, !place.key);
    }
  }

  #plain(text: string, fold: boolean): void {
    if (!this.#whitespace) this.#put(' ');
    const chars = [...text];
    let spaces = false;
    for (let i = 0; i < chars.length; i++) {
      if (chars[i] === ' ') {
        if (fold && !spaces && this.#column > WIDTH && chars[i + 1] !== ' ') this.#writeIndent();
        else this.#put(' ');
        spaces = true;
      } else {
        this.#put(chars[i]!);
        this.#indention = false;
        spaces = false;
      }
    }
    this.#whitespace = false;
    this.#indention = false;
  }

  #singleQuoted(text: string, fold: boolean): void {
    this.#indicator("'", true, false, false);
    const chars = [...text];
    let spaces = false;
    for (let i = 0; i < chars.length; i++) {
      const inside = i > 0 && i < chars.length - 1;
      if (chars[i] === ' ') {
        if (fold && !spaces && this.#column > WIDTH && inside && chars[i + 1] !== ' ') this.#writeIndent();
        else this.#put(' ');
        spaces = true;
      } else {
        if (chars[i] === "'") this.#put("'");
        this.#put(chars[i]!);
        this.#indention = false;
        spaces = false;
      }
    }
    this.#indicator("'", false, false, false);
  }

  #doubleQuoted(text: string, fold: boolean): void {
    this.#indicator('"', true, false, false);
    const chars = [...text];
    let spaces = false;
    for (let i = 0; i < chars.length; i++) {
      const c = chars[i]!;
      const escaped = escapeOf(c);
      if (escaped !== undefined) {
        for (const e of escaped) this.#put(e);
        spaces = false;
      } else if (c === ' ') {
        if (fold && !spaces && this.#column > WIDTH && i > 0 && i < chars.length - 1) {
          this.#writeIndent();
          if (chars[i + 1] === ' ') this.#put('\\');
        } else this.#put(' ');
        spaces = true;
      } else {
        this.#put(c);
        spaces = false;
      }
    }
    this.#indicator('"', false, false, false);
  }

  #literal(text: string): void {
    this.#indicator('|', true, false, false);
    if (/^[ \n\r\u0085\u2028\u2029]/.test(text)) this.#indicator('2', false, false, false);
    if (!isBreak(text.at(-1)!)) this.#indicator('-', false, false, false);
    else if (text.length === 1 || isBreak(text.at(-2)!)) this.#indicator('+', false, false, false);
    this.#break();
    this.#indention = true;
    this.#whitespace = true;
    let breaks = true;
    for (const c of text) {
      if (isBreak(c)) {
        if (c === '\n') this.#break();
        else {
          this.#out += c;
          this.#column = 0;
        }
        this.#indention = true;
        breaks = true;
      } else {
        if (breaks) this.#writeIndent();
        this.#put(c);
        this.#indention = false;
        breaks = false;
      }
    }
  }

  #put(c: string): void {
    this.#out += c;
    this.#column++;
  }

  #break(): void {
    this.#out += '\n';
    this.#column = 0;
  }

  #writeIndent(): void {
    const indent = Math.max(this.#indent, 0);
    if (!this.#indention || this.#column > indent || (this.#column === indent && !this.#whitespace)) this.#break();
    while (this.#column < indent) this.#put(' ');
    this.#whitespace = true;
    this.#indention = true;
  }

  #indicator(text: string, needSpace: boolean, isWhitespace: boolean, isIndention: boolean): void {
    if (needSpace && !this.#whitespace) this.#put(' ');
    for (const c of text) this.#put(c);
    this.#whitespace = isWhitespace;
    this.#indention = this.#indention && isIndention;
  }
}

function isBreak(c: string): boolean {
  return c === '\n' || c === '\r' || c === '\u0085' || c === '\u2028' || c === '\u2029';
}

/** Numbers in base 60 are quoted for readers that know them. */
function isBase60(text: string): boolean {
  return /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/.test(text);
}

function plainText(value: JsonValue): string {
  if (typeof value === 'number' && !Number.isInteger(value)) return goFloat(value);
  if (typeof value === 'number' && Math.abs(value) >= 1e21) return goFloat(value);
  return value === null ? 'null' : `${value as boolean | number | bigint}`;
}

/** Go's shortest `%g`: an exponent (of at least two digits) below 1e-4 and from 1e6. */
function goFloat(value: number): string {
  const [mantissa, exponent] = value.toExponential().split('e') as [string, string];
  const e = Number(exponent);
  if (e >= -4 && e < 6) return `${value}`;
  return `${mantissa}e${e < 0 ? '-' : '+'}${String(Math.abs(e)).padStart(2, '0')}`;
}

const ESCAPES: Record<string, string> = {
  '\0': '\\0',
  '\x07': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '\x1b': '\\e',
  '"': '\\"',
  '\\': '\\\\',
  '\u0085': '\\N',
  '\u2028': '\\L',
  '\u2029': '\\P',
};

function escapeOf(c: string): string | undefined {
  const known = ESCAPES[c];
  if (known !== undefined) return known;
  const code = c.codePointAt(0)!;
  if ((code >= 0x20 && code <= 0x7e) || (code >= 0xa0 && code <= 0xffff && code !== 0xfeff && code < 0xfffe)) {
    return undefined;
  }
  const hex = code.toString(16).toUpperCase();
  if (code <= 0xff) return `\\x${hex.padStart(2, '0')}`;
  return code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}

const LETTER = /^\p{L}$/u;
const DIGIT = /^[0-9]$/;

/** The order that Go's writer gives keys: letters behind everything else, runs of digits by their number. */
export function compareNatural(a: string, b: string): number {
  const x = [...a];
  const y = [...b];
  for (let i = 0; i < x.length && i < y.length; i++) {
    const c = x[i]!;
    const d = y[i]!;
    if (c === d) continue;
    const letter = LETTER.test(c);
    if (letter !== LETTER.test(d)) return letter ? 1 : -1;
    if (letter) return c.codePointAt(0)! - d.codePointAt(0)!;
    return compareDigits(x, y, i) || c.codePointAt(0)! - d.codePointAt(0)!;
  }
  return x.length - y.length;
}

function compareDigits(x: string[], y: string[], at: number): number {
  let lead = '';
  // A zero inside a number (101 and 11) counts by its place, a leading one does not.
  if (x[at] === '0' || y[at] === '0') {
    for (let j = at - 1; j >= 0 && DIGIT.test(x[j]!); j--) {
      if (x[j] !== '0') {
        lead = '1';
        break;
      }
    }
  }
  const run = (chars: string[]): string => {
    let end = at;
    while (end < chars.length && DIGIT.test(chars[end]!)) end++;
    return chars.slice(at, end).join('');
  };
  const m = run(x);
  const n = run(y);
  const p = BigInt(lead + m || '0');
  const q = BigInt(lead + n || '0');
  return p !== q ? (p < q ? -1 : 1) : m.length - n.length;
}
