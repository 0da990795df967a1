import type { RuleName } from './grammar.js';
import type { Issues } from './issues.js';
import { type LexError, T, TOKEN_NAMES, type Token } from './tokens.js';
import { EPSILON, nextTokens, type Place, predict, ruleBody, type State } from './transition-network.js';

/** cel-go's limits for carrying on after errors. */
const MAX_RECOVERIES = 30;
const MAX_SKIPPED_TOKENS = 256;
const MAX_ERRORS = 100;

/** A rule that is being read; `caller` is the state in the rule that called it. */
interface Frame {
  rule: RuleName;
  caller: State | undefined;
  parent: Frame | undefined;
}

interface SyntaxError {
  token: Token;
  message: string;
}

/** Ends the search for errors. */
class Stop {}

/**
 * Reads an expression that does not follow the grammar and reports what the reference parser says about it. Like that
 * one it carries on after an error (by leaving a token out, imagining one, or skipping to one that fits), so that
 * several places can be reported.
 */
export function reportSyntaxErrors(
  text: string,
  tokens: Token[],
  lexErrors: LexError[],
  issues: Issues,
  maxDepth: number,
): void {
  const reader = new Reader(text, tokens, lexErrors, issues, maxDepth);
  try {
    for (const { start, end } of lexErrors) {
      reader.report(start, `token recognition error at: '${escapeSpace(text.slice(start, end))}'`);
    }
    reader.call('start', undefined, 0);
  } catch (e) {
    // What is nested that deep, and wrong, needs more stack than there is.
    if (e instanceof RangeError) issues.report(undefined, `expression recursion limit exceeded: ${maxDepth}`);
    else if (!(e instanceof Stop)) throw e;
  }
}

class Reader {
  readonly #text: string;
  readonly #tokens: Token[];
  readonly #lexErrors: LexError[];
  readonly #issues: Issues;
  readonly #maxDepth: number;
  #at = 0;
  #state: State = ruleBody('start').state;
  #frame: Frame | undefined;
  #depths = new Map<RuleName, number>();
  /** The error that ends the current rule. */
  #error: SyntaxError | undefined;
  /** After an error nothing is reported until a token fits again. */
  #recovering = false;
  #lastErrorAt = -1;
  #lastErrorStates = new Set<State>();
  #recoveries = 0;
  #reports = 0;

  constructor(text: string, tokens: Token[], lexErrors: LexError[], issues: Issues, maxDepth: number) {
    this.#text = text;
    this.#tokens = tokens;
    this.#lexErrors = lexErrors;
    this.#issues = issues;
    this.#maxDepth = maxDepth;
  }

  report(at: number, message: string): void {
    if (this.#reports++ >= MAX_ERRORS) {
      this.#issues.report(at, `Syntax error: More than ${MAX_ERRORS} syntax errors`);
      throw new Stop();
    }
    this.#issues.report(at, `Syntax error: ${message}`);
  }

