import { describe, expect, it } from 'vitest';
import { celCompiler } from './cel-compiler.js';

const claims = (text: string, result: 'string' | 'bool' | 'string or list of strings' = 'string') =>
  celCompiler.compile(text, 'claims', result);

describe('CEL of AuthenticationConfiguration', () => {
  it('maps claims', () => {
    expect(claims('claims.sub').evaluate({ claims: { sub: 'ann' } })).toBe('ann');
    expect(claims('claims.roles.split(",")').evaluate({ claims: { roles: 'a,b' } })).toEqual(['a', 'b']);
    expect(claims('claims.?mail.orValue("none")').evaluate({ claims: {} })).toBe('none');
    expect(claims('claims.hd == "x"', 'bool').evaluate({ claims: { hd: 'x' } })).toBe(true);
  });

  it('sees the user in rules', () => {
    const rule = celCompiler.compile('!user.username.startsWith("system:")', 'user', 'bool');
    expect(rule.evaluate({ user: { username: 'system:admin', uid: '', groups: [] } })).toBe(false);
  });

  it('tells which claims are read', () => {
    expect(claims('claims.email').selects('email')).toBe(true);
    expect(claims('claims.?email.orValue("")').selects('email')).toBe(true);
    expect(claims('claims.nested.email').selects('email')).toBe(false);
    expect(claims('claims.sub').selects('email')).toBe(false);
  });

  it('refuses what is no expression, of another type, or about something else', () => {
    expect(() => claims('claims.')).toThrow(/^compilation failed: ERROR: <input>:1:8: Syntax error/);
    expect(() => claims('user.username')).toThrow(/undeclared reference to 'user'/);
    expect(() => claims('claims.sub', 'bool')).toThrow(/^must evaluate to bool$/);
  });

  it('fails with the expression and the reason', () => {
    expect(() => claims('claims.sub').evaluate({ claims: {} })).toThrow(
      "expression 'claims.sub' resulted in error: no such key: sub",
    );
    const list = Array.from({ length: 2000 }, (_, i) => `${i}`);
    expect(() =>
      claims('dyn(claims.l).all(x, dyn(claims.l).all(y, x != y || true))', 'bool').evaluate({ claims: { l: list } }),
    ).toThrow(/cost limit exceeded/);
  });
});
