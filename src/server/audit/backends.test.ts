import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HttpClient, OutgoingRequest } from '../../auth/authentication/http.js';
import { FakeClock } from '../../storage/fake-clock.suite.js';
import { NOW, request, Sink } from './audit.suite.js';
import { BatchingBackend, type BatchOptions, logBackend, truncating, webhookBackend } from './backends.js';
import type { AuditEvent, AuditLevel } from './contract.js';
import { encodeEvent } from './encode.js';
import {
  type AuditDependencies,
  type AuditOptions,
  buildAuditor,
  DEFAULT_AUDIT_OPTIONS,
  validateAuditOptions,
} from './options.js';
import { RequestRecord } from './record.js';
import { RotatingFile, type RotatingFileOptions } from './rotating-file.js';

function event(id: string, level: AuditLevel = 'Request', body = '{}'): AuditEvent {
  const events: AuditEvent[] = [];
  const emit = (e: AuditEvent) => {
    events.push(e);
    return undefined;
  };
  const audit = { level, omitStages: new Set(['RequestReceived' as const]), omitManagedFields: false };
  const record = new RequestRecord(request({}, { auditID: id }), request().attributes.user, audit, {
    emit,
    now: () => NOW,
    strict: false,
  });
  record.requestObject({ text: body });
  record.complete(200);
  return events[0]!;
}
const ids = (events: readonly AuditEvent[]) => events.map((e) => e.auditID);
const tick = () => new Promise((resolve) => setImmediate(resolve));

describe('batches', () => {
  const options = (more: Partial<BatchOptions> = {}): BatchOptions => ({
    bufferSize: 100,
    maxBatchSize: 3,
    maxBatchWait: 1000,
    concurrent: true,
    ...more,
  });
  it('go when they are full, or after their wait', async () => {
    const clock = new FakeClock();
    const sink = new Sink();
    const backend = new BatchingBackend(sink, options(), clock);
    backend.process([event('1'), event('2')]);
    clock.advance(999);
    await tick();
    expect(sink.batches).toEqual([]);
    clock.advance(1);
    await tick();
    expect(sink.batches).toEqual([2]);
    backend.process(['3', '4', '5', '6'].map((id) => event(id)));
    clock.advance(0);
    await tick();
    expect(sink.batches).toEqual([2, 3]);
    await backend.close();
    expect(ids(sink.events)).toEqual(['1', '2', '3', '4', '5', '6']);
    expect(sink.closed).toBe(true);
  });
  it('lose what does not fit into the buffer, and say so', async () => {
    const lost: string[] = [];
    const sink = new Sink();
    const backend = new BatchingBackend(sink, options({ bufferSize: 2 }), new FakeClock(), {
      failed: (b, e, n) => lost.push(`${b}: ${e.message} ${n}`),
    });
    backend.process(['1', '2', '3'].map((id) => event(id)));
    await backend.close();
    backend.process([event('4')]);
    expect(ids(sink.events)).toEqual(['1', '2']);
    expect(lost).toEqual(['buffered: audit buffer queue blocked 1', 'buffered: audit backend shut down 1']);
  });
  it('keep to their rate, after a burst', async () => {
    const clock = new FakeClock();
    const sink = new Sink();
    const backend = new BatchingBackend(sink, options({ maxBatchSize: 1, throttle: { qps: 2, burst: 3 } }), clock);
    backend.process(Array.from({ length: 8 }, (_, i) => event(`${i}`)));
    clock.advance(0);
    await tick();
    expect(sink.batches).toHaveLength(3);
    clock.advance(1000);
    await tick();
    expect(sink.batches).toHaveLength(5);
    clock.advance(10_000);
    await tick();
    expect(sink.batches).toHaveLength(8);
  });
  it('follow each other when they may not overtake', async () => {
    const clock = new FakeClock();
    const sink = new Sink();
    sink.held = [];
    const backend = new BatchingBackend(sink, options({ maxBatchSize: 1, concurrent: false }), clock);
    backend.process([event('1'), event('2')]);
    clock.advance(5000);
    await tick();
    expect(sink.held).toHaveLength(1);
    sink.held.shift()!();
    await tick();
    clock.advance(5000);
    await tick();
    expect(sink.held).toHaveLength(1);
    sink.held.shift()!();
    sink.held = undefined;
    await backend.close();
    expect(ids(sink.events)).toEqual(['1', '2']);
  });
  it('that fail are reported with their number of events', async () => {
    const lost: string[] = [];
    const sink = new Sink('hook');
    sink.failing = new Error('down');
    const backend = new BatchingBackend(sink, options(), new FakeClock(), {
      failed: (b, e, n) => lost.push(`${b}: ${e.message} ${n}`),
    });
    backend.process([event('1'), event('2')]);
    await backend.close();
    expect(lost).toEqual(['hook: down 2']);
  });
});

