import { apiVersionOf, isJsonObject, type JsonObject } from '../../machinery/json.js';
import type { HttpClient, IncomingResponse } from '../authentication/http.js';
import type { Attributes, Authorizer, Decision, UserInfo } from '../contract.js';
import { NO_RULES, type RuleResolver, type UserRules } from './contract.js';
import { fieldRequirements, labelRequirements } from './selectors.js';

export interface WebhookAuthorizerOptions {
  /** For explanations and metrics; '' with the flags. */
  readonly name: string;
  readonly client: HttpClient;
  readonly url: string;
  /** Value of the Authorization header to the webhook. */
  readonly authorization?: string;
  /** Version of SubjectAccessReview. */
  readonly version: 'v1' | 'v1beta1';
  /** Milliseconds that an answer is remembered; 0: not at all. */
  readonly authorizedTtl: number;
  readonly unauthorizedTtl: number;
  /** Of one call, in milliseconds. */
  readonly timeout: number;
  /** What a webhook that fails means. */
  readonly failurePolicy: 'NoOpinion' | 'Deny';
  /** Compiled matchConditions. Throws when one can't be evaluated and none is false. */
  readonly matches?: (review: JsonObject) => boolean;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly observer?: WebhookObserver;
}

/** Told about each call, for metrics. `code` is undefined when there was no answer. */
export interface WebhookObserver {
  called(name: string, result: 'success' | 'timeout' | 'error', ms: number, code: number | undefined): void;
  /** A failure counted as no opinion, so that the request goes on to the next authorizer. */
  failedOpen(name: string, result: 'timeout' | 'error'): void;
}

interface Verdict {
  readonly allowed: boolean;
  readonly denied: boolean;
  readonly reason: string;
}

const GROUP = 'authorization.k8s.io';
const MAX_CACHED = 8192;
/** Reviews about longer names are not remembered: whoever sends them could fill the cache with them. */
const MAX_CACHED_LENGTH = 10_000;
/** Pauses between attempts: 500 ms, growing by a half each time. */
const PAUSES = [500, 750, 1125, 1687] as const;

/** `--authorization-mode=Webhook`: asks a remote service with SubjectAccessReviews. */
export class WebhookAuthorizer implements Authorizer, RuleResolver {
  readonly name: string;
  readonly #options: WebhookAuthorizerOptions;
  /** In order of last use, the oldest first. */
  readonly #cache = new Map<string, { readonly verdict: Verdict; readonly until: number }>();

  constructor(options: WebhookAuthorizerOptions) {
    this.name = options.name === '' ? 'Webhook' : options.name;
    this.#options = options;
  }

  async authorize(attributes: Attributes): Promise<Decision> {
    const spec = specOf(attributes);
    const { matches, failurePolicy } = this.#options;
    try {
      if (matches && !matches(spec)) return { verdict: 'NoOpinion', reason: '', by: this.name };
    } catch (e) {
      return { verdict: failurePolicy, reason: '', by: this.name, error: (e as Error).message };
    }
    const key = JSON.stringify(spec);
    const known = this.#remembered(key);
    if (known) return this.#decision(known);
    try {
      const verdict = await this.#ask(spec);
      if (controlledLength(attributes) < MAX_CACHED_LENGTH) this.#remember(key, verdict);
      return this.#decision(verdict);
    } catch (e) {
      if (failurePolicy === 'NoOpinion') this.#options.observer?.failedOpen(this.#options.name, resultOf(e));
      return { verdict: failurePolicy, reason: '', by: this.name, error: (e as Error).message };
    }
  }

  rulesFor(): UserRules {
    return { ...NO_RULES, incomplete: true, errors: ['webhook authorizer does not support user rule resolution'] };
  }

  #decision({ allowed, denied, reason }: Verdict): Decision {
    const verdict = denied ? 'Deny' : allowed ? 'Allow' : 'NoOpinion';
    const decision = { verdict, reason, by: this.name } as const;
    const error = 'webhook subject access review returned both allow and deny response';
    return allowed && denied ? { ...decision, error } : decision;
  }

  #remembered(key: string): Verdict | undefined {
    const entry = this.#cache.get(key);
    if (!entry) return undefined;
    this.#cache.delete(key);
    if (entry.until <= this.#options.now()) return undefined;
    this.#cache.set(key, entry);
    return entry.verdict;
  }

  #remember(key: string, verdict: Verdict): void {
    const ttl = verdict.allowed ? this.#options.authorizedTtl : this.#options.unauthorizedTtl;
    if (ttl <= 0) return;
    if (this.#cache.size >= MAX_CACHED) this.#cache.delete(this.#cache.keys().next().value!);
    this.#cache.set(key, { verdict, until: this.#options.now() + ttl });
  }

  async #ask(spec: JsonObject): Promise<Verdict> {
    const { client, url, authorization, version, timeout, sleep } = this.#options;
    const apiVersion = apiVersionOf({ group: GROUP, version });
    // v1beta1 has the old name for groups.
    const { groups, ...rest } = spec;
    const sent = version === 'v1beta1' && groups ? { ...rest, group: groups } : spec;
    const body = JSON.stringify({
      kind: 'SubjectAccessReview',
      apiVersion,
      metadata: {},
      spec: sent,
      status: { allowed: false },
    });
    const headers = {
      'content-type': 'application/json',
      accept: 'application/json',
      ...(authorization && { authorization }),
    };
    for (let attempt = 0; ; attempt++) {
      const pause = PAUSES[attempt];
      const started = performance.now();
      try {
        const answer = await client.request({ method: 'POST', url, headers, body, timeout });
        const ok = answer.status >= 200 && answer.status < 300;
        const result = ok ? 'success' : answer.status === 504 ? 'timeout' : 'error';
        this.#options.observer?.called(this.#options.name, result, performance.now() - started, answer.status);
        if (ok) return verdictOf(answer.body, apiVersion);
        if (pause === undefined || !mayPass(answer)) throw new AnsweredError(answer.status);
      } catch (e) {
        if (e instanceof AnsweredError || e instanceof NotAReview) throw e;
        this.#options.observer?.called(this.#options.name, resultOf(e), performance.now() - started, undefined);
        if (pause === undefined || !isReset(e)) throw e;
      }
      await sleep(pause);
    }
  }
}

