import { describe, expect, it } from 'vitest';
import { compileMatchConditions } from './cel-match-conditions.js';

const POD = { resourceAttributes: { verb: 'get', resource: 'pods', namespace: 'a' }, user: 'ann', groups: ['dev'] };

describe('CEL of AuthorizationConfiguration', () => {
  it('holds when all conditions hold', () => {
    const matches = compileMatchConditions([
      'has(request.resourceAttributes)',
      'request.resourceAttributes.namespace == "a" && request.resourceAttributes.subresource == ""',
      '"dev" in request.groups',
    ]);
    expect(matches(POD)).toBe(true);
    expect(matches({ ...POD, groups: ['ops'] })).toBe(false);
    expect(matches({ user: 'ann', nonResourceAttributes: { path: '/x', verb: 'get' } })).toBe(false);
  });

  it('does not hold when one is false, whatever fails before it', () => {
    expect(compileMatchConditions(['request.extra["x"].size() > 0', 'false'])(POD)).toBe(false);
  });

  it('tells of all that fail', () => {
    const matches = compileMatchConditions(['request.extra["x"].size() > 0', 'true', 'request.extra["y"].size() > 0']);
    expect(() => matches(POD)).toThrow(
      `[cel evaluation error: expression 'request.extra["x"].size() > 0' resulted in error: no such key: x, cel evaluation error: expression 'request.extra["y"].size() > 0' resulted in error: no such key: y]`,
    );
  });

  it('refuses what is no condition', () => {
    expect(() => compileMatchConditions(['request.'])).toThrow(/^compilation failed: /);
    expect(() => compileMatchConditions(['request.user'])).toThrow('must evaluate to bool but got string');
    expect(() => compileMatchConditions(['object.x'])).toThrow(/undeclared reference/);
  });
});
