import type { AuditBackend, AuditEvent, AuditObserver, Auditor, AuditRecord, AuditRequest } from './contract.js';
import type { AuditPolicy } from './policy.js';
import { policyEvaluator } from './policy.js';
import { RequestRecord } from './record.js';

export interface AuditorParts {
  readonly policy: AuditPolicy;
  readonly backends: readonly AuditBackend[];
  /** Names of the backends whose failure to store RequestReceived fails the request (`blocking-strict`). */
  readonly strict: ReadonlySet<string>;
  /** Milliseconds since the epoch, fractions are microseconds. */
  readonly now: () => number;
  readonly observer?: AuditObserver;
}

/** Evaluates the policy once a request, and hands events to all backends. */
export function createAuditor({ policy, backends, strict, now, observer }: AuditorParts): Auditor {
  const evaluate = policyEvaluator(policy);
  const anyStrict = backends.some((b) => strict.has(b.name));

  /** Failures are reported; only those of strict backends reach the caller. */
  const emit = (event: AuditEvent): Promise<void> | undefined => {
    observer?.event?.();
    let waiting: Promise<void> | undefined;
    for (const backend of backends) {
      const stored = backend.process([event])?.catch((e: unknown) => {
        observer?.failed?.(backend.name, e instanceof Error ? e : new Error(String(e)), 1);
        if (!strict.has(backend.name)) return;
        if (event.stage === 'RequestReceived') observer?.refused?.();
        throw e;
      });
      if (stored) waiting = waiting ? Promise.all([waiting, stored]).then(() => {}) : stored;
    }
    return waiting;
  };
  const parts = { emit, now, strict: anyStrict };

  return {
    begin(request: AuditRequest): AuditRecord | undefined {
      const { user } = request.attributes;
      const audit = evaluate(request.attributes, user);
      observer?.level?.(audit.level);
      return audit.level === 'None' ? undefined : new RequestRecord(request, user, audit, parts);
    },

    authenticationFailed(request, attempted, code): void {
      const audit = evaluate(request.attributes, undefined);
      observer?.level?.(audit.level);
      if (audit.level === 'None') return;
      const message =
        attempted.length > 0
          ? `Authentication failed, attempted: ${attempted.join(', ')}`
          : 'Authentication failed, no credentials provided';
      new RequestRecord(request, undefined, audit, parts).unauthenticated(message, code);
    },

    async close(): Promise<void> {
      await Promise.allSettled(backends.map((b) => b.close()));
    },
  };
}
