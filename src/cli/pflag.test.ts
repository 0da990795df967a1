import { describe, expect, it } from 'vitest';
import { type FlagSpec, parseDuration, parseFlags } from './pflag.js';

const specs: FlagSpec[] = [
  { name: 'bind-address', type: 'ip', usage: '' },
  { name: 'memory', type: 'bool', shorthand: 'm', usage: '' },
  { name: 'secure-port', type: 'int', usage: '' },
  { name: 'authorization-mode', type: 'strings', usage: '' },
  { name: 'service-account-issuer', type: 'stringArray', usage: '' },
  { name: 'runtime-config', type: 'map', usage: '' },
  { name: 'request-timeout', type: 'duration', usage: '' },
  { name: 'data-dir', type: 'string', usage: '' },
];
const parse = (...argv: string[]) => Object.fromEntries(parseFlags(argv, specs).values);

describe('parseFlags', () => {
  it('takes values after = and after a space', () => {
    expect(parse('--secure-port=0', '--data-dir', '/x')).toEqual({ 'secure-port': 0, 'data-dir': '/x' });
  });
  it('takes a boolean alone, and only = gives it a value', () => {
    expect(parse('--memory')).toEqual({ memory: true });
    expect(parse('--memory=false')).toEqual({ memory: false });
    expect(parseFlags(['-m', 'false'], specs)).toMatchObject({ args: ['false'] });
  });
  it('a value may look like a flag', () => {
    expect(parse('--data-dir', '--memory')).toEqual({ 'data-dir': '--memory' });
  });
  it('joins repeated lists and maps', () => {
    expect(parse('--authorization-mode=Node,RBAC', '--authorization-mode=ABAC')).toEqual({
      'authorization-mode': ['Node', 'RBAC', 'ABAC'],
    });
    expect(parse('--service-account-issuer=a,b', '--service-account-issuer=c')).toEqual({
      'service-account-issuer': ['a,b', 'c'],
    });
    expect(parse('--runtime-config=api/all=true', '--runtime-config', 'a/v1=false')).toEqual({
      'runtime-config': { 'api/all': 'true', 'a/v1': 'false' },
    });
  });
  it('counts underscores as dashes, stops at --', () => {
    expect(parse('--secure_port=1')).toEqual({ 'secure-port': 1 });
    expect(parseFlags(['--', '--memory'], specs)).toEqual({ values: new Map(), args: ['--memory'] });
  });
  it.each([
    [['--nope'], 'unknown flag: --nope'],
    [['-x'], 'unknown shorthand flag: "x" in -x'],
    [['--data-dir'], 'flag needs an argument: --data-dir'],
    [
      ['--secure-port=x'],
      'invalid argument "x" for "--secure-port" flag: strconv.ParseInt: parsing "x": invalid syntax',
    ],
    [['--memory=perhaps'], 'strconv.ParseBool: parsing "perhaps": invalid syntax'],
    [['--request-timeout=5'], 'time: invalid duration "5"'],
    [['--bind-address=localhost'], 'failed to parse IP: "localhost"'],
    [['--runtime-config=x'], 'malformed pair, expect string=string'],
  ])('refuses %j', (argv, message) => {
    expect(() => parseFlags(argv, specs)).toThrow(message);
  });
});

describe('parseDuration', () => {
  it.each([
    ['1h30m', 5_400_000],
    ['1.5s', 1500],
    ['-2ms', -2],
    ['0', 0],
  ])('%s', (text, ms) => expect(parseDuration(text)).toBe(ms));
  it.each(['', '1', 's', '1d', '1 s'])('refuses %j', (text) => expect(parseDuration(text)).toBeUndefined());
});
