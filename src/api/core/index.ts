import type { GroupStrategies } from '../index.js';
import { pod } from './pod/index.js';
import { podTemplate } from './pod-template.js';

export const strategies: GroupStrategies = {
  Pod: pod,
  PodTemplate: podTemplate,
};
