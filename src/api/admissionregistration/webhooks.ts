import { duplicate, invalidValue, Path, required as requiredError } from '../../machinery/field.js';
import { equalJson, type JsonObject, type KubeObject } from '../../machinery/json.js';
import { list, num, obj, ptr, str, strings } from '../access.js';
import { webhookServiceFaults, webhookUrlFaults } from '../apiextensions/validation/webhook-client.js';
import { kind } from '../kind.js';
import type { Strategy } from '../strategy.js';
import {
  type Check,
  each,
  formats,
  ifPresent,
  newCheck,
  oneOf,
  type Rule,
  requiredPresent,
  validateLabelSelector,
} from '../validation/index.js';
import { matchConditions } from './expressions.js';
import {
  failurePolicy,
  matchPolicy,
  reinvocationPolicy,
  reservedName,
  reservedNameWarnings,
  ruleWithOperations,
} from './matching.js';

const REVIEW_VERSIONS = ['v1', 'v1beta1'];
const NO_EFFECTS = ['None', 'NoneOnDryRun'];
const EFFECTS = [...NO_EFFECTS, 'Some', 'Unknown'];
const SELECTORS = ['namespaceSelector', 'objectSelector'];

/** What a stored configuration got away with it may keep. */
interface WebhookCheck extends Check {
  readonly skipConditions: boolean;
  readonly anyEffects: boolean;
  readonly anyReviewVersion: boolean;
  readonly repeatedNames: boolean;
  readonly oddSelectors: boolean;
}

const hooksOf = (o: KubeObject | undefined): JsonObject[] => list(o, 'webhooks');

function hasOddSelector(hook: JsonObject): boolean {
  const c = newCheck(() => true);
  for (const name of SELECTORS) {
    const selector = ptr(hook, name);
    if (selector) validateLabelSelector(selector, new Path(), c);
  }
  return c.errors.length > 0;
}

function withLeniency(o: KubeObject, c: Check): WebhookCheck {
  const old = hooksOf(c.old);
  const now = hooksOf(o);
  const versions = (hook: JsonObject) => strings(hook, 'admissionReviewVersions');
  const unknown = (hook: JsonObject) =>
    versions(hook).length > 0 && !versions(hook).some((v) => REVIEW_VERSIONS.includes(v));
  return {
    ...c,
    skipConditions:
      c.old !== undefined &&
      now.length === old.length &&
      now.every((hook, i) => equalJson(hook.matchConditions, old[i]!.matchConditions)),
    anyEffects: old.some((hook) => !NO_EFFECTS.includes(str(hook, 'sideEffects'))),
    anyReviewVersion: old.some(unknown),
    repeatedNames: new Set(old.map((hook) => str(hook, 'name'))).size < old.length,
    oddSelectors: old.some(hasOddSelector),
  };
}

/** A domain name of at least three labels. */
const hookName: Rule = (v, at, c) => {
  const name = String(v ?? '');
  const faults = formats.dns1123Subdomain(name);
  if (name === '') c.errors.push(requiredError(at));
  else if (faults.length > 0) c.errors.push(invalidValue(at, name, faults.join(',')));
  else if (name.split('.').length < 3)
    c.errors.push(invalidValue(at, name, 'should be a domain with at least three segments separated by dots'));
};

function clientConfig(config: JsonObject, at: Path, c: Check): void {
  const service = ptr(config, 'service');
  if ((config.url === undefined) === (service === undefined))
    c.errors.push(requiredError(at, 'exactly one of url or service is required'));
  else if (service) c.errors.push(...webhookServiceFaults(service, at.child('service')));
  else c.errors.push(...webhookUrlFaults(str(config, 'url'), at.child('url')));
}

function reviewVersions(versions: readonly string[], at: Path, c: WebhookCheck): void {
  const known = REVIEW_VERSIONS.join(', ');
  if (versions.length === 0) {
    c.errors.push(requiredError(at, `must specify one of ${known}`));
    return;
  }
  versions.forEach((version, i) => {
    if (versions.indexOf(version) < i) c.errors.push(invalidValue(at.index(i), version, 'duplicate version'));
    else for (const m of formats.dns1035Label(version)) c.errors.push(invalidValue(at.index(i), version, m));
  });
  if (!c.anyReviewVersion && !versions.some((v) => REVIEW_VERSIONS.includes(v)))
    c.errors.push(invalidValue(at, [...versions], `must include at least one of ${known}`));
}

function webhook(hook: JsonObject, mutating: boolean, at: Path, c: WebhookCheck): void {
  hookName(str(hook, 'name'), at.child('name'), c);
  each(ruleWithOperations)(hook.rules, at.child('rules'), c);
  ifPresent(failurePolicy)(hook.failurePolicy, at.child('failurePolicy'), c);
  ifPresent(matchPolicy)(hook.matchPolicy, at.child('matchPolicy'), c);
  const effects = c.anyEffects ? EFFECTS : NO_EFFECTS;
  requiredPresent(`must specify one of ${effects.join(', ')}`, oneOf(...effects))(
    hook.sideEffects,
    at.child('sideEffects'),
    c,
  );
  const timeout = num(hook, 'timeoutSeconds');
  if (hook.timeoutSeconds !== undefined && (timeout < 1 || timeout > 30))
    c.errors.push(
      invalidValue(at.child('timeoutSeconds'), timeout, 'the timeout value must be between 1 and 30 seconds'),
    );
  for (const name of SELECTORS) {
    const selector = ptr(hook, name);
    if (selector) validateLabelSelector(selector, at.child(name), c, c.oddSelectors);
  }
  if (mutating) ifPresent(reinvocationPolicy)(hook.reinvocationPolicy, at.child('reinvocationPolicy'), c);
  clientConfig(obj(hook, 'clientConfig'), at.child('clientConfig'), c);
  if (!c.skipConditions) matchConditions(hook.matchConditions, false, at.child('matchConditions'), c);
}

function configuration(kindName: string): Strategy {
  return kind({
    group: 'admissionregistration.k8s.io',
    kind: kindName,
    standardFinalizers: false,
    rules(v, _, check) {
      const o = v as KubeObject;
      const c = withLeniency(o, check);
      const names = new Set<string>();
      hooksOf(o).forEach((hook, i) => {
        const at = new Path('webhooks').index(i);
        const name = str(hook, 'name');
        webhook(hook, kindName.startsWith('Mutating'), at, c);
        reviewVersions(strings(hook, 'admissionReviewVersions'), at.child('admissionReviewVersions'), c);
        if (c.repeatedNames || !name) return;
        if (names.has(name)) c.errors.push(duplicate(at.child('name'), name));
        names.add(name);
      });
      reservedName(o.metadata.name ?? '', c);
    },
    onUpdate: ['meta', 'rules'],
    warnings: (ctx, o, old) => reservedNameWarnings(o.metadata.name ?? '', !old, (name) => ctx.gate(name)),
  });
}

export const mutatingWebhookConfiguration = configuration('MutatingWebhookConfiguration');
export const validatingWebhookConfiguration = configuration('ValidatingWebhookConfiguration');
