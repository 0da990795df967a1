import type { Attributes, UserInfo } from '../../auth/contract.js';
import type { StatusDetails } from '../../machinery/errors.js';
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

/** The record of one request. Objects are put into text when they come, so that they may change later. */
export interface AuditRecord {
  readonly level: AuditLevel;
  /**
   * Set when RequestReceived must be stored before the request goes on (blocking modes): wait for it. Rejects with a 500
   * StatusError when it could not be, and the mode is blocking-strict.
   */
  readonly stored: Promise<void> | undefined;
  /** The first value of a key stays; a different second one is dropped. */
  annotate(key: string, value: string): void;
  /** `constraint`: the verb of a constrained impersonation. */
  impersonating(user: UserInfo, constraint?: string): void;
  /** The body as the client sent it, decoded, at the version it spoke. Completes objectRef for creates without a name. */
  requestObject(object: JsonObject): void;
  /** A patch as sent: parsed JSON, or `undefined` when it is none. */
  patch(patch: JsonValue | undefined): void;
  /** Headers are out and the body may be long in coming: watches, logs, exec. For long-running requests only. */
  responseStarted(code: number): void;
  /** The object or Status that answered, before encoding. Call before `complete`. */
  responseObject(object: JsonObject): void;
  /** The request is over, once. `code` undefined: the connection was closed before anything was answered. */
  complete(code: number | undefined): Promise<void> | void;
  /** Handling failed without an answer of its own; instead of `complete`. */
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

/** JSON as text. */
export type JsonText = string;

/** audit.k8s.io/v1 Event, fields in output order. Immutable. */
export interface AuditEvent {
  readonly level: AuditLevel;
  readonly auditID: string;
  readonly stage: AuditStage;
  readonly requestURI: string;
  readonly verb: string;
  readonly user: UserInfo | undefined;
  readonly impersonatedUser: UserInfo | undefined;
  readonly impersonationConstraint: string | undefined;
  readonly sourceIPs: readonly string[];
  readonly userAgent: string;
  readonly objectRef: ObjectReference | undefined;
  readonly responseStatus: ResponseStatus | undefined;
  readonly requestObject: JsonText | undefined;
  readonly responseObject: JsonText | undefined;
  /** RFC 3339 with microseconds. */
  readonly requestReceivedTimestamp: string;
  readonly stageTimestamp: string;
  readonly annotations: ReadonlyMap<string, string> | undefined;
}

/** The bounded fields of a Status. */
export interface ResponseStatus {
  readonly status?: string;
  readonly message?: string;
  readonly reason?: string;
  readonly details?: StatusDetails;
  readonly code?: number;
}

export interface ObjectReference {
  readonly resource?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly uid?: string;
  readonly apiGroup?: string;
  readonly apiVersion?: string;
  readonly resourceVersion?: string;
  readonly subresource?: string;
}

/** Takes events to where they are kept. */
export interface AuditBackend {
  readonly name: string;
  /** Resolves when the events are kept, rejects when they could not be. A backend that buffers returns nothing. */
  process(events: readonly AuditEvent[]): Promise<void> | undefined;
  /** Writes out what is buffered and closes files and connections. */
  close(): Promise<void>;
}

/** Told about events, for metrics and the server's own log. */
export interface AuditObserver {
  /** A request was put on this level by the policy. */
  level?(level: AuditLevel): void;
  event?(): void;
  /** Events were lost. */
  failed?(backend: string, error: Error, events: number): void;
  /** A request was refused since its event could not be stored. */
  refused?(): void;
}
