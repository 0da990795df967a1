import type { KubeObject } from '../../machinery/json.js';
import { list, obj, ptr, str } from '../access.js';
import { age } from './age.js';
import type { GroupPrinters, RowPrinter } from './contract.js';
import { nameOf, paramRefText } from './text.js';

const webhooks: RowPrinter = {
  cells: (object, now) => [nameOf(object), list(object, 'webhooks').length, age(object, now)],
};

const binding: RowPrinter = {
  cells(object, now) {
    const spec = obj(object, 'spec');
    return [nameOf(object), str(spec, 'policyName'), paramRefText(spec), age(object, now)];
  },
};

const policy = (rules: string): RowPrinter => ({
  cells: (object, now) => [
    nameOf(object),
    list(obj(object, 'spec'), rules).length,
    paramKind(object),
    age(object, now),
  ],
});

function paramKind(object: KubeObject): string {
  const kind = ptr(obj(object, 'spec'), 'paramKind');
  return kind ? `${str(kind, 'apiVersion')}/${str(kind, 'kind')}` : '<unset>';
}

export const admissionregistration: GroupPrinters = {
  MutatingAdmissionPolicy: policy('mutations'),
  MutatingAdmissionPolicyBinding: binding,
  MutatingWebhookConfiguration: webhooks,
  ValidatingAdmissionPolicy: policy('validations'),
  ValidatingAdmissionPolicyBinding: binding,
  ValidatingWebhookConfiguration: webhooks,
};
