import { dirname, resolve as resolvePath } from 'node:path';
import type { HttpConnector } from '../../auth/authentication/http.js';
import { readWebhookTarget } from '../../auth/pki/webhook-target.js';
import { goQuote } from '../../machinery/go-format.js';
import type { Clock } from '../../storage/clock.js';
import { createAuditor } from './auditor.js';
import {
  BatchingBackend,
  type BatchOptions,
  type LineSink,
  logBackend,
  truncating,
  webhookBackend,
} from './backends.js';
import type { AuditBackend, AuditObserver, Auditor } from './contract.js';
import { type AuditPolicy, parseAuditPolicy } from './policy.js';
import { RotatingFile } from './rotating-file.js';

/** The auditing flags, times in milliseconds; names are those of the flags without `--audit-`. */
export interface AuditOptions {
  readonly policyFile?: string;
  readonly log: AuditLogOptions;
  readonly webhook: AuditWebhookOptions;
}
export interface BackendOptions {
  /** `batch`, `blocking` or `blocking-strict`. */
  readonly mode: string;
  readonly batchBufferSize: number;
  readonly batchMaxSize: number;
  readonly batchMaxWait: number;
  readonly batchThrottleEnable: boolean;
  readonly batchThrottleQps: number;
  readonly batchThrottleBurst: number;
  readonly truncateEnabled: boolean;
  readonly truncateMaxBatchSize: number;
  readonly truncateMaxEventSize: number;
  readonly version: string;
}
export interface AuditLogOptions extends BackendOptions {
  /** `-` is the standard output. */
  readonly path?: string;
  /** Days. */
  readonly maxage: number;
  readonly maxbackup: number;
  /** Megabytes. */
  readonly maxsize: number;
  readonly format: string;
  readonly compress: boolean;
}
export interface AuditWebhookOptions extends BackendOptions {
  readonly configFile?: string;
  readonly initialBackoff: number;
}

const TRUNCATE = {
  truncateEnabled: false,
  truncateMaxBatchSize: 10 * 1024 * 1024,
  truncateMaxEventSize: 100 * 1024,
  version: 'audit.k8s.io/v1',
};

export const DEFAULT_AUDIT_OPTIONS: AuditOptions = {
  log: {
    ...TRUNCATE,
    mode: 'blocking',
    batchBufferSize: 10_000,
    batchMaxSize: 1,
    batchMaxWait: 0,
    batchThrottleEnable: false,
    batchThrottleQps: 0,
    batchThrottleBurst: 0,
    maxage: 366,
    maxbackup: 100,
    maxsize: 100,
    format: 'json',
    compress: false,
  },
  webhook: {
    ...TRUNCATE,
    mode: 'batch',
    batchBufferSize: 10_000,
    batchMaxSize: 400,
    batchMaxWait: 30_000,
    batchThrottleEnable: true,
    batchThrottleQps: 10,
    batchThrottleBurst: 15,
    initialBackoff: 10_000,
  },
};

export interface AuditDependencies {
  /** Throws the file system's error. */
  readonly readFile: (path: string) => Buffer;
  readonly standardOutput: LineSink;
  readonly connect: HttpConnector;
  readonly clock: Clock;
  /** Milliseconds since the epoch with fractions. */
  readonly now: () => number;
  readonly observer?: AuditObserver;
  readonly log: (level: 'warning' | 'info', message: string) => void;
}

const MODES = ['batch', 'blocking', 'blocking-strict'];

/** What is wrong with the flags, in the words of kube-apiserver; empty when nothing is. */
export function validateAuditOptions({ log, webhook }: AuditOptions): string[] {
  const errors: string[] = [];
  if (log.path) {
    errors.push(...backendErrors('log', log));
    if (log.format !== 'json' && log.format !== 'legacy') {
      errors.push(`invalid audit log format ${log.format}, allowed formats are "legacy,json"`);
    }
    for (const name of ['maxage', 'maxbackup', 'maxsize'] as const) {
      if (log[name] < 0) errors.push(`--audit-log-${name} ${log[name]} can't be a negative number`);
    }
  }
  if (webhook.configFile) errors.push(...backendErrors('webhook', webhook));
  return errors;
}

function backendErrors(name: string, o: BackendOptions): string[] {
  const errors: string[] = [];
  const batch = batchError(name, o);
  if (batch) errors.push(batch);
  const truncate = `invalid audit truncate ${name}`;
  if (o.truncateMaxEventSize <= 0) {
    errors.push(`${truncate} max event size ${o.truncateMaxEventSize}, must be a positive number`);
  } else if (o.truncateMaxBatchSize < o.truncateMaxEventSize) {
    const sizes = `${o.truncateMaxBatchSize}, must be greater than max event size (${o.truncateMaxEventSize})`;
    errors.push(`${truncate} max batch size ${sizes}`);
  }
  if (o.version !== 'audit.k8s.io/v1') {
    errors.push('invalid group version, allowed versions are [{"audit.k8s.io" "v1"}]');
  }
  return errors;
}

