import { StatusError } from '../../machinery/errors.js';
import type { Route } from '../request-path.js';
import { sendText } from '../respond/text.js';

/** First segments below which everything unknown is answered by a Status; elsewhere it is a page of plain text. */
const ROUTED = new Set(['api', 'version', 'logs']);

/**
 * The last route: no such path. Under what is compiled in the answer is a Status, under custom groups and anywhere else
 * the text that Go's router has.
 */
export function notFoundRoute(isCompiledIn: (group: string) => boolean): Route {
  return (request) => {
    const [, first = '', second = ''] = request.info.path.split('/');
    if (ROUTED.has(first) || (first === 'apis' && isCompiledIn(second))) {
      throw new StatusError(404, 'NotFound', 'the server could not find the requested resource', {});
    }
    sendText(request, 404, '404 page not found\n', { 'X-Content-Type-Options': 'nosniff' });
    return true;
  };
}
