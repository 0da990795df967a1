import { PLAIN_JSON, type Representation } from './representation.js';

/** An error goes out in a format the client reads; when it names none of ours, as JSON. */
export function statusRepresentation(_accept: string | undefined): Representation {
  return PLAIN_JSON;
}

/** @throws 406 */
export function objectRepresentation(_accept: string | undefined): Representation {
  return PLAIN_JSON;
}
