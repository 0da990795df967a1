import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../machinery/json.js';
import { NOW, UID } from '../recorded.suite.js';
import { create, part, update } from '../strategy.suite.js';
import { commonIndex, countIndexes } from './indexes.js';
import { isTimeZone, scheduleFault } from './schedule.js';

const pod = { containers: [{ name: 'c', image: 'i' }], restartPolicy: 'Never' };
const job = (spec: JsonObject = {}) => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  spec: { template: { spec: pod }, ...spec },
});
const cronJob = (spec: JsonObject = {}, name = 'x') => ({
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  metadata: { name },
  spec: { schedule: '@daily', jobTemplate: { spec: { template: { spec: pod } } }, ...spec },
});

describe('indexes', () => {
  it.each([
    ['', 0],
    ['0', 1],
    ['0,2-4,6', 5],
    ['1-1', 'non-increasing order, previous: 1, current: 1'],
    ['3,2', 'non-increasing order, previous: 3, current: 2'],
    ['0-9', 'too large index: "9"'],
    [
      '1-2-3',
      `the fragment "1-2-3" violates the requirement that an index interval can have at most two parts separated by '-'`,
    ],
    ['a', 'cannot convert string to integer for index: "a"'],
    [',', 'cannot convert string to integer for index: ""'],
  ])('%j', (text, want) => {
    expect(countIndexes(text, 8)).toBe(want);
  });
  it('finds what two texts share', () => {
    expect(commonIndex('0-2,5', '3-4,5-6', 8)).toBe(5);
    expect(commonIndex('0-2,5', '3-4,6', 8)).toBeUndefined();
    expect(commonIndex('x,1', '1', 8)).toBe(1);
  });
  it('counts what it was given', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(99)), (numbers) => {
        const text = [...numbers].sort((a, b) => a - b).join(',');
        expect(countIndexes(text, 100)).toBe(numbers.length);
      }),
      { numRuns: 50 },
    );
  });
});

describe('schedules', () => {
  it.each([
    '* * * * *',
    '0 1 * * *',
    '*/5 0-6/2 1,15 jan-mar MON-fri',
    '@hourly',
    '@every 1h30m',
    '? ? ? ? ?',
    'TZ=UTC 0 0 * * *',
  ])('%s', (text) => {
    expect(scheduleFault(text)).toBeUndefined();
  });
  it.each([
    ['* * * *', 'expected exactly 5 fields, found 4: [* * * *]'],
    ['60 * * * *', 'end of range (60) above maximum (59): 60'],
    ['* * 0 * *', 'beginning of range (0) below minimum (1): 0'],
    ['5-1 * * * *', 'beginning of range (5) beyond end of range (1): 5-1'],
    ['*/0 * * * *', 'step of range should be a positive number: */0'],
    ['1-2-3 * * * *', 'too many hyphens: 1-2-3'],
    ['1/2/3 * * * *', 'too many slashes: 1/2/3'],
    ['x * * * *', 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'],
    ['* * * * 7', 'end of range (7) above maximum (6): 7'],
    ['@sometimes', 'unrecognized descriptor: @sometimes'],
    ['@every day', 'failed to parse duration @every day: time: invalid duration "day"'],
    ['TZ=Nowhere * * * * *', 'provided bad location Nowhere: unknown time zone Nowhere'],
  ])('%s: %s', (text, fault) => {
    expect(scheduleFault(text)).toBe(fault);
  });
  it('never throws', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        scheduleFault(text);
      }),
      { numRuns: 200 },
    );
  });
  it('knows time zones, in their case', () => {
    expect(['UTC', 'Etc/UTC', 'Europe/Paris', 'Asia/Calcutta'].every(isTimeZone)).toBe(true);
    expect(['utc', 'europe/paris', 'Nowhere/x', '+01:00'].some(isTimeZone)).toBe(false);
  });
});

