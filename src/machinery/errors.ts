import { type FieldError, fieldErrorsMessage } from './field.js';
import type { JsonObject } from './json.js';

export interface StatusCause {
  reason?: string;
  message?: string;
  field?: string;
}

export interface StatusDetails {
  name?: string;
  group?: string;
  kind?: string;
  uid?: string;
  causes?: StatusCause[];
  retryAfterSeconds?: number;
}

/** meta.v1.Status as a client sees it. */
export interface Status {
  kind: 'Status';
  apiVersion: 'v1';
  metadata: JsonObject;
  status: 'Success' | 'Failure';
  message?: string;
  reason?: string;
  details?: StatusDetails;
  code: number;
}

export interface GroupResource {
  group: string;
  resource: string;
}
export interface GroupKind {
  group: string;
  kind: string;
}

/** An error with the exact Status that goes to the client. Everything a handler throws on purpose is one. */
export class StatusError extends Error {
  readonly code: number;
  readonly reason: string;
  readonly details: StatusDetails | undefined;
  /** Extra response headers, e.g. Retry-After or WWW-Authenticate. */
  readonly headers: Record<string, string>;

  constructor(
    code: number,
    reason: string,
    message: string,
    details?: StatusDetails,
    headers: Record<string, string> = {},
  ) {
    super(message);
    this.name = 'StatusError';
    this.code = code;
    this.reason = reason;
    this.details = details;
    this.headers = headers;
  }

  toStatus(): Status {
    const status: Status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', code: this.code };
    if (this.message) status.message = this.message;
    if (this.reason) status.reason = this.reason;
    if (this.details) status.details = this.details;
    return status;
  }
}

export function isStatusError(e: unknown, reason?: string): e is StatusError {
  return e instanceof StatusError && (reason === undefined || e.reason === reason);
}

/** `deployments.apps`, or `pods` in the core group. */
export function qualifiedResource(r: GroupResource): string {
  return r.group ? `${r.resource}.${r.group}` : r.resource;
}
function qualifiedKind(k: GroupKind): string {
  return k.group ? `${k.kind}.${k.group}` : k.kind;
}
function resourceDetails(r: GroupResource, name: string): StatusDetails {
  const d: StatusDetails = {};
  if (name) d.name = name;
  if (r.group) d.group = r.group;
  if (r.resource) d.kind = r.resource;
  return d;
}

export function notFound(r: GroupResource, name: string): StatusError {
  return new StatusError(404, 'NotFound', `${qualifiedResource(r)} "${name}" not found`, resourceDetails(r, name));
}

export function alreadyExists(r: GroupResource, name: string): StatusError {
  return new StatusError(
    409,
    'AlreadyExists',
    `${qualifiedResource(r)} "${name}" already exists`,
    resourceDetails(r, name),
  );
}

/** generateName gave a taken name even after retries. */
export function generateNameConflict(r: GroupResource, name: string, retryAfterSeconds: number): StatusError {
  return new StatusError(
    409,
    'AlreadyExists',
    `${qualifiedResource(r)} "${name}" already exists, the server was not able to generate a unique name for the object`,
    { ...resourceDetails(r, name), retryAfterSeconds },
  );
}

export function conflict(r: GroupResource, name: string, message: string): StatusError {
  return new StatusError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${qualifiedResource(r)} "${name}": ${message}`,
    resourceDetails(r, name),
  );
}

export function unauthorized(message = 'Unauthorized'): StatusError {
  return new StatusError(401, 'Unauthorized', message);
}

export function forbidden(r: GroupResource, name: string, message: string): StatusError {
  const what =
    r.resource === ''
      ? 'forbidden'
      : name === ''
        ? `${qualifiedResource(r)} is forbidden`
        : `${qualifiedResource(r)} "${name}" is forbidden`;
  return new StatusError(403, 'Forbidden', `${what}: ${message}`, resourceDetails(r, name));
}

/** 422 with one cause per field error. */
export function invalid(k: GroupKind, name: string, errors: readonly FieldError[]): StatusError {
  const details: StatusDetails = {};
  if (name) details.name = name;
  if (k.group) details.group = k.group;
  if (k.kind) details.kind = k.kind;
  const prefix = `${qualifiedKind(k)} "${name}" is invalid`;
  if (errors.length > 0) details.causes = errors.map((e) => e.toCause());
  return new StatusError(
    422,
    'Invalid',
    errors.length > 0 ? `${prefix}: ${fieldErrorsMessage(errors)}` : prefix,
    details,
  );
}

export function badRequest(message: string): StatusError {
  return new StatusError(400, 'BadRequest', message);
}

export function methodNotSupported(r: GroupResource, action: string): StatusError {
  return new StatusError(
    405,
    'MethodNotAllowed',
    `${action} is not supported on resources of kind "${qualifiedResource(r)}"`,
    resourceDetails(r, ''),
  );
}

export function internalError(message: string): StatusError {
  return new StatusError(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] });
}

/** The list or watch position is compacted away: the client lists again. */
export function resourceExpired(message: string): StatusError {
  return new StatusError(410, 'Expired', message);
}

export function timeoutError(message: string, retryAfterSeconds = 0): StatusError {
  return new StatusError(504, 'Timeout', `Timeout: ${message}`, retryAfterSeconds ? { retryAfterSeconds } : {});
}

export function serverTimeout(r: GroupResource, operation: string, retryAfterSeconds: number): StatusError {
  return new StatusError(
    500,
    'ServerTimeout',
    `The ${operation} operation against ${qualifiedResource(r)} could not be completed at this time, please try again.`,
    { ...resourceDetails(r, operation), retryAfterSeconds },
  );
}

export function tooLarge(message: string): StatusError {
  return new StatusError(413, 'RequestEntityTooLarge', `Request entity too large: ${message}`);
}

export function serviceUnavailable(message: string): StatusError {
  return new StatusError(503, 'ServiceUnavailable', message);
}
