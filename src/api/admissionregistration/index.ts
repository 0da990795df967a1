import { duplicate, invalidValue, notSupported, Path, required as requiredError } from '../../machinery/field.js';
import type { KubeObject } from '../../machinery/json.js';
import { obj, ptr } from '../access.js';
import type { GroupStrategies } from '../index.js';
import { kind } from '../kind.js';
import type { Strategy } from '../strategy.js';
import { ifPresent, type Rule } from '../validation/index.js';
import {
  matchResources,
  mutatingOperations,
  paramRef,
  policyName,
  reservedName,
  reservedNameWarnings,
} from './matching.js';
import { mutatingAdmissionPolicy, validatingAdmissionPolicy } from './policies.js';
import { mutatingWebhookConfiguration, validatingWebhookConfiguration } from './webhooks.js';

const SPEC = new Path('spec');
const ACTIONS = ['Audit', 'Deny', 'Warn'];

const validationActions: Rule = (v, at, c) => {
  const actions = Array.isArray(v) ? (v as string[]) : [];
  actions.forEach((action, i) => {
    if (!ACTIONS.includes(action)) c.errors.push(notSupported(at.index(i), action, ACTIONS));
    if (actions.indexOf(action) < i) c.errors.push(duplicate(at.index(i), action));
  });
  if (actions.includes('Deny') && actions.includes('Warn'))
    c.errors.push(
      invalidValue(
        at,
        actions,
        'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
      ),
    );
  if (actions.length === 0) c.errors.push(requiredError(at, 'at least one validation action is required'));
};

function binding(kindName: string): Strategy {
  const mutating = kindName.startsWith('Mutating');
  return kind({
    group: 'admissionregistration.k8s.io',
    kind: kindName,
    standardFinalizers: false,
    rules(v, _, c) {
      const o = v as KubeObject;
      const spec = obj(o, 'spec');
      policyName(spec.policyName ?? '', SPEC.child('policyName'), c);
      ifPresent(paramRef)(spec.paramRef, SPEC.child('paramRef'), c);
      ifPresent(matchResources)(spec.matchResources, SPEC.child('matchResources'), c);
      if (mutating) mutatingOperations(ptr(spec, 'matchResources'), SPEC.child('matchResources'), c);
      else validationActions(spec.validationActions, SPEC.child('validationActions'), c);
      reservedName(o.metadata.name ?? '', c);
    },
    onUpdate: ['meta', 'rules'],
    warnings: (ctx, o, old) => reservedNameWarnings(o.metadata.name ?? '', !old, (name) => ctx.gate(name)),
  });
}

export const strategies: GroupStrategies = {
  MutatingAdmissionPolicy: mutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding: binding('MutatingAdmissionPolicyBinding'),
  MutatingWebhookConfiguration: mutatingWebhookConfiguration,
  ValidatingAdmissionPolicy: validatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding: binding('ValidatingAdmissionPolicyBinding'),
  ValidatingWebhookConfiguration: validatingWebhookConfiguration,
};
