import { type CallExpr, copyExpr, type Expr, type MapEntry, type StructField } from './ast.js';
import { Issues } from './issues.js';
import { tokenize } from './lexer.js';
import {
  parseBytesLiteral,
  parseDoubleLiteral,
  parseIntLiteral,
  parseStringLiteral,
  parseUintLiteral,
  UnescapeError,
} from './literals.js';
import type { Macros } from './macros.js';
import { codePointLength, Source } from './source.js';
import { reportSyntaxErrors } from './syntax-errors.js';
import { T, type Token, type TokenType } from './tokens.js';

/** Limits of cel-go as Kubernetes leaves them. */
export const MAX_CODE_POINTS = 100_000;
export const MAX_DEPTH = 250;
/** cel-go has no limit here; without one nested optMap() calls double the expression with every level. */
const MAX_COPIED_NODES = 100_000;

export interface ParserOptions {
  macros: Macros;
  /** `a.?b`, `a[?b]`, `[?a]`, `{?k: v}`. */
  optionalSyntax: boolean;
  /** Field names in backticks. */
  escapedNames: boolean;
}

const RELATIONS: Partial<Record<TokenType, string>> = {
  [T.LESS]: '_<_',
  [T.LESS_EQUALS]: '_<=_',
  [T.GREATER]: '_>_',
  [T.GREATER_EQUALS]: '_>=_',
  [T.EQUALS]: '_==_',
  [T.NOT_EQUALS]: '_!=_',
  [T.IN]: '@in',
};
const FACTORS: Partial<Record<TokenType, string>> = { [T.STAR]: '_*_', [T.SLASH]: '_/_', [T.PERCENT]: '_%_' };
const TERMS: Partial<Record<TokenType, string>> = { [T.PLUS]: '_+_', [T.MINUS]: '_-_' };

/** Words that cannot name a variable, though they may name a field. */
const RESERVED = new Set(
  'as break const continue else false for function if import in let loop package namespace null return true var void while'.split(
    ' ',
  ),
);

/** The text does not follow the grammar; what to say about it is found out by reportSyntaxErrors. */
class NotInGrammar {}
/** Parsing cannot go on; the message has been decided. */
class Abort {
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}

/**
 * Parses an expression of the CEL grammar and expands macros. Whoever calls this must look at `issues.count`: the
 * expression is only complete when it is zero. Errors are worded as cel-go words them.
 */
export function parse(text: string, options: ParserOptions): { expr: Expr; issues: Issues } {
  const issues = new Issues(new Source(text));
  const nothing: Expr = { kind: 'unspecified', pos: 0 };
  const size = text.length > MAX_CODE_POINTS ? codePointLength(text) : text.length;
  if (size > MAX_CODE_POINTS) {
    issues.report(undefined, `expression code point size exceeds limit: size: ${size}, limit ${MAX_CODE_POINTS}`);
    return { expr: nothing, issues };
  }
  const { tokens, errors } = tokenize(text);
  if (errors.length === 0) {
    const parser = new Parser(text, tokens, issues, options);
    try {
      return { expr: parser.start(), issues };
    } catch (e) {
      if (e instanceof Abort) {
        issues.report(undefined, e.message);
        return { expr: nothing, issues };
      }
      if (!(e instanceof NotInGrammar)) throw e;
    }
  }
  const broken = new Issues(issues.source);
  reportSyntaxErrors(text, tokens, errors, broken, MAX_DEPTH);
  return { expr: nothing, issues: broken };
}

/** Recursive descent with one function a rule of the grammar. */
class Parser {
  readonly #text: string;
  readonly #tokens: Token[];
  readonly #issues: Issues;
  readonly #options: ParserOptions;
  #at = 0;
  /** Nesting of the rules that can nest, each limited on its own. */
  #depths = { expr: 0, relation: 0, calc: 0 };
  /** Nesting of operators below the expression parsed last, limited as a whole. */
  #height = 0;
  #copied = 0;

  constructor(text: string, tokens: Token[], issues: Issues, options: ParserOptions) {
    this.#text = text;
    this.#tokens = tokens;
    this.#issues = issues;
    this.#options = options;
  }

