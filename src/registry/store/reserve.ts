import type { KubeObject } from '../../machinery/json.js';
import type { Environment } from '../context.js';
import type { Kind } from '../kind.js';
import { strategyContext, type WriteContext } from './context.js';

/**
 * Runs a write with what its object needs from shared ranges: kept once the write calls `written`, given back when it
 * does not, be it that it failed, lost a race or was a dry run.
 *
 * @param old undefined for a new object
 */
export async function reserving<T>(
  kind: Kind,
  env: Environment,
  ctx: WriteContext,
  object: KubeObject,
  old: KubeObject | undefined,
  write: (written: () => void) => Promise<T>,
): Promise<T> {
  const reservation = await kind.strategy.reserve?.(strategyContext(ctx, env), object, old);
  if (!reservation) return write(() => {});
  let kept = false;
  try {
    return await write(() => {
      kept = true;
    });
  } finally {
    await (kept ? reservation.commit() : reservation.rollback());
  }
}