describe('Job', () => {
  it('selects its pods by labels made of its uid', () => {
    const { obj, faults } = create(job());
    expect(faults).toEqual([]);
    expect(part(obj, 'spec', 'selector')).toEqual({ matchLabels: { 'batch.kubernetes.io/controller-uid': UID } });
    const labels = part(obj, 'spec', 'template', 'metadata', 'labels');
    expect(labels).toMatchObject({ 'job-name': 'x', 'controller-uid': UID, 'batch.kubernetes.io/job-name': 'x' });
    expect(obj.metadata.labels).toEqual(labels);
    expect(create(job({ template: { metadata: { labels: { 'job-name': 'y' } }, spec: pod } })).faults).toEqual([
      'spec.template.metadata.labels[job-name]: Invalid value: "y": must be \'x\'',
    ]);
    expect(create(job({ manualSelector: true })).faults).toEqual([
      'spec.selector: Required value',
      'spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`',
    ]);
  });
  it.each<[JsonObject, string]>([
    [{ completions: -1 }, 'spec.completions: Invalid value: -1: must be greater than or equal to 0'],
    [
      { completionMode: 'Indexed', parallelism: 2 },
      'spec.completions: Required value: when completion mode is Indexed',
    ],
    [{ backoffLimitPerIndex: 1 }, 'spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode'],
    [{ managedBy: 'x' }, 'spec.managedBy: Invalid value: "x": must be a domain-prefixed path (such as "acme.io/foo")'],
    [
      { podFailurePolicy: { rules: [{ action: 'FailIndex', onExitCodes: { operator: 'In', values: [1] } }] } },
      'spec.podFailurePolicy.rules[0].action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set',
    ],
    [
      { podFailurePolicy: { rules: [{ action: 'FailJob', onExitCodes: { operator: 'In', values: [3, 2] } }] } },
      'spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: [3,2]: must be ordered',
    ],
    [
      {
        completionMode: 'Indexed',
        completions: 3,
        successPolicy: { rules: [{ succeededIndexes: '0', succeededCount: 2 }] },
      },
      'spec.successPolicy.rules[0].succeededCount: Invalid value: 2: must be less than or equal to 1 (the number of indexes in the specified succeededIndexes field)',
    ],
    [
      { template: { spec: { ...pod, restartPolicy: 'Always' } } },
      'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
    ],
  ])('refuses %j', (spec, fault) => {
    expect(create(job(spec)).faults).toEqual([fault]);
  });
  it('keeps its template, but for what a waiting job may change', () => {
    const running = create(job()).obj;
    const image = (o: JsonObject) => {
      part(o, 'spec', 'template', 'spec', 'containers', 0).image = 'other';
    };
    const selector = (o: JsonObject) => {
      part(o, 'spec', 'template', 'spec').nodeSelector = { a: 'b' };
    };
    expect(update(running, selector).faults[0]).toMatch(/^spec\.template: Invalid value: .*: field is immutable$/);
    const waiting = create(job({ suspend: true })).obj;
    expect(update(waiting, selector).faults).toEqual([]);
    expect(update(waiting, image).faults[0]).toMatch(/^spec\.template\.spec: Invalid value: .*: field is immutable$/);
    expect(update({ ...waiting, status: { active: 1 } }, selector).faults).toHaveLength(1);
  });
  it('scales indexed jobs in step only', () => {
    const indexed = create(job({ completionMode: 'Indexed', completions: 3, parallelism: 3 })).obj;
    const scale = (completions: number, parallelism: number) =>
      update(indexed, (o) => Object.assign(part(o, 'spec'), { completions, parallelism })).faults;
    expect(scale(2, 2)).toEqual([]);
    expect(scale(2, 3)).toEqual([
      'spec.completions: Invalid value: 2: can only be modified in tandem with spec.parallelism',
    ]);
  });
  it('does not come back from its end', () => {
    const done = {
      startTime: NOW,
      completionTime: NOW,
      conditions: ['Complete', 'SuccessCriteriaMet'].map((type) => ({ type, status: 'True' })),
    };
    const { obj } = create(job());
    const finish = (status: JsonObject) => update(obj, (o) => Object.assign(o, { status }), 'status').faults;
    expect(finish(done)).toEqual([]);
    expect(finish({ ...done, active: 1 })).toEqual([
      'status.active: Invalid value: 1: active>0 is invalid for finished job',
    ]);
    const { completionTime: _, ...unfinished } = done;
    expect(finish(unfinished)).toEqual([
      'status.completionTime: Required value: completionTime is required for Complete jobs',
    ]);
    expect(finish({ succeeded: -1 })).toHaveLength(2);
    const back = update({ ...obj, status: done }, (o) => Object.assign(o, { status: {} }), 'status').faults;
    expect(back).toContain('status.conditions: Invalid value: cannot disable the terminal Complete=True condition');
  });
});

describe('CronJob', () => {
  it('leaves room for the time in the names of its jobs', () => {
    expect(create(cronJob({}, 'a'.repeat(52))).faults).toEqual([]);
    expect(create(cronJob({}, 'a'.repeat(53))).faults[0]).toMatch(/must be no more than 52 characters$/);
  });
  it.each<[JsonObject, string]>([
    [{ schedule: 'often' }, 'spec.schedule: Invalid value: "often": expected exactly 5 fields, found 1: [often]'],
    [
      { schedule: 'TZ=UTC 0 0 * * *' },
      'spec.schedule: Invalid value: "TZ=UTC 0 0 * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead',
    ],
    [{ timeZone: '' }, 'spec.timeZone: Invalid value: "": timeZone must be nil or non-empty string'],
    [{ timeZone: '../UTC' }, 'spec.timeZone: Invalid value: "../UTC": unknown time zone ../UTC'],
    [
      { concurrencyPolicy: 'Queue' },
      'spec.concurrencyPolicy: Unsupported value: "Queue": supported values: "Allow", "Forbid", "Replace"',
    ],
    [
      { jobTemplate: { spec: { manualSelector: true, template: { spec: pod } } } },
      'spec.jobTemplate.spec.manualSelector: Unsupported value: true: supported values: "nil", "false"',
    ],
  ])('refuses %j', (spec, fault) => {
    expect(create(cronJob(spec)).faults).toEqual([fault]);
  });
});
