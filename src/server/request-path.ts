import { credentialsOf } from '../auth/authentication/credentials.js';
import { attemptedCredentials } from '../auth/authentication/require-user.js';
import type { Attributes, Authenticated, Authorizer, Credentials } from '../auth/contract.js';
import { internalError, StatusError } from '../machinery/errors.js';
import { ApiRequest } from './api-request.js';
import type { Auditor, AuditRequest } from './audit/contract.js';
import type { Entrance } from './entrance.js';
import type { FlowControl, Seat } from './flowcontrol/contract.js';
import { RequestedFlow } from './flowcontrol/requested-flow.js';
import { flowHeaders } from './flowcontrol/too-many-requests.js';
import type { HttpHandler } from './http.js';
import { isLongRunning } from './long-running.js';
import { requestTimeout, sendTimeUp, TimeUp, within } from './request-timeout.js';
import { isUnexpected, sendError } from './respond/error.js';
import { bracket } from './trace.js';
import { injectedUser } from './transport/inject.js';

/** Answers a request that was let through; false: no such path. */
export type Route = (request: ApiRequest) => Promise<boolean> | boolean;

export interface RequestPathParts {
  readonly entrance: Entrance;
  /** Who a request comes from; rejects with the 401. */
  readonly identify: (credentials: Credentials) => Promise<Authenticated>;
  readonly authorizer: Authorizer;
  readonly flowControl: FlowControl;
  readonly auditor: Auditor | undefined;
  /** Replaces the user by the one of the Impersonate-* headers after asking the authorizer; 403 otherwise. */
  readonly impersonate: (request: ApiRequest, authorizer: Authorizer) => Promise<void> | void;
  /** 403 in the words of upstream. */
  readonly forbidden: (attributes: Attributes, reason: string) => StatusError;
  /** Tried in order. */
  readonly routes: readonly Route[];
  readonly requestTimeoutMs: number;
  readonly newId: () => string;
  /** Counts a request; what it gives is called when the answer is complete. */
  readonly begin: (request: ApiRequest) => (code: number, bytes: number) => void;
  /** A failure that nobody threw on purpose. */
  readonly unexpected: (request: ApiRequest, error: unknown) => void;
}

/**
 * THE REQUEST PATH. Every request takes these stages in this order, whatever its transport. What is not let through
 * before `handle` has changed nothing.
 */
export function requestPath(parts: RequestPathParts): HttpHandler {
  return async (http, response) => {
    const request = new ApiRequest(http, response, http.headers['audit-id']?.toString() || parts.newId());
    const done = parts.begin(request);
    let seat: Seat | undefined;
    try {
      if (parts.entrance(request)) return;
      const timeoutMs = isLongRunning(request.info) ? 0 : requestTimeout(request, parts.requestTimeoutMs);
      await bracket(request, 'authenticate', () => authenticate(request, parts));
      await bracket(request, 'audit', () => beginAudit(request, parts));
      if (hasImpersonation(request)) {
        await bracket(request, 'impersonate', () => parts.impersonate(request, parts.authorizer));
      }
      seat = await bracket(request, 'flow-control', () => enter(request, parts));
      await bracket(request, 'authorize', () => authorize(request, parts));
      await bracket(request, 'handle', () => handle(request, parts, seat, timeoutMs));
    } catch (e) {
      if (e instanceof TimeUp) sendTimeUp(request);
      else {
        if (isUnexpected(e)) parts.unexpected(request, e);
        await sendError(request, e);
      }
    } finally {
      seat?.release();
      await request.audit?.complete(response.status);
      done(response.status, response.bytesWritten);
    }
  };
}

async function authenticate(request: ApiRequest, { identify, auditor }: RequestPathParts): Promise<Authenticated> {
  const { http } = request;
  const vouched = injectedUser(http);
  if (vouched) {
    request.user = vouched;
    return { user: vouched, via: 'inject' };
  }
  const credentials = credentialsOf(http);
  let found: Authenticated;
  try {
    found = await identify(credentials);
  } catch (e) {
    auditor?.authenticationFailed(auditRequest(request), attemptedCredentials(credentials), 401);
    throw e;
  }
  // Whoever comes after must not see what proved the identity.
  delete http.headers.authorization;
  request.user = found.user;
  for (const text of found.warnings ?? []) request.warn(text);
  request.authAnnotations = found.annotations;
  return found;
}

async function beginAudit(request: ApiRequest, { auditor }: RequestPathParts): Promise<void> {
  request.audit = auditor?.begin(auditRequest(request));
  for (const [key, value] of Object.entries(request.authAnnotations ?? {})) request.annotate(key, value);
  await request.audit?.stored;
}

function auditRequest(request: ApiRequest): AuditRequest {
  const { http } = request;
  const forwarded = [http.headers['x-forwarded-for'], http.headers['x-real-ip']].flatMap((h) =>
    h ? `${h}`.split(',') : [],
  );
  return {
    auditID: request.id,
    attributes: request.attributes,
    requestURI: http.query ? `${http.path}?${http.query}` : http.path,
    userAgent: request.userAgent,
    sourceIPs: [...new Set([...forwarded.map((a) => a.trim()), http.remoteAddress])].filter((a) => a !== ''),
    receivedAt: performance.timeOrigin + request.started,
  };
}

function hasImpersonation(request: ApiRequest): boolean {
  for (const name in request.http.headers) if (name.startsWith('impersonate-')) return true;
  return false;
}

async function enter(request: ApiRequest, { flowControl }: RequestPathParts): Promise<Seat> {
  const entered = flowControl.enter(new RequestedFlow(request));
  const seat = entered instanceof Promise ? await entered : entered;
  const { flowSchemaUID, priorityLevelUID } = seat;
  if (flowSchemaUID !== undefined && priorityLevelUID !== undefined) {
    Object.assign(request.headers, flowHeaders({ flowSchemaUID, priorityLevelUID }));
  }
  return seat;
}

async function authorize(request: ApiRequest, { authorizer, forbidden }: RequestPathParts) {
  const { attributes } = request;
  const decided = authorizer.authorize(attributes);
  const decision = decided instanceof Promise ? await decided : decided;
  if (decision.verdict !== 'Allow' && decision.error) {
    request.annotate('authorization.k8s.io/reason', 'internal error');
    throw internalError(decision.error);
  }
  request.annotate('authorization.k8s.io/decision', decision.verdict === 'Allow' ? 'allow' : 'forbid');
  request.annotate('authorization.k8s.io/reason', decision.reason);
  if (decision.verdict !== 'Allow') throw forbidden(attributes, decision.reason);
  return decision;
}

/** Upstream gives no write, with all that it asks others, more than this. */
const MAX_WRITE_MS = 34_000;

async function handle(
  request: ApiRequest,
  parts: RequestPathParts,
  seat: Seat | undefined,
  timeoutMs: number,
): Promise<void> {
  let answered: Promise<boolean>;
  if (isLongRunning(request.info)) answered = run(request, parts.routes, seat);
  else {
    request.deadline = performance.now() + Math.min(timeoutMs, MAX_WRITE_MS);
    answered = within(timeoutMs, run(request, parts.routes, seat));
  }
  if (!(await answered)) throw notServed();
}

async function run(request: ApiRequest, routes: readonly Route[], seat: Seat | undefined): Promise<boolean> {
  if (isLongRunning(request.info)) seat?.initialized();
  for (const route of routes) {
    const answered = route(request);
    if (typeof answered === 'boolean' ? answered : await answered) return true;
  }
  return false;
}

function notServed(): StatusError {
  return new StatusError(404, 'NotFound', 'the server could not find the requested resource', {});
}
