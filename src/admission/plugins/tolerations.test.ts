import { describe, expect, it } from 'vitest';
import { allAllowed, covers, mergeTolerations } from './tolerations.js';

describe('tolerations', () => {
  const key = { key: 'k', operator: 'Exists' };
  it.each([
    [{ operator: 'Exists' }, key, true],
    [key, { key: 'k', operator: 'Equal', value: 'v' }, true],
    [key, { ...key, effect: 'NoSchedule' }, true],
    [
      { key: 'k', operator: 'Equal', value: 'v' },
      { key: 'k', operator: 'Equal', value: 'v', effect: 'NoSchedule' },
      true,
    ],
    [{ key: 'k', operator: 'Equal', value: 'v' }, { key: 'k', operator: 'Equal', value: 'w' }, false],
    [{ ...key, effect: 'NoSchedule' }, key, false],
    [{ key: 'j', operator: 'Exists' }, key, false],
    [{ ...key, effect: 'NoExecute', tolerationSeconds: 5 }, { ...key, effect: 'NoExecute' }, false],
    [
      { ...key, effect: 'NoExecute', tolerationSeconds: 5 },
      { ...key, effect: 'NoExecute', tolerationSeconds: 6 },
      false,
    ],
    [
      { ...key, effect: 'NoExecute', tolerationSeconds: 5 },
      { ...key, effect: 'NoExecute', tolerationSeconds: 4 },
      true,
    ],
    [{ key: 'k', operator: 'Odd' }, { key: 'k', operator: 'Equal' }, false],
  ])('%j covers %j: %s', (wider, t, expected) => {
    expect(covers(wider, t)).toBe(expected);
  });
  it('are merged without what is covered', () => {
    expect(mergeTolerations([key], [key])).toEqual([key]);
    expect(mergeTolerations([{ ...key, effect: 'NoSchedule' }], [key])).toEqual([key]);
    expect(mergeTolerations([key], [{ key: 'j', operator: 'Exists' }])).toHaveLength(2);
  });
  it('are allowed by a list, or all of them by none', () => {
    expect(allAllowed([key], [])).toBe(true);
    expect(allAllowed([key], [{ operator: 'Exists' }])).toBe(true);
    expect(allAllowed([key, { operator: 'Exists' }], [key])).toBe(false);
  });
});
