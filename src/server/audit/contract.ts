import type { Attributes, UserInfo } from '../../auth/contract.js';
import type { Status } from '../../machinery/errors.js';
import type { JsonObject, JsonValue } from '../../machinery/json.js';

export type AuditLevel = 'None' | 'Metadata' | 'Request' | 'RequestResponse';
export type AuditStage = 'RequestReceived' | 'ResponseStarted' | 'ResponseComplete' | 'Panic';

/** What is known of a request when its record begins. */
export interface AuditRequest {
  readonly auditID: string;
  /** Who, after authentication and before impersonation, and what. */
  readonly attributes: Attributes;
  /** Path and query as the client sent them. */
  readonly requestURI: string;
  readonly userAgent: string;
  /** X-Forwarded-For and X-Real-Ip first, then the peer's address. */
  readonly sourceIPs: readonly string[];
  /** Milliseconds since the epoch, fractions of them are microseconds. */
  readonly receivedAt: number;
}

/** The record of one request. Every method is cheap and keeps references: objects handed in must not change later. */
export interface AuditRecord {
  readonly level: AuditLevel;
  /** The first value of a key stays; a different second one is dropped. */
  annotate(key: string, value: string): void;
  impersonating(user: UserInfo): void;
  /** The body as the client sent it, decoded, at the version it spoke. Completes objectRef for creates without a name. */
  requestObject(object: JsonObject): void;
  /** A patch as sent: parsed JSON, or `undefined` when it is none. */
  patch(patch: JsonValue | undefined): void;
  /** Headers are out and the body may be long in coming: watches, logs, exec. */
  responseStarted(code: number): void;
  /** The object or Status that answered, before encoding. Call before `complete`. */
  responseObject(object: JsonObject): void;
  complete(code: number): Promise<void> | void;
  panic(message: string): Promise<void> | void;
}

export interface Auditor {
  /** Undefined when nothing of this request is recorded. Emits RequestReceived when the policy wants that stage. */
  begin(request: AuditRequest): AuditRecord | undefined;
  /** A request that no authenticator accepted; `attempted` are the kinds of credentials it carried, never their values. */
  authenticationFailed(request: AuditRequest, attempted: readonly string[], code: number): void;
  /** Writes out what is buffered and closes files and connections. */
  close(): Promise<void>;
}

/** audit.k8s.io/v1 Event, fields in output order. */
export interface AuditEvent {
  kind: 'Event';
  apiVersion: 'audit.k8s.io/v1';
  level: AuditLevel;
  auditID: string;
  stage: AuditStage;
  requestURI: string;
  verb: string;
  user: JsonObject;
  impersonatedUser?: JsonObject;
  sourceIPs?: string[];
  userAgent?: string;
  objectRef?: ObjectReference;
  responseStatus?: Omit<Status, 'kind' | 'apiVersion' | 'status' | 'code'> & { status?: string; code?: number };
  requestObject?: JsonValue;
  responseObject?: JsonValue;
  requestReceivedTimestamp: string;
  stageTimestamp: string;
  annotations?: Record<string, string>;
}

export interface ObjectReference {
  resource?: string;
  namespace?: string;
  name?: string;
  uid?: string;
  apiGroup?: string;
  apiVersion?: string;
  resourceVersion?: string;
  subresource?: string;
}

/** Takes events to where they are kept. `process` may be called from the request path and must not throw. */
export interface AuditBackend {
  readonly name: string;
  process(events: readonly AuditEvent[]): Promise<void> | void;
  close(): Promise<void>;
}
