import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StatusError } from '../../machinery/errors.js';
import { ContinueExpiredError, decodeContinue, encodeContinue } from './continue.js';

const PREFIX = '/registry/configmaps/ns/';
const token = (text: string) => Buffer.from(text).toString('base64url');

function messageOf(text: string): string {
  try {
    decodeContinue(text, PREFIX);
  } catch (e) {
    if (e instanceof StatusError) return `${e.code} ${e.message}`;
  }
  return 'accepted';
}

describe('continue tokens', () => {
  it('look like those of the real server', () => {
    const text = encodeContinue(`${PREFIX}c1`, PREFIX, 42);
    expect(Buffer.from(text, 'base64url').toString()).toBe('{"v":"meta.k8s.io/v1","rv":42,"start":"c1\\u0000"}');
    expect(text).not.toMatch(/[=+/]/);
    expect(decodeContinue(text, PREFIX)).toEqual({ start: `${PREFIX}c1\0`, revision: 42 });
  });

  it('come back as they went', () => {
    const name = fc.stringMatching(/^[a-z0-9.:-]{1,20}$/).filter((n) => n !== '.' && n !== '..');
    fc.assert(
      fc.property(name, name, fc.integer({ min: 1, max: 2 ** 53 - 1 }), (namespace, n, revision) => {
        const key = `/registry/pods/${namespace}/${n}`;
        const back = decodeContinue(encodeContinue(key, '/registry/pods/', revision), '/registry/pods/');
        expect(back).toEqual({ start: `${key}\0`, revision });
      }),
    );
  });

  // Recorded answers of a real server.
  it.each([
    ['x', 'illegal base64 data at input byte 0'],
    ['%%%', 'illegal base64 data at input byte 0'],
    ['e30', 'server does not recognize this encoded version '],
    ['eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiIifQ', 'encoded start key empty (version meta.k8s.io/v1)'],
    [
      'eyJ2IjoibWV0YS5rOHMuaW8vdjkiLCJydiI6MSwic3RhcnQiOiJhIn0',
      'server does not recognize this encoded version meta.k8s.io/v9',
    ],
    ['eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiIuLi94In0', '../x'],
    // the rules behind them
    ['abcde', 'illegal base64 data at input byte 4'],
    ['ab=d', 'illegal base64 data at input byte 2'],
    [token('{"v":"meta.k8s.io/v1","start":"a"}'), 'incorrect encoded start resourceVersion (version meta.k8s.io/v1)'],
    [token('{"v":"meta.k8s.io/v1","rv":1,"start":"a/../../b"}'), 'a/../../b'],
    [token('{"v":"meta.k8s.io/v1","rv":1,"start":"a/"}'), 'a/'],
    [token('{"v":"meta.k8s.io/v1","rv":1,"start":"a//b"}'), 'a//b'],
    [token('{"v":"meta.k8s.io/v1","rv":1,"start":"."}'), '.'],
    [token(''), 'unexpected end of JSON input'],
    [token('x'), "invalid character 'x' looking for beginning of value"],
    [token('[]'), 'json: cannot unmarshal array into Go value of type storage.continueToken'],
    [token('{"v":1}'), 'json: cannot unmarshal number into Go struct field continueToken.v of type string'],
    [token('{"rv":1.5}'), 'json: cannot unmarshal number 1.5 into Go struct field continueToken.rv of type int64'],
  ])('refuses %s', (text, why) => {
    expect(messageOf(text)).toBe(`400 invalid continue token: continue key is not valid: ${why}`);
  });

  it('accepts a negative revision: go on at the newest', () => {
    expect(decodeContinue('eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6LTEsInN0YXJ0IjoiYSJ9', PREFIX)).toEqual({
      start: `${PREFIX}a`,
      revision: -1,
    });
  });

  it('an expired one carries a token to go on with', () => {
    const status = new ContinueExpiredError(`${PREFIX}c1\0`, PREFIX).toStatus();
    expect(status).toMatchObject({ code: 410, reason: 'Expired' });
    expect(decodeContinue(String(status.metadata.continue), PREFIX)).toEqual({ start: `${PREFIX}c1\0`, revision: -1 });
  });
});
