/** Token types. Their order is the order in which messages list what was expected. */
export const T = {
  EOF: -1,
  EQUALS: 1,
  NOT_EQUALS: 2,
  IN: 3,
  LESS: 4,
  LESS_EQUALS: 5,
  GREATER_EQUALS: 6,
  GREATER: 7,
  AND: 8,
  OR: 9,
  LBRACKET: 10,
  RBRACKET: 11,
  LBRACE: 12,
  RBRACE: 13,
  LPAREN: 14,
  RPAREN: 15,
  DOT: 16,
  COMMA: 17,
  MINUS: 18,
  NOT: 19,
  QUESTION: 20,
  COLON: 21,
  PLUS: 22,
  STAR: 23,
  SLASH: 24,
  PERCENT: 25,
  TRUE: 26,
  FALSE: 27,
  NULL: 28,
  FLOAT: 31,
  INT: 32,
  UINT: 33,
  STRING: 34,
  BYTES: 35,
  IDENTIFIER: 36,
  ESC_IDENTIFIER: 37,
} as const;

export type TokenType = (typeof T)[keyof typeof T];

/** How messages name a token type. */
export const TOKEN_NAMES: Record<number, string> = {
  [T.EOF]: '<EOF>',
  [T.EQUALS]: "'=='",
  [T.NOT_EQUALS]: "'!='",
  [T.IN]: "'in'",
  [T.LESS]: "'<'",
  [T.LESS_EQUALS]: "'<='",
  [T.GREATER_EQUALS]: "'>='",
  [T.GREATER]: "'>'",
  [T.AND]: "'&&'",
  [T.OR]: "'||'",
  [T.LBRACKET]: "'['",
  [T.RBRACKET]: "']'",
  [T.LBRACE]: "'{'",
  [T.RBRACE]: "'}'",
  [T.LPAREN]: "'('",
  [T.RPAREN]: "')'",
  [T.DOT]: "'.'",
  [T.COMMA]: "','",
  [T.MINUS]: "'-'",
  [T.NOT]: "'!'",
  [T.QUESTION]: "'?'",
  [T.COLON]: "':'",
  [T.PLUS]: "'+'",
  [T.STAR]: "'*'",
  [T.SLASH]: "'/'",
  [T.PERCENT]: "'%'",
  [T.TRUE]: "'true'",
  [T.FALSE]: "'false'",
  [T.NULL]: "'null'",
  [T.FLOAT]: 'NUM_FLOAT',
  [T.INT]: 'NUM_INT',
  [T.UINT]: 'NUM_UINT',
  [T.STRING]: 'STRING',
  [T.BYTES]: 'BYTES',
  [T.IDENTIFIER]: 'IDENTIFIER',
  [T.ESC_IDENTIFIER]: 'ESC_IDENTIFIER',
};

/** A token; `start` and `end` are offsets into the text. */
export interface Token {
  type: TokenType;
  start: number;
  end: number;
}

/** Text that belongs to no token: from `start` up to and including the character that could not be read. */
export interface LexError {
  start: number;
  end: number;
  /** How many tokens come before it. */
  before: number;
}