class AnsweredError extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`authorization webhook answered with status ${status}`);
    this.status = status;
  }
}
class NotAReview extends Error {}

function resultOf(e: unknown): 'timeout' | 'error' {
  if (e instanceof AnsweredError) return e.status === 504 ? 'timeout' : 'error';
  return e instanceof Error && (e.name === 'TimeoutError' || e.name === 'AbortError') ? 'timeout' : 'error';
}

/** Overload and internal errors pass; a refusal does not. */
const mayPass = ({ status, headers }: IncomingResponse): boolean =>
  status === 429 || status === 500 || headers['retry-after'] !== undefined;

const isReset = (e: unknown): boolean =>
  e instanceof Error && ['ECONNRESET', 'UND_ERR_SOCKET', 'EPIPE'].includes((e as NodeJS.ErrnoException).code ?? '');

function verdictOf(body: string, apiVersion: string): Verdict {
  let review: unknown;
  try {
    review = JSON.parse(body);
  } catch {
    throw new NotAReview('authorization webhook answered with something that is not JSON');
  }
  const fits =
    isJsonObject(review) &&
    (review.kind === undefined || review.kind === 'SubjectAccessReview') &&
    (review.apiVersion === undefined || review.apiVersion === apiVersion);
  if (!fits) throw new NotAReview(`authorization webhook answered with no SubjectAccessReview of ${apiVersion}`);
  const status = isJsonObject(review) && isJsonObject(review.status) ? review.status : {};
  const reason = typeof status.reason === 'string' ? status.reason : '';
  return { allowed: status.allowed === true, denied: status.denied === true, reason };
}

/** spec of the SubjectAccessReview about a request, v1, empty fields left out: what matchConditions see as `request`. */
export function specOf(a: Attributes): JsonObject {
  const spec: JsonObject = a.isResourceRequest
    ? { resourceAttributes: resourceAttributesOf(a) }
    : { nonResourceAttributes: present({ path: a.path, verb: a.verb }) };
  return { ...spec, ...subjectOf(a.user) };
}

function resourceAttributesOf(a: Attributes): JsonObject {
  const { namespace, verb, group, version, resource, subresource, name } = a;
  const attributes = present({ namespace, verb, group, version, resource, subresource, name });
  const fields = fieldRequirements(a).map(({ field, operator, value }) => ({
    key: field,
    operator: operator === '=' ? 'In' : 'NotIn',
    values: [value],
  }));
  if (fields.length > 0) attributes.fieldSelector = { requirements: fields };
  const labels = labelRequirements(a).flatMap(({ key, operator, values }) => {
    const known = LABEL_OPERATORS[operator];
    if (!known) return [];
    return [{ key, operator: known, ...(values.length > 0 ? { values: [...values] } : {}) }];
  });
  if (labels.length > 0) attributes.labelSelector = { requirements: labels };
  return attributes;
}

/** Comparisons by number have no form in a review; leaving them out makes the question broader, never narrower. */
const LABEL_OPERATORS: Readonly<Record<string, string>> = {
  '=': 'In',
  '==': 'In',
  in: 'In',
  '!=': 'NotIn',
  notin: 'NotIn',
  exists: 'Exists',
  '!': 'DoesNotExist',
};

function subjectOf({ name, uid, groups, extra }: UserInfo): JsonObject {
  const subject = present({ user: name });
  if (groups.length > 0) subject.groups = [...groups];
  if (extra && Object.keys(extra).length > 0) {
    subject.extra = Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, [...values]]));
  }
  if (uid) subject.uid = uid;
  return subject;
}

function present(fields: Record<string, string>): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ''));
}

function controlledLength(a: Attributes): number {
  const { namespace, verb, group, version, resource, subresource, name, path } = a;
  return [namespace, verb, group, version, resource, subresource, name, path].reduce((sum, s) => sum + s.length, 0);
}
