import { forbidden, type StatusError } from '../machinery/errors.js';
import type { AdmissionAttributes } from './contract.js';

/** 403 in the words of the admission chain: `pods "x" is forbidden: <message>`. */
export function rejectedBy(attributes: AdmissionAttributes, message: string): StatusError {
  const { group, resource } = attributes.resource;
  return forbidden({ group, resource }, objectName(attributes), message);
}

/** The object's name, or its generateName while it has none; deletes of collections and nameless reviews are `Unknown`. */
export function objectName(attributes: AdmissionAttributes): string {
  const meta = attributes.object?.metadata;
  return attributes.name || meta?.name || meta?.generateName || 'Unknown';
}
