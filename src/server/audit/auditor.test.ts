import { describe, expect, it } from 'vitest';
import { StatusError } from '../../machinery/errors.js';
import type { JsonObject } from '../../machinery/json.js';
import { NOW, request, Sink, urlRequest } from './audit.suite.js';
import { createAuditor } from './auditor.js';
import type { AuditLevel, AuditObserver, AuditStage } from './contract.js';
import { encodeEvent, legacyLine } from './encode.js';
import type { AuditPolicy } from './policy.js';

const policy = (level: AuditLevel, omitStages: AuditStage[] = [], omitManagedFields = false): AuditPolicy => ({
  omitStages,
  omitManagedFields,
  rules: [
    {
      level,
      users: [],
      userGroups: [],
      verbs: [],
      resources: [],
      namespaces: [],
      nonResourceURLs: [],
      omitStages: [],
      omitManagedFields: undefined,
    },
  ],
});
function setup(p: AuditPolicy, options: { strict?: boolean; observer?: AuditObserver } = {}) {
  const sink = new Sink();
  const auditor = createAuditor({
    policy: p,
    backends: [sink],
    strict: new Set(options.strict ? ['sink'] : []),
    now: () => NOW + 1000,
    observer: options.observer,
  });
  return { sink, auditor, json: () => sink.events.map((e) => JSON.parse(encodeEvent(e)) as JsonObject) };
}

