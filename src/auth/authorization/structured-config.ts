import { isAbsolute } from 'node:path';
import {
  duplicate,
  type FieldError,
  invalidValue,
  notSupported,
  Path,
  required,
  tooMany,
} from '../../machinery/field.js';
import type { JsonObject } from '../../machinery/json.js';
import { decodeConfigFile, durationMs, goDuration } from './config-file.js';

export const MODES = ['AlwaysAllow', 'AlwaysDeny', 'ABAC', 'Webhook', 'RBAC', 'Node'] as const;
export type Mode = (typeof MODES)[number];

/** One entry of an AuthorizationConfiguration, defaults applied. */
export interface AuthorizerConfig {
  readonly type: string;
  readonly name: string;
  readonly webhook?: WebhookConfig;
}
export interface WebhookConfig {
  /** Milliseconds. */
  readonly authorizedTTL: number;
  readonly cacheAuthorizedRequests: boolean;
  readonly unauthorizedTTL: number;
  readonly cacheUnauthorizedRequests: boolean;
  readonly timeout: number;
  readonly subjectAccessReviewVersion: string;
  readonly matchConditionSubjectAccessReviewVersion: string;
  readonly failurePolicy: string;
  readonly connectionInfo: { readonly type: string; readonly kubeConfigFile?: string };
  readonly matchConditions: readonly { readonly expression: string }[];
}

/** Makes a test of the `request` of matchConditions. Throws an Error whose message says what is wrong with one. */
export type CompileMatchConditions = (expressions: readonly string[]) => (request: JsonObject) => boolean;

const VERSIONS = ['v1', 'v1beta1', 'v1alpha1'].map((version) => `apiserver.config.k8s.io/${version}`);
const SHAPE = {
  authorizers: [
    {
      type: 'string',
      name: 'string',
      webhook: {
        authorizedTTL: 'string',
        cacheAuthorizedRequests: 'boolean',
        unauthorizedTTL: 'string',
        cacheUnauthorizedRequests: 'boolean',
        timeout: 'string',
        subjectAccessReviewVersion: 'string',
        matchConditionSubjectAccessReviewVersion: 'string',
        failurePolicy: 'string',
        connectionInfo: { type: 'string', kubeConfigFile: 'string' },
        matchConditions: [{ expression: 'string' }],
      },
    },
  ],
} as const;

/** Reads the file of `--authorization-config`. @throws Error for anything but an AuthorizationConfiguration */
export function parseAuthorizationConfiguration(text: string): AuthorizerConfig[] {
  const value = decodeConfigFile(text, 'AuthorizationConfiguration', VERSIONS, SHAPE);
  return ((value.authorizers ?? []) as JsonObject[]).map(({ type = '', name = '', webhook }) => ({
    type: String(type),
    name: String(name),
    ...(webhook ? { webhook: withDefaults(webhook as JsonObject) } : {}),
  }));
}

function withDefaults(raw: JsonObject): WebhookConfig {
  const text = (name: string) => (typeof raw[name] === 'string' ? raw[name] : '');
  const ms = (name: string): number => {
    const parsed = text(name) === '' ? 0 : durationMs(text(name));
    if (parsed === undefined) throw new Error(`${name}: time: invalid duration ${JSON.stringify(text(name))}`);
    return parsed;
  };
  const { type = '', kubeConfigFile } = (raw.connectionInfo ?? {}) as { type?: string; kubeConfigFile?: string };
  return {
    authorizedTTL: ms('authorizedTTL') || 300_000,
    cacheAuthorizedRequests: raw.cacheAuthorizedRequests !== false,
    unauthorizedTTL: ms('unauthorizedTTL') || 30_000,
    cacheUnauthorizedRequests: raw.cacheUnauthorizedRequests !== false,
    timeout: ms('timeout'),
    subjectAccessReviewVersion: text('subjectAccessReviewVersion'),
    matchConditionSubjectAccessReviewVersion: text('matchConditionSubjectAccessReviewVersion'),
    failurePolicy: text('failurePolicy'),
    connectionInfo: { type, ...(kubeConfigFile !== undefined ? { kubeConfigFile } : {}) },
    matchConditions: ((raw.matchConditions ?? []) as { expression?: string }[]).map((c) => ({
      expression: c.expression ?? '',
    })),
  };
}

const DNS_NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const DNS_TEXT =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

export interface ValidationDependencies {
  /** Throws the file system's error. */
  readonly readFile: (path: string) => Buffer;
  /** Absent: matchConditions are refused. */
  readonly compileMatchConditions?: CompileMatchConditions;
}

