import { isStatusError, StatusError } from '../../machinery/errors.js';
import { equalJson } from '../../machinery/json.js';
import { MatchConditionError } from '../cel/match-conditions.js';
import type { AdmissionAttributes, AdmissionPlugin, Operation, Reinvocation } from '../contract.js';
import { rejectedBy } from '../errors.js';
import type { Feed } from '../following.js';
import { PolicyHooks } from '../policy/hooks.js';
import { type Invocation, type InvocationDeps, isBeyondPolicies, PolicyRequest } from '../policy/invocation.js';
import { MutatingPolicy, type MutatingPolicySpec } from '../policy/mutating-policy.js';
import { mutate } from '../policy/mutation.js';
import { ReinvocationMemory } from '../reinvocation-memory.js';

type Invoked = Invocation<MutatingPolicySpec, MutatingPolicy>;

/** A policy that could not be evaluated although its failures count. */
interface Fault {
  readonly text: string;
  /** '' stands for Forbidden. */
  readonly reason: string;
}

/** Applies the MutatingAdmissionPolicies whose bindings match a request, in the order of their names. */
export class MutatingPolicies implements AdmissionPlugin {
  readonly name = 'MutatingAdmissionPolicy';
  readonly #deps: InvocationDeps;
  readonly #hooks: PolicyHooks<MutatingPolicySpec, MutatingPolicy>;

  constructor(deps: InvocationDeps & { readonly feed: Feed }) {
    this.#deps = deps;
    this.#hooks = new PolicyHooks(
      deps.feed,
      { policies: 'mutatingadmissionpolicies', bindings: 'mutatingadmissionpolicybindings' },
      (spec: MutatingPolicySpec) => new MutatingPolicy(spec),
    );
  }

  handles(_: Operation): boolean {
    return true;
  }

  async admit(attributes: AdmissionAttributes, reinvocation: Reinvocation): Promise<void> {
    if (isBeyondPolicies(attributes)) return;
    await this.#hooks.ready();
    const hooks = this.#hooks.all();
    if (hooks.length === 0) return;
    const request = new PolicyRequest(attributes, this.#deps);
    const faults: Fault[] = [];
    const invocations: Invoked[] = [];
    for (const { invocation, fault } of await request.invocations(hooks)) {
      if (invocation) invocations.push(invocation);
      else if (!fault.policy.ignoresFailures) {
        faults.push({ text: denialText(fault.policy.name, fault.binding?.name, fault.message), reason: '' });
      }
    }
    if (invocations.length > 0) await this.#apply(request, invocations, faults, reinvocation);
    if (faults.length > 0) throw refusal(attributes, faults);
  }

  close(): void {
    this.#hooks.close();
  }

  async #apply(
    request: PolicyRequest,
    invocations: readonly Invoked[],
    faults: Fault[],
    reinvocation: Reinvocation,
  ): Promise<void> {
    const { attributes } = request.objects;
    const memory = reinvocation.memory(this.name, () => new ReinvocationMemory());
    if (reinvocation.again) memory.beginAgain(attributes.object);
    await request.namespaceObject();
    try {
      for (const invocation of invocations) {
        const { policy } = invocation;
        const bindings = await request.bindings(invocation.version, invocation.param);
        const applies = await conditionsHold(invocation, faults, () => policy.evaluator.applies(bindings));
        const id = invocationId(invocation);
        if (!applies || (reinvocation.again && !memory.shouldRunAgain(id))) continue;
        const before = attributes.object;
        await runMutations(request, invocation, faults);
        if (!equalJson(before, attributes.object)) {
          memory.changed();
          reinvocation.request();
        }
        if (policy.spec.reinvocationPolicy === 'IfNeeded') memory.ran(id);
      }
    } finally {
      memory.end(attributes.object);
    }
  }
}

async function conditionsHold(invocation: Invoked, faults: Fault[], applies: () => Promise<boolean>): Promise<boolean> {
  try {
    return await applies();
  } catch (e) {
    if (!(e instanceof MatchConditionError)) throw e;
    addFault(invocation, e, faults);
    return false;
  }
}

/** Each mutation sees what those before it made of the object; one that fails changes nothing. */
async function runMutations(request: PolicyRequest, invocation: Invoked, faults: Fault[]): Promise<void> {
  const { policy, version, param } = invocation;
  for (const mutation of policy.evaluator.mutations) {
    const bindings = await request.bindings(version, param);
    if (!bindings.object) return;
    const seen = { ...bindings, namespaceObject: await request.namespaceObject() };
    try {
      const object = await mutate(mutation, bindings.object, version, seen);
      if (object) request.objects.replace(object);
    } catch (e) {
      if (isStatusError(e) || !(e instanceof Error)) throw e;
      addFault(invocation, e, faults);
    }
  }
}

function addFault({ policy, binding }: Invoked, e: Error, faults: Fault[]): void {
  if (policy.ignoresFailures) return;
  faults.push({ text: denialText(policy.name, binding.name, e.message), reason: 'Invalid' });
}

function denialText(policy: string, binding: string | undefined, message: string): string {
  const by = binding === undefined ? JSON.stringify(policy) : `'${policy}' with binding '${binding}'`;
  return `policy ${by} denied request: ${message}`;
}

/** All faults are told; the first one is the message. */
function refusal(attributes: AdmissionAttributes, faults: readonly Fault[]): StatusError {
  const { code, reason, details } = rejectedBy(attributes, '');
  const causes = faults.map(({ text }) => ({ message: text }));
  return new StatusError(code, faults[0]?.reason || reason, faults[0]?.text ?? '', { ...details, causes });
}

function invocationId({ policy, binding, param }: Invoked): string {
  const { namespace = '', name = '' } = (param?.metadata ?? {}) as { namespace?: string; name?: string };
  return JSON.stringify([policy.name, binding.name, namespace, name]);
}