describe('truncation', () => {
  it('takes bodies off, drops what is still too large, and splits batches', async () => {
    const lost: string[] = [];
    const sink = new Sink();
    const plain = Buffer.byteLength(encodeEvent(event('small', 'Metadata')));
    const backend = truncating(
      sink,
      { maxEventSize: plain + 300, maxBatchSize: 2 * plain + 700 },
      { failed: (b, e) => lost.push(`${b}: ${e.message}`) },
    );
    const big = 'x'.repeat(5000);
    const longAgent = { ...event('agent', 'Metadata'), requestURI: big };
    await backend.process([event('a', 'Request'), event('b', 'Request', big), longAgent, event('c'), event('d')]);
    expect(ids(sink.events)).toEqual(['a', 'b', 'c', 'd']);
    expect(sink.events[1]!.requestObject).toBeUndefined();
    expect(sink.events[1]!.annotations?.get('audit.k8s.io/truncated')).toBe('true');
    expect(sink.batches.length).toBeGreaterThan(1);
    expect(lost).toEqual(['truncate: event is too large even after truncating']);
  });
});

describe('the webhook', () => {
  it('gets lists of events, and is asked again whatever went wrong', async () => {
    const sent: OutgoingRequest[] = [];
    const pauses: number[] = [];
    const answers = [new Error('refused'), 500, 403, 200];
    const client: HttpClient = {
      async request(r) {
        sent.push(r);
        const answer = answers.shift() ?? 500;
        if (answer instanceof Error) throw answer;
        return { status: answer, headers: {}, body: '' };
      },
      close() {},
    };
    const backend = webhookBackend({
      client,
      url: 'https://h/',
      authorization: 'Bearer t',
      initialBackoff: 100,
      sleep: async (ms) => void pauses.push(ms),
    });
    await backend.process([event('1'), event('2')]);
    expect(pauses).toEqual([100, 150, 225]);
    expect(JSON.parse(sent[3]!.body!)).toMatchObject({
      kind: 'EventList',
      apiVersion: 'audit.k8s.io/v1',
      items: [{ auditID: '1' }, { auditID: '2' }],
    });
    await expect(backend.process([event('3')])).rejects.toThrow('audit webhook answered with status 500');
    expect(sent).toHaveLength(9);
  });
});

describe('files', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'audit-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));
  let now = NOW;
  const file = (more: Partial<RotatingFileOptions> = {}) =>
    new RotatingFile({
      path: join(dir, 'sub', 'audit.log'),
      maxSize: 0,
      maxAge: 0,
      maxBackups: 0,
      compress: false,
      now: () => now,
      ...more,
    });
  const names = async () => (await readdir(join(dir, 'sub'))).sort();
  const text = (name: string) => readFile(join(dir, 'sub', name), 'utf8');

  it('hold a line an event, readable by their owner alone', async () => {
    const f = file();
    await f.open();
    const backend = logBackend(f, 'json');
    await Promise.all([backend.process([event('1'), event('2')]), backend.process([event('3')])]);
    await backend.close();
    const lines = (await text('audit.log')).trimEnd().split('\n');
    expect(lines.map((l) => JSON.parse(l).auditID)).toEqual(['1', '2', '3']);
    expect((await stat(join(dir, 'sub', 'audit.log'))).mode & 0o777).toBe(0o600);
    const again = file();
    await again.open();
    await again.write('more\n');
    await again.close();
    expect((await text('audit.log')).trimEnd().split('\n')).toHaveLength(4);
  });

  it('are put aside when full, never in the middle of a line, and the oldest go', async () => {
    const f = file({ maxSize: 10, maxBackups: 2 });
    await f.open();
    for (const line of ['1111\n', '2222\n', '3333\n', '44444444444444\n', '5555\n']) {
      await f.write(line);
      now += 1000;
    }
    await f.close();
    const all = await names();
    expect(all).toHaveLength(3);
    expect(await text(all.at(-1)!)).toBe('5555\n');
    expect(await text(all.at(-2)!)).toBe('44444444444444\n');
    expect(await text(all.at(-3)!)).toBe('3333\n');
    expect(all[0]).toMatch(/^audit-2026-01-02T03-04-\d\d\.678\.log$/);
  });

  it('that are old go as well, and may be packed', async () => {
    now = NOW;
    const f = file({ maxSize: 10, maxAge: 1, compress: true });
    await f.open();
    await f.write('11111111\n');
    await f.write('22222222\n');
    expect(await names()).toEqual(['audit-2026-01-02T03-04-05.678.log.gz', 'audit.log']);
    expect(gunzipSync(await readFile(join(dir, 'sub', 'audit-2026-01-02T03-04-05.678.log.gz'))).toString()).toBe(
      '11111111\n',
    );
    now += 2 * 86_400_000;
    await f.write('33333333\n');
    await f.close();
    expect(await names()).toEqual(['audit-2026-01-04T03-04-05.678.log.gz', 'audit.log']);
  });

  it('that can not be made fail the start', async () => {
    await writeFile(join(dir, 'file'), '');
    await expect(file({ path: join(dir, 'file', 'audit.log') }).open()).rejects.toThrow();
  });
});

