import { channel } from 'node:diagnostics_channel';
import { badRequest, internalError, type Status, StatusError } from '../../machinery/errors.js';
import type { AdmissionAttributes } from '../contract.js';

/** What is to be known of one call of a webhook, for explanations. Times are milliseconds. */
export interface WebhookCall {
  readonly configuration: string;
  readonly webhook: string;
  readonly phase: 'admit' | 'validate';
  /** 0, or 1 when it was asked again because others had changed the object. */
  readonly round: number;
  /** How often the request was sent; 0 when it never was. */
  readonly attempts: number;
  /** Time spent. */
  readonly ms: number;
  /** The most it might have taken: its own timeout, or what was left of the request's time. */
  readonly timeoutMs: number;
  /** What was left of that when it was over. */
  readonly budgetMs: number;
  readonly outcome: 'allowed' | 'denied' | 'failed';
  /** The failure was ignored, as its failurePolicy wants. */
  readonly ignored?: boolean;
  readonly error?: string;
  /** JSON pointers of what its patch touched. */
  readonly patched?: readonly string[];
}

/** Published on the channel `porthole.webhook` after each call. */
export interface WebhookRecord {
  readonly attributes: AdmissionAttributes;
  readonly call: WebhookCall;
}

const calls = channel('porthole.webhook');

/** Costs one check when nobody listens. */
export function publishCall(attributes: AdmissionAttributes, call: WebhookCall): void {
  if (calls.hasSubscribers) calls.publish({ attributes, call } satisfies WebhookRecord);
}

/**
 * A webhook could not be asked, or gave no answer that counts: its failurePolicy decides. As the `cause` of the 500 that
 * the client gets it tells explanations what happened.
 */
export class CallFailure extends Error {
  readonly call: WebhookCall;
  constructor(call: WebhookCall, reason: string, options?: ErrorOptions) {
    super(`failed calling webhook ${JSON.stringify(call.webhook)}: ${reason}`, options);
    this.call = call;
  }

  /** 500, as the client sees it. */
  toStatusError(): StatusError {
    const error = internalError(this.message);
    error.cause = this;
    return error;
  }
}

/** What a webhook's refusal is to the client: its own status, but always a failure that names the webhook. */
export function rejection(webhook: string, status: Partial<Status> | undefined): StatusError {
  const by = `admission webhook ${JSON.stringify(webhook)} denied the request`;
  const { code = 0, reason = '', message = '', details } = status ?? {};
  const text = message || reason;
  return new StatusError(
    // There is no answering with a code beyond the last class.
    code < 400 ? 400 : code > 599 ? 500 : code,
    reason,
    text ? `${by}: ${text}` : `${by} without explanation`,
    details,
  );
}

export function dryRunUnsupported(webhook: string): StatusError {
  return badRequest(`admission webhook ${JSON.stringify(webhook)} does not support dry run`);
}
