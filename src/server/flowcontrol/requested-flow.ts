import type { Attributes } from '../../auth/contract.js';
import { queryBoolean } from '../../registry/options.js';
import type { ApiRequest } from '../api-request.js';
import { isLongRunning } from '../long-running.js';
import type { FlowRequest } from './contract.js';

/** A request as flow control sees it; what is asked of few requests is looked up when it is asked. */
export class RequestedFlow implements FlowRequest {
  readonly attributes: Attributes;
  readonly longRunning: boolean;
  readonly #request: ApiRequest;

  constructor(request: ApiRequest) {
    this.#request = request;
    this.attributes = request.attributes;
    this.longRunning = isLongRunning(request.info);
  }

  get limit(): number | undefined {
    return Number(this.#request.query.get('limit') ?? 0) || undefined;
  }
  get continue(): string | undefined {
    return this.#request.query.get('continue') ?? undefined;
  }
  get resourceVersion(): string | undefined {
    return this.#request.query.get('resourceVersion') ?? undefined;
  }
  get resourceVersionMatch(): string | undefined {
    return this.#request.query.get('resourceVersionMatch') ?? undefined;
  }
  get sendInitialEvents(): boolean | undefined {
    return queryBoolean(this.#request.query, 'sendInitialEvents');
  }
  get signal(): AbortSignal {
    return this.#request.signal;
  }
}
