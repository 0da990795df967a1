import { GO_ESCAPES } from '../go-format.js';
// The dialect of kubectl's and client-go's JSONPath templates, as far as paths of single values need it.

export type PathNode =
  | { readonly type: 'field'; readonly name: string }
  | { readonly type: 'slice'; readonly slice: Slice }
  | { readonly type: 'wildcard' }
  | { readonly type: 'descent' }
  | { readonly type: 'union'; readonly paths: readonly (readonly PathNode[])[] }
  | {
      readonly type: 'filter';
      readonly left: readonly PathNode[];
      readonly operator: string;
      readonly right: readonly PathNode[];
    }
  | { readonly type: 'literal'; readonly value: Literal }
  | { readonly type: 'keyword'; readonly name: string };

export interface Literal {
  readonly kind: 'text' | 'bool' | 'int' | 'float';
  readonly value: string | boolean | number;
}

/** `[start:end:step]`; a single index is a slice whose end was derived. */
export interface Slice {
  readonly start: number | undefined;
  readonly end: number | undefined;
  readonly derived: boolean;
  readonly step: number | undefined;
}

export class JsonPathError extends Error {}

/** Filters are templates again; nobody nests them deeply. */
const MAX_DEPTH = 32;
const TERMINATOR = /[ \t\r\n.,[\]$@{}]/;
const WORD = /^[_\p{L}\p{Nd}]$/u;
const KEY = /^'([^']*)'$/;
const SLICE = /^(-?\d*)(?::(-?\d*))?(?::(-?\d*))?$/;
const COMPARISON = /^([^!<>=]+)([!<>=]+)(.+)$/s;

/**
 * The path in the first pair of braces of `{text}`; text that closes the brace and opens another is checked, no more.
 *
 * @throws JsonPathError
 */
export function parsePath(text: string): readonly PathNode[] {
  return parseTemplate(`{${text}}`, 0);
}

function parseTemplate(template: string, depth: number): readonly PathNode[] {
  if (depth > MAX_DEPTH) throw new JsonPathError('too deeply nested');
  let first: readonly PathNode[] | undefined;
  let at = template.indexOf('{');
  while (at >= 0) {
    const action = new Action(template, at + 1, depth);
    first ??= action.nodes;
    at = template.indexOf('{', action.end);
  }
  return first ?? [];
}

/** What stands between braces. */
class Action {
  readonly nodes: PathNode[] = [];
  readonly #text: string;
  readonly #depth: number;
  #at: number;

