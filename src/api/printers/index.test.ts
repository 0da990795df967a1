import { describe, expect, it } from 'vitest';
import { Random, randomObject } from '../../machinery/codec/random.suite.js';
import type { KubeObject } from '../../machinery/json.js';
import { catalog } from '../../machinery/scheme/catalog.js';
import { resourceCatalog } from '../../machinery/scheme/resources.js';
import { printerFor } from './index.js';

const now = Date.parse('2026-01-01T00:00:00Z');
const kinds = resourceCatalog().resources.filter((r) => (r.columns ?? []).length > 0);
/** Upstream describes these by fields that do not exist. */
const UNDESCRIBED = ['RuntimeClass Handler', 'LeaseCandidate BinaryVersion', 'LeaseCandidate EmulationVersion'];

describe.each(kinds.map((r) => [`${r.group}/${r.version} ${r.kind}`, r] as const))(
  '%s',
  (_, { group, version, kind, columns }) => {
    const printer = printerFor(group, kind)!;
    const type = catalog().byGvk(group, version, kind)!;
    const width = kind === 'IPAddress' ? columns!.length + 1 : columns!.length;

    it('has the columns of the catalog, each described', () => {
      expect(printer.columns.map((c) => [c.name, c.type, c.format, c.priority])).toEqual(columns);
      for (const { name, description } of printer.columns) {
        expect(description === '', `${kind} ${name}`).toBe(UNDESCRIBED.includes(`${kind} ${name}`));
      }
    });

    it('prints a bookmark', () => {
      const cells = printer.cells({ metadata: { resourceVersion: '5' } }, now);
      expect(cells).toHaveLength(width);
      expect(cells).not.toContain(undefined);
      expect(printer.conditions?.({ metadata: {} })).toBeUndefined();
    });

    it('prints whatever the type can hold', () => {
      const random = new Random(kind.length * 7919 + width);
      for (let i = 0; i < 20; i++) {
        const object = { metadata: {}, ...randomObject(type, random, 6) } as KubeObject;
        const cells = printer.cells(object, now);
        expect(cells).toHaveLength(width);
        for (const cell of cells) expect(['string', 'number', 'bigint', 'boolean']).toContain(typeof cell);
        expect(printer.compare?.(object, object) ?? 0).toBe(0);
      }
    });
  },
);

describe('where there are no tables', () => {
  it.each([
    ['authentication.k8s.io', 'TokenReview', ''],
    ['authorization.k8s.io', 'SubjectAccessReview', ''],
    ['', 'Binding', ''],
    ['', 'Pod', 'resize'],
    ['', 'Pod', 'ephemeralcontainers'],
    ['', 'Namespace', 'finalize'],
    ['policy', 'Eviction', 'eviction'],
    ['certificates.k8s.io', 'CertificateSigningRequest', 'approval'],
    ['resource.k8s.io', 'ResourceClaim', 'status'],
    ['apiextensions.k8s.io', 'CustomResourceDefinition', 'status'],
    ['example.org', 'Thing', ''],
    ['', 'constructor', ''],
  ])('%s/%s %s', (group, kind, subresource) => {
    expect(printerFor(group, kind, subresource)).toBeUndefined();
  });
});

it('shows statuses as the objects they belong to, and scales', () => {
  expect(printerFor('', 'Pod', 'status')!.columns).toEqual(printerFor('', 'Pod')!.columns);
  const scale = printerFor('autoscaling', 'Scale', 'scale')!;
  expect(scale.columns.map((c) => [c.name, c.type, c.format, c.priority])).toEqual([
    ['Name', 'string', '', 0],
    ['Desired', 'integer', '', 0],
    ['Available', 'integer', '', 0],
    ['Age', 'string', '', 0],
  ]);
  const object = {
    metadata: { name: 'web', creationTimestamp: '2025-12-31T23:59:00Z' },
    spec: { replicas: 3 },
    status: { replicas: 2 },
  };
  expect(scale.cells(object, now)).toEqual(['web', 3, 2, '60s']);
  expect(scale.cells({ metadata: {} }, now)).toEqual(['', 0, 0, '<unknown>']);
});

it('shows kinds without columns of their own by name and time', () => {
  const printer = printerFor('rbac.authorization.k8s.io', 'Role')!;
  expect(printer.columns.map((c) => c.name)).toEqual(['Name', 'Created At']);
  expect(printer.columns[1]!.description).toContain('server time when this object was created');
  expect(printer.nullRows).toBe(true);
  const creationTimestamp = '2025-12-31T23:59:00Z';
  expect(printer.cells({ metadata: { name: 'r', creationTimestamp } }, now)).toEqual(['r', creationTimestamp]);
  expect(printer.cells({ metadata: {} }, now)).toEqual(['', '0001-01-01T00:00:00Z']);
});
