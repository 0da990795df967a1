import { T, type TokenType } from './tokens.js';

/**
 * The grammar of CEL as data. Valid expressions are read by parser.ts; this copy exists because messages about invalid
 * ones name exactly the tokens that the reference parser (ANTLR) expected at the place where it noticed, which depends
 * on the shape of the rules.
 */
export type Node =
  | { kind: 'token'; types: TokenType[] }
  | { kind: 'rule'; name: RuleName; precedence: number }
  | { kind: 'seq'; items: Node[] }
  | { kind: 'alt'; alternatives: Node[] }
  | { kind: 'optional'; body: Node }
  | { kind: 'star' | 'plus'; body: Node }
  /** The loop of a left-recursive rule: each alternative begins with one of its operators. */
  | { kind: 'operators'; alternatives: { precedence: number; body: Node }[] };

export type RuleName =
  | 'start'
  | 'expr'
  | 'or'
  | 'and'
  | 'relation'
  | 'calc'
  | 'unary'
  | 'member'
  | 'primary'
  | 'args'
  | 'elements'
  | 'fields'
  | 'field'
  | 'entries'
  | 'name'
  | 'element'
  | 'literal';

const token = (...types: TokenType[]): Node => ({ kind: 'token', types });
const rule = (name: RuleName, precedence = 0): Node => ({ kind: 'rule', name, precedence });
const seq = (...items: Node[]): Node => ({ kind: 'seq', items });
const alt = (...alternatives: Node[]): Node => ({ kind: 'alt', alternatives });
const optional = (body: Node): Node => ({ kind: 'optional', body });
const star = (body: Node): Node => ({ kind: 'star', body });
const plus = (body: Node): Node => ({ kind: 'plus', body });
const operators = (...alternatives: [number, Node][]): Node => ({
  kind: 'operators',
  alternatives: alternatives.map(([precedence, body]) => ({ precedence, body })),
});

const call = seq(token(T.LPAREN), optional(rule('args')), token(T.RPAREN));

export const GRAMMAR: Record<RuleName, Node> = {
  start: seq(rule('expr'), token(T.EOF)),
  expr: seq(rule('or'), optional(seq(token(T.QUESTION), rule('or'), token(T.COLON), rule('expr')))),
  or: seq(rule('and'), star(seq(token(T.OR), rule('and')))),
  and: seq(rule('relation'), star(seq(token(T.AND), rule('relation')))),
  relation: seq(
    rule('calc'),
    operators([
      1,
      seq(token(T.EQUALS, T.NOT_EQUALS, T.IN, T.LESS, T.LESS_EQUALS, T.GREATER_EQUALS, T.GREATER), rule('relation', 2)),
    ]),
  ),
  calc: seq(
    rule('unary'),
    operators(
      [2, seq(token(T.STAR, T.SLASH, T.PERCENT), rule('calc', 3))],
      [1, seq(token(T.PLUS, T.MINUS), rule('calc', 2))],
    ),
  ),
  unary: alt(rule('member'), seq(plus(token(T.NOT)), rule('member')), seq(plus(token(T.MINUS)), rule('member'))),
  member: seq(
    rule('primary'),
    operators(
      [3, seq(token(T.DOT), optional(token(T.QUESTION)), rule('name'))],
      [2, seq(token(T.DOT), token(T.IDENTIFIER), call)],
      [1, seq(token(T.LBRACKET), optional(token(T.QUESTION)), rule('expr'), token(T.RBRACKET))],
    ),
  ),
  primary: alt(
    seq(optional(token(T.DOT)), token(T.IDENTIFIER)),
    seq(optional(token(T.DOT)), token(T.IDENTIFIER), call),
    seq(token(T.LPAREN), rule('expr'), token(T.RPAREN)),
    seq(token(T.LBRACKET), optional(rule('elements')), optional(token(T.COMMA)), token(T.RBRACKET)),
    seq(token(T.LBRACE), optional(rule('entries')), optional(token(T.COMMA)), token(T.RBRACE)),
    seq(
      optional(token(T.DOT)),
      token(T.IDENTIFIER),
      star(seq(token(T.DOT), token(T.IDENTIFIER))),
      token(T.LBRACE),
      optional(rule('fields')),
      optional(token(T.COMMA)),
      token(T.RBRACE),
    ),
    rule('literal'),
  ),
  args: seq(rule('expr'), star(seq(token(T.COMMA), rule('expr')))),
  elements: seq(rule('element'), star(seq(token(T.COMMA), rule('element')))),
  fields: seq(
    rule('field'),
    token(T.COLON),
    rule('expr'),
    star(seq(token(T.COMMA), rule('field'), token(T.COLON), rule('expr'))),
  ),
  field: seq(optional(token(T.QUESTION)), rule('name')),
  entries: seq(
    rule('element'),
    token(T.COLON),
    rule('expr'),
    star(seq(token(T.COMMA), rule('element'), token(T.COLON), rule('expr'))),
  ),
  name: alt(token(T.IDENTIFIER), token(T.ESC_IDENTIFIER)),
  element: seq(optional(token(T.QUESTION)), rule('expr')),
  literal: alt(
    seq(optional(token(T.MINUS)), token(T.INT)),
    token(T.UINT),
    seq(optional(token(T.MINUS)), token(T.FLOAT)),
    token(T.STRING),
    token(T.BYTES),
    token(T.TRUE),
    token(T.FALSE),
    token(T.NULL),
  ),
};
