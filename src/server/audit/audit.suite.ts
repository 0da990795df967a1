import type { Attributes } from '../../auth/contract.js';
import type { AuditBackend, AuditEvent, AuditRequest } from './contract.js';

export const NOW = Date.parse('2026-01-02T03:04:05.678Z');

export function request(more: Partial<Attributes> = {}, rest: Partial<AuditRequest> = {}): AuditRequest {
  return {
    auditID: 'id-1',
    requestURI: '/api/v1/namespaces/default/pods/p?x=y',
    userAgent: 'kubectl/v1',
    sourceIPs: ['10.0.0.1'],
    receivedAt: NOW + 0.25,
    attributes: {
      user: { name: 'alice', uid: '7', groups: ['dev'], extra: { b: ['2'], a: ['1'] } },
      verb: 'get',
      isResourceRequest: true,
      group: '',
      version: 'v1',
      resource: 'pods',
      subresource: '',
      namespace: 'default',
      name: 'p',
      path: '/api/v1/namespaces/default/pods/p',
      ...more,
    },
    ...rest,
  };
}
export const urlRequest = (path: string, verb = 'get'): AuditRequest =>
  request(
    { isResourceRequest: false, path, verb, resource: '', namespace: '', name: '', version: '' },
    { requestURI: path },
  );

/** Keeps events; `hold` makes it answer when told to. */
export class Sink implements AuditBackend {
  readonly name: string;
  readonly events: AuditEvent[] = [];
  readonly batches: number[] = [];
  failing: Error | undefined;
  held: (() => void)[] | undefined;
  closed = false;

  constructor(name = 'sink') {
    this.name = name;
  }

  async process(events: readonly AuditEvent[]): Promise<void> {
    if (this.held) await new Promise<void>((resolve) => this.held!.push(resolve));
    if (this.failing) throw this.failing;
    this.events.push(...events);
    this.batches.push(events.length);
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}
