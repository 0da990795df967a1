import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { children, type Expr } from './ast.js';
import { Issues } from './issues.js';
import { tokenize } from './lexer.js';
import { OPTIONAL_MACROS, STANDARD_MACROS, TWO_VARIABLE_MACROS } from './macros.js';
import { MAX_DEPTH, parse } from './parser.js';
import { Source } from './source.js';
import { reportSyntaxErrors } from './syntax-errors.js';

const macros = new Map([...STANDARD_MACROS, ...OPTIONAL_MACROS, ...TWO_VARIABLE_MACROS]);
const options = { macros, optionalSyntax: true, escapedNames: false };
const START =
  "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";

/** The messages without source lines. */
function errors(text: string): string[] {
  return parse(text, options)
    .issues.toString()
    .split('\n')
    .filter((line) => line.startsWith('ERROR: '))
    .map((line) => line.slice('ERROR: <input>:'.length));
}

/** A parsed expression in prefix notation. */
function show(e: Expr): string {
  switch (e.kind) {
    case 'const':
      return typeof e.value === 'string'
        ? JSON.stringify(e.value)
        : String((e.value as { value?: unknown })?.value ?? e.value);
    case 'ident':
      return e.name;
    case 'select':
      return `${show(e.operand)}.${e.field}${e.testOnly ? '?' : ''}`;
    case 'call':
      return `${e.target ? `${show(e.target)}.` : ''}${e.fn}(${e.args.map(show).join(', ')})`;
    case 'list':
      return `[${e.elements.map((x, i) => (e.optionals.has(i) ? '?' : '') + show(x)).join(', ')}]`;
    case 'map':
      return `{${e.entries.map((n) => `${n.optional ? '?' : ''}${show(n.key)}: ${show(n.value)}`).join(', ')}}`;
    case 'struct':
      return `${e.typeName}{${e.fields.map((f) => `${f.optional ? '?' : ''}${f.name}: ${show(f.value)}`).join(', ')}}`;
    default:
      return `${e.kind}(${children(e).map(show).join('; ')})`;
  }
}

function parsed(text: string): string {
  const { expr, issues } = parse(text, options);
  expect(issues.toString()).toBe('');
  return show(expr);
}

describe('valid expressions', () => {
  it.each([
    ['1 + 2 * 3 - 4', '_-_(_+_(1, _*_(2, 3)), 4)'],
    ['a || b && c == d ? e : f ? g : h', '_?_:_(_||_(a, _&&_(b, _==_(c, d))), e, _?_:_(f, g, h))'],
    ['a && b && c && d', '_&&_(_&&_(a, b), _&&_(c, d))'],
    ['!!a', 'a'],
    ['!!!a', '!_(a)'],
    ['- 1', '-1'],
    ['--1', '1'],
    ['-a.b', '-_(a.b)'],
    ['-9223372036854775808', '-9223372036854775808'],
    ['0xFF + 0x10u', '_+_(255, 16)'],
    ['1.5e3 - .5', '_-_(1500, 0.5)'],
    ['a.b.c(d)[e].?f[?g]', '_[?_](_?._(_[_](a.b.c(d), e), "f"), g)'],
    ['.a.b', '.a.b'],
    ['f(1, [2, 3,], {})', 'f(1, [2, 3], {})'],
    ['[?a, b]', '[?a, b]'],
    ['{?"a": b, 1: 2,}', '{?"a": b, 1: 2}'],
    ['a.b.T{f: 1, ?g: h}', 'a.b.T{f: 1, ?g: h}'],
    ['"a\\n\\x41\\u00e9\\101" + r"\\n"', '_+_("a\\nAéA", "\\\\n")'],
    ['"""a"b\n"""', '"a\\"b\\n"'],
    ["b'\\xffa'.size()", '255,97.size()'],
    ['x // comment\n + y', '_+_(x, y)'],
    ['a in b', '@in(a, b)'],
    ['has(a.b)', 'a.b?'],
    ['has(a.b, c)', 'has(a.b, c)'],
    ['l.exists_one(x, p)', 'comprehension(l; 0; true; _?_:_(p, _+_(@result, 1), @result); _==_(@result, 1))'],
    ['l.all(x, p)', 'comprehension(l; true; @not_strictly_false(@result); _&&_(@result, p); @result)'],
    ['l.map(x, p, f)', 'comprehension(l; []; true; _?_:_(p, _+_(@result, [f]), @result); @result)'],
  ])('%s', (text, expected) => {
    expect(parsed(text)).toBe(expected);
  });
});