  start(): Expr {
    const expr = this.#expr();
    if (this.#peek() !== T.EOF) throw new NotInGrammar();
    if (this.#height > MAX_DEPTH) throw new Abort('max recursion depth exceeded');
    return expr;
  }

  #peek(ahead = 0): TokenType {
    return this.#tokens[Math.min(this.#at + ahead, this.#tokens.length - 1)]!.type;
  }

  #next(): Token {
    return this.#tokens[this.#at++]!;
  }

  #accept(type: TokenType): Token | undefined {
    return this.#peek() === type ? this.#next() : undefined;
  }

  #expect(type: TokenType): Token {
    const token = this.#accept(type);
    if (!token) throw new NotInGrammar();
    return token;
  }

  #textOf(token: Token): string {
    return this.#text.slice(token.start, token.end);
  }

  #enter(rule: 'expr' | 'relation' | 'calc'): void {
    if (++this.#depths[rule] > MAX_DEPTH) throw new Abort(`expression recursion limit exceeded: ${MAX_DEPTH}`);
  }

  #error(at: number, message: string): Expr {
    this.#issues.report(at, message);
    return { kind: 'unspecified', pos: at };
  }

  #expr(): Expr {
    this.#enter('expr');
    let expr = this.#or();
    const question = this.#accept(T.QUESTION);
    if (question) {
      let height = this.#height;
      const whenTrue = this.#or();
      height = Math.max(height, this.#height);
      this.#expect(T.COLON);
      const whenFalse = this.#expr();
      this.#height = Math.max(height, this.#height) + 1;
      expr = this.#call(question.start, '_?_:_', undefined, [expr, whenTrue, whenFalse]);
    }
    this.#depths.expr--;
    return expr;
  }

  #or(): Expr {
    return this.#logic(T.OR, '_||_', () => this.#and());
  }

  #and(): Expr {
    return this.#logic(T.AND, '_&&_', () => this.#relation());
  }

  /** Terms of && and || become a balanced tree, so that long chains do not nest deeply. */
  #logic(operator: TokenType, fn: string, operand: () => Expr): Expr {
    const first = operand();
    if (this.#peek() !== operator) return first;
    const terms = [first];
    const ops: number[] = [];
    let height = this.#height;
    for (let op = this.#accept(operator); op; op = this.#accept(operator)) {
      ops.push(op.start);
      terms.push(operand());
      height = Math.max(height, this.#height);
    }
    this.#height = height;
    const balance = (from: number, to: number): Expr => {
      if (from === to) return terms[from]!;
      const middle = (from + to) >> 1;
      return call(ops[middle]!, fn, undefined, [balance(from, middle), balance(middle + 1, to)]);
    };
    return balance(0, ops.length);
  }

  #relation(): Expr {
    this.#enter('relation');
    let left = this.#calc();
    for (let fn = RELATIONS[this.#peek()]; fn; fn = RELATIONS[this.#peek()]) {
      const op = this.#next();
      const height = this.#height;
      this.#enter('relation');
      const right = this.#calc();
      this.#depths.relation--;
      this.#height = Math.max(height, this.#height) + 1;
      left = this.#call(op.start, fn, undefined, [left, right]);
    }
    this.#depths.relation--;
    return left;
  }

  #calc(): Expr {
    return this.#binary(TERMS, () => this.#binary(FACTORS, () => this.#unary(), false), true);
  }

  #binary(operators: Partial<Record<TokenType, string>>, operand: () => Expr, outermost: boolean): Expr {
    if (outermost) this.#enter('calc');
    let left = operand();
    for (let fn = operators[this.#peek()]; fn; fn = operators[this.#peek()]) {
      const op = this.#next();
      const height = this.#height;
      this.#enter('calc');
      const right = operand();
      this.#depths.calc--;
      this.#height = Math.max(height, this.#height) + 1;
      left = this.#call(op.start, fn, undefined, [left, right]);
    }
    if (outermost) this.#depths.calc--;
    return left;
  }

  #unary(): Expr {
    const type = this.#peek();
    if (type !== T.NOT && type !== T.MINUS) return this.#member();
    const next = this.#peek(1);
    // A single minus belongs to the number after it; -9223372036854775808 could not be written otherwise.
    if (type === T.MINUS && (next === T.INT || next === T.FLOAT)) return this.#member();
    const first = this.#tokens[this.#at]!.start;
    let count = 0;
    while (this.#accept(type)) count++;
    const operand = this.#member();
    if (count % 2 === 0) return operand;
    return this.#call(first, type === T.NOT ? '!_' : '-_', undefined, [operand]);
  }

  #member(): Expr {
    let left = this.#primary();
    for (;;) {
      const dot = this.#accept(T.DOT);
      if (dot) {
        left = this.#selection(left, dot);
        continue;
      }
      const bracket = this.#accept(T.LBRACKET);
      if (!bracket) return left;
      const height = this.#height;
      const optional = this.#accept(T.QUESTION);
      const index = this.#expr();
      this.#expect(T.RBRACKET);
      this.#height = Math.max(height, this.#height) + 1;
      left =
        optional && !this.#options.optionalSyntax
          ? this.#error(bracket.start, "unsupported syntax '[?'")
          : this.#call(bracket.start, optional ? '_[?_]' : '_[_]', undefined, [left, index]);
    }
  }

  #selection(operand: Expr, dot: Token): Expr {
    const height = this.#height;
    const optional = this.#accept(T.QUESTION);
    if (!optional && this.#peek() === T.IDENTIFIER && this.#peek(1) === T.LPAREN) {
      const name = this.#textOf(this.#next());
      const open = this.#next();
      const args = this.#args();
      this.#height = Math.max(height, this.#height) + 1;
      return this.#call(open.start, name, operand, args);
    }
    const field = this.#fieldName();
    this.#height = height + 1;
    if (!optional) return { kind: 'select', pos: dot.start, operand, field, testOnly: false };
    if (!this.#options.optionalSyntax) return this.#error(dot.start, "unsupported syntax '.?'");
    const name: Expr = { kind: 'const', pos: optional.end, value: field };
    return call(dot.start, '_?._', undefined, [operand, name]);
  }

  /** A field name, which may be in backticks. */
  #fieldName(): string {
    const plain = this.#accept(T.IDENTIFIER);
    if (plain) return this.#textOf(plain);
    const escaped = this.#expect(T.ESC_IDENTIFIER);
    if (!this.#options.escapedNames) this.#issues.report(escaped.start, "unsupported syntax: '`'");
    return this.#textOf(escaped).slice(1, -1);
  }

  #args(): Expr[] {
    const args: Expr[] = [];
    let height = 0;
    if (!this.#accept(T.RPAREN)) {
      do {
        args.push(this.#expr());
        height = Math.max(height, this.#height);
      } while (this.#accept(T.COMMA));
      this.#expect(T.RPAREN);
    }
    this.#height = height;
    return args;
  }

  #primary(): Expr {
    this.#height = 0;
    switch (this.#peek()) {
      case T.LPAREN: {
        this.#next();
        const expr = this.#expr();
        this.#expect(T.RPAREN);
        return expr;
      }
      case T.LBRACKET:
        return this.#list();
      case T.LBRACE:
        return this.#map();
      case T.DOT:
      case T.IDENTIFIER:
        return this.#named();
      default:
        return this.#literal();
    }
  }

  #list(): Expr {
    const { start: pos } = this.#next();
    const elements: Expr[] = [];
    const optionals = new Set<number>();
    let height = 0;
    while (this.#peek() !== T.RBRACKET && !(elements.length === 0 && this.#peek() === T.COMMA)) {
      const optional = this.#accept(T.QUESTION);
      if (optional && !this.#options.optionalSyntax) this.#issues.report(optional.start, "unsupported syntax '?'");
      if (optional) optionals.add(elements.length);
      elements.push(this.#expr());
      height = Math.max(height, this.#height);
      if (this.#peek() !== T.COMMA) break;
      this.#next();
    }
    if (elements.length === 0) this.#accept(T.COMMA);
    this.#expect(T.RBRACKET);
    this.#height = height;
    return { kind: 'list', pos, elements, optionals };
  }

  #map(): Expr {
    const { start: pos } = this.#next();
    const entries: MapEntry[] = [];
    this.#entries(() => {
      const optional = this.#optionalMark();
      const key = this.#expr();
      let height = this.#height;
      const colon = this.#expect(T.COLON);
      const value = this.#expr();
      height = Math.max(height, this.#height);
      entries.push({ pos: colon.start, key, value, optional });
      return height;
    });
    return { kind: 'map', pos, entries };
  }

  /** What map and message literals have in common: entries with commas between them, and maybe one at the end. */
  #entries(entry: () => number): void {
    let height = 0;
    if (!this.#accept(T.COMMA)) {
      while (this.#peek() !== T.RBRACE) {
        height = Math.max(height, entry());
        if (!this.#accept(T.COMMA)) break;
      }
    }
    this.#expect(T.RBRACE);
    this.#height = height;
  }

  #optionalMark(): boolean {
    const optional = this.#accept(T.QUESTION);
    if (optional && !this.#options.optionalSyntax) this.#issues.report(optional.start, "unsupported syntax '?'");
    return optional !== undefined;
  }

  /** A variable, a call of a function, or a message literal. */
  #named(): Expr {
    const start = this.#tokens[this.#at]!.start;
    const dot = this.#accept(T.DOT) ? '.' : '';
    const token = this.#expect(T.IDENTIFIER);
    const name = this.#textOf(token);
    if (this.#isMessage()) return this.#message(dot + name);
    const open = this.#accept(T.LPAREN);
    if (!open) {
      if (RESERVED.has(name)) return this.#error(start, `reserved identifier: ${name}`);
      return { kind: 'ident', pos: token.start, name: dot + name };
    }
    const args = this.#args();
    if (RESERVED.has(name)) return this.#error(start, `reserved identifier: ${name}`);
    return this.#call(open.start, dot + name, undefined, args);
  }

  /** Whether (after a name) `.name.name {` follows. */
  #isMessage(): boolean {
    let ahead = 0;
    while (this.#peek(ahead) === T.DOT && this.#peek(ahead + 1) === T.IDENTIFIER) ahead += 2;
    return this.#peek(ahead) === T.LBRACE;
  }

  #message(first: string): Expr {
    let typeName = first;
    while (this.#accept(T.DOT)) typeName += `.${this.#textOf(this.#next())}`;
    const { start: pos } = this.#next();
    const fields: StructField[] = [];
    this.#entries(() => {
      const optional = this.#optionalMark();
      const name = this.#fieldName();
      const colon = this.#expect(T.COLON);
      const value = this.#expr();
      fields.push({ pos: colon.start, name, value, optional });
      return this.#height;
    });
    return { kind: 'struct', pos, typeName, fields };
  }

  #literal(): Expr {
    const pos = this.#tokens[this.#at]!.start;
    const negative = this.#accept(T.MINUS) !== undefined;
    const token = this.#next();
    const text = this.#textOf(token);
    if (negative && token.type !== T.INT && token.type !== T.FLOAT) throw new NotInGrammar();
    const value = this.#literalValue(token.type, text, negative);
    if (value instanceof UnescapeError) return this.#error(pos, value.message);
    return { kind: 'const', pos, value };
  }

  #literalValue(type: TokenType, text: string, negative: boolean): unknown {
    try {
      switch (type) {
        case T.INT:
          return parseIntLiteral(text, negative) ?? new UnescapeError('invalid int literal');
        case T.UINT:
          return parseUintLiteral(text.slice(0, -1)) ?? new UnescapeError('invalid uint literal');
        case T.FLOAT:
          return parseDoubleLiteral(negative ? `-${text}` : text) ?? new UnescapeError('invalid double literal');
        case T.STRING:
          return parseStringLiteral(text);
        case T.BYTES:
          return parseBytesLiteral(text.slice(1));
        case T.TRUE:
          return true;
        case T.FALSE:
          return false;
        case T.NULL:
          return null;
        default:
          throw new NotInGrammar();
      }
    } catch (e) {
      if (e instanceof UnescapeError) return e;
      throw e;
    }
  }

  /** A call, or what the macro of that name makes of it. */
  #call(pos: number, fn: string, target: Expr | undefined, args: Expr[]): Expr {
    const macro = this.#options.macros.get(`${target ? '.' : ''}${fn}/${args.length}`);
    const expanded = macro?.(pos, target, args, (e) => copyExpr(e, () => this.#count()));
    if (!expanded) return call(pos, fn, target, args);
    return 'error' in expanded ? this.#error(expanded.at, expanded.error) : expanded;
  }

  #count(): void {
    if (++this.#copied > MAX_COPIED_NODES) throw new Abort(`macro expansion limit exceeded: ${MAX_COPIED_NODES}`);
  }
}

function call(pos: number, fn: string, target: Expr | undefined, args: Expr[]): CallExpr {
  return { kind: 'call', pos, fn, target, args };
}
