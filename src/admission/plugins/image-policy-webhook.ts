import { list, obj, str, stringMap } from '../../api/access.js';
import type { HttpClient } from '../../auth/authentication/http.js';
import { goDuration } from '../../auth/authorization/config-file.js';
import { isStatusError } from '../../machinery/errors.js';
import { isJsonObject, type JsonObject, type KubeObject } from '../../machinery/json.js';
import type { AdmissionAttributes, AdmissionPlugin } from '../contract.js';
import { rejectedBy } from '../errors.js';
import { type PluginConfiguration, parsePlain } from './configuration.js';

const AUDIT_PREFIX = 'imagepolicywebhook.image-policy.k8s.io/';
const FAILED_OPEN = 'alpha.image-policy.k8s.io/failed-open';
const API_VERSION = 'imagepolicy.k8s.io/v1alpha1';
const TIMEOUT_MS = 30_000;
const MAX_CACHED = 1024;
const ATTEMPTS = 5;

export interface ImagePolicyConfiguration {
  readonly kubeConfigFile: string;
  /** Milliseconds that an answer is remembered; 0: not at all. */
  readonly allowTtl: number;
  readonly denyTtl: number;
  /** Milliseconds before the first repetition; a half more before each other. */
  readonly retryBackoff: number;
  /** What counts when the webhook can't be asked. */
  readonly defaultAllow: boolean;
}

export interface ImagePolicyDependencies {
  readonly configuration: ImagePolicyConfiguration;
  readonly client: HttpClient;
  readonly url: string;
  /** Value of the Authorization header to the webhook. */
  readonly authorization?: string;
  /** Milliseconds of a clock that only goes forward. */
  now(): number;
  pause(ms: number): Promise<void>;
}

interface Review {
  readonly allowed: boolean;
  readonly reason: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Asks another service whether the images of a pod may be run. */
export class ImagePolicyWebhook implements AdmissionPlugin {
  readonly name = 'ImagePolicyWebhook';
  readonly #d: ImagePolicyDependencies;
  /** In the order of last use. */
  readonly #known = new Map<string, { readonly review: Review; readonly until: number }>();

  constructor(dependencies: ImagePolicyDependencies) {
    this.#d = dependencies;
  }

  handles(operation: AdmissionAttributes['operation']): boolean {
    return operation === 'CREATE' || operation === 'UPDATE';
  }

