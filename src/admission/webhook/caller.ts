import { DecodeError } from '../../machinery/codec/errors.js';
import { timeoutError } from '../../machinery/errors.js';
import { isOver } from '../cel/bindings.js';
import type { AdmissionAttributes } from '../contract.js';
import type { AdmittedVersion, VersionedObjects } from '../matching/versions.js';
import { type WebhookClient, WebhookTransportError } from './client/client.js';
import { CallFailure, dryRunUnsupported, publishCall, rejection, type WebhookCall } from './failure.js';
import type { Hook } from './hook.js';
import { InvalidResponse, type ReviewResponse, readResponse } from './response.js';
import { reviewBody, reviewVersion } from './review.js';

export interface CallerDeps {
  readonly client: WebhookClient;
  readonly uuid: () => string;
}

export interface Call {
  readonly hook: Hook;
  readonly objects: VersionedObjects;
  /** At which the webhook wants to see the objects. */
  readonly version: AdmittedVersion;
  readonly requested: AdmittedVersion;
  readonly phase: 'admit' | 'validate';
  readonly round: number;
}

/** Longest time that a webhook may have when neither it nor the request says. */
const MAX_TIMEOUT_MS = 30_000;

/** An answer that allows the request, and how the call went. */
export interface Allowed {
  readonly response: ReviewResponse;
  readonly call: WebhookCall;
}

/**
 * Asks one webhook.
 *
 * @throws StatusError when it denies the request, or the request is a dry run that it can't take; CallFailure when it
 * could not be asked or its answer does not count
 */
export async function callWebhook(input: Call, deps: CallerDeps): Promise<Allowed> {
  const { hook, objects } = input;
  const { attributes } = objects;
  if (attributes.dryRun && hook.sideEffects !== 'None' && hook.sideEffects !== 'NoneOnDryRun') {
    throw dryRunUnsupported(hook.name);
  }
  const timer = new CallTimer(input);
  let response: ReviewResponse;
  try {
    response = await exchange(input, deps, timer);
  } catch (e) {
    const reason = failureReason(e);
    if (reason === undefined) throw e;
    throw new CallFailure(timer.record('failed', reason), reason, { cause: e });
  }
  for (const [key, value] of Object.entries(response.auditAnnotations)) {
    attributes.annotate(`${hook.name}/${key}`, value);
  }
  for (const text of response.warnings) if (text !== '') attributes.warn(text);
  if (response.allowed) return { response, call: timer.record('allowed') };
  const denied = rejection(hook.name, response.status);
  publishCall(attributes, timer.record('denied', denied.message));
  throw denied;
}

async function exchange(input: Call, deps: CallerDeps, timer: CallTimer): Promise<ReviewResponse> {
  const { hook, objects, version, requested, phase } = input;
  const review = reviewVersion(hook.reviewVersions);
  if (!review) {
    throw new Unaskable(
      'could not create admission objects: webhook does not accept known AdmissionReview versions (v1, v1beta1)',
    );
  }
  const uid = deps.uuid();
  const body = await reviewBody({ objects, version, requested, uid, review });
  const { timeoutMs } = timer;
  if (timeoutMs <= 0) throw new Unaskable('failed to call webhook: context deadline exceeded');
  try {
    const answer = await deps.client.post({
      config: hook.client,
      body,
      timeoutMs,
      signal: objects.attributes.signal(),
    });
    timer.attempts = answer.attempts;
    return readResponse(answer, review, uid, phase === 'admit');
  } catch (e) {
    if (e instanceof WebhookTransportError) timer.attempts = e.attempts;
    throw e;
  }
}

/** Nothing was sent. */
class Unaskable extends Error {}

/** Undefined: no fault of the webhook. */
function failureReason(e: unknown): string | undefined {
  if (e instanceof Unaskable) return e.message;
  if (e instanceof InvalidResponse) return `received invalid webhook response: ${e.message}`;
  if (e instanceof WebhookTransportError || e instanceof DecodeError) return `failed to call webhook: ${e.message}`;
  return undefined;
}

class CallTimer {
  readonly #input: Call;
  readonly #started = performance.now();
  readonly timeoutMs: number;
  attempts = 0;

  constructor(input: Call) {
    const { hook, objects } = input;
    const { deadline } = objects.attributes;
    this.#input = input;
    const left = deadline === undefined ? MAX_TIMEOUT_MS : deadline - this.#started;
    this.timeoutMs = Math.min(hook.timeoutMs ?? MAX_TIMEOUT_MS, left);
  }

  record(outcome: WebhookCall['outcome'], error?: string): WebhookCall {
    const { hook, phase, round } = this.#input;
    const ms = performance.now() - this.#started;
    return {
      configuration: hook.configuration,
      webhook: hook.name,
      phase,
      round,
      attempts: this.attempts,
      ms,
      timeoutMs: this.timeoutMs,
      budgetMs: Math.max(0, this.timeoutMs - ms),
      outcome,
      ...(error !== undefined && { error }),
    };
  }
}

/**
 * What the failure of a webhook means for the request: nothing when the webhook's failures are ignored, unless nobody
 * waits for the request any more.
 *
 * @param failedOpen is told of an ignored failure
 * @throws StatusError
 */
export function applyFailurePolicy(
  hook: Hook,
  attributes: AdmissionAttributes,
  failure: CallFailure,
  failedOpen: () => void,
): void {
  publishCall(attributes, { ...failure.call, ...(hook.ignoresFailures && { ignored: true }) });
  if (!hook.ignoresFailures) throw failure.toStatusError();
  failedOpen();
  if (isOver(attributes)) throw requestTimedOut();
}

export function requestTimedOut(): Error {
  return timeoutError('request did not complete within requested timeout');
}
