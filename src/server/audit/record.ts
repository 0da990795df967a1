import type { UserInfo } from '../../auth/contract.js';
import { StatusError } from '../../machinery/errors.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../../machinery/json.js';
import type {
  AuditEvent,
  AuditLevel,
  AuditRecord,
  AuditRequest,
  AuditStage,
  JsonText,
  ObjectReference,
  ResponseStatus,
} from './contract.js';
import { encodeBody, microTime, withoutAccessToken } from './encode.js';
import type { RequestAudit } from './policy.js';

/** Takes an event; a promise means that storing it takes its time, and is worth waiting for. */
export type Emit = (event: AuditEvent) => Promise<void> | undefined;

const MAX_USER_AGENT = 1024;

/** Collects what becomes known of one request and emits an event at each stage that the policy wants. */
export class RequestRecord implements AuditRecord {
  readonly level: AuditLevel;
  readonly stored: Promise<void> | undefined;
  readonly #request: AuditRequest;
  readonly #user: UserInfo | undefined;
  readonly #audit: RequestAudit;
  readonly #emit: Emit;
  readonly #now: () => number;
  readonly #received: string;
  #objectRef: ObjectReference | undefined;
  #impersonated: { readonly user: UserInfo; readonly constraint: string | undefined } | undefined;
  #responseStatus: ResponseStatus | undefined;
  #requestObject: JsonText | undefined;
  #responseObject: JsonText | undefined;
  #annotations: Map<string, string> | undefined;
  #over = false;

  constructor(
    request: AuditRequest,
    user: UserInfo | undefined,
    audit: RequestAudit,
    { emit, now, strict }: { emit: Emit; now: () => number; strict: boolean },
  ) {
    this.level = audit.level;
    this.#request = request;
    this.#user = user;
    this.#audit = audit;
    this.#emit = emit;
    this.#now = now;
    this.#received = microTime(request.receivedAt);
    const { isResourceRequest, resource, namespace, name, group, version, subresource } = request.attributes;
    if (isResourceRequest) {
      this.#objectRef = reference({ resource, namespace, name, apiGroup: group, apiVersion: version, subresource });
    }
    if (user) {
      const waiting = this.#stage('RequestReceived');
      this.stored = strict ? waiting?.catch(notStored) : waiting?.catch(() => {});
      this.stored?.catch(() => {}); // whoever waits hears of it; nobody has to
    }
  }

  annotate(key: string, value: string): void {
    this.#annotations ??= new Map();
    if (!this.#annotations.has(key)) this.#annotations.set(key, value);
  }

  impersonating(user: UserInfo, constraint?: string): void {
    this.#impersonated = { user, constraint };
  }

  requestObject(object: JsonObject): void {
    const meta = isJsonObject(object.metadata) ? object.metadata : {};
    const text = (value: JsonValue | undefined) => (typeof value === 'string' ? value : '');
    const { namespace, name, uid, resourceVersion, ...known } = this.#objectRef ?? {};
    this.#objectRef = reference({
      ...known,
      namespace: namespace || text(meta.namespace),
      name: name || text(meta.name),
      uid: uid || text(meta.uid),
      resourceVersion: resourceVersion || text(meta.resourceVersion),
    });
    if (this.#keepsRequest()) this.#requestObject = encodeBody(object, this.#audit.omitManagedFields);
  }

  patch(patch: JsonValue | undefined): void {
    if (patch !== undefined && this.#keepsRequest()) this.#requestObject = encodeBody(patch, false);
  }

  responseStarted(code: number): void {
    this.#responseStatus = { ...this.#responseStatus, code };
    void this.#stage('ResponseStarted')?.catch(() => {});
  }

  responseObject(object: JsonObject): void {
    if (object.kind === 'Status' && object.apiVersion === 'v1') {
      const { status, message, reason, details, code } = object as ResponseStatus;
      this.#responseStatus = { status, message, reason, details, code };
    }
    if (this.level === 'RequestResponse') {
      this.#responseObject = encodeBody(object, this.#audit.omitManagedFields);
    }
  }

  complete(code: number | undefined): Promise<void> | undefined {
    if (code !== undefined) this.#responseStatus = { ...this.#responseStatus, code };
    else this.#responseStatus ??= { status: 'Success', message: 'Connection closed early', code: 200 };
    return this.#end('ResponseComplete');
  }

  panic(message: string): Promise<void> | undefined {
    const text = `APIServer panic'd: ${message}`;
    this.#responseStatus = { status: 'Failure', message: text, reason: 'InternalError', code: 500 };
    return this.#end('Panic');
  }

  /** Nobody accepted the credentials: the only event of such a request. */
  unauthenticated(message: string, code: number): void {
    this.#responseStatus = { message, code };
    this.#over = true;
    void this.#stage('ResponseStarted')?.catch(() => {});
  }

  #end(stage: AuditStage): Promise<void> | undefined {
    if (this.#over) return undefined;
    this.#over = true;
    return this.#stage(stage)?.catch(() => {});
  }

  #keepsRequest(): boolean {
    return this.level === 'Request' || this.level === 'RequestResponse';
  }

  #stage(stage: AuditStage): Promise<void> | undefined {
    if (this.#audit.omitStages.has(stage)) return undefined;
    const { auditID, attributes, requestURI, userAgent, sourceIPs } = this.#request;
    return this.#emit({
      level: this.level,
      auditID,
      stage,
      requestURI: withoutAccessToken(requestURI),
      verb: attributes.verb,
      user: this.#user,
      impersonatedUser: this.#impersonated?.user,
      impersonationConstraint: this.#impersonated?.constraint,
      sourceIPs,
      userAgent: userAgent.length > MAX_USER_AGENT ? `${userAgent.slice(0, MAX_USER_AGENT)}...TRUNCATED` : userAgent,
      objectRef: this.#objectRef,
      responseStatus: this.#responseStatus,
      requestObject: this.#requestObject,
      responseObject: this.#responseObject,
      requestReceivedTimestamp: this.#received,
      stageTimestamp: stage === 'RequestReceived' ? this.#received : microTime(this.#now()),
      annotations: this.#annotations && new Map(this.#annotations),
    });
  }
}

function notStored(): never {
  throw new StatusError(500, 'InternalError', 'Internal Server Error: failed to store audit event');
}

/** Fields in the order of the API, empty ones left out. */
function reference(fields: ObjectReference): ObjectReference {
  const out: Record<string, string> = {};
  for (const name of REFERENCE_FIELDS) if (fields[name]) out[name] = fields[name];
  return out;
}
const REFERENCE_FIELDS = [
  'resource',
  'namespace',
  'name',
  'uid',
  'apiGroup',
  'apiVersion',
  'resourceVersion',
  'subresource',
] as const;
