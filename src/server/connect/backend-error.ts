import { badRequest, type GroupResource, internalError, StatusError } from '../../machinery/errors.js';

/** More of an error's text is not passed on. */
export const MAX_ERROR_BYTES = 50_000;

const WORDS: Readonly<Record<number, readonly [reason: string, message: string]>> = {
  401: ['Unauthorized', 'the server has asked for the client to provide credentials'],
  404: ['NotFound', 'the server could not find the requested resource'],
  405: ['MethodNotAllowed', 'the server does not allow this method on the requested resource'],
  409: ['Conflict', 'the server reported a conflict'],
  422: ['Invalid', 'the server rejected our request due to an error in our request'],
  429: ['TooManyRequests', 'the server has received too many requests and has asked us to try again later'],
  503: ['ServiceUnavailable', 'the server is currently unable to handle the request'],
  504: [
    'Timeout',
    'the server was unable to return a response in the time allotted, but may still be processing the request',
  ],
};
/** The backend's own text says it best. */
const OWN_WORDS: Readonly<Record<number, string>> = {
  403: 'Forbidden',
  406: 'NotAcceptable',
  415: 'UnsupportedMediaType',
};

/** What a client hears of a backend's refusal. `resource` and `name` are those of the request. */
export function backendError(code: number, text: string, resource: GroupResource, name: string): StatusError {
  if (code === 500) return internalError(text);
  if (code === 400) return badRequest(text);
  const details = { name, ...(resource.group && { group: resource.group }), kind: resource.resource };
  const [reason, message] = wording(code, text);
  return new StatusError(code, reason, `${message} ( ${resource.resource} ${name})`, details);
}

function wording(code: number, text: string): readonly [string, string] {
  const own = OWN_WORDS[code];
  if (own) return [own, text];
  const known = WORDS[code];
  if (known) return known;
  return code >= 500
    ? ['InternalError', `an error on the server (${JSON.stringify(text)}) has prevented the request from succeeding`]
    : ['', `the server responded with the status code ${code} but did not return more information`];
}