/** What is wrong with a configuration, in the order and words of kube-apiserver. */
export function validateAuthorizationConfiguration(
  authorizers: readonly AuthorizerConfig[],
  { readFile, compileMatchConditions }: ValidationDependencies,
): FieldError[] {
  const errors: FieldError[] = [];
  const list = new Path('authorizers');
  if (authorizers.length === 0) errors.push(required(list, 'at least one authorization mode must be defined'));
  const types = new Set<string>();
  const names = new Set<string>();
  for (const [i, { type, name, webhook }] of authorizers.entries()) {
    const at = list.index(i);
    const fault =
      type === ''
        ? required(at.child('type'))
        : !MODES.includes(type as Mode)
          ? notSupported(at.child('type'), type, [...MODES].sort())
          : types.has(type) && type !== 'Webhook'
            ? duplicate(at.child('type'), type)
            : undefined;
    if (fault) {
      errors.push(fault);
      continue;
    }
    types.add(type);
    if (name === '') errors.push(required(at.child('name')));
    else if (names.has(name)) errors.push(duplicate(at.child('name'), name));
    else if (!DNS_NAME.test(name)) {
      errors.push(invalidValue(at.child('name'), name, `authorizer name is invalid: ${DNS_TEXT}`));
    }
    names.add(name);
    if (type !== 'Webhook') {
      if (webhook)
        errors.push(invalidValue(at.child('webhook'), 'non-null', 'may only be specified when type=Webhook'));
    } else if (!webhook) errors.push(required(at.child('webhook'), 'required when type=Webhook'));
    else errors.push(...webhookErrors(webhook, at, readFile, compileMatchConditions));
  }
  return errors;
}

function webhookErrors(
  w: WebhookConfig,
  at: Path,
  readFile: (path: string) => Buffer,
  compile: CompileMatchConditions | undefined,
): FieldError[] {
  const errors: FieldError[] = [];
  if (w.timeout === 0) errors.push(required(at.child('timeout')));
  else if (w.timeout > 30_000 || w.timeout < 0) {
    errors.push(invalidValue(at.child('timeout'), goDuration(w.timeout), 'must be > 0s and <= 30s'));
  }
  for (const field of ['authorizedTTL', 'unauthorizedTTL'] as const) {
    if (w[field] < 0) errors.push(invalidValue(at.child(field), goDuration(w[field]), 'must be > 0s'));
  }
  const oneOf = (field: keyof WebhookConfig & string, values: readonly string[], mayBeEmpty = false) => {
    const value = w[field] as string;
    if (value === '' && !mayBeEmpty) errors.push(required(at.child(field)));
    else if (value !== '' && !values.includes(value)) errors.push(notSupported(at.child(field), value, values));
  };
  oneOf('subjectAccessReviewVersion', ['v1', 'v1beta1']);
  const matchVersion = 'matchConditionSubjectAccessReviewVersion';
  if (w[matchVersion] === '' && w.matchConditions.length > 0) {
    errors.push(required(at.child(matchVersion), 'required if match conditions are specified'));
  }
  oneOf(matchVersion, ['v1'], true);
  oneOf('failurePolicy', ['NoOpinion', 'Deny']);
  errors.push(...connectionErrors(w.connectionInfo, at.child('connectionInfo'), readFile));
  errors.push(...conditionErrors(w.matchConditions, at.child('matchConditions'), compile));
  return errors;
}

function connectionErrors(
  { type, kubeConfigFile }: WebhookConfig['connectionInfo'],
  at: Path,
  readFile: (path: string) => Buffer,
): FieldError[] {
  const file = at.child('kubeConfigFile');
  switch (type) {
    case '':
      return [required(at.child('type'))];
    case 'InClusterConfig':
      // kube-apiserver can't ask itself; it refuses this when it builds the authorizer.
      return [invalidValue(at.child('type'), type, 'is not allowed for kube-apiserver')];
    case 'KubeConfigFile':
      if (!kubeConfigFile) return [required(file)];
      if (!isAbsolute(kubeConfigFile)) return [invalidValue(file, kubeConfigFile, 'must be an absolute path')];
      try {
        readFile(kubeConfigFile);
      } catch (e) {
        const { code, message } = e as NodeJS.ErrnoException;
        const text = code === 'EISDIR' ? 'must be a regular file' : `error loading file: ${message}`;
        return [invalidValue(file, kubeConfigFile, text)];
      }
      return [];
    default:
      return [notSupported(at.child('type'), type, ['InClusterConfig', 'KubeConfigFile'])];
  }
}

function conditionErrors(
  conditions: WebhookConfig['matchConditions'],
  at: Path,
  compile: CompileMatchConditions | undefined,
): FieldError[] {
  if (conditions.length > 64) return [tooMany(at, conditions.length, 64)];
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [i, { expression }] of conditions.entries()) {
    const where = at.index(i).child('expression');
    if (expression.trim() === '') errors.push(required(where));
    else if (seen.has(expression)) errors.push(duplicate(where, expression));
    else {
      seen.add(expression);
      try {
        if (!compile) throw new Error('CEL expressions in matchConditions are not supported by this server yet');
        compile([expression]);
      } catch (e) {
        errors.push(invalidValue(where, expression, (e as Error).message));
      }
    }
  }
  return errors;
}
