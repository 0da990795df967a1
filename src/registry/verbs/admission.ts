import type { AdmissionAttributes, Operation } from '../../admission/contract.js';
import type { JsonObject, KubeObject } from '../../machinery/json.js';
import { gvkOf } from '../endpoint.js';
import type { VerbRequest } from './contract.js';

export interface AdmissionInput {
  operation: Operation;
  object: KubeObject | undefined;
  oldObject: KubeObject | undefined;
  options: JsonObject;
  dryRun: boolean;
  name?: string;
}

/** What the admission chain gets to see of a write; objects are at the endpoint's hub version. */
export function admissionAttributes(request: VerbRequest, input: AdmissionInput): AdmissionAttributes {
  const { endpoint, ctx } = request;
  const kind = gvkOf(endpoint.hub);
  return {
    operation: input.operation,
    kind,
    resource: {
      group: endpoint.resource.group,
      version: endpoint.version.version,
      resource: endpoint.resource.resource,
    },
    subresource: endpoint.subresource,
    namespace: request.namespace,
    name: input.name ?? request.name,
    object: input.object,
    oldObject: input.oldObject,
    options: input.options,
    dryRun: input.dryRun,
    user: ctx.user,
    namespaced: endpoint.namespaced,
    warn: (text) => ctx.warn(text),
    annotate: (key, value, level) => ctx.annotate(key, value, level),
    signal: () => ctx.signal,
    deadline: ctx.deadline,
  };
}
