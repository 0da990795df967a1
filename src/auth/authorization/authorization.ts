import { dirname, resolve as resolvePath } from 'node:path';
import { fieldErrorsMessage } from '../../machinery/field.js';
import { goQuote, goQuoteList } from '../../machinery/go-format.js';
import type { HttpConnector } from '../authentication/http.js';
import type { Authorizer } from '../contract.js';
import { readWebhookTarget } from '../pki/webhook-target.js';
import { AbacAuthorizer, parseAbacPolicies } from './abac.js';
import { alwaysAllow, alwaysDeny, privilegedGroup } from './builtin.js';
import type { RuleResolver } from './contract.js';
import type { ObjectFeed } from './feed.js';
import { NodeAuthorizer } from './node/authorizer.js';
import { NodeGraph } from './node/graph.js';
import { RbacAuthorizer } from './rbac/authorizer.js';
import type { RbacIndex } from './rbac/rbac-index.js';
import {
  type AuthorizerConfig,
  type CompileMatchConditions,
  MODES,
  type Mode,
  parseAuthorizationConfiguration,
  type ValidationDependencies,
  validateAuthorizationConfiguration,
} from './structured-config.js';
import { unionAuthorizer, unionRules } from './union.js';
import { WebhookAuthorizer, type WebhookObserver } from './webhook.js';

/** The authorization flags. */
export interface AuthorizationOptions {
  /** `--authorization-mode`; empty with neither this nor a configuration file: AlwaysAllow, as kube-apiserver has it. */
  readonly modes: readonly string[];
  /** `--authorization-config`. */
  readonly configFile?: string;
  /** `--authorization-policy-file`. */
  readonly policyFile?: string;
  /** `--authorization-webhook-config-file` and its companions; times in milliseconds. */
  readonly webhookConfigFile?: string;
  readonly webhookVersion: string;
  readonly webhookAuthorizedTtl: number;
  readonly webhookUnauthorizedTtl: number;
  /** Flags that were given, with their dashes: a configuration file excludes some of them. */
  readonly given: ReadonlySet<string>;
}

export interface AuthorizationDependencies {
  readonly feed: ObjectFeed;
  /** Kept by the server whatever the modes are, since writes of roles are always checked for escalation. */
  readonly rbacIndex: RbacIndex;
  /** Throws the file system's error. */
  readonly readFile: (path: string) => Buffer;
  /** Calls back after a file changed; gives a function that ends it. Absent: the configuration file is read once. */
  readonly watchFile?: (path: string, changed: () => void) => () => void;
  readonly connect: HttpConnector;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly gate: (name: 'PodCertificateRequest') => boolean;
  /** Absent: configurations with matchConditions are refused. */
  readonly compileMatchConditions?: CompileMatchConditions;
  readonly webhookObserver?: WebhookObserver;
  readonly log?: (level: 'info' | 'warning' | 'error', message: string) => void;
}

/** What the server asks. The parts stay the same objects when the configuration is reloaded. */
export interface Authorization {
  readonly authorizer: Authorizer;
  readonly rules: RuleResolver;
  close(): void;
}

const CONFIG = '--authorization-config';
const LEGACY = [
  '--authorization-mode',
  '--authorization-webhook-config-file',
  '--authorization-webhook-version',
  '--authorization-webhook-cache-authorized-ttl',
  '--authorization-webhook-cache-unauthorized-ttl',
];