describe('flags', () => {
  const { log, webhook } = DEFAULT_AUDIT_OPTIONS;
  const withLog = (more: object): AuditOptions => ({ log: { ...log, path: '-', ...more }, webhook });
  const withHook = (more: object): AuditOptions => ({ log, webhook: { ...webhook, configFile: '/k', ...more } });
  it.each([
    [DEFAULT_AUDIT_OPTIONS, []],
    [withLog({}), []],
    [withLog({ mode: 'later' }), ['invalid audit log mode later, allowed modes are "batch,blocking,blocking-strict"']],
    [
      withLog({ mode: 'batch', batchBufferSize: 0 }),
      ['invalid audit batch log buffer size 0, must be a positive number'],
    ],
    [withLog({ batchBufferSize: 0 }), []],
    [withHook({ batchThrottleQps: 0 }), ['invalid audit batch webhook throttle QPS 0, must be a positive number']],
    [withLog({ truncateMaxEventSize: 0 }), ['invalid audit truncate log max event size 0, must be a positive number']],
    [
      withLog({ truncateMaxBatchSize: 1 }),
      ['invalid audit truncate log max batch size 1, must be greater than max event size (102400)'],
    ],
    [
      withLog({ version: 'audit.k8s.io/v1beta1' }),
      ['invalid group version, allowed versions are [{"audit.k8s.io" "v1"}]'],
    ],
    [withLog({ format: 'xml' }), ['invalid audit log format xml, allowed formats are "legacy,json"']],
    [
      withLog({ maxage: -1, maxsize: -2 }),
      ["--audit-log-maxage -1 can't be a negative number", "--audit-log-maxsize -2 can't be a negative number"],
    ],
  ])('%#', (options, errors) => {
    expect(validateAuditOptions(options)).toEqual(errors);
  });

  function dependencies(files: Record<string, string>) {
    const out: string[] = [];
    const logs: string[] = [];
    const deps: AuditDependencies = {
      readFile: (path) => {
        if (files[path] === undefined) throw new Error(`open ${path}: no such file or directory`);
        return Buffer.from(files[path]);
      },
      standardOutput: { write: async (t) => void out.push(t), close: async () => {} },
      connect: () => ({ request: async () => ({ status: 200, headers: {}, body: '' }), close() {} }),
      clock: new FakeClock(),
      now: () => NOW,
      log: (level, message) => void logs.push(`${level} ${message}`),
    };
    return { deps, out, logs };
  }
  const POLICY = 'apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Metadata}]';

  it('make nothing without a policy or without a backend', async () => {
    const { deps, logs } = dependencies({ '/p': POLICY });
    expect(await buildAuditor(withLog({}), deps)).toBeUndefined();
    expect(logs).toEqual(['info No audit policy file provided, no events will be recorded for log backend']);
    expect(await buildAuditor({ ...DEFAULT_AUDIT_OPTIONS, policyFile: '/p' }, deps)).toBeUndefined();
  });
  it('write to the standard output', async () => {
    const { deps, out } = dependencies({ '/p': POLICY });
    const auditor = await buildAuditor({ ...withLog({}), policyFile: '/p' }, deps);
    const record = auditor!.begin(request())!;
    await record.stored;
    await record.complete(200);
    await auditor!.close();
    expect(out.map((t) => JSON.parse(t).stage)).toEqual(['RequestReceived', 'ResponseComplete']);
  });
  it.each([
    [{}, 'loading audit policy file: failed to read file path "/p": open /p: no such file or directory'],
    [
      { '/p': 'apiVersion: audit.k8s.io/v1\nkind: Policy' },
      'loading audit policy file: loaded illegal policy with 0 rules: from file /p',
    ],
  ])('name the policy that can not be used', async (files, message) => {
    const { deps } = dependencies(files as Record<string, string>);
    await expect(buildAuditor({ ...withLog({}), policyFile: '/p' }, deps)).rejects.toThrow(message);
  });
});