  constructor(text: string, at: number, depth: number) {
    this.#text = text;
    this.#at = at;
    this.#depth = depth;
    while (!this.#next());
  }

  /** After the closing brace. */
  get end(): number {
    return this.#at;
  }

  /** Reads one part; true at the end. */
  #next(): boolean {
    const text = this.#text;
    const char = text[this.#at];
    if (char === undefined || char === '\n' || char === '\r') throw new JsonPathError('unclosed action');
    if (char === '}') {
      this.#at++;
      return true;
    }
    if (text.startsWith('[?(', this.#at)) this.#filter();
    else if (text.startsWith('..', this.#at)) this.#descent();
    else if (char === ' ' || char === '@' || char === '$') this.#at++;
    else if (char === '[') this.#brackets();
    else if (char === '"' || char === "'") this.#quoted(char);
    else if (char === '.') {
      this.#at++;
      this.#field();
    } else if (/[+\-\d]/.test(char)) this.#number();
    else this.#word();
    return false;
  }

  #descent(): void {
    if (this.nodes.at(-1)?.type === 'descent') throw new JsonPathError('invalid multiple recursive descent');
    this.#at += 2;
    this.nodes.push({ type: 'descent' });
    if (this.#startsWord()) this.#field();
  }

  #startsWord(): boolean {
    const code = this.#text.codePointAt(this.#at);
    return code !== undefined && WORD.test(String.fromCodePoint(code));
  }

  #field(): void {
    const start = this.#at;
    while (this.#at < this.#text.length && !TERMINATOR.test(this.#text[this.#at]!)) {
      this.#at += this.#text[this.#at] === '\\' ? 2 : 1;
    }
    this.#at = Math.min(this.#at, this.#text.length);
    const name = this.#text.slice(start, this.#at);
    this.nodes.push(name === '*' ? { type: 'wildcard' } : { type: 'field', name: name.replaceAll('\\', '') });
  }

  #word(): void {
    if (!this.#startsWord()) {
      throw new JsonPathError(
        `unrecognized character in action: ${String.fromCodePoint(this.#text.codePointAt(this.#at)!)}`,
      );
    }
    const start = this.#at;
    while (this.#at < this.#text.length && !TERMINATOR.test(this.#text[this.#at]!)) this.#at++;
    const name = this.#text.slice(start, this.#at);
    if (name === 'true' || name === 'false') this.#literal('bool', name === 'true');
    else this.nodes.push({ type: 'keyword', name });
  }

  #number(): void {
    const start = this.#at;
    if (/[+-]/.test(this.#text[this.#at]!)) this.#at++;
    while (/[.\d]/.test(this.#text[this.#at] ?? '')) this.#at++;
    const text = this.#text.slice(start, this.#at);
    if (/^[+-]?\d+$/.test(text)) this.#literal('int', Number(text));
    else if (/^[+-]?(\d+\.\d*|\.\d+)$/.test(text)) this.#literal('float', Number(text));
    else throw new JsonPathError(`cannot parse number ${text}`);
  }

  #literal(kind: Literal['kind'], value: Literal['value']): void {
    this.nodes.push({ type: 'literal', value: { kind, value } });
  }

  #quoted(quote: string): void {
    const start = this.#at + 1;
    do {
      this.#at++;
      const char = this.#text[this.#at];
      if (char === undefined || char === '\n') throw new JsonPathError('unterminated quoted string');
    } while (this.#text[this.#at] !== quote || this.#text[this.#at - 1] === '\\');
    this.#literal('text', unquote(this.#text.slice(start, this.#at), quote));
    this.#at++;
  }

  #brackets(): void {
    const start = this.#at + 1;
    for (; this.#text[this.#at] !== ']'; this.#at++) {
      if (this.#at >= this.#text.length || this.#text[this.#at] === '\n') throw new JsonPathError('unterminated array');
    }
    const inner = this.#text.slice(start, this.#at++);
    const parts = inner.split(',');
    if (parts.length > 1) {
      const paths = parts.map((part) => this.#inner(`[${part.replace(/^ +| +$/g, '')}]`));
      this.nodes.push({ type: 'union', paths });
      return;
    }
    const key = KEY.exec(inner)?.[1];
    if (key !== undefined) this.nodes.push(...this.#inner(`.${key}`));
    else this.nodes.push({ type: 'slice', slice: slice(inner) });
  }

  #filter(): void {
    this.#at += 3;
    const start = this.#at;
    let quote = '';
    let closed = false;
    for (; ; this.#at++) {
      const char = this.#text[this.#at];
      if (char === undefined || char === '\n') throw new JsonPathError('unterminated filter');
      if (char === '"' || char === "'") {
        if (quote === '') quote = char;
        else if (char === quote && this.#text[this.#at - 1] !== '\\') closed = true;
      } else if (char === ')' && (quote !== '') === closed) break;
    }
    const text = this.#text.slice(start, this.#at++);
    if (this.#text[this.#at] !== ']') throw new JsonPathError('unclosed array expect ]');
    this.#at++;
    const [, left, operator, right] = COMPARISON.exec(text) ?? [];
    if (operator === undefined) {
      this.nodes.push({ type: 'filter', left: this.#inner(text), operator: 'exists', right: [] });
    } else this.nodes.push({ type: 'filter', left: this.#inner(left!), operator, right: this.#inner(right!) });
  }

  #inner(text: string): readonly PathNode[] {
    return parseTemplate(`{${text}}`, this.#depth + 1);
  }
}

function slice(text: string): Slice {
  const [, first, second, third] = SLICE.exec(text === '*' ? ':' : text) ?? [];
  if (first === undefined) throw new JsonPathError(`invalid array index ${text}`);
  const start = index(first);
  if (second === undefined) return { start, end: (start ?? 0) + 1, derived: true, step: undefined };
  return { start, end: index(second), derived: false, step: index(third) };
}

function index(text: string | undefined): number | undefined {
  if (!text) return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new JsonPathError(`array index ${text} is not a number`);
  return value;
}

const ESCAPE = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|([\s\S]?))/g;

function unquote(text: string, quote: string): string {
  return text.replace(ESCAPE, (all, x: string, u: string, U: string, octal: string, char: string) => {
    const code = x ?? u ?? U;
    const value =
      code === undefined ? (octal === undefined ? undefined : Number.parseInt(octal, 8)) : Number.parseInt(code, 16);
    if (value !== undefined) {
      if (value <= (octal === undefined ? 0x10ffff : 255)) return String.fromCodePoint(value);
    } else if (char === quote) return char;
    else if (GO_ESCAPES[char] !== undefined) return GO_ESCAPES[char];
    throw new JsonPathError(`unquote string ${quote}${text}${quote} error invalid syntax (${all})`);
  });
}
