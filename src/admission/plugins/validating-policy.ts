import { encodePlain } from '../../machinery/codec/json/encode.js';
import { StatusError } from '../../machinery/errors.js';
import type { AdmissionAttributes, AdmissionPlugin, Operation } from '../contract.js';
import { rejectedBy } from '../errors.js';
import type { Feed } from '../following.js';
import { PolicyHooks } from '../policy/hooks.js';
import { type Invocation, type InvocationDeps, isBeyondPolicies, PolicyRequest } from '../policy/invocation.js';
import {
  type AuditAnnotation,
  type Denial,
  ValidatingPolicy,
  type ValidatingPolicySpec,
} from '../policy/validating-policy.js';

type Invoked = Invocation<ValidatingPolicySpec, ValidatingPolicy>;

/** Why a policy denied a request: the `cause` of the error that the client gets. */
export class PolicyDenial extends Error {
  readonly policy: string;
  readonly binding: string | undefined;
  /** Place of the validation in the policy. */
  readonly expressionIndex: number | undefined;

  constructor(message: string, policy: string, binding: string | undefined, expressionIndex: number | undefined) {
    super(message);
    this.policy = policy;
    this.binding = binding;
    this.expressionIndex = expressionIndex;
  }
}

interface Denied extends Pick<Denial, 'message' | 'reason' | 'index'> {
  readonly policy: string;
  readonly binding: string | undefined;
}

const MAX_ANNOTATION_BYTES = 10 * 1024;
const CODES: Readonly<Record<string, number>> = {
  Forbidden: 403,
  Unauthorized: 401,
  RequestEntityTooLarge: 413,
};

/** Evaluates the ValidatingAdmissionPolicies whose bindings match a request. */
export class ValidatingPolicies implements AdmissionPlugin {
  readonly name = 'ValidatingAdmissionPolicy';
  readonly #deps: InvocationDeps;
  readonly #hooks: PolicyHooks<ValidatingPolicySpec, ValidatingPolicy>;

  constructor(deps: InvocationDeps & { readonly feed: Feed }) {
    this.#deps = deps;
    this.#hooks = new PolicyHooks(
      deps.feed,
      { policies: 'validatingadmissionpolicies', bindings: 'validatingadmissionpolicybindings' },
      (spec: ValidatingPolicySpec) => new ValidatingPolicy(spec),
    );
  }

  handles(_: Operation): boolean {
    return true;
  }

  async validate(attributes: AdmissionAttributes): Promise<void> {
    if (isBeyondPolicies(attributes)) return;
    await this.#hooks.ready();
    const hooks = this.#hooks.all();
    if (hooks.length === 0) return;
    const request = new PolicyRequest(attributes, this.#deps);
    const denied: Denied[] = [];
    const annotations = new Annotations(attributes);
    for (const { invocation, fault } of await request.invocations(hooks)) {
      if (!fault) await this.#evaluate(request, invocation, denied, annotations);
      else if (!fault.policy.ignoresFailures) {
        denied.push({
          ...fault,
          policy: fault.policy.name,
          binding: fault.binding?.name,
          reason: '',
          index: undefined,
        });
      }
    }
    annotations.publish();
    if (denied[0]) throw refusal(attributes, denied[0]);
  }

  close(): void {
    this.#hooks.close();
  }

  async #evaluate(
    request: PolicyRequest,
    invocation: Invoked,
    denied: Denied[],
    annotations: Annotations,
  ): Promise<void> {
    const { policy, binding, version, param } = invocation;
    const bindings = await request.bindings(version, param);
    const found = await policy.evaluator.validate(bindings, () => request.namespaceObject());
    for (const denial of found.denials) {
      if (denial.failed && policy.ignoresFailures) continue;
      act(request.objects.attributes, invocation, denial, denied);
    }
    for (const annotation of found.annotations) {
      if (annotation.value !== undefined) annotations.add(policy.name, annotation);
      else if (!policy.ignoresFailures) {
        const { error: message = '' } = annotation;
        denied.push({ policy: policy.name, binding: binding.name, message, reason: '', index: undefined });
      }
    }
  }
}

/** What the binding wants done about a denial. */
function act(attributes: AdmissionAttributes, { policy, binding }: Invoked, denial: Denial, denied: Denied[]): void {
  const { message, reason, index } = denial;
  const validationActions = binding.spec.validationActions ?? [];
  for (const action of validationActions) {
    if (action === 'Deny') denied.push({ policy: policy.name, binding: binding.name, message, reason, index });
    else if (action === 'Warn') {
      attributes.warn(
        `Validation failed for ValidatingAdmissionPolicy '${policy.name}' with binding '${binding.name}': ${message}`,
      );
    } else if (action === 'Audit') {
      const failure = {
        message,
        policy: policy.name,
        binding: binding.name,
        expressionIndex: index ?? 0,
        validationActions: [...validationActions],
      };
      attributes.annotate('validation.policy.admission.k8s.io/validation_failure', encodePlain([failure]));
    }
  }
}

/** The first denial is the answer. */
function refusal(attributes: AdmissionAttributes, { policy, binding, message, reason, index }: Denied): StatusError {
  const by = binding === undefined ? `'${policy}'` : `'${policy}' with binding '${binding}'`;
  const text = `ValidatingAdmissionPolicy ${by} denied request: ${message}`;
  const forbidden = rejectedBy(attributes, text);
  const details = { ...forbidden.details, causes: [{ message: text }] };
  const error = new StatusError(CODES[reason] ?? 422, reason || 'Invalid', forbidden.message, details);
  error.cause = new PolicyDenial(message, policy, binding, index);
  return error;
}

/** Audit annotations of policies. What several bindings say under one key is joined. */
class Annotations {
  readonly #attributes: AdmissionAttributes;
  readonly #values = new Map<string, Set<string>>();

  constructor(attributes: AdmissionAttributes) {
    this.#attributes = attributes;
  }

  add(policy: string, { key, value = '' }: AuditAnnotation): void {
    const name = `${policy}/${key}`;
    const values = this.#values.get(name) ?? new Set();
    this.#values.set(name, values.add(truncated(value)));
  }

  publish(): void {
    for (const [name, values] of this.#values) this.#attributes.annotate(name, [...values].join(', '));
  }
}

function truncated(value: string): string {
  const bytes = Buffer.from(value);
  return bytes.length > MAX_ANNOTATION_BYTES ? bytes.subarray(0, MAX_ANNOTATION_BYTES).toString('utf8') : value;
}
