import type { GroupStrategies } from '../index.js';
import { flowSchema } from './flow-schema.js';
import { priorityLevelConfiguration } from './priority-level.js';

export const strategies: GroupStrategies = {
  FlowSchema: flowSchema,
  PriorityLevelConfiguration: priorityLevelConfiguration,
};
