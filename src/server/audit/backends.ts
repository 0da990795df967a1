import type { HttpClient } from '../../auth/authentication/http.js';
import type { Clock, Timer } from '../../storage/clock.js';
import type { AuditBackend, AuditEvent, AuditObserver } from './contract.js';
import { encodeEvent, legacyLine } from './encode.js';

/** Where lines of a log go: a file, or the standard output. */
export interface LineSink {
  write(text: string): Promise<void>;
  close(): Promise<void>;
}

/** Writes each event as a line. */
export function logBackend(sink: LineSink, format: 'json' | 'legacy'): AuditBackend {
  const line = format === 'json' ? encodeEvent : legacyLine;
  return {
    name: 'log',
    process: (events) => sink.write(`${events.map(line).join('\n')}\n`),
    close: () => sink.close(),
  };
}

export interface WebhookBackendOptions {
  readonly client: HttpClient;
  readonly url: string;
  /** Value of the Authorization header. */
  readonly authorization?: string;
  /** Milliseconds before the second attempt; each further pause is half as long again. */
  readonly initialBackoff: number;
  readonly sleep: (ms: number) => Promise<void>;
}

const ATTEMPTS = 5;
const TIMEOUT = 30_000;

/** Sends events as an EventList. Any failure is tried again: an event lost is worse than one sent twice. */
export function webhookBackend({
  client,
  url,
  authorization,
  initialBackoff,
  sleep,
}: WebhookBackendOptions): AuditBackend {
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json',
    ...(authorization && { authorization }),
  };
  return {
    name: 'webhook',
    async process(events) {
      const items = events.map(encodeEvent).join(',');
      const body = `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[${items}]}`;
      let pause = initialBackoff;
      for (let attempt = 1; ; attempt++) {
        try {
          const { status } = await client.request({ method: 'POST', url, headers, body, timeout: TIMEOUT });
          if (status >= 200 && status < 300) return;
          throw new Error(`audit webhook answered with status ${status}`);
        } catch (e) {
          if (attempt >= ATTEMPTS) throw e;
        }
        await sleep(pause);
        pause *= 1.5;
      }
    },
    async close() {
      client.close();
    },
  };
}

export interface TruncateOptions {
  /** Bytes of JSON. */
  readonly maxEventSize: number;
  readonly maxBatchSize: number;
}

/** Takes the bodies off events that are too large, drops those that still are, and splits batches. */
export function truncating(delegate: AuditBackend, options: TruncateOptions, observer?: AuditObserver): AuditBackend {
  return {
    name: delegate.name,
    process(events) {
      const batches: AuditEvent[][] = [[]];
      let size = 0;
      for (const original of events) {
        let event = original;
        let bytes = Buffer.byteLength(encodeEvent(event));
        if (bytes > options.maxEventSize && (event.level === 'Request' || event.level === 'RequestResponse')) {
          event = withoutBodies(event);
          bytes = Buffer.byteLength(encodeEvent(event));
        }
        if (bytes > options.maxEventSize) {
          observer?.failed?.('truncate', new Error('event is too large even after truncating'), 1);
          continue;
        }
        if (batches.at(-1)!.length > 0 && size + bytes > options.maxBatchSize) {
          batches.push([]);
          size = 0;
        }
        batches.at(-1)!.push(event);
        size += bytes;
      }
      const waiting = batches.filter((b) => b.length > 0).map((b) => delegate.process(b));
      const slow = waiting.filter((w) => w !== undefined);
      return slow.length > 0 ? Promise.all(slow).then(() => {}) : undefined;
    },
    close: () => delegate.close(),
  };
}

function withoutBodies(event: AuditEvent): AuditEvent {
  const annotations = new Map(event.annotations).set('audit.k8s.io/truncated', 'true');
  return { ...event, requestObject: undefined, responseObject: undefined, annotations };
}

export interface BatchOptions {
  /** Events that may wait; more are lost. */
  readonly bufferSize: number;
  readonly maxBatchSize: number;
  /** Milliseconds after which a batch goes out though it is not full. */
  readonly maxBatchWait: number;
  /** Batches per second, and how many may go at once after a pause. Undefined: as they come. */
  readonly throttle?: { readonly qps: number; readonly burst: number };
  /** Batches may overtake each other: several are under way at once. */
  readonly concurrent: boolean;
}

/** Takes events off the request path and hands them on in batches. */
export class BatchingBackend implements AuditBackend {
  readonly name: string;
  readonly #delegate: AuditBackend;
  readonly #options: BatchOptions;
  readonly #clock: Clock;
  readonly #observer: AuditObserver | undefined;
  #buffer: AuditEvent[] = [];
  #timer: Timer | undefined;
  #tokens: number;
  #refilled: number;
  readonly #underWay = new Set<Promise<void>>();
  #closed = false;

  constructor(delegate: AuditBackend, options: BatchOptions, clock: Clock, observer?: AuditObserver) {
    this.name = delegate.name;
    this.#delegate = delegate;
    this.#options = options;
    this.#clock = clock;
    this.#observer = observer;
    this.#tokens = options.throttle?.burst ?? 0;
    this.#refilled = clock.now();
  }

  process(events: readonly AuditEvent[]): undefined {
    const room = this.#closed ? 0 : this.#options.bufferSize - this.#buffer.length;
    this.#buffer.push(...events.slice(0, room));
    if (events.length > room) {
      const why = this.#closed ? 'audit backend shut down' : 'audit buffer queue blocked';
      this.#observer?.failed?.('buffered', new Error(why), events.length - room);
    }
    this.#schedule();
    return undefined;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    while (this.#buffer.length > 0 || this.#underWay.size > 0) {
      await Promise.all(this.#underWay);
      this.#send();
    }
    await this.#delegate.close();
  }

  /** A full batch goes when the rate allows it, any other one after its wait. */
  #schedule(): void {
    if (this.#buffer.length === 0 || this.#closed) return;
    const full = this.#buffer.length >= this.#options.maxBatchSize;
    if (!this.#options.concurrent && this.#underWay.size > 0) return;
    if (full && this.#timer) {
      this.#timer.cancel();
      this.#timer = undefined;
    }
    this.#timer ??= this.#clock.setTimeout(
      () => {
        this.#timer = undefined;
        this.#send();
        this.#schedule();
      },
      Math.max(full ? 0 : this.#options.maxBatchWait, this.#delay()),
    );
  }

  /** Milliseconds until the rate allows another batch. */
  #delay(): number {
    const { throttle } = this.#options;
    if (!throttle) return 0;
    const now = this.#clock.now();
    this.#tokens = Math.min(throttle.burst, this.#tokens + ((now - this.#refilled) / 1000) * throttle.qps);
    this.#refilled = now;
    return this.#tokens >= 1 ? 0 : ((1 - this.#tokens) / throttle.qps) * 1000;
  }

  #send(): void {
    const batch = this.#buffer.splice(0, this.#options.maxBatchSize);
    if (batch.length === 0) return;
    this.#tokens -= 1;
    const sending = Promise.resolve(this.#delegate.process(batch))
      .catch((e: unknown) => {
        this.#observer?.failed?.(this.name, e instanceof Error ? e : new Error(String(e)), batch.length);
      })
      .then(() => {
        this.#underWay.delete(sending);
        this.#schedule();
      });
    this.#underWay.add(sending);
  }
}