describe('a record', () => {
  it('is not made for requests that the policy leaves out', () => {
    const { auditor, sink } = setup(policy('None'));
    expect(auditor.begin(request())).toBeUndefined();
    auditor.authenticationFailed(request(), [], 401);
    expect(sink.events).toEqual([]);
  });

  it('becomes an event at each stage, with what is known by then', async () => {
    const { auditor, json } = setup(policy('Metadata'));
    const record = auditor.begin(request())!;
    record.annotate('authorization.k8s.io/decision', 'allow');
    record.annotate('authorization.k8s.io/decision', 'forbid');
    record.annotate('a', 'b');
    record.requestObject({ metadata: { uid: 'u' } });
    record.responseObject({ kind: 'Pod', apiVersion: 'v1' });
    await record.complete(200);
    const [received, complete] = json();
    const common = {
      kind: 'Event',
      apiVersion: 'audit.k8s.io/v1',
      level: 'Metadata',
      auditID: 'id-1',
      requestURI: '/api/v1/namespaces/default/pods/p?x=y',
      verb: 'get',
      user: { username: 'alice', uid: '7', groups: ['dev'], extra: { a: ['1'], b: ['2'] } },
      sourceIPs: ['10.0.0.1'],
      userAgent: 'kubectl/v1',
      requestReceivedTimestamp: '2026-01-02T03:04:05.678250Z',
    };
    const objectRef = { resource: 'pods', namespace: 'default', name: 'p', apiVersion: 'v1' };
    expect(received).toEqual({
      ...common,
      stage: 'RequestReceived',
      objectRef,
      stageTimestamp: '2026-01-02T03:04:05.678250Z',
    });
    expect(complete).toEqual({
      ...common,
      stage: 'ResponseComplete',
      objectRef: { ...objectRef, uid: 'u' },
      responseStatus: { metadata: {}, code: 200 },
      stageTimestamp: '2026-01-02T03:04:06.678000Z',
      annotations: { a: 'b', 'authorization.k8s.io/decision': 'allow' },
    });
    expect(Object.keys(complete!)).toEqual([
      'kind',
      'apiVersion',
      'level',
      'auditID',
      'stage',
      'requestURI',
      'verb',
      'user',
      'sourceIPs',
      'userAgent',
      'objectRef',
      'responseStatus',
      'requestReceivedTimestamp',
      'stageTimestamp',
      'annotations',
    ]);
  });

  it.each([
    ['Metadata', false, false],
    ['Request', true, false],
    ['RequestResponse', true, true],
  ] as [AuditLevel, boolean, boolean][])(
    'on level %s keeps bodies: request %s, response %s',
    (level, keepsRequest, keepsResponse) => {
      const { auditor, json } = setup(policy(level, ['RequestReceived']));
      const record = auditor.begin(request())!;
      const body: JsonObject = { kind: 'Pod', metadata: { name: 'p' }, n: 12345678901234567890n };
      record.requestObject(body);
      body.spec = 'changed later';
      record.responseObject({ kind: 'Pod', apiVersion: 'v1', a: 1 });
      void record.complete(201);
      const [event] = json();
      expect('requestObject' in event!).toBe(keepsRequest);
      expect('responseObject' in event!).toBe(keepsResponse);
      if (keepsRequest) expect(event!.requestObject).not.toHaveProperty('spec');
    },
  );

  it('keeps a patch as it was sent, and nothing of a body that is no JSON', () => {
    const { auditor, json } = setup(policy('Request', ['RequestReceived']));
    for (const patch of [[{ op: 'remove', path: '/x' }], undefined]) {
      const record = auditor.begin(request())!;
      record.patch(patch);
      void record.complete(200);
    }
    expect(json().map((e) => e.requestObject)).toEqual([[{ op: 'remove', path: '/x' }], undefined]);
  });

  it('takes over the bounded fields of a Status', () => {
    const { auditor, json } = setup(policy('Metadata', ['RequestReceived']));
    const record = auditor.begin(request())!;
    const status = new StatusError(403, 'Forbidden', 'no', { kind: 'pods' }).toStatus();
    record.responseObject(status as unknown as JsonObject);
    void record.complete(403);
    expect(json()[0]!.responseStatus).toEqual({
      metadata: {},
      status: 'Failure',
      message: 'no',
      reason: 'Forbidden',
      details: { kind: 'pods' },
      code: 403,
    });
  });

  it('leaves out managed fields of objects, lists and tables when told to', () => {
    const { auditor, json } = setup(policy('RequestResponse', ['RequestReceived'], true));
    const managed = () => ({ metadata: { name: 'x', managedFields: [{}] } });
    for (const body of [managed(), { items: [managed()] }, { rows: [{ object: managed(), cells: [] }] }]) {
      const record = auditor.begin(request())!;
      record.requestObject(body as JsonObject);
      record.responseObject(body as JsonObject);
      void record.complete(200);
    }
    expect(JSON.stringify(json())).not.toContain('managedFields');
  });

  it('never holds a token', () => {
    const { auditor, sink } = setup(policy('RequestResponse'));
    const record = auditor.begin(request({}, { requestURI: '/x?a=b&access_token=secret-1&c=d' }))!;
    record.requestObject({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token: 'secret-2' } });
    record.responseObject({
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      status: { token: 'secret-3' },
    });
    void record.complete(201);
    const text = sink.events.map(encodeEvent).join() + sink.events.map(legacyLine).join();
    expect(text).not.toContain('secret');
    expect(text).toContain('/x?a=b&access_token=<redacted>&c=d');
  });

  it('names what a create did not: the name, namespace and version of its body', () => {
    const { auditor, json } = setup(policy('Metadata', ['RequestReceived']));
    const record = auditor.begin(request({ verb: 'create', name: '' }))!;
    record.requestObject({ metadata: { name: 'new', namespace: 'other', resourceVersion: '5' } });
    void record.complete(201);
    expect(json()[0]!.objectRef).toEqual({
      resource: 'pods',
      namespace: 'default',
      name: 'new',
      apiVersion: 'v1',
      resourceVersion: '5',
    });
  });

  it('of a long request has a stage when the answer starts', () => {
    const { auditor, json } = setup(policy('Metadata'));
    const record = auditor.begin(request({ verb: 'watch' }))!;
    record.impersonating({ name: 'bob', groups: ['g'] }, 'impersonate:user-info');
    record.responseStarted(200);
    void record.complete(200);
    expect(json().map((e) => [e.stage, e.responseStatus])).toEqual([
      ['RequestReceived', undefined],
      ['ResponseStarted', { metadata: {}, code: 200 }],
      ['ResponseComplete', { metadata: {}, code: 200 }],
    ]);
    expect(json()[2]).toMatchObject({
      user: { username: 'alice' },
      impersonatedUser: { username: 'bob', groups: ['g'] },
      authenticationMetadata: { impersonationConstraint: 'impersonate:user-info' },
    });
  });

  it('tells of connections that closed early and of panics, and ends once', () => {
    const { auditor, json } = setup(policy('Metadata', ['RequestReceived']));
    const closed = auditor.begin(request())!;
    void closed.complete(undefined);
    void closed.complete(200);
    const broken = auditor.begin(request())!;
    void broken.panic('boom');
    void broken.complete(500);
    expect(json().map((e) => [e.stage, e.responseStatus])).toEqual([
      ['ResponseComplete', { metadata: {}, status: 'Success', message: 'Connection closed early', code: 200 }],
      [
        'Panic',
        { metadata: {}, status: 'Failure', message: "APIServer panic'd: boom", reason: 'InternalError', code: 500 },
      ],
    ]);
  });

  it('of failed authentication names the kinds of credentials and no user', () => {
    const { auditor, json } = setup(policy('Metadata'));
    auditor.authenticationFailed(request(), ['x509', 'bearer'], 401);
    auditor.authenticationFailed(urlRequest('/api'), [], 401);
    expect(json()).toMatchObject([
      {
        stage: 'ResponseStarted',
        user: {},
        responseStatus: { message: 'Authentication failed, attempted: x509, bearer', code: 401 },
      },
      {
        stage: 'ResponseStarted',
        responseStatus: { message: 'Authentication failed, no credentials provided', code: 401 },
      },
    ]);
    expect(json()[1]).not.toHaveProperty('objectRef');
  });

  it('cuts an endless user agent', () => {
    const { auditor, json } = setup(policy('Metadata'));
    auditor.begin(request({}, { userAgent: 'x'.repeat(5000) }));
    expect(json()[0]!.userAgent).toBe(`${'x'.repeat(1024)}...TRUNCATED`);
  });
});

