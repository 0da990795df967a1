import { StatusError } from '../../machinery/errors.js';

/** The flow that a request belongs to, as response headers tell. */
export interface FlowIdentity {
  readonly flowSchemaUID: string;
  readonly priorityLevelUID: string;
}

/** 429. kube-apiserver sends this one as plain text, which clients read by code and Retry-After. */
export function tooManyRequests(retryAfterSeconds: number, flow?: FlowIdentity): StatusError {
  const headers: Record<string, string> = { 'Retry-After': `${retryAfterSeconds}` };
  if (flow) Object.assign(headers, flowHeaders(flow));
  const message = 'Too many requests, please try again later.';
  return new StatusError(429, 'TooManyRequests', message, { retryAfterSeconds }, headers);
}

export function flowHeaders({ flowSchemaUID, priorityLevelUID }: FlowIdentity): Record<string, string> {
  return {
    'X-Kubernetes-PF-PriorityLevel-UID': priorityLevelUID,
    'X-Kubernetes-PF-FlowSchema-UID': flowSchemaUID,
  };
}
