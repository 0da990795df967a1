import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Path } from '../../machinery/field.js';
import type { JsonObject } from '../../machinery/json.js';
import { equalJson } from '../../machinery/json.js';
import {
  compileAllRules,
  each,
  formatIP,
  goForm,
  ifPresent,
  ifSet,
  nameIsDnsSubdomain,
  newCheck,
  oneOf,
  parseCIDR,
  parseIP,
  portName,
  portNumber,
  type Rule,
  required,
  struct,
  uniqueBy,
  validateObjectMeta,
  validateObjectMetaUpdate,
} from './index.js';

const check = (rule: Rule, value: JsonObject): string[] => {
  const c = newCheck(() => true);
  rule(value, new Path('spec'), c);
  return c.errors.map(String);
};

describe('rule tables', () => {
  const port = struct('core.v1.ContainerPort', {
    name: ifSet(portName),
    containerPort: required(portNumber),
    protocol: required(oneOf('UDP', 'TCP')),
  });

  it('see an absent scalar as its zero value, in the order of the table', () => {
    expect(check(port, {})).toEqual(['spec.containerPort: Required value', 'spec.protocol: Required value']);
    expect(check(port, { name: 'A', containerPort: 70000, protocol: 'X' })).toEqual([
      'spec.name: Invalid value: "A": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
      'spec.name: Invalid value: "A": must contain at least one letter (a-z)',
      'spec.containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive',
      'spec.protocol: Unsupported value: "X": supported values: "TCP", "UDP"',
    ]);
    expect(check(port, { containerPort: 1, protocol: 'TCP' })).toEqual([]);
  });

  it('reach elements and pointers', () => {
    const spec = struct('core.v1.Container', {
      ports: [each(port), uniqueBy('name')],
      securityContext: ifPresent(required()),
    });
    const ok = { containerPort: 1, protocol: 'TCP', name: 'a' };
    expect(check(spec, { ports: [ok, ok] })).toEqual(['spec.ports[1].name: Duplicate value: "a"']);
  });

  it('refuse a field that the type lacks', () => {
    const bad = struct('core.v1.Pod', { specs: required() });
    expect(() => check(bad, {})).toThrow('no field specs');
  });
});

describe('metadata', () => {
  const options = { namespaced: true, name: nameIsDnsSubdomain };
  const validate = (meta: JsonObject): string[] => {
    const c = newCheck(() => true);
    validateObjectMeta(meta, options, c);
    return c.errors.map((e) => `${e.type} ${e.field}`);
  };

  it('takes what is fine', () => {
    expect(
      validate({
        name: 'a.b-c',
        namespace: 'x',
        labels: { 'a.b/c': 'V_1', x: '' },
        annotations: { 'A.b/C': 'anything ✓' },
        finalizers: ['kubernetes', 'a.b/c'],
        ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u' }],
        managedFields: [{ manager: 'kubectl', operation: 'Apply', fieldsType: 'FieldsV1' }],
      }),
    ).toEqual([]);
    expect(validate({ name: 'x', generateName: 'x-', namespace: 'x' })).toEqual([]);
  });

  it('names every fault', () => {
    expect(
      validate({
        generateName: 'X',
        generation: -1,
        labels: { 'bad key!': 'bad value!' },
        annotations: { '': 'x', big: 'x'.repeat(300_000) },
        ownerReferences: [{ apiVersion: 'a/b/c', kind: '', name: '', uid: '' }],
        finalizers: ['orphan', 'foregroundDeletion', 'odd'],
        managedFields: [{ manager: 'x'.repeat(200), operation: 'Bogus' as 'Apply', fieldsType: 'V2' }],
      }),
    ).toEqual([
      'FieldValueInvalid metadata.generateName',
      'FieldValueRequired metadata.name',
      'FieldValueRequired metadata.namespace',
      'FieldValueInvalid metadata.generation',
      'FieldValueInvalid metadata.labels',
      'FieldValueInvalid metadata.labels',
      'FieldValueInvalid metadata.annotations',
      'FieldValueInvalid metadata.annotations',
      'FieldValueTooLong metadata.annotations',
      'FieldValueInvalid metadata.ownerReferences.apiVersion',
      'FieldValueInvalid metadata.ownerReferences.kind',
      'FieldValueInvalid metadata.ownerReferences.name',
      'FieldValueInvalid metadata.ownerReferences.uid',
      'FieldValueInvalid metadata.finalizers',
      'FieldValueInvalid metadata.managedFields[0].operation',
      'FieldValueInvalid metadata.managedFields[0].fieldsType',
      'FieldValueTooLong metadata.managedFields[0].manager',
      'FieldValueInvalid metadata.finalizers[2]',
    ]);
  });

  it('holds what may not change', () => {
    const old = { name: 'a', namespace: 'x', uid: 'u', resourceVersion: '5', creationTimestamp: 't', generation: 2 };
    const run = (meta: JsonObject, was: JsonObject = old) => {
      const c = newCheck(() => true);
      validateObjectMetaUpdate(meta, was, c);
      return c.errors.map((e) => e.field);
    };
    expect(run({ ...old, labels: { a: 'b' } })).toEqual([]);
    expect(run({ ...old, name: 'b', uid: 'v', generation: 1, resourceVersion: undefined })).toEqual([
      'metadata.resourceVersion',
      'metadata.generation',
      'metadata.name',
      'metadata.uid',
    ]);
    expect(run({ ...old, deletionTimestamp: 't', finalizers: ['a/b'] }, { ...old, deletionTimestamp: 't' })).toEqual([
      'metadata.finalizers',
    ]);
  });
});

describe('addresses', () => {
  it('read and write each other', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 })),
        (bytes) => {
          const parsed = parseIP(formatIP(bytes));
          if (bytes.length === 16 && parsed?.mapped) return;
          expect([...(parsed?.bytes ?? [])]).toEqual([...bytes]);
        },
      ),
    );
  });
  it('refuse the rest', () => {
    for (const bad of ['', '1.2.3', '1.2.3.256', '::1::', '1:2:3:4:5:6:7:8:9', 'fe80::1%eth0', '1.2.3.4:80', ':'])
      expect(parseIP(bad), bad).toBeUndefined();
    for (const bad of ['1.2.3.4', '1.2.3.4/33', '::1/129', '1.2.3.4/-1', '1.2.3.4/a'])
      expect(parseCIDR(bad), bad).toBeUndefined();
    expect(parseIP('01.2.3.4')?.leadingZeros).toBe(true);
    expect(parseCIDR('10.1.2.3/8')?.hostBits).toBe(true);
  });
  it('never throw', () => {
    fc.assert(fc.property(fc.string(), (s) => void [parseIP(s), parseCIDR(s)]));
  });
});

describe('Go form', () => {
  it('has every field under its Go name', () => {
    expect(goForm('core.v1.Taint', { key: 'a', effect: 'NoSchedule' })).toEqual({
      Key: 'a',
      Value: '',
      Effect: 'NoSchedule',
      TimeAdded: null,
    });
    expect(equalJson(goForm('core.v1.Taint', undefined), undefined)).toBe(true);
  });
});

it('every table names fields that exist', async () => {
  await import('../index.js');
  expect(compileAllRules()).toEqual(['rules of io.k8s.api.core.v1.Pod: no field specs']); // the one made bad above
});
