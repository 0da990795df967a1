import type { GroupStrategies } from '../index.js';
import { customResourceDefinition } from './strategy.js';

export const strategies: GroupStrategies = { CustomResourceDefinition: customResourceDefinition };
