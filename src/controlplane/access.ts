import { randomBytes } from 'node:crypto';
import { type Authentication, buildAuthentication } from '../auth/authentication/build.js';
import type { FileSource } from '../auth/authentication/contract.js';
import { fileSystem } from '../auth/authentication/files.js';
import { undiciConnector } from '../auth/authentication/http.js';
import { createImpersonator } from '../auth/authentication/impersonation/impersonate.js';
import { celCompiler } from '../auth/authentication/oidc/cel-compiler.js';
import type { AuthenticationOptions } from '../auth/authentication/options.js';
import { type Authorization, buildAuthorization } from '../auth/authorization/authorization.js';
import { compileMatchConditions } from '../auth/authorization/cel-match-conditions.js';
import { RbacIndex } from '../auth/authorization/rbac/rbac-index.js';
import type { Material } from '../auth/pki/material.js';
import type { Environment } from '../registry/context.js';
import type { LocalClient } from '../registry/local-client.js';
import type { Auditor } from '../server/audit/contract.js';
import { type AuditOptions, buildAuditor, DEFAULT_AUDIT_OPTIONS } from '../server/audit/options.js';
import type { FlowControl } from '../server/flowcontrol/contract.js';
import { buildFlowControl, validateFlowControlOptions } from '../server/flowcontrol/flow-control.js';
import type { RequestPathParts } from '../server/request-path.js';
import { systemClock } from '../storage/clock.js';
import type { ControlPlaneOptions } from './options.js';

export interface Access {
  readonly authentication: Authentication;
  readonly authorization: Authorization;
  readonly rbacIndex: RbacIndex;
  readonly flowControl: FlowControl;
  /** Undefined when no audit policy is set. */
  readonly auditor: Auditor | undefined;
  readonly impersonate: RequestPathParts['impersonate'];
  close(): Promise<void>;
}

export interface AccessParts {
  readonly options: ControlPlaneOptions;
  readonly material: Material;
  readonly client: LocalClient;
  readonly env: Environment;
  readonly log: NonNullable<ControlPlaneOptions['log']>;
  /** The authorities that clients may come from have changed. */
  clientCaChanged(): void;
}

const ISSUER = 'https://kubernetes.default.svc.cluster.local';
/** Paths of keys and certificates that are held in memory or in the data directory. */
const OWN = 'porthole:';

/** Who may come in and what they may do. */
export async function openAccess(parts: AccessParts): Promise<Access> {
  const { client, env, log, options } = parts;
  const authentication = await buildAuthentication(authenticationOptions(parts), {
    clock: systemClock,
    random: randomBytes,
    uuid: env.uuid,
    files: withOwnFiles(parts.material),
    objects: client,
    feed: client,
    connect: undiciConnector,
    expressions: celCompiler,
    log,
    clientCaChanged: parts.clientCaChanged,
  });
  const rbacIndex = new RbacIndex();
  await rbacIndex.follow(client);
  const authorization = await buildAuthorization(
    {
      modes: ['Node', 'RBAC'],
      webhookVersion: 'v1beta1',
      webhookAuthorizedTtl: 300_000,
      webhookUnauthorizedTtl: 30_000,
      given: new Set(),
      ...options.authorization,
    },
    {
      feed: client,
      rbacIndex,
      readFile: fileSystem.read,
      watchFile: fileSystem.watch,
      connect: undiciConnector,
      now: systemClock.now,
      sleep: (ms) => new Promise((wake) => systemClock.setTimeout(() => wake(), ms)),
      compileMatchConditions,
      gate: env.gate,
      log,
    },
  );
  const impersonator = createImpersonator({
    authorizer: authorization.authorizer,
    constrained: env.gate('ConstrainedImpersonation'),
  });
  const flow = {
    enablePriorityAndFairness: options.priorityAndFairness ?? true,
    maxRequestsInflight: options.maxRequestsInflight ?? 400,
    maxMutatingRequestsInflight: options.maxMutatingRequestsInflight ?? 200,
    requestTimeoutMs: options.requestTimeoutMs ?? 60_000,
  };
  refuseFaults(validateFlowControlOptions(flow));
  const flowControl = await buildFlowControl(flow, { feed: client, clock: systemClock });
  const auditor = await openAudit(parts);
  return {
    authentication,
    authorization,
    rbacIndex,
    flowControl,
    auditor,
    async impersonate(request) {
      const found = await impersonator(request.http.headers, request.attributes);
      if (!found) return;
      request.audit?.impersonating(found.user);
      request.user = found.user;
    },
    async close() {
      authentication.close();
      authorization.close();
      flowControl.close();
      await auditor?.close();
    },
  };
}

function refuseFaults(errors: readonly string[]): void {
  if (errors.length > 0) throw new Error(errors.length === 1 ? errors[0] : `[${errors.join(', ')}]`);
}

function openAudit({ options, log }: AccessParts): Promise<Auditor | undefined> {
  const { audit } = options;
  const merged: AuditOptions = {
    policyFile: audit?.policyFile,
    log: { ...DEFAULT_AUDIT_OPTIONS.log, ...audit?.log },
    webhook: { ...DEFAULT_AUDIT_OPTIONS.webhook, ...audit?.webhook },
  };
  return buildAuditor(merged, {
    readFile: fileSystem.read,
    standardOutput: {
      write: (text) => new Promise((resolve) => process.stdout.write(text, () => resolve())),
      close: async () => {},
    },
    connect: undiciConnector,
    clock: systemClock,
    now: () => performance.timeOrigin + performance.now(),
    log,
  });
}

/** The client's options, and the own authority, keys and issuer where it names none. */
function authenticationOptions({ options }: AccessParts): AuthenticationOptions {
  const given = options.authentication ?? {};
  const ownTokens = !given.serviceAccountSigningKeyFile;
  return {
    ...given,
    clientCaFile: given.clientCaFile ?? `${OWN}ca.crt`,
    serviceAccountIssuer: given.serviceAccountIssuer ?? [ISSUER],
    serviceAccountSigningKeyFile: given.serviceAccountSigningKeyFile ?? `${OWN}sa.key`,
    serviceAccountKeyFile: given.serviceAccountKeyFile ?? (ownTokens ? [`${OWN}sa.pub`] : undefined),
    enableBootstrapTokenAuth: given.enableBootstrapTokenAuth ?? true,
    authorizationMode: options.authorization?.modes,
  };
}

function withOwnFiles(material: Material): FileSource {
  const own: Record<string, string> = {
    [`${OWN}ca.crt`]: material.ca.cert,
    [`${OWN}sa.key`]: material.serviceAccount.key,
    [`${OWN}sa.pub`]: material.serviceAccount.pub,
  };
  return {
    read(path) {
      const text = own[path];
      return text === undefined ? fileSystem.read(path) : Buffer.from(text);
    },
    watch: (path, changed) => (own[path] === undefined ? fileSystem.watch(path, changed) : () => {}),
  };
}
