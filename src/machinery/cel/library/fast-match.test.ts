import fc from 'fast-check';
import { RE2JS } from 're2js';
import { describe, expect, it } from 'vitest';
import { fastMatcher } from './fast-match.js';

const piece = fc.constantFrom(
  'a',
  'b',
  '.',
  '[ab]',
  '[^a]',
  '[a-c]',
  '\\d',
  '\\w',
  '\\W',
  '\\.',
  '(',
  ')',
  '(?:',
  '|',
  '*',
  '+',
  '?',
  '{2}',
  '{1,}',
  '{0,2}',
  '^',
  '$',
  '-',
  '\\A',
  '\\z',
  '[\\]-]',
  '\\n',
  'é',
  '{',
  '}',
  '(?P<n>',
);

describe('the fast matcher', () => {
  it('agrees with the general engine', () => {
    let tried = 0;
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 10 }),
        fc.array(
          fc.array(fc.constantFrom('a', 'b', 'c', '1', '.', '-', '\n', 'é', '_', ' ', ']', '{', '😁'), {
            maxLength: 8,
          }),
          { minLength: 4, maxLength: 4 },
        ),
        (parts, texts) => {
          const pattern = parts.join('');
          let general: RE2JS;
          try {
            general = RE2JS.compile(pattern);
          } catch {
            return;
          }
          const fast = fastMatcher(pattern);
          if (!fast) return;
          for (const text of texts.map((chars) => chars.join(''))) {
            const found = fast.test(text);
            if (found === undefined) continue;
            tried++;
            expect([pattern, text, found]).toEqual([pattern, text, general.test(text)]);
          }
        },
      ),
      { interruptAfterTimeLimit: 1500, numRuns: 20_000 },
    );
    expect(tried).toBeGreaterThan(1000);
  });

  it.each(['(?i)a', '\\bx', '\\pL', '[[:alpha:]]', '(?s).', '\\x41', '\\Qa\\E', '😁'])('leaves %s to it', (pattern) => {
    expect(fastMatcher(pattern)).toBeUndefined();
  });

  it('leaves texts with characters beyond 16 bits to it', () => {
    expect(fastMatcher('^.$')!.test('😁')).toBeUndefined();
  });

  it('is not slowed down by patterns that make others try every way', () => {
    expect(fastMatcher('^(a+)+$')!.test(`${'a'.repeat(50_000)}!`)).toBe(false);
    expect(fastMatcher('(a|b)*a(a|b){14}$')!.test('ab'.repeat(20_000))).toBe(false);
    expect(fastMatcher('(a|b)*a(a|b){15}$')!.test('ab'.repeat(20_000))).toBe(true);
  });
});