describe('backends that fail', () => {
  it('do not stop requests, and are reported', async () => {
    const failures: string[] = [];
    const { auditor, sink } = setup(policy('Metadata'), {
      observer: { failed: (b, e, n) => failures.push(`${b} ${e.message} ${n}`) },
    });
    sink.failing = new Error('disk full');
    const record = auditor.begin(request())!;
    await record.stored;
    await record.complete(200);
    expect(failures).toEqual(['sink disk full 1', 'sink disk full 1']);
  });
  it('refuse the request in strict mode, before anything is done', async () => {
    const seen: string[] = [];
    const { auditor, sink } = setup(policy('Metadata'), {
      strict: true,
      observer: { refused: () => seen.push('refused'), level: (l) => seen.push(l) },
    });
    sink.failing = new Error('disk full');
    const record = auditor.begin(request())!;
    await expect(record.stored).rejects.toMatchObject({
      code: 500,
      message: 'Internal Server Error: failed to store audit event',
    });
    await record.complete(200);
    expect(seen).toEqual(['Metadata', 'refused']);
  });
});

describe('the legacy format', () => {
  it('is one line of quoted fields', () => {
    const { auditor, sink } = setup(policy('Metadata', ['RequestReceived']));
    void auditor.begin(request())!.complete(200);
    expect(legacyLine(sink.events[0]!)).toBe(
      '2026-01-02T03:04:05.678250Z AUDIT: id="id-1" stage="ResponseComplete" ip="10.0.0.1" method="get" user="alice" groups="\\"dev\\"" as="<self>" asgroups="<lookup>" user-agent="kubectl/v1" namespace="default" uri="/api/v1/namespaces/default/pods/p?x=y" response="200"',
    );
  });
});
