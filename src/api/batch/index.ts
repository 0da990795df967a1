import type { GroupStrategies } from '../index.js';
import { cronJob } from './cron-job.js';
import { job } from './job.js';

export const strategies: GroupStrategies = { CronJob: cronJob, Job: job };
