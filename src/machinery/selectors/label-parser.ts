import { invalidValue } from '../field.js';
import { compareBytes } from '../go-format.js';
import { labelKeyErrors } from './label-format.js';
import { checkRequirement, type LabelOperator, type LabelRequirement } from './label-requirement.js';

type Kind = 'end' | ')' | ',' | '!' | '==' | '=' | '>' | 'identifier' | 'in' | '<' | '!=' | 'notin' | '(';
interface Token {
  readonly kind: Kind;
  readonly text: string;
}

/** After the end token comes nothing: parsing never looks past it. */
const END: Token = { kind: 'end', text: '' };
const isSymbol = (c: string): boolean => '=!(),><'.includes(c);
const isSpace = (c: string): boolean => c === ' ' || c === '\t' || c === '\r' || c === '\n';

function scan(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    while (at < text.length && isSpace(text[at]!)) at++;
    // A NUL byte between tokens ends the text, as it does upstream.
    if (at >= text.length || text[at] === '\0') {
      tokens.push(END);
      return tokens;
    }
    const start = at;
    if (isSymbol(text[at]!)) {
      const two = text.slice(at, at + 2);
      const symbol = two === '==' || two === '!=' ? two : text[at]!;
      at += symbol.length;
      tokens.push({ kind: symbol as Kind, text: symbol });
      continue;
    }
    while (at < text.length && text[at] !== '\0' && !isSymbol(text[at]!) && !isSpace(text[at]!)) at++;
    const word = text.slice(start, at);
    if (text[at] === '\0') at++;
    tokens.push({ kind: word === 'in' || word === 'notin' ? word : 'identifier', text: word });
  }
}

/** Where the words `in` and `notin` stand for themselves rather than for operators. */
const asWord = (kind: Kind): Kind => (kind === 'in' || kind === 'notin' ? 'identifier' : kind);

const OPERATOR_OF: Partial<Record<Kind, LabelOperator>> = {
  in: 'in',
  notin: 'notin',
  '=': '=',
  '==': '==',
  '!=': '!=',
  '>': 'gt',
  '<': 'lt',
};

class Parser {
  readonly #tokens: Token[];
  #position = 0;

  constructor(text: string) {
    this.#tokens = scan(text);
  }

  #peek(): Token {
    return this.#tokens[this.#position] ?? END;
  }
  #next(): Token {
    return this.#tokens[this.#position++] ?? END;
  }

  /** requirement { "," requirement } */
  parse(): LabelRequirement[] {
    const requirements: LabelRequirement[] = [];
    for (;;) {
      const { kind, text } = this.#peek();
      if (kind === 'end') return requirements;
      if (asWord(kind) !== 'identifier' && kind !== '!') {
        throw new Error(`found '${text}', expected: !, identifier, or 'end of string'`);
      }
      try {
        requirements.push(this.#requirement());
      } catch (e) {
        throw new Error(`unable to parse requirement: ${(e as Error).message}`);
      }
      const separator = this.#next();
      if (separator.kind === 'end') return requirements;
      if (separator.kind !== ',') throw new Error(`found '${separator.text}', expected: ',' or 'end of string'`);
      const after = this.#peek();
      if (asWord(after.kind) !== 'identifier' && after.kind !== '!') {
        throw new Error(`found '${after.text}', expected: identifier after ','`);
      }
    }
  }

  /** [ "!" ] key [ operator values ] */
  #requirement(): LabelRequirement {
    let token = this.#next();
    const absent = token.kind === '!';
    if (absent) token = this.#next();
    if (asWord(token.kind) !== 'identifier') throw new Error(`found '${token.text}', expected: identifier`);
    const key = token.text;
    const keyErrors = labelKeyErrors(key);
    if (keyErrors.length > 0) throw new Error(`${invalidValue('', key, keyErrors.join('; '))}`);
    if (absent) return checkRequirement({ key, operator: '!', values: [] });
    const { kind } = this.#peek();
    if (kind === 'end' || kind === ',') return checkRequirement({ key, operator: 'exists', values: [] });
    const operatorToken = this.#next();
    const operator = OPERATOR_OF[operatorToken.kind];
    if (!operator) throw new Error(`found '${operatorToken.text}', expected: in, notin, =, ==, !=, gt, lt`);
    const values = operator === 'in' || operator === 'notin' ? this.#list() : [this.#value()];
    return checkRequirement({ key, operator, values });
  }

  #value(): string {
    const { kind } = this.#peek();
    if (kind === 'end' || kind === ',') return '';
    const token = this.#next();
    if (asWord(token.kind) === 'identifier') return token.text;
    throw new Error(`found '${token.text}', expected: identifier`);
  }

  /** "(" [ value ] { "," [ value ] } ")": an empty place stands for the empty value. */
  #list(): string[] {
    const open = this.#next();
    if (open.kind !== '(') throw new Error(`found '${open.text}' expected: '('`);
    const first = this.#peek();
    if (first.kind === ')') {
      this.#next();
      return [''];
    }
    if (asWord(first.kind) !== 'identifier' && first.kind !== ',') {
      throw new Error(`found '${first.text}', expected: ',', ')' or identifier`);
    }
    const values = new Set<string>();
    for (;;) {
      const token = this.#next();
      if (asWord(token.kind) === 'identifier') {
        values.add(token.text);
        const after = this.#peek();
        if (after.kind !== ',' && after.kind !== ')') throw new Error(`found '${after.text}', expected: ',' or ')'`);
      } else if (token.kind === ',') {
        const after = this.#peek();
        if (values.size === 0 || after.kind === ',' || after.kind === ')') values.add('');
      } else throw new Error(`found '${token.text}', expected: ',', or identifier`);
      if (this.#peek().kind === ')') {
        this.#next();
        return [...values].sort(compareBytes);
      }
    }
  }
}

/** Parses the text of a `labelSelector` parameter; throws an Error with upstream's message. */
export function parseRequirements(text: string): LabelRequirement[] {
  return new Parser(text).parse();
}
