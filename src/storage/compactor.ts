import type { Clock } from './clock.js';
import { isStorageError, type Storage } from './contract.js';

export interface HistoryWindow {
  /** States are kept for at least so long, unless there are too many of them. */
  milliseconds: number;
  /** At most about so many revisions are kept. */
  revisions: number;
}

/** Five minutes are what kube-apiserver keeps by default (`--etcd-compaction-interval`). */
export const DEFAULT_HISTORY: HistoryWindow = { milliseconds: 300_000, revisions: 50_000 };

const STEPS = 10;

/** Compacts a storage now and then so that a window of its history stays. Returns the function that ends it. */
export function startCompactor(storage: Storage, clock: Clock, window: HistoryWindow = DEFAULT_HISTORY): () => void {
  const samples: { time: number; revision: number }[] = [];
  let stopped = false;
  let timer = clock.setTimeout(tick, window.milliseconds / STEPS);

  function tick(): void {
    void compact().finally(() => {
      if (!stopped) timer = clock.setTimeout(tick, window.milliseconds / STEPS);
    });
  }

  async function compact(): Promise<void> {
    try {
      const revision = await storage.currentRevision();
      const now = clock.now();
      samples.push({ time: now, revision });
      while (samples[1] && samples[1].time <= now - window.milliseconds) samples.shift();
      const [oldest] = samples;
      const aged = oldest && oldest.time <= now - window.milliseconds ? oldest.revision : 0;
      const target = Math.max(aged, revision - window.revisions);
      if (target > (await storage.compactedRevision())) await storage.compact(target);
    } catch (e) {
      // A full disk or an outage passes, and then the next turn compacts. Anything else is a fault of ours.
      if (!isStorageError(e)) throw e;
    }
  }

  return () => {
    stopped = true;
    timer.cancel();
  };
}
