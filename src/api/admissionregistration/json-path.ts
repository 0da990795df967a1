// The dialect of kubectl's and client-go's JSONPath templates, as far as telling what is well-formed.

const TERMINATORS = new Set([' ', '\t', '\r', '\n', '.', ',', '[', ']', '$', '@', '{', '}']);
const LETTER = /^[_\p{L}\p{Nd}]$/u;
/** Filters and unions are templates again; nobody nests them deeply. */
const MAX_DEPTH = 32;

class Fault extends Error {}

/** What is wrong with a template such as `{.spec.containers[0]['name']}`. */
export function jsonPathFault(template: string): string | undefined {
  try {
    scanTemplate(template, 0);
    return undefined;
  } catch (e) {
    if (e instanceof Fault) return e.message;
    throw e;
  }
}

function scanTemplate(template: string, depth: number): void {
  if (depth > MAX_DEPTH) throw new Fault('too deeply nested');
  let at = template.indexOf('{');
  while (at >= 0) {
    const end = new Action(template, at + 1, depth).scan();
    at = template.indexOf('{', end);
  }
}

/** What stands between braces. */
class Action {
  readonly #text: string;
  readonly #depth: number;
  #at: number;
  #afterDescent = false;

  constructor(text: string, at: number, depth: number) {
    this.#text = text;
    this.#at = at;
    this.#depth = depth;
  }

  /** @returns where the text after the closing brace starts */
  scan(): number {
    for (;;) {
      if (this.#skip('}')) return this.#at;
      const descended = this.#afterDescent;
      this.#afterDescent = false;
      if (this.#skip('[?(')) this.#filter();
      else if (this.#skip('..')) {
        if (descended) throw new Fault('invalid multiple recursive descent');
        this.#afterDescent = true;
        if (LETTER.test(this.#peek())) {
          this.#name();
          this.#afterDescent = false;
        }
      } else this.#part(descended);
    }
  }

  #part(descended: boolean): void {
    const c = this.#peek();
    if (c === '' || c === '\n' || c === '\r') throw new Fault('unclosed action');
    if (/^[+\-\p{Nd}]$/u.test(c)) {
      this.#number();
      return;
    }
    if (LETTER.test(c)) {
      this.#until((x) => TERMINATORS.has(x));
      return;
    }
    this.#at += c.length;
    if (c === ' ' || c === '@' || c === '$') this.#afterDescent = descended;
    else if (c === '[') this.#array();
    else if (c === '"' || c === "'") this.#quoted(c);
    else if (c === '.') this.#name();
    else throw new Fault(`unrecognized character in action: ${unicode(c)}`);
  }

  #skip(prefix: string): boolean {
    if (!this.#text.startsWith(prefix, this.#at)) return false;
    this.#at += prefix.length;
    return true;
  }

  #peek(): string {
    const code = this.#text.codePointAt(this.#at);
    return code === undefined ? '' : String.fromCodePoint(code);
  }

  #until(stop: (c: string) => boolean): string {
    const start = this.#at;
    for (let c = this.#peek(); c !== '' && !stop(c); c = this.#peek()) this.#at += c.length;
    return this.#text.slice(start, this.#at);
  }

  /** A field, in which a backslash takes away the meaning of what follows. */
  #name(): void {
    for (let c = this.#peek(); c !== '' && !TERMINATORS.has(c); c = this.#peek()) {
      this.#at += c.length;
      if (c === '\\') this.#at += this.#peek().length;
    }
  }

  #number(): void {
    const start = this.#at;
    if (!this.#skip('+')) this.#skip('-');
    this.#until((c) => !/^[.\p{Nd}]$/u.test(c));
    const value = this.#text.slice(start, this.#at);
    if (!/^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)$/.test(value)) throw new Fault(`cannot parse number ${value}`);
  }

  #quoted(quote: string): void {
    for (let c = this.#peek(); ; c = this.#peek()) {
      if (c === '' || c === '\n') throw new Fault('unterminated quoted string');
      this.#at += c.length;
      if (c === quote && this.#text[this.#at - 2] !== '\\') return;
    }
  }

  #array(): void {
    const text = this.#until((c) => c === ']' || c === '\n');
    if (!this.#skip(']')) throw new Fault('unterminated array');
    const parts = text.split(',');
    if (parts.length > 1) {
      for (const part of parts) scanTemplate(`{[${part.replace(/^ +| +$/g, '')}]}`, this.#depth + 1);
      return;
    }
    const key = /^'([^']*)'$/.exec(text);
    if (key) scanTemplate(`{.${key[1]}}`, this.#depth + 1);
    else if (text !== '*') slice(text);
  }

  #filter(): void {
    const start = this.#at;
    let quote = '';
    let closed = false;
    for (let c = this.#peek(); ; c = this.#peek()) {
      if (c === '' || c === '\n') throw new Fault('unterminated filter');
      this.#at += c.length;
      if (c === '"' || c === "'") {
        if (quote === '') quote = c;
        else if (c === quote && this.#text[this.#at - 2] !== '\\') closed = true;
      } else if (c === ')' && (quote === '') === !closed) break;
    }
    const text = this.#text.slice(start, this.#at - 1);
    if (!this.#skip(']')) throw new Fault('unclosed array expect ]');
    const operator = /[!<>=]+/.exec(text);
    const right = operator ? text.slice(operator.index + operator[0].length) : '';
    const sides = operator && operator.index > 0 && right !== '' ? [text.slice(0, operator.index), right] : [text];
    for (const side of sides) scanTemplate(`{${side}}`, this.#depth + 1);
  }
}

function slice(text: string): void {
  const parts = /^(-?[0-9]*)(:-?[0-9]*)?(:-?[0-9]*)?$/.exec(text);
  if (!parts) throw new Fault(`invalid array index ${text}`);
  for (const part of parts.slice(1)) {
    const value = part?.replace(/^:/, '') ?? '';
    if (value === '-' || value.length > 18) throw new Fault(`array index ${value} is not a number`);
  }
}

/** `U+002D '-'` */
function unicode(c: string): string {
  const hex = c.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
  return /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(c) ? `U+${hex} '${c}'` : `U+${hex}`;
}
