import { channel } from 'node:diagnostics_channel';
import type { WriteStage } from '../registry/verbs/contract.js';
import type { ApiRequest } from './api-request.js';

/** The stages of the request path, in their order; from `verb` on they are parts of `handle`. */
export type Stage =
  | 'authenticate'
  | 'audit'
  | 'impersonate'
  | 'flow-control'
  | 'authorize'
  | 'handle'
  | 'verb'
  | WriteStage
  | 'respond';

/** Published on the channel `porthole.stage` when a stage is over. */
export interface StageRecord {
  readonly request: ApiRequest;
  readonly stage: Stage;
  readonly ms: number;
  /** What the stage found out: an identity, a decision, an answer. */
  readonly result: unknown;
  readonly error: unknown;
}

const stages = channel('porthole.stage');

/** Runs one stage between brackets. Costs one check when nobody listens. */
export function bracket<T>(request: ApiRequest, stage: Stage, run: () => T | Promise<T>): T | Promise<T> {
  return stages.hasSubscribers ? traced(request, stage, run) : run();
}

async function traced<T>(request: ApiRequest, stage: Stage, run: () => T | Promise<T>): Promise<T> {
  const started = performance.now();
  let result: T | undefined;
  let error: unknown;
  try {
    result = await run();
    return result;
  } catch (e) {
    error = e;
    throw e;
  } finally {
    stages.publish({ request, stage, ms: performance.now() - started, result, error } satisfies StageRecord);
  }
}