/** What is wrong with the flags, each as kube-apiserver says it; empty when nothing is. */
export function validateAuthorizationOptions(
  options: AuthorizationOptions,
  dependencies: ValidationDependencies,
): string[] {
  if (options.configFile) {
    if (LEGACY.some((flag) => options.given.has(flag))) {
      return [
        `${CONFIG} can not be specified when --authorization-mode or --authorization-webhook-* flags are defined`,
      ];
    }
    try {
      return configErrors(readConfig(options.configFile, dependencies.readFile), options, dependencies);
    } catch (e) {
      return [`failed to load AuthorizationConfiguration from file: ${(e as Error).message}`];
    }
  }
  const errors: string[] = [];
  const modes = modesOf(options);
  const has = (mode: Mode) => modes.includes(mode);
  for (const mode of modes) {
    if (!MODES.includes(mode as Mode)) errors.push(`authorization-mode ${goQuote(mode)} is not a valid mode`);
    if (mode === 'ABAC' && !options.policyFile) {
      errors.push("authorization-mode ABAC's authorization policy file not passed");
    }
    if (mode === 'Webhook' && !options.webhookConfigFile) {
      errors.push("authorization-mode Webhook's authorization config file not passed");
    }
  }
  if (options.policyFile && !has('ABAC')) {
    errors.push('cannot specify --authorization-policy-file without mode ABAC');
  }
  if (options.webhookConfigFile && !has('Webhook')) {
    errors.push('cannot specify --authorization-webhook-config-file without mode Webhook');
  }
  if (new Set(modes).size !== modes.length) {
    errors.push(`authorization-mode ${goQuoteList(modes)} has mode specified more than once`);
  }
  if (has('Webhook') && !['v1', 'v1beta1'].includes(options.webhookVersion)) {
    const version = goQuote(options.webhookVersion);
    errors.push(`unsupported webhook authorizer version ${version}, supported versions are "v1", "v1beta1"`);
  }
  return errors;
}

/**
 * Makes what the flags ask for. A changed configuration file takes effect by itself; one with faults is reported and
 * leaves the old one in force.
 * @throws Error that names every fault of the flags, or the first file that can't be used
 */
export async function buildAuthorization(
  options: AuthorizationOptions,
  dependencies: AuthorizationDependencies,
): Promise<Authorization> {
  const errors = validateAuthorizationOptions(options, dependencies);
  if (errors.length > 0) throw new Error(errors.length === 1 ? errors[0] : `[${errors.join(', ')}]`);
  const builder = new Builder(options, dependencies);
  let current = await builder.build(configured(options, dependencies));
  let closed = false;
  const reload = async (): Promise<void> => {
    try {
      const next = configured(options, dependencies);
      const faults = configErrors(next, options, dependencies);
      if (faults.length > 0) throw new Error(faults.join(', '));
      const built = await builder.build(next);
      if (closed) return built.close();
      current.close();
      current = built;
      dependencies.log?.('info', `reloaded ${CONFIG}`);
    } catch (e) {
      dependencies.log?.('error', `${CONFIG} was not reloaded: ${(e as Error).message}`);
    }
  };
  let reloading = Promise.resolve();
  const unwatch = options.configFile
    ? dependencies.watchFile?.(options.configFile, () => {
        reloading = reloading.then(reload);
      })
    : undefined;
  return {
    authorizer: { name: 'union', authorize: (attributes) => current.authorizer.authorize(attributes) },
    rules: { rulesFor: (user, namespace) => current.rules.rulesFor(user, namespace) },
    close() {
      closed = true;
      unwatch?.();
      current.close();
      builder.close();
    },
  };
}

function modesOf({ modes }: AuthorizationOptions): readonly string[] {
  return modes.length > 0 ? modes : ['AlwaysAllow'];
}

function readConfig(path: string, readFile: (path: string) => Buffer): AuthorizerConfig[] {
  return parseAuthorizationConfiguration(readFile(path).toString('utf8'));
}

function configErrors(
  config: readonly AuthorizerConfig[],
  { policyFile }: AuthorizationOptions,
  dependencies: ValidationDependencies,
): string[] {
  const errors = validateAuthorizationConfiguration(config, dependencies);
  const texts = errors.length > 0 ? [fieldErrorsMessage(errors)] : [];
  for (const { type, name } of config) {
    const expected = type.toLowerCase();
    if (type !== 'Webhook' && name !== expected) {
      texts.push(`expected name ${expected} for authorizer ${type} instead of ${name}`);
    }
    if (type === 'ABAC' && !policyFile) texts.push("authorization-mode ABAC's authorization policy file not passed");
  }
  return texts;
}

