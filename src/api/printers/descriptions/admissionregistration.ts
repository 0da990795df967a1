import type { Descriptions } from '../contract.js';

export const admissionregistration: Descriptions = {
  MutatingAdmissionPolicy: {
    Mutations: 'Mutation indicates the number of mutations rules defined in this configuration',
    ParamKind: 'ParamKind specifies the kind of resources used to parameterize this policy',
  },
  MutatingAdmissionPolicyBinding: {
    PolicyName: 'PolicyName indicates the policy definition which the policy binding binded to',
    ParamRef: 'ParamRef indicates the param resource which sets the configuration param',
  },
  MutatingWebhookConfiguration: {
    Webhooks: 'Webhooks indicates the number of webhooks registered in this configuration',
  },
  ValidatingAdmissionPolicy: {
    Validations: 'Validations indicates the number of validation rules defined in this configuration',
    ParamKind: 'ParamKind specifies the kind of resources used to parameterize this policy',
  },
  ValidatingAdmissionPolicyBinding: {
    PolicyName: 'PolicyName indicates the policy definition which the policy binding binded to',
    ParamRef: 'ParamRef indicates the param resource which sets the configuration param',
  },
  ValidatingWebhookConfiguration: {
    Webhooks: 'Webhooks indicates the number of webhooks registered in this configuration',
  },
};
