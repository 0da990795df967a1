import { list, num, obj, ptr, str } from '../../api/access.js';
import { forbidden, StatusError } from '../../machinery/errors.js';
import type { JsonObject, KubeObject } from '../../machinery/json.js';
import { labelSelectorOf } from '../../machinery/selectors/label-selector.js';
import type { LocalClient } from '../local-client.js';

const BUDGETS = { group: 'policy', resource: 'poddisruptionbudgets' };
/** Evictions that the controller has not seen yet; more of them mean that there is none. */
const MAX_DISRUPTED_PODS = 2000;
const RETRY_AFTER_SECONDS = 10;
const REFUSED = "Cannot evict pod as it would violate the pod's disruption budget.";

/** The budgets of the pod's namespace that select it. */
export async function budgetsOf(client: LocalClient, pod: KubeObject): Promise<KubeObject[]> {
  const { namespace = '', labels = {} } = pod.metadata;
  const budgets = await client.list(BUDGETS, namespace);
  return budgets.filter((budget) => {
    try {
      return labelSelectorOf(ptr(obj(budget, 'spec'), 'selector')).matches(labels);
    } catch {
      return false; // written before selectors were checked
    }
  });
}

/** An unready pod may go without asking: always, or (by default) while enough others are healthy. */
export function allowsUnhealthy(budget: KubeObject): boolean {
  if (str(obj(budget, 'spec'), 'unhealthyPodEvictionPolicy') === 'AlwaysAllow') return true;
  const status = obj(budget, 'status');
  const desired = num(status, 'desiredHealthy');
  return desired > 0 && num(status, 'currentHealthy') >= desired;
}

/**
 * Takes one disruption from the budget and writes down which pod it is for.
 *
 * @throws 429, 403, and 409 after too many lost races
 */
export async function takeDisruption(
  client: LocalClient,
  budget: KubeObject,
  pod: string,
  dryRun: boolean,
  now: string,
): Promise<void> {
  if (dryRun) {
    checkBudget(budget);
    return;
  }
  const { namespace = '', name = '' } = budget.metadata;
  const settings = { manager: 'kube-apiserver', subresource: 'status' };
  await client.update(
    BUDGETS,
    namespace,
    name,
    (latest) => {
      checkBudget(latest);
      const status = obj(latest, 'status');
      const disruptionsAllowed = num(status, 'disruptionsAllowed') - 1;
      const disruptedPods = { ...obj(status, 'disruptedPods'), [pod]: now };
      const next: JsonObject = { ...status, disruptionsAllowed, disruptedPods };
      if (disruptionsAllowed === 0) next.conditions = withoutDisruptions(status, now);
      return { ...latest, status: next };
    },
    settings,
  );
}

function checkBudget(budget: KubeObject): void {
  const { name = '', generation = 0 } = budget.metadata;
  const status = obj(budget, 'status');
  const subject = { group: 'policy', resource: 'poddisruptionbudget' };
  if (num(status, 'observedGeneration') < generation) throw stillProcessed(name);
  const allowed = num(status, 'disruptionsAllowed');
  if (allowed < 0) throw forbidden(subject, name, 'pdb disruptions allowed is negative');
  if (Object.keys(obj(status, 'disruptedPods')).length > MAX_DISRUPTED_PODS)
    throw forbidden(subject, name, 'DisruptedPods map too big - too many evictions not confirmed by PDB controller');
  if (allowed === 0) throw refused(whyNone(name, status), 0);
}

/** 429: nobody knows yet what the budget allows. */
export function stillProcessed(name: string): StatusError {
  return refused(`The disruption budget ${name} is still being processed by the server.`, RETRY_AFTER_SECONDS);
}

function whyNone(name: string, status: JsonObject): string {
  const desired = num(status, 'desiredHealthy');
  const current = num(status, 'currentHealthy');
  const condition = list(status, 'conditions').find((c) => str(c, 'type') === 'DisruptionAllowed');
  const message = condition && str(condition, 'status') === 'False' ? str(condition, 'message') : '';
  const none = `The disruption budget ${name} does not allow evicting pods currently`;
  if (message && str(condition, 'reason') === 'SyncFailed') return `${none} because it failed sync: ${message}`;
  if (current <= desired)
    return `The disruption budget ${name} needs ${desired} healthy pods and has ${current} currently`;
  return message ? `${none} (${str(condition, 'reason')}): ${message}` : none;
}

function refused(message: string, retryAfterSeconds: number): StatusError {
  const causes = [{ reason: 'DisruptionBudget', message }];
  const details = retryAfterSeconds > 0 ? { causes, retryAfterSeconds } : { causes };
  return new StatusError(429, 'TooManyRequests', REFUSED, details);
}

function withoutDisruptions(status: JsonObject, now: string): JsonObject[] {
  const conditions = list(status, 'conditions');
  const before = conditions.find((c) => str(c, 'type') === 'DisruptionAllowed');
  const next: JsonObject = {
    ...before,
    type: 'DisruptionAllowed',
    status: 'False',
    observedGeneration: num(status, 'observedGeneration'),
    lastTransitionTime: before && str(before, 'status') === 'False' ? before.lastTransitionTime : now,
    reason: 'InsufficientPods',
    message: '',
  };
  return before ? conditions.map((c) => (c === before ? next : c)) : [...conditions, next];
}
