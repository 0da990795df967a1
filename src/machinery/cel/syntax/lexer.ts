import { type LexError, T, type Token, type TokenType } from './tokens.js';

const PUNCTUATION: Record<string, TokenType> = {
  '[': T.LBRACKET,
  ']': T.RBRACKET,
  '{': T.LBRACE,
  '}': T.RBRACE,
  '(': T.LPAREN,
  ')': T.RPAREN,
  '.': T.DOT,
  ',': T.COMMA,
  '-': T.MINUS,
  '!': T.NOT,
  '?': T.QUESTION,
  ':': T.COLON,
  '+': T.PLUS,
  '*': T.STAR,
  '/': T.SLASH,
  '%': T.PERCENT,
  '<': T.LESS,
  '>': T.GREATER,
  '==': T.EQUALS,
  '!=': T.NOT_EQUALS,
  '<=': T.LESS_EQUALS,
  '>=': T.GREATER_EQUALS,
  '&&': T.AND,
  '||': T.OR,
};

const KEYWORDS = new Map<string, TokenType>([
  ['in', T.IN],
  ['true', T.TRUE],
  ['false', T.FALSE],
  ['null', T.NULL],
]);

const SPACE = /[\t\f\r\n ]+|\/\/[^\n]*/y;
const WORD = /[A-Za-z_][A-Za-z0-9_]*/y;
const FLOAT = /\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?/y;
const INTEGER = /0x[0-9A-Fa-f]+[uU]?|\d+[uU]?/y;
const ESCAPE = /\\(?:[abfnrtv"'\\?`]|[0-3][0-7][0-7]|[xX][0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8})/y;
const ESCAPE_PREFIX = /\\(?:[0-3][0-7]?|[xX][0-9A-Fa-f]?|u[0-9A-Fa-f]{0,3}|U[0-9A-Fa-f]{0,7})?/y;
const QUOTED_NAME = /`[A-Za-z0-9_.\-/ ]+`/y;
const QUOTED_NAME_PREFIX = /`[A-Za-z0-9_.\-/ ]*/y;

/**
 * Splits an expression into tokens, the longest possible one first. What fits no token is reported and skipped up to
 * and including the first character that no token could go on with, as a table-driven lexer does it.
 */
export function tokenize(text: string): { tokens: Token[]; errors: LexError[] } {
  const tokens: Token[] = [];
  const errors: LexError[] = [];
  let at = 0;
  while (at < text.length) {
    const space = endOf(SPACE, text, at);
    if (space > at) {
      at = space;
      continue;
    }
    const found = match(text, at);
    if (found.type !== undefined) {
      tokens.push({ type: found.type, start: at, end: found.end });
      at = found.end;
    } else {
      const end = Math.min(text.length, found.end + charSize(text, found.end));
      errors.push({ start: at, end, before: tokens.length });
      at = end;
    }
  }
  tokens.push({ type: T.EOF, start: text.length, end: text.length });
  return { tokens, errors };
}

/** The token at an offset, or (without type) the offset of the character where every attempt to read one stopped. */
function match(text: string, at: number): { type?: TokenType; end: number } {
  const char = text[at]!;
  if (char === '"' || char === "'") {
    const { end, stuck } = matchString(text, at, false);
    return end > 0 ? { type: T.STRING, end } : { end: stuck };
  }
  const word = endOf(WORD, text, at);
  if (word > at) return matchWord(text, at, word);
  const float = endOf(FLOAT, text, at);
  const integer = endOf(INTEGER, text, at);
  if (float > integer) return { type: T.FLOAT, end: float };
  if (integer > at) return { type: /[uU]/.test(text[integer - 1]!) ? T.UINT : T.INT, end: integer };
  if (char === '`') {
    const end = endOf(QUOTED_NAME, text, at);
    return end > at ? { type: T.ESC_IDENTIFIER, end } : { end: endOf(QUOTED_NAME_PREFIX, text, at) };
  }
  const two = PUNCTUATION[text.slice(at, at + 2)];
  if (two !== undefined && at + 1 < text.length) return { type: two, end: at + 2 };
  const one = PUNCTUATION[char];
  if (one !== undefined) return { type: one, end: at + 1 };
  return { end: char === '&' || char === '|' || char === '=' ? at + 1 : at };
}

/** An identifier or keyword, or a string that begins with a prefix (r, b, br) which alone would be an identifier. */
function matchWord(text: string, at: number, word: number): { type: TokenType; end: number } {
  const prefix = /^(?:([bB])?([rR])?)$/.exec(text.slice(at, word));
  if (prefix && (text[word] === '"' || text[word] === "'")) {
    const { end } = matchString(text, word, prefix[2] !== undefined);
    if (end > word) return { type: prefix[1] === undefined ? T.STRING : T.BYTES, end };
  }
  return { type: KEYWORDS.get(text.slice(at, word)) ?? T.IDENTIFIER, end: word };
}

/** `end` is -1 when no string starts here; `stuck` is where reading one failed. */
function matchString(text: string, at: number, raw: boolean): { end: number; stuck: number } {
  const quote = text[at]!;
  const triple = quote.repeat(3);
  const long = text.startsWith(triple, at) ? scan(text, at + 3, triple, raw, true) : { end: -1, stuck: at };
  if (long.end > 0) return long;
  const short = scan(text, at + 1, quote, raw, false);
  if (short.end > 0) return short;
  return { end: -1, stuck: Math.max(long.stuck, short.stuck) };
}

function scan(text: string, from: number, close: string, raw: boolean, lines: boolean): { end: number; stuck: number } {
  let at = from;
  while (at < text.length) {
    if (text.startsWith(close, at)) return { end: at + close.length, stuck: at };
    const char = text[at]!;
    if (!lines && (char === '\n' || char === '\r')) return { end: -1, stuck: at };
    if (char === '\\' && !raw) {
      const end = endOf(ESCAPE, text, at);
      if (end === at) return { end: -1, stuck: endOf(ESCAPE_PREFIX, text, at) };
      at = end;
    } else at++;
  }
  return { end: -1, stuck: text.length };
}

function endOf(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}

function charSize(text: string, at: number): number {
  const code = text.codePointAt(at);
  return code !== undefined && code > 0xffff ? 2 : 1;
}