  async validate(a: AdmissionAttributes): Promise<void> {
    const { object, subresource } = a;
    if (!object || a.resource.group !== '' || a.resource.resource !== 'pods') return;
    if (subresource !== '' && subresource !== 'ephemeralcontainers') return;
    let review: Review;
    try {
      review = await this.#review(specOf(a, object));
    } catch (e) {
      if (isStatusError(e)) throw e;
      if (!this.#d.configuration.defaultAllow) throw rejectedBy(a, (e as Error).message);
      a.annotate(`${AUDIT_PREFIX}failed-open`, 'true');
      object.metadata.annotations = { ...object.metadata.annotations, [FAILED_OPEN]: 'true' };
      return;
    }
    for (const [key, value] of Object.entries(review.annotations)) a.annotate(AUDIT_PREFIX + key, value);
    if (review.allowed) return;
    const text = review.reason
      ? `image policy webhook backend denied one or more images: ${review.reason}`
      : 'one or more images rejected by webhook backend';
    throw rejectedBy(a, text);
  }

  close(): void {
    this.#d.client.close();
  }

  async #review(spec: JsonObject): Promise<Review> {
    const key = JSON.stringify(spec);
    const known = this.#known.get(key);
    this.#known.delete(key);
    if (known && known.until > this.#d.now()) {
      this.#known.set(key, known);
      return known.review;
    }
    const review = await this.#ask(spec);
    const { allowTtl, denyTtl } = this.#d.configuration;
    this.#known.set(key, { review, until: this.#d.now() + (review.allowed ? allowTtl : denyTtl) });
    if (this.#known.size > MAX_CACHED) this.#known.delete(this.#known.keys().next().value!);
    return review;
  }

  async #ask(spec: JsonObject): Promise<Review> {
    const { client, url, authorization, configuration, pause } = this.#d;
    const body = JSON.stringify({
      kind: 'ImageReview',
      apiVersion: API_VERSION,
      metadata: { creationTimestamp: null },
      spec,
      status: { allowed: false },
    });
    const json = 'application/json';
    const headers = { 'content-type': json, accept: json, ...(authorization && { authorization }) };
    for (let attempt = 1; ; attempt++) {
      const last = attempt >= ATTEMPTS;
      try {
        const answer = await client.request({ method: 'POST', url, headers, body, timeout: TIMEOUT_MS });
        if (answer.status >= 200 && answer.status < 300) return reviewIn(answer.body);
        const passes = answer.status === 429 || answer.status === 500 || answer.headers['retry-after'] !== undefined;
        if (last || !passes) throw new AnswerError(`Error contacting webhook: ${answer.status}`);
      } catch (e) {
        if (last || e instanceof AnswerError || !isReset(e)) throw e;
      }
      await pause(configuration.retryBackoff * 1.5 ** (attempt - 1));
    }
  }
}

/** The webhook answered, and asking again would not help. */
class AnswerError extends Error {}

const isReset = (e: unknown): boolean =>
  e instanceof Error && ['ECONNRESET', 'UND_ERR_SOCKET', 'EPIPE'].includes((e as NodeJS.ErrnoException).code ?? '');

function specOf(a: AdmissionAttributes, pod: KubeObject): JsonObject {
  const fields = a.subresource === '' ? ['containers', 'initContainers'] : ['ephemeralContainers'];
  const containers = fields.flatMap((field) => list(obj(pod, 'spec'), field)).map((c) => ({ image: str(c, 'image') }));
  const annotations = Object.entries(pod.metadata.annotations ?? {}).filter(([key]) =>
    key.includes('.image-policy.k8s.io/'),
  );
  return {
    containers,
    ...(annotations.length > 0 ? { annotations: Object.fromEntries(annotations) } : {}),
    namespace: a.namespace,
  };
}

function reviewIn(body: string): Review {
  let review: unknown;
  try {
    review = JSON.parse(body);
  } catch {
    throw new AnswerError('image policy webhook answered with something that is not JSON');
  }
  if (!isJsonObject(review) || (review.kind !== undefined && review.kind !== 'ImageReview')) {
    throw new AnswerError('image policy webhook answered with no ImageReview');
  }
  const status = obj(review, 'status');
  const annotations = Object.entries(stringMap(status, 'auditAnnotations')).filter(([, v]) => typeof v === 'string');
  return {
    allowed: status.allowed === true,
    reason: str(status, 'reason'),
    annotations: Object.fromEntries(annotations),
  };
}

/**
 * Reads `imagePolicy`, which has no version.
 *
 * @throws Error without a configuration, for unknown fields and for times out of bounds
 */
export function imagePolicyConfiguration(given: PluginConfiguration | undefined): ImagePolicyConfiguration {
  if (!given) throw new Error('no config specified');
  const policy = obj(parsePlain(given), 'imagePolicy');
  const { kubeConfigFile, allowTTL, denyTTL, retryBackoff, defaultAllow } = policy;
  if (typeof kubeConfigFile !== 'string' || kubeConfigFile === '')
    throw new Error('imagePolicy.kubeConfigFile is missing');
  return {
    kubeConfigFile,
    allowTtl: duration(allowTTL, 1000, 1000, 1_800_000, 300_000),
    denyTtl: duration(denyTTL, 1000, 1000, 1_800_000, 30_000),
    retryBackoff: duration(retryBackoff, 1, 1e-6, 300_000, 500),
    defaultAllow: defaultAllow === true,
  };
}

/** Milliseconds of a number of `scale` each: -1 is none, 0 the default. */
function duration(value: unknown, scale: number, min: number, max: number, standard: number): number {
  if (value === undefined || value === null || value === 0) return standard;
  if (value === -1) return 0;
  if (typeof value !== 'number') throw new Error(`imagePolicy: ${JSON.stringify(value)} is no number`);
  const ms = value * scale;
  if (ms >= min && ms <= max) return ms;
  throw new Error(`valid value is between ${goDuration(min)} and ${goDuration(max)}, got ${goDuration(ms)}`);
}