function batchError(name: string, o: BackendOptions): string | undefined {
  if (!MODES.includes(o.mode)) {
    return `invalid audit ${name} mode ${o.mode}, allowed modes are ${goQuote(MODES.join(','))}`;
  }
  if (o.mode !== 'batch') return undefined;
  const positive = (what: string, value: number) =>
    value > 0 ? undefined : `invalid audit batch ${name} ${what} ${value}, must be a positive number`;
  return (
    positive('buffer size', o.batchBufferSize) ??
    positive('max batch size', o.batchMaxSize) ??
    (o.batchThrottleEnable
      ? (positive('throttle QPS', o.batchThrottleQps) ?? positive('throttle burst', o.batchThrottleBurst))
      : undefined)
  );
}

/**
 * Makes what the flags ask for; undefined when nothing is to be recorded, so that requests pay nothing.
 * @throws Error for flags, a policy or files that can't be used
 */
export async function buildAuditor(options: AuditOptions, deps: AuditDependencies): Promise<Auditor | undefined> {
  const errors = validateAuditOptions(options);
  if (errors.length > 0) throw new Error(errors.length === 1 ? errors[0] : `[${errors.join(', ')}]`);
  const { log, webhook, policyFile } = options;
  if (!policyFile) {
    if (log.path) deps.log('info', 'No audit policy file provided, no events will be recorded for log backend');
    if (webhook.configFile) {
      deps.log('info', 'No audit policy file provided, no events will be recorded for webhook backend');
    }
    return undefined;
  }
  const policy = loadPolicy(policyFile, deps);
  const backends: AuditBackend[] = [];
  const strict = new Set<string>();
  const add = (backend: AuditBackend, o: BackendOptions, concurrent: boolean) => {
    if (o.mode === 'blocking-strict') strict.add(backend.name);
    const batched =
      o.mode === 'batch'
        ? new BatchingBackend(backend, batchOptions(o, concurrent), deps.clock, deps.observer)
        : backend;
    const sizes = { maxEventSize: o.truncateMaxEventSize, maxBatchSize: o.truncateMaxBatchSize };
    backends.push(o.truncateEnabled ? truncating(batched, sizes, deps.observer) : batched);
  };
  if (log.path) add(logBackend(await openLog(log, deps), log.format as 'json' | 'legacy'), log, false);
  if (webhook.configFile) add(openWebhook(webhook, deps), webhook, true);
  if (backends.length === 0) return undefined;
  return createAuditor({ policy, backends, strict, now: deps.now, observer: deps.observer });
}

function loadPolicy(path: string, { readFile, log }: AuditDependencies): AuditPolicy {
  let text: string;
  try {
    text = readFile(path).toString('utf8');
  } catch (e) {
    const message = `failed to read file path ${goQuote(path)}: ${(e as Error).message}`;
    throw new Error(`loading audit policy file: ${message}`, { cause: e });
  }
  try {
    return parseAuditPolicy(text, (message) => log('warning', message));
  } catch (e) {
    throw new Error(`loading audit policy file: ${(e as Error).message}: from file ${path}`, { cause: e });
  }
}

function batchOptions(o: BackendOptions, concurrent: boolean): BatchOptions {
  return {
    bufferSize: o.batchBufferSize,
    maxBatchSize: o.batchMaxSize,
    maxBatchWait: o.batchMaxWait,
    concurrent,
    ...(o.batchThrottleEnable ? { throttle: { qps: o.batchThrottleQps, burst: o.batchThrottleBurst } } : {}),
  };
}

async function openLog(o: AuditLogOptions, { standardOutput, now }: AuditDependencies): Promise<LineSink> {
  if (o.path === '-') return standardOutput;
  const file = new RotatingFile({
    path: o.path!,
    maxSize: o.maxsize * 1024 * 1024,
    maxAge: o.maxage,
    maxBackups: o.maxbackup,
    compress: o.compress,
    now,
  });
  await file.open();
  return file;
}

function openWebhook(o: AuditWebhookOptions, { readFile, connect, clock }: AuditDependencies): AuditBackend {
  const target = readWebhookTarget(o.configFile!, readFile, (base, file) => resolvePath(dirname(base), file));
  const client = connect({
    ca: target.ca,
    cert: target.clientCertificate,
    key: target.clientKey,
    serverName: target.serverName,
    insecure: target.insecure,
  });
  return webhookBackend({
    client,
    url: target.url,
    authorization: target.authorization,
    initialBackoff: o.initialBackoff,
    sleep: (ms) => new Promise((resolve) => clock.setTimeout(resolve, ms)),
  });
}
