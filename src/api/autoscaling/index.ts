import type { GroupStrategies } from '../index.js';
import { horizontalPodAutoscaler } from './horizontal-pod-autoscaler.js';

export const strategies: GroupStrategies = { HorizontalPodAutoscaler: horizontalPodAutoscaler };
