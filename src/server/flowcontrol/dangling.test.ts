import { expect, it } from 'vitest';
import type { FlowSchema } from './configuration.js';
import { danglingCondition } from './dangling.js';
import { schema } from './flow.suite.js';

const NOW = '2026-01-02T03:04:05Z';
const about = schema('a', 'gone', []) as unknown as FlowSchema;

it('tells whether the priority level is there', () => {
  expect(danglingCondition(about, false, NOW)).toEqual({
    type: 'Dangling',
    status: 'True',
    reason: 'NotFound',
    message:
      'This FlowSchema references the PriorityLevelConfiguration object named "gone" but there is no such object',
    lastTransitionTime: NOW,
  });
  expect(danglingCondition(about, true, NOW)).toEqual({
    type: 'Dangling',
    status: 'False',
    reason: 'Found',
    message: 'This FlowSchema references the PriorityLevelConfiguration object named "gone" and it exists',
    lastTransitionTime: NOW,
  });
});

it('tells it once', () => {
  const told = { ...about, status: { conditions: [danglingCondition(about, true, NOW)!] } };
  expect(danglingCondition(told, true, 'later')).toBeUndefined();
  expect(danglingCondition(told, false, 'later')?.status).toBe('True');
});
