import type { StrategyContext } from '../../api/strategy.js';
import { type Environment, metaTime, type OperationContext } from '../context.js';

/** A write as the store sees it. */
export interface WriteContext extends OperationContext {
  readonly namespace: string;
  readonly subresource: string;
  readonly dryRun: boolean;
  /** apiVersion that the client speaks. */
  readonly requestVersion: string;
}

/** The same request, writing something else. */
export function derivedContext(
  ctx: WriteContext,
  other: Partial<Pick<WriteContext, 'subresource' | 'dryRun'>>,
): WriteContext {
  return Object.assign(Object.create(ctx) as WriteContext, other);
}

export function strategyContext(ctx: WriteContext, env: Environment): StrategyContext {
  return {
    user: ctx.user,
    namespace: ctx.namespace,
    subresource: ctx.subresource,
    dryRun: ctx.dryRun,
    requestVersion: ctx.requestVersion,
    newUid: () => env.uuid(),
    now: () => metaTime(env.now()),
    gate: (name) => env.gate(name),
  };
}