/** The entries in force: those of the file, or what the flags say in its terms. */
function configured(options: AuthorizationOptions, { readFile }: AuthorizationDependencies): AuthorizerConfig[] {
  if (options.configFile) return readConfig(options.configFile, readFile);
  return modesOf(options).map((type) => {
    if (type !== 'Webhook') return { type, name: type.toLowerCase() };
    const webhook = {
      authorizedTTL: options.webhookAuthorizedTtl,
      cacheAuthorizedRequests: true,
      unauthorizedTTL: options.webhookUnauthorizedTtl,
      cacheUnauthorizedRequests: true,
      timeout: 30_000,
      subjectAccessReviewVersion: options.webhookVersion,
      matchConditionSubjectAccessReviewVersion: '',
      failurePolicy: 'NoOpinion',
      connectionInfo: { type: 'KubeConfigFile', kubeConfigFile: options.webhookConfigFile! },
      matchConditions: [],
    };
    return { type, name: 'default', webhook };
  });
}

class Builder {
  readonly #options: AuthorizationOptions;
  readonly #deps: AuthorizationDependencies;
  #graph: { readonly graph: NodeGraph; readonly stop: () => void } | undefined;

  constructor(options: AuthorizationOptions, dependencies: AuthorizationDependencies) {
    this.#options = options;
    this.#deps = dependencies;
  }

  async build(config: readonly AuthorizerConfig[]): Promise<Authorization> {
    const authorizers: (Authorizer & RuleResolver)[] = [];
    const closers: (() => void)[] = [];
    for (const entry of config) authorizers.push(await this.#make(entry, closers));
    return {
      authorizer: unionAuthorizer([privilegedGroup, ...authorizers]),
      rules: unionRules(authorizers),
      close() {
        for (const close of closers) close();
      },
    };
  }

  close(): void {
    this.#graph?.stop();
  }

  async #make(entry: AuthorizerConfig, closers: (() => void)[]): Promise<Authorizer & RuleResolver> {
    switch (entry.type as Mode) {
      case 'AlwaysAllow':
        return alwaysAllow;
      case 'AlwaysDeny':
        return alwaysDeny;
      case 'ABAC': {
        const path = this.#options.policyFile!;
        return new AbacAuthorizer(parseAbacPolicies(this.#deps.readFile(path).toString('utf8'), path));
      }
      case 'RBAC':
        return new RbacAuthorizer(this.#deps.rbacIndex);
      case 'Node': {
        const podCertificateRequests = this.#deps.gate('PodCertificateRequest');
        return new NodeAuthorizer(await this.#nodeGraph(podCertificateRequests), { podCertificateRequests });
      }
      case 'Webhook':
        return this.#webhook(entry, closers);
    }
  }

  async #nodeGraph(podCertificateRequests: boolean): Promise<NodeGraph> {
    if (!this.#graph) {
      const graph = new NodeGraph();
      this.#graph = { graph, stop: await graph.follow(this.#deps.feed, { podCertificateRequests }) };
    }
    return this.#graph.graph;
  }

  #webhook({ name, webhook: w }: AuthorizerConfig, closers: (() => void)[]): WebhookAuthorizer {
    const { readFile, connect, now, sleep, compileMatchConditions, webhookObserver } = this.#deps;
    const path = w!.connectionInfo.kubeConfigFile!;
    const target = readWebhookTarget(path, readFile, (base, file) => resolvePath(dirname(base), file));
    const client = connect({
      ca: target.ca,
      cert: target.clientCertificate,
      key: target.clientKey,
      serverName: target.serverName,
      insecure: target.insecure,
    });
    closers.push(() => client.close());
    const conditions = w!.matchConditions.map((c) => c.expression);
    return new WebhookAuthorizer({
      name,
      client,
      url: target.url,
      authorization: target.authorization,
      version: w!.subjectAccessReviewVersion as 'v1' | 'v1beta1',
      authorizedTtl: w!.cacheAuthorizedRequests ? w!.authorizedTTL : 0,
      unauthorizedTtl: w!.cacheUnauthorizedRequests ? w!.unauthorizedTTL : 0,
      timeout: w!.timeout,
      failurePolicy: w!.failurePolicy as 'NoOpinion' | 'Deny',
      ...(conditions.length > 0 && compileMatchConditions ? { matches: compileMatchConditions(conditions) } : {}),
      now,
      sleep,
      observer: webhookObserver,
    });
  }
}
