import type { JsonObject } from '../../machinery/json.js';
import type { FlowSchema } from './configuration.js';

/**
 * The condition that tells whether the priority level of a FlowSchema is there.
 *
 * @param now RFC 3339, in seconds
 * @returns undefined when the object says so already
 */
export function danglingCondition(
  schema: FlowSchema & { readonly status?: { readonly conditions?: readonly JsonObject[] } },
  levelExists: boolean,
  now: string,
): JsonObject | undefined {
  const reference = `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(schema.spec.priorityLevelConfiguration.name)}`;
  const condition = levelExists
    ? { status: 'False', reason: 'Found', message: `${reference} and it exists` }
    : { status: 'True', reason: 'NotFound', message: `${reference} but there is no such object` };
  const current = schema.status?.conditions?.find((c) => c.type === 'Dangling');
  const same = (['status', 'reason', 'message'] as const).every((key) => current?.[key] === condition[key]);
  return same ? undefined : { type: 'Dangling', ...condition, lastTransitionTime: now };
}
