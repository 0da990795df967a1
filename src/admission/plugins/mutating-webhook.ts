import { DecodeError } from '../../machinery/codec/errors.js';
import { parseJson } from '../../machinery/codec/json/parse.js';
import { internalError } from '../../machinery/errors.js';
import { equalJson, type JsonObject } from '../../machinery/json.js';
import { applyOperations, type JsonPatch, PatchFault } from '../../machinery/patch/json-patch.js';
import type { AdmissionAttributes, AdmissionPlugin, Operation, Reinvocation } from '../contract.js';
import { type Feed, Following } from '../following.js';
import { ReinvocationMemory } from '../reinvocation-memory.js';
import { type Allowed, applyFailurePolicy, type Call, type CallerDeps, callWebhook } from '../webhook/caller.js';
import { CallFailure, publishCall } from '../webhook/failure.js';
import { type Hook, hooksOf } from '../webhook/hook.js';
import { auditForm, decodePatch, patchedPaths } from '../webhook/json-patch.js';
import { HookSelector, isAdmissionConfiguration, type SelectorDeps } from '../webhook/select.js';

export type MutatingWebhookDeps = SelectorDeps & CallerDeps & { readonly feed: Feed };

const CONFIGURATIONS = { group: 'admissionregistration.k8s.io', resource: 'mutatingwebhookconfigurations' };

/**
 * Asks the webhooks of MutatingWebhookConfigurations that match, one after the other in the order of the configurations'
 * names, and applies the patches they answer with. Each sees what those before it made of the object.
 */
export class MutatingWebhook implements AdmissionPlugin {
  readonly name = 'MutatingAdmissionWebhook';
  readonly #deps: MutatingWebhookDeps;
  readonly #configurations: Following<readonly Hook[]>;

  constructor(deps: MutatingWebhookDeps) {
    this.#deps = deps;
    this.#configurations = new Following<readonly Hook[]>(deps.feed, CONFIGURATIONS, hooksOf);
  }

  handles(_: Operation): boolean {
    return true;
  }

  async admit(attributes: AdmissionAttributes, reinvocation: Reinvocation): Promise<void> {
    if (isAdmissionConfiguration(attributes)) return;
    await this.#configurations.ready();
    const configurations = this.#configurations.all();
    if (configurations.length === 0) return;
    const memory = reinvocation.memory(this.name, () => new ReinvocationMemory());
    if (reinvocation.again) memory.beginAgain(attributes.object);
    const selector = new HookSelector(attributes, this.#deps);
    try {
      for (const [index, hook] of configurations.flat().entries()) {
        const version = await selector.select(hook);
        if (!version || (reinvocation.again && !memory.shouldRunAgain(hook.id))) continue;
        const { objects, requested } = selector;
        const round = reinvocation.again ? 1 : 0;
        const changed = await this.#ask({ hook, objects, version, requested, phase: 'admit', round }, index);
        if (changed) {
          memory.changed();
          reinvocation.request();
        }
        if (hook.reinvokeIfNeeded) memory.ran(hook.id);
      }
    } finally {
      memory.end(attributes.object);
    }
  }

  close(): void {
    this.#configurations.close();
  }

  /** Tells whether the object is another now. */
  async #ask(input: Call, index: number): Promise<boolean> {
    const { hook, objects, round } = input;
    const { attributes } = objects;
    const place = `round_${round}_index_${index}`;
    let changed = false;
    try {
      const allowed = await callWebhook(input, this.#deps);
      const patch = patchOf(allowed);
      publishCall(attributes, { ...allowed.call, ...(patch.length > 0 && { patched: patchedPaths(patch) }) });
      if (patch.length > 0) {
        changed = await apply(input, patch);
        attributes.annotate(`patch.webhook.admission.k8s.io/${place}`, patchAnnotation(hook, patch), 'Request');
      }
    } catch (e) {
      if (!(e instanceof CallFailure)) throw e;
      const failedOpen = `failed-open.mutation.webhook.admission.k8s.io/${place}`;
      applyFailurePolicy(hook, attributes, e, () => attributes.annotate(failedOpen, hook.name));
    } finally {
      const { configuration, name: webhook } = hook;
      const text = JSON.stringify({ configuration, webhook, mutated: changed });
      attributes.annotate(`mutation.webhook.admission.k8s.io/${place}`, text);
    }
    return changed;
  }
}

/** Empty when the webhook changes nothing. */
function patchOf({ response, call }: Allowed): JsonPatch {
  if (!response.patch) return [];
  const fail = (reason: string, cause?: unknown) =>
    new CallFailure({ ...call, outcome: 'failed', error: reason }, reason, { cause });
  let patch: JsonPatch;
  try {
    patch = decodePatch(response.patch);
  } catch (e) {
    if (!(e instanceof DecodeError)) throw e;
    throw fail(`received undecodable patch in webhook response: ${e.message}`, e);
  }
  if (patch.length > 0 && response.patchType !== 'JSONPatch') {
    throw fail(`unsupported patch type ${JSON.stringify(response.patchType)}`);
  }
  return patch;
}

async function apply({ hook, objects, version }: Call, patch: JsonPatch): Promise<boolean> {
  const text = await objects.text(version);
  if (text === undefined) {
    throw internalError(
      `admission webhook ${JSON.stringify(hook.name)} attempted to modify the object, which is not supported for this operation`,
    );
  }
  const before = objects.attributes.object;
  try {
    const patched = applyOperations(parseJson(text), patch);
    objects.replace(await version.read(patched as JsonObject));
  } catch (e) {
    if (e instanceof PatchFault || e instanceof DecodeError) throw internalError(e.message);
    throw e;
  }
  return !equalJson(before, objects.attributes.object);
}

function patchAnnotation({ configuration, name }: Hook, patch: JsonPatch): string {
  return JSON.stringify(
    { configuration, webhook: name, patch: auditForm(patch), patchType: 'JSONPatch' },
    (_, value: unknown) => (typeof value === 'bigint' ? Number(value) : value),
  );
}
