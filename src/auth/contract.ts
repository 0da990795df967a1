import type { JsonObject } from '../machinery/json.js';

/** Who a request comes from, as authentication established it. */
export interface UserInfo {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** What an authenticator may look at. Never logged. */
export interface Credentials {
  readonly authorization: string | undefined;
  /**
   * Lower-cased header name → values, for front proxy, impersonation and WebSocket headers. A header that came more than
   * once is a list: a group name may hold a comma, so joined values can't be told apart again, and are never split here.
   */
  readonly headers: HeaderValues;
  /** Decoded path of the request, '' when there is no request; anonymous requests may be limited to some paths. */
  readonly path: string;
  /** DER of the verified-or-not client certificate chain's leaf, and its chain, as TLS delivered it. */
  readonly peerCertificate: PeerCertificate | undefined;
  /** The audiences a token must be meant for, one of them; the API server's own when absent. Set by TokenReview. */
  readonly audiences?: readonly string[];
}
export type HeaderValues = Readonly<Record<string, string | readonly string[] | undefined>>;
export interface PeerCertificate {
  readonly raw: Buffer;
  /** Intermediates the client sent, DER, leaf excluded. */
  readonly chain: readonly Buffer[];
}

export interface Authenticated {
  readonly user: UserInfo;
  /** Audiences the credential is valid for, when it names any. */
  readonly audiences?: readonly string[];
  /** Name of the authenticator, for explanations and metrics. */
  readonly via: string;
  /** Annotations for the audit record. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Texts of `Warning: 299` response headers. */
  readonly warnings?: readonly string[];
}

/**
 * One way to tell who somebody is. `undefined`: these credentials are not mine, ask the next. A throw means mine, but
 * wrong: the union goes on, and answers 401 when nobody accepts.
 */
export interface RequestAuthenticator {
  readonly name: string;
  authenticate(credentials: Credentials): Promise<Authenticated | undefined> | Authenticated | undefined;
}

/** What somebody wants to do: the input of every authorizer. */
export interface Attributes {
  readonly user: UserInfo;
  readonly verb: string;
  readonly isResourceRequest: boolean;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly path: string;
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
}

export type Verdict = 'Allow' | 'Deny' | 'NoOpinion';
export interface Decision {
  readonly verdict: Verdict;
  /** Shown to the client on denial, and written to the audit log. */
  readonly reason: string;
  /** Which authorizer decided; with RBAC also rule and binding, as data for explanations. */
  readonly by?: string;
  readonly evidence?: JsonObject;
  readonly error?: string;
}
export interface Authorizer {
  readonly name: string;
  authorize(attributes: Attributes): Promise<Decision> | Decision;
}

export const ANONYMOUS = 'system:anonymous';
export const AUTHENTICATED_GROUP = 'system:authenticated';
export const UNAUTHENTICATED_GROUP = 'system:unauthenticated';
export const MASTERS_GROUP = 'system:masters';
