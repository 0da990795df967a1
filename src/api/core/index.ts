import type { GroupStrategies } from '../index.js';
import { pod } from './pod/index.js';
import { podTemplate } from './pod-template.js';

import { service } from './service/index.js';

export const strategies: GroupStrategies = {
  Pod: pod,
  PodTemplate: podTemplate,
  Service: service,
};
