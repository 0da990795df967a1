import type { RequestInfo } from './request-info.js';

const VERBS = new Set(['watch', 'proxy']);
const SUBRESOURCES = new Set(['attach', 'exec', 'proxy', 'log', 'portforward']);

/** Requests that may stay open as long as their client likes: no deadline, no seat kept. */
export function isLongRunning(info: RequestInfo): boolean {
  return info.isResourceRequest && (VERBS.has(info.verb) || SUBRESOURCES.has(info.subresource));
}
