import type { ObjectFeed, ObjectLookup } from '../../auth/authorization/feed.js';
import type { AdmissionAttributes } from '../contract.js';

/** What plugins read of the world; the server's own client is one. */
export interface Objects extends ObjectLookup, ObjectFeed {}

/** Whether a write is about a resource, given as `group/resource` or, in the core group, `/resource`; not its subresources. */
export function concerns(a: AdmissionAttributes, resource: string, subresource = ''): boolean {
  return a.subresource === subresource && `${a.resource.group}/${a.resource.resource}` === resource;
}
