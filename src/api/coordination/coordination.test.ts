import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../machinery/json.js';
import { create, part, update } from '../strategy.suite.js';
import { isZeroVersion, lessThan, parseSemVer } from './semver.js';

const lease = (spec: JsonObject) => ({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', spec });
const candidate = (spec: JsonObject = {}) => ({
  apiVersion: 'coordination.k8s.io/v1beta1',
  kind: 'LeaseCandidate',
  spec: {
    leaseName: 'l',
    binaryVersion: '1.36.0',
    emulationVersion: '1.35.0',
    strategy: 'OldestEmulationVersion',
    ...spec,
  },
});

describe('semantic versions', () => {
  it('come in the order of https://semver.org', () => {
    const ordered = ['1.0.0-1', '1.0.0-alpha', '1.0.0-alpha.1', '1.0.0-alpha.beta', '1.0.0-beta.2', '1.0.0-beta.11']
      .concat(['1.0.0-rc.1', '1.0.0', '1.0.1', '1.1.0', '2.0.0'])
      .map((text) => parseSemVer(text)!);
    ordered.forEach((a, i) => {
      ordered.forEach((b, j) => {
        expect(lessThan(a, b)).toBe(i < j);
      });
    });
  });
  it.each(['', '1', '1.2', 'v1.2.3', '01.2.3', '1.2.3-01', '1.2.3-', '1.2.3-a..b', '1.2.3+', ' 1.2.3', '1.2.3.4'])(
    '%j is none',
    (text) => {
      expect(parseSemVer(text)).toBeUndefined();
    },
  );
  it('knows the zero one', () => {
    expect(['0.0.0', '0.0.0+x', '0.0.0-x', '0.0.1'].map((text) => isZeroVersion(parseSemVer(text)!))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
  it('never throws', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        parseSemVer(text);
      }),
      { numRuns: 200 },
    );
  });
});

describe('Lease', () => {
  it.each<JsonObject>([
    {},
    { leaseDurationSeconds: 1, leaseTransitions: 0, holderIdentity: 'h' },
    { strategy: 'example.com/mine', preferredHolder: 'p' },
  ])('accepts %j', (spec) => {
    expect(create(lease(spec), 'CoordinatedLeaderElection').faults).toEqual([]);
  });
  it.each<[JsonObject, string]>([
    [{ leaseDurationSeconds: 0 }, 'spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0'],
    [{ leaseTransitions: -1 }, 'spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0'],
    [{ preferredHolder: 'p' }, 'spec.preferredHolder: Forbidden: may only be specified if `strategy` is defined'],
    [
      { strategy: 'Newest' },
      'spec.strategy.strategy: Unsupported value: "Newest": supported values: "OldestEmulationVersion"',
    ],
  ])('refuses %j', (spec, fault) => {
    expect(create(lease(spec), 'CoordinatedLeaderElection').faults).toEqual([fault]);
  });
});

describe('LeaseCandidate', () => {
  it('stands for one lease', () => {
    const { obj, faults } = create(candidate());
    expect(faults).toEqual([]);
    expect(update(obj, (o) => Object.assign(part(o, 'spec'), { leaseName: 'm' })).faults).toEqual([
      'spec.leaseName: Invalid value: "m": field is immutable',
    ]);
  });
  it.each<[JsonObject, string]>([
    [{ leaseName: '' }, 'spec.leaseName: Required value'],
    [{ binaryVersion: '' }, 'spec.binaryVersion: Required value'],
    [{ strategy: '' }, 'spec.strategy: Required value'],
    [{ binaryVersion: '1.36' }, 'spec.binaryVersion: Invalid value: "1.36": must be a valid semantic version'],
    [
      { emulationVersion: '1.37.0' },
      'spec.binaryVersion: Invalid value: "1.36.0": must be greater than or equal to `emulationVersion`',
    ],
    [
      { emulationVersion: '' },
      "spec.emulationVersion: Required value: must be specified when `strategy` is 'OldestEmulationVersion'",
    ],
  ])('refuses %j', (spec, fault) => {
    expect(create(candidate(spec)).faults).toContain(fault);
  });
});