describe('messages', () => {
  it.each([
    ['self.n >', [`1:9: Syntax error: mismatched input '<EOF>' expecting ${START}`]],
    ['', [`1:0: Syntax error: mismatched input '<EOF>' expecting ${START}`]],
    ['object.', ["1:8: Syntax error: no viable alternative at input '.'"]],
    ['a.true', ["1:3: Syntax error: mismatched input 'true' expecting IDENTIFIER"]],
    ['Bad_Value!/ x', ["1:10: Syntax error: mismatched input '!' expecting <EOF>"]],
    ['a b', ["1:3: Syntax error: extraneous input 'b' expecting <EOF>"]],
    [
      'a | b',
      [
        "1:3: Syntax error: token recognition error at: '| '",
        "1:5: Syntax error: extraneous input 'b' expecting <EOF>",
      ],
    ],
    ['{a}', ["1:3: Syntax error: mismatched input '}' expecting ':'"]],
    ['f(a', ["1:4: Syntax error: missing ')' at '<EOF>'"]],
    ['(a', ["1:3: Syntax error: missing ')' at '<EOF>'"]],
    ['1 +\n2 3', ["2:3: Syntax error: extraneous input '3' expecting <EOF>"]],
    [
      '"a',
      [
        "1:1: Syntax error: token recognition error at: '\"a'",
        `1:3: Syntax error: mismatched input '<EOF>' expecting ${START}`,
      ],
    ],
    ['for + 1', ['1:1: reserved identifier: for']],
    ['9223372036854775808', ['1:1: invalid int literal']],
    ['18446744073709551616u', ['1:1: invalid uint literal']],
    ['1e999', ['1:1: invalid double literal']],
    ['"\\ud800"', ['1:1: invalid unicode code point']],
    ['has(a)', ['1:5: invalid argument to has() macro']],
    ['l.all(1, x)', ['1:7: argument must be a simple name']],
    ['l.map(a.b, x)', ['1:8: argument is not an identifier']],
    ['l.filter(__result__, x)', ['1:10: iteration variable overwrites accumulator variable']],
    ['l.all(i, i, x)', ['1:10: duplicate variable name: i']],
    ['o.optMap(1, x)', ['1:10: optMap() variable name must be a simple identifier']],
    ['a.`b-c`', ["1:3: unsupported syntax: '`'"]],
  ])('%s', (text, expected) => {
    expect(errors(text)).toEqual(expected);
  });

  it('marks the place under the source line, with wide marks for wide characters', () => {
    expect(parse('"é😁" +\t$', options).issues.toString()).toContain('\n | "é😁" + $\n | .．．....^');
  });

  it('refuses optional syntax where it is off', () => {
    const { issues } = parse('a.?b + a[?c] + [?d].size()', { ...options, optionalSyntax: false });
    expect(issues.sorted().map((i) => i.message)).toEqual([
      "unsupported syntax '.?'",
      "unsupported syntax '[?'",
      "unsupported syntax '?'",
    ]);
  });
});

describe('limits', () => {
  it('refuses long expressions', () => {
    expect(errors('1'.padStart(100_001))).toEqual([
      '-1:0: expression code point size exceeds limit: size: 100001, limit 100000',
    ]);
  });

  it('refuses deep nesting of brackets and of operators', () => {
    const nested = (n: number) => `${'('.repeat(n)}a${')'.repeat(n)}`;
    expect(errors(nested(MAX_DEPTH - 1))).toEqual([]);
    expect(errors(nested(MAX_DEPTH))).toEqual(['-1:0: expression recursion limit exceeded: 250']);
    expect(errors(`${'a.b(c,'.repeat(200)}1`)).not.toEqual([]);
    expect(errors(`${'a.b(c,'.repeat(MAX_DEPTH - 2)}1`)).not.toEqual([]);
    const chain = (n: number) =>
      Array(n + 1)
        .fill('a')
        .join('+');
    expect(errors(chain(MAX_DEPTH))).toEqual([]);
    expect(errors(chain(MAX_DEPTH + 1))).toEqual(['-1:0: max recursion depth exceeded']);
    expect(errors(Array(5000).fill('a').join(' && '))).toEqual([]);
  });

  it('does not let macros multiply an expression without bound', () => {
    let text = 'o';
    for (let i = 0; i < 40; i++) text += '.optMap(x, x)';
    expect(errors(text)).toEqual(['-1:0: macro expansion limit exceeded: 100000']);
  });

  it('gives up on hopeless text', () => {
    const found = errors('?'.repeat(2000));
    expect(found.length).toBeLessThanOrEqual(101);
    expect(parse('$'.repeat(300), options).issues.toString()).toMatch(/\n1 more errors were truncated$/);
  });
});

describe('any text', () => {
  const words = [
    'a',
    'b',
    '.',
    '(',
    ')',
    '[',
    ']',
    '{',
    '}',
    ',',
    ':',
    '?',
    '+',
    '-',
    '!',
    '&&',
    '||',
    'in',
    'true',
    '1',
    '1.5',
    '"s"',
    "'",
    '"',
    'has',
    '`x`',
    '==',
    '%',
    '#',
    ' ',
    '\n',
    '0x',
    'r"',
    'b"',
    '\\',
    '😁',
    '//',
  ];

  it('is parsed or refused, never anything else', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...words), { maxLength: 25 }), (parts) => {
        const text = parts.join('');
        const { expr, issues } = parse(text, options);
        expect(issues.count > 0 || expr.kind !== 'unspecified').toBe(true);
        issues.toString();
      }),
      { interruptAfterTimeLimit: 1500, numRuns: 20_000 },
    );
  });

  it('has syntax errors for one parser exactly when it has for the other', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...words.slice(0, 24)), { maxLength: 14 }), (parts) => {
        const text = parts.join(' ');
        const { tokens, errors: lexErrors } = tokenize(text);
        const issues = new Issues(new Source(text));
        reportSyntaxErrors(text, tokens, lexErrors, issues, MAX_DEPTH);
        const fast = errors(text).some((e) => e.includes('Syntax error'));
        expect(issues.count > 0).toBe(fast);
      }),
      { interruptAfterTimeLimit: 1500, numRuns: 10_000 },
    );
  });

  it('of random characters is survived', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        parse(text, options).issues.toString();
      }),
      { interruptAfterTimeLimit: 1000, numRuns: 5000 },
    );
  });
});
