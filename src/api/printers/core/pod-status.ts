import type { JsonObject } from '../../../machinery/json.js';
import { bool, list, num, obj, ptr, str } from '../../access.js';
import { time } from '../age.js';
import { conditionStatus } from '../text.js';

// What `kubectl get pods` says of a pod as a whole, from the states of its containers. Init containers run one after the
// other; those that restart always (sidecars, KEP-753) stay, and count as containers from then on.

export interface ContainerStates {
  readonly ready: number;
  readonly total: number;
  /** What the containers are doing, or else what the status says of the pod. */
  readonly reason: string;
  readonly restarts: number;
  /** When a container last ended before it was started again, milliseconds since the epoch. */
  readonly lastRestart: number | undefined;
}

interface Restarts {
  readonly count: number;
  readonly last: number | undefined;
}

export function containerStates(spec: JsonObject, status: JsonObject): ContainerStates {
  const initContainers = list(spec, 'initContainers');
  const sidecars = new Set(
    initContainers.filter((c) => str(c, 'restartPolicy') === 'Always').map((c) => str(c, 'name')),
  );
  const init = initStates(list(status, 'initContainerStatuses'), sidecars, initContainers.length);
  const total = list(spec, 'containers').length + sidecars.size;
  if (init.reason !== undefined && conditionStatus(status, 'Initialized') !== 'True') {
    const { count, last } = restartsOf(init.seen);
    return { ready: init.ready, total, reason: init.reason, restarts: count, lastRestart: last };
  }
  const statuses = list(status, 'containerStatuses');
  const main = mainStates(statuses, init.reason ?? statusReason(status));
  const completed = main.reason === 'Completed';
  const { count, last } = restartsOf([...init.seen.filter((c) => sidecars.has(str(c, 'name'))), ...statuses]);
  return {
    ready: init.ready + main.ready,
    total,
    reason: completed ? afterCompletion(main, conditionStatus(status, 'Ready') === 'True') : main.reason,
    restarts: count,
    lastRestart: last,
  };
}

function statusReason(status: JsonObject): string {
  const gated = list(status, 'conditions').some(
    (c) => str(c, 'type') === 'PodScheduled' && str(c, 'reason') === 'SchedulingGated',
  );
  return gated ? 'SchedulingGated' : str(status, 'reason') || str(status, 'phase');
}

function restartsOf(statuses: readonly JsonObject[]): Restarts {
  let count = 0;
  let last: number | undefined;
  for (const status of statuses) {
    count += num(status, 'restartCount');
    const ended = time(ptr(obj(status, 'lastState'), 'terminated'), 'finishedAt');
    if (ended !== undefined && (last === undefined || ended > last)) last = ended;
  }
  return { count, last };
}

interface InitStates {
  /** Why the pod is still initializing. */
  readonly reason: string | undefined;
  readonly ready: number;
  /** The statuses up to the one that runs now. */
  readonly seen: readonly JsonObject[];
}

function initStates(statuses: readonly JsonObject[], sidecars: ReadonlySet<string>, total: number): InitStates {
  let ready = 0;
  for (const [i, status] of statuses.entries()) {
    const state = obj(status, 'state');
    const terminated = ptr(state, 'terminated');
    if (terminated && num(terminated, 'exitCode') === 0) continue;
    if (sidecars.has(str(status, 'name')) && bool(status, 'started')) {
      if (bool(status, 'ready')) ready++;
      continue;
    }
    return { reason: `Init:${initReason(state, `${i}/${total}`)}`, ready, seen: statuses.slice(0, i + 1) };
  }
  return { reason: undefined, ready, seen: statuses };
}

function initReason(state: JsonObject, progress: string): string {
  const terminated = ptr(state, 'terminated');
  if (terminated) return exitReason(terminated);
  const waiting = str(ptr(state, 'waiting'), 'reason');
  return waiting && waiting !== 'PodInitializing' ? waiting : progress;
}

function exitReason(terminated: JsonObject): string {
  const signal = num(terminated, 'signal');
  return str(terminated, 'reason') || (signal === 0 ? `ExitCode:${num(terminated, 'exitCode')}` : `Signal:${signal}`);
}

interface MainStates {
  readonly ready: number;
  readonly reason: string;
  /** How the first container that failed did so. */
  readonly failure: string | undefined;
}

/** The first container with something to say speaks for all. */
function mainStates(statuses: readonly JsonObject[], otherwise: string): MainStates {
  let ready = 0;
  let reason: string | undefined;
  let failure: string | undefined;
  for (const status of statuses) {
    const state = obj(status, 'state');
    const terminated = ptr(state, 'terminated');
    const waiting = str(ptr(state, 'waiting'), 'reason');
    if (waiting) reason ??= waiting;
    else if (terminated) {
      const exit = exitReason(terminated);
      reason ??= exit;
      if (num(terminated, 'exitCode') !== 0) failure ??= exit;
    } else if (bool(status, 'ready') && ptr(state, 'running')) ready++;
  }
  return { ready, reason: reason ?? otherwise, failure };
}

/** The first container has completed: what the others do decides. */
function afterCompletion({ ready, failure }: MainStates, podReady: boolean): string {
  if (ready > 0 && podReady) return 'Running';
  return failure ?? (ready > 0 ? 'NotReady' : 'Completed');
}

/** What goes before all else once the pod is being deleted; undefined when nothing does. */
export function deletionReason(status: JsonObject): string | undefined {
  // Set when the node of the pod could not be reached.
  if (str(status, 'reason') === 'NodeLost') return 'Unknown';
  const phase = str(status, 'phase');
  return phase === 'Failed' || phase === 'Succeeded' ? undefined : 'Terminating';
}
