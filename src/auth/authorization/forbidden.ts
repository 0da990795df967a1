import { forbidden, type StatusError } from '../../machinery/errors.js';
import { goQuote } from '../../machinery/go-format.js';
import type { Attributes } from '../contract.js';

/** `User "bob" cannot list resource "pods" in API group "" in the namespace "default"`, as kube-apiserver says it. */
export function forbiddenMessage(attributes: Attributes): string {
  const start = `User ${goQuote(attributes.user.name)} cannot ${attributes.verb}`;
  if (!attributes.isResourceRequest) return escapeHtml(`${start} path ${goQuote(attributes.path)}`);
  const resource = attributes.subresource ? `${attributes.resource}/${attributes.subresource}` : attributes.resource;
  const where = attributes.namespace ? `in the namespace ${goQuote(attributes.namespace)}` : 'at the cluster scope';
  return escapeHtml(`${start} resource ${goQuote(resource)} in API group ${goQuote(attributes.group)} ${where}`);
}

/** The 403 for a request that no authorizer allowed. The reason is the authorizers' own and is not escaped. */
export function forbiddenError(attributes: Attributes, reason: string): StatusError {
  const message = forbiddenMessage(attributes);
  const about = attributes.isResourceRequest
    ? { group: attributes.group, resource: attributes.resource }
    : { group: '', resource: '' };
  return forbidden(
    about,
    attributes.isResourceRequest ? attributes.name : '',
    reason ? `${message}: ${reason}` : message,
  );
}

/** Answers must not look like HTML to a browser that was led to a crafted path. */
function escapeHtml(text: string): string {
  return /[&<>]/.test(text) ? text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;') : text;
}