  call(rule: RuleName, caller: State | undefined, precedence: number): void {
    const depth = (this.#depths.get(rule) ?? 0) + 1;
    this.#depths.set(rule, depth);
    if (depth > this.#maxDepth) {
      this.#issues.report(undefined, `expression recursion limit exceeded: ${this.#maxDepth}`);
      throw new Stop();
    }
    const frame: Frame = { rule, caller, parent: this.#frame };
    this.#frame = frame;
    this.#read(ruleBody(rule), precedence);
    if (this.#error) {
      this.#reportError(this.#error);
      this.#recover();
      this.#error = undefined;
    }
    this.#frame = frame.parent;
    this.#depths.set(rule, depth - 1);
  }

  #token(ahead = 0): Token {
    return this.#tokens[Math.min(this.#at + ahead, this.#tokens.length - 1)]!;
  }

  #consume(): void {
    if (this.#at < this.#tokens.length - 1) this.#at++;
  }

  #read(place: Place, precedence: number): void {
    const { node, parts } = place;
    this.#state = place.state;
    switch (node.kind) {
      case 'token':
        this.#match(place.state);
        return;
      case 'rule':
        this.call(node.name, place.state, node.precedence);
        return;
      case 'seq':
        for (const part of parts) {
          this.#read(part, precedence);
          if (this.#error) return;
        }
        return;
      case 'optional':
        this.#sync(false);
        if (!this.#error && nextTokens(parts[0]!.state).has(this.#token().type)) this.#read(parts[0]!, precedence);
        return;
      case 'alt': {
        this.#sync(false);
        const branch = this.#error ? undefined : this.#predict(place.branches);
        if (branch !== undefined) this.#read(parts[branch]!, precedence);
        return;
      }
      case 'star':
      case 'plus':
        this.#loop(place, precedence);
        return;
      case 'operators':
        this.#operators(place, precedence);
    }
  }

  #loop(place: Place, precedence: number): void {
    const body = place.parts[0]!;
    this.#sync(false);
    let again = place.node.kind === 'plus' || (!this.#error && this.#goesOn(place));
    while (again && !this.#error) {
      this.#read(body, precedence);
      if (this.#error) return;
      this.#state = place.loopBack!;
      this.#sync(true);
      again = !this.#error && this.#goesOn(place);
    }
  }

  #goesOn(place: Place): boolean {
    return nextTokens(place.branches[0]!).has(this.#token().type) && this.#predict(place.branches) === 0;
  }

  #operators(place: Place, precedence: number): void {
    if (place.node.kind !== 'operators') return;
    const { alternatives } = place.node;
    this.#sync(false);
    while (!this.#error) {
      const type = this.#token().type;
      const possible = place.parts.filter(
        (part, i) => alternatives[i]!.precedence >= precedence && nextTokens(part.state).has(type),
      );
      if (possible.length === 0) return;
      const branch = this.#predict(possible.map((part) => part.state));
      if (branch === undefined) return;
      this.#read(possible[branch]!, precedence);
      if (this.#error) return;
      this.#state = place.loopBack!;
      this.#sync(true);
    }
  }

  #predict(branches: State[]): number | undefined {
    const result = predict(branches, (ahead) => this.#token(ahead).type);
    if ('branch' in result) return result.branch;
    const offending = this.#token(result.stuckAt);
    const input = this.#token().type === T.EOF ? '<EOF>' : this.#textBetween(this.#token(), offending);
    const message = `no viable alternative at input '${escapeSpace(input)}'`.replace(
      /^no viable alternative at input '.(true|false|null)'$/,
      "mismatched input '$1' expecting IDENTIFIER",
    );
    this.#error = { token: offending, message };
    return undefined;
  }

  /** The text of some tokens with the space between them, but without what the lexer threw away. */
  #textBetween(first: Token, last: Token): string {
    let out = '';
    let at = first.start;
    for (const { start, end } of this.#lexErrors) {
      if (start < at || start >= last.end) continue;
      out += this.#text.slice(at, start);
      at = end;
    }
    return out + this.#text.slice(at, Math.max(at, last.end));
  }

  #match(state: State): void {
    if (state.tokens!.has(this.#token().type)) {
      this.#matched();
      this.#consume();
      return;
    }
    this.#countRecovery();
    if (this.#leaveOutToken()) {
      this.#consume();
      return;
    }
    if (this.#followSet(state.next!, this.#frame).has(this.#token().type)) {
      this.#reportOnce(this.#token(), `missing ${display(this.#expected())} at ${this.#show(this.#token())}`);
      return;
    }
    this.#mismatch();
  }

  #matched(): void {
    this.#recovering = false;
    this.#lastErrorAt = -1;
    this.#lastErrorStates.clear();
  }

  #mismatch(): void {
    const token = this.#token();
    this.#error = {
      token,
      message: `mismatched input ${this.#show(token)} expecting ${display(this.#expected())}`,
    };
  }

  /** Before a decision: when the next token fits nowhere, tries to leave it out; at the end of a loop, skips. */
  #sync(loopBack: boolean): void {
    if (this.#recovering) return;
    const next = nextTokens(this.#state);
    if (next.has(EPSILON) || next.has(this.#token().type)) return;
    if (!loopBack) {
      if (!this.#leaveOutToken()) this.#mismatch();
      return;
    }
    this.#reportUnwanted();
    this.#skipTo(new Set([...this.#expected(), ...this.#recoverySet()]));
  }

  #leaveOutToken(): boolean {
    if (!this.#expected().has(this.#token(1).type)) return false;
    this.#reportUnwanted();
    this.#consume();
    this.#matched();
    return true;
  }

  #reportUnwanted(): void {
    const token = this.#token();
    this.#reportOnce(token, `extraneous input ${this.#show(token)} expecting ${display(this.#expected())}`);
  }

  #reportOnce(token: Token, message: string): void {
    if (this.#recovering) return;
    this.#recovering = true;
    this.report(token.start, message);
  }

  #reportError(error: SyntaxError): void {
    this.#reportOnce(error.token, error.message);
  }

  #countRecovery(): void {
    if (this.#recoveries++ < MAX_RECOVERIES) return;
    this.report(this.#token().start, `error recovery attempt limit exceeded: ${MAX_RECOVERIES}`);
    throw new Stop();
  }

  /** Skips tokens until one fits into a rule that is being read. */
  #recover(): void {
    this.#countRecovery();
    let skipped = 0;
    if (this.#lastErrorAt === this.#at && this.#lastErrorStates.has(this.#state)) {
      this.#consume();
      skipped++;
    }
    this.#lastErrorAt = this.#at;
    this.#lastErrorStates.add(this.#state);
    this.#skipTo(this.#recoverySet(), skipped);
  }

  #skipTo(tokens: ReadonlySet<number>, alreadySkipped = 0): void {
    for (let skipped = alreadySkipped; this.#token().type !== T.EOF; skipped++) {
      if (tokens.has(this.#token().type)) return;
      if (skipped >= MAX_SKIPPED_TOKENS) {
        this.#issues.report(undefined, `error recovery token lookahead limit exceeded: ${MAX_SKIPPED_TOKENS}`);
        throw new Stop();
      }
      this.#consume();
    }
  }

  /** Tokens that may follow any of the rules being read. */
  #recoverySet(): Set<number> {
    const found = new Set<number>();
    for (let f = this.#frame; f?.caller; f = f.parent) for (const t of nextTokens(f.caller.next!)) found.add(t);
    found.delete(EPSILON);
    return found;
  }

  #expected(): Set<number> {
    return this.#followSet(this.#state, this.#frame);
  }

  /** Tokens that can come next, looking into the callers where the rule can end. */
  #followSet(state: State, frame: Frame | undefined): Set<number> {
    let next = nextTokens(state);
    const found = new Set(next);
    let f = frame;
    for (; next.has(EPSILON) && f?.caller; f = f.parent) {
      next = nextTokens(f.caller.next!);
      for (const t of next) found.add(t);
    }
    if (next.has(EPSILON)) found.add(T.EOF);
    found.delete(EPSILON);
    return found;
  }

  #show(token: Token): string {
    return token.type === T.EOF ? "'<EOF>'" : `'${escapeSpace(this.#text.slice(token.start, token.end))}'`;
  }
}

function display(tokens: ReadonlySet<number>): string {
  const names = [...tokens].sort((a, b) => a - b).map((t) => TOKEN_NAMES[t]!);
  return names.length === 1 ? names[0]! : `{${names.join(', ')}}`;
}

function escapeSpace(text: string): string {
  return text.replaceAll('\t', '\\t').replaceAll('\n', '\\n').replaceAll('\r', '\\r');
}
