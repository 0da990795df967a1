import { isOver } from '../cel/bindings.js';
import type { AdmissionAttributes, AdmissionPlugin, Operation } from '../contract.js';
import { type Feed, Following } from '../following.js';
import type { AdmittedVersion } from '../matching/versions.js';
import { applyFailurePolicy, type CallerDeps, callWebhook, requestTimedOut } from '../webhook/caller.js';
import { CallFailure, publishCall } from '../webhook/failure.js';
import { type Hook, hooksOf } from '../webhook/hook.js';
import { HookSelector, isAdmissionConfiguration, type SelectorDeps } from '../webhook/select.js';

export type ValidatingWebhookDeps = SelectorDeps & CallerDeps & { readonly feed: Feed };

const CONFIGURATIONS = { group: 'admissionregistration.k8s.io', resource: 'validatingwebhookconfigurations' };
const FAILED_OPEN = 'failed-open.validating.webhook.admission.k8s.io/round_0_index_';

interface Relevant {
  readonly hook: Hook;
  readonly version: AdmittedVersion;
}

/** Asks all webhooks of ValidatingWebhookConfigurations that match at once; all must allow the request. */
export class ValidatingWebhook implements AdmissionPlugin {
  readonly name = 'ValidatingAdmissionWebhook';
  readonly #deps: ValidatingWebhookDeps;
  readonly #configurations: Following<readonly Hook[]>;

  constructor(deps: ValidatingWebhookDeps) {
    this.#deps = deps;
    this.#configurations = new Following<readonly Hook[]>(deps.feed, CONFIGURATIONS, hooksOf);
  }

  handles(_: Operation): boolean {
    return true;
  }

  async validate(attributes: AdmissionAttributes): Promise<void> {
    if (isAdmissionConfiguration(attributes)) return;
    await this.#configurations.ready();
    const configurations = this.#configurations.all();
    if (configurations.length === 0) return;
    const selector = new HookSelector(attributes, this.#deps);
    const relevant: Relevant[] = [];
    for (const hook of configurations.flat()) {
      const version = await selector.select(hook);
      if (version) relevant.push({ hook, version });
    }
    if (relevant.length === 0) return;
    if (isOver(attributes)) throw requestTimedOut();
    // The first refusal counts; the others are waited for, so that what they say is in the audit log.
    const errors: unknown[] = [];
    await Promise.all(
      relevant.map((one, index) => this.#ask(selector, one, index).catch((e: unknown) => void errors.push(e))),
    );
    if (errors.length > 0) throw errors[0];
  }

  close(): void {
    this.#configurations.close();
  }

  async #ask(selector: HookSelector, { hook, version }: Relevant, index: number): Promise<void> {
    const { objects, requested } = selector;
    const { attributes } = objects;
    try {
      const { call } = await callWebhook(
        { hook, objects, version, requested, phase: 'validate', round: 0 },
        this.#deps,
      );
      publishCall(attributes, call);
    } catch (e) {
      if (!(e instanceof CallFailure)) throw e;
      applyFailurePolicy(hook, attributes, e, () => attributes.annotate(`${FAILED_OPEN}${index}`, hook.name));
    }
  }
}
