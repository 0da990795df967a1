import { describe, expect, it } from 'vitest';
import { catalog } from '../scheme/catalog.js';
import { type BodyFormat, checkVersion, decodeAny, decodeBody, internalTypeName, strictDecodingError } from './body.js';
import { encodeCbor } from './cbor/encode.js';
import { encodeEnvelope } from './protobuf/envelope.js';

const gvk = { group: '', version: 'v1', kind: 'ConfigMap' };
const type = catalog().byGvk('', 'v1', 'ConfigMap')!;
const read = (body: string | Uint8Array, format: BodyFormat = 'json', strict = false) =>
  decodeBody(typeof body === 'string' ? Buffer.from(body) : body, format, { gvk, type }, strict);
const custom = (body: string, strict = false) =>
  decodeBody(Buffer.from(body), 'json', { gvk: { group: 'example.com', version: 'v1', kind: 'Thing' } }, strict);
const object = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'x' }, data: { k: 'v' } };

it('all encodings give the same object', () => {
  const { kind: _, apiVersion: __, ...rest } = object;
  expect(read(JSON.stringify(object)).object).toEqual(object);
  expect(
    read('kind: ConfigMap\napiVersion: v1\nmetadata:\n  name: x\n  labels: {}\ndata: {k: v}\n', 'yaml').object,
  ).toEqual(object);
  expect(read(encodeEnvelope(type, gvk, rest), 'protobuf').object).toEqual(object);
  expect(read(encodeCbor(object, type), 'cbor').object).toEqual(object);
});

describe('kind and version', () => {
  it('are taken from the endpoint when the body has none', () => {
    expect(read('{}').object).toEqual({ kind: 'ConfigMap', apiVersion: 'v1' });
    expect(read('null').object).toEqual({ kind: 'ConfigMap', apiVersion: 'v1' });
  });
  it.each([
    [
      '{"kind":"Nonsense","apiVersion":"v1"}',
      'Nonsense in version "v1" cannot be handled as a ConfigMap: no kind "Nonsense" is registered for version "v1" in scheme "pkg/api/legacyscheme/scheme.go:30"',
    ],
    [
      '{"apiVersion":"nonsense/v9"}',
      'ConfigMap in version "v9" cannot be handled as a ConfigMap: no kind "ConfigMap" is registered for version "nonsense/v9" in scheme "pkg/api/legacyscheme/scheme.go:30"',
    ],
    [
      '{"kind":"Pod","apiVersion":"v1"}',
      'Pod in version "v1" cannot be handled as a ConfigMap: converting (v1.Pod) to (core.ConfigMap): unknown conversion',
    ],
    [
      '{"apiVersion":"a/b/c"}',
      'the object provided is unrecognized (must be of type ConfigMap): unexpected GroupVersion string: a/b/c ({"apiVersion":"a/b/c"})',
    ],
    [
      '{"kind":5}',
      `the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: json: cannot unmarshal number into Go struct field .kind of type string ({"kind":5})`,
    ],
    ['{"KIND":"Nonsense"}', 'Nonsense in version "v1" cannot be handled as a ConfigMap: no kind'],
  ])('%s', (body, message) => {
    expect(() => read(body)).toThrow(message);
  });
  it('must be the endpoint’s in the end', () => {
    const deployment = { group: 'apps', version: 'v1', kind: 'Deployment' };
    const old = decodeBody(
      Buffer.from('{"apiVersion":"apps/v1beta1","kind":"Deployment"}'),
      'json',
      { gvk: deployment, type: catalog().byGvk('apps', 'v1', 'Deployment')! },
      false,
    );
    expect(() => checkVersion(old.gvk, deployment)).toThrow(
      'the API version in the data (apps/v1beta1) does not match the expected API version (apps/v1)',
    );
    expect(() => checkVersion(deployment, deployment)).not.toThrow();
  });
});

describe('bodies that are no object', () => {
  it.each<[string | Buffer, BodyFormat, string]>([
    ['', 'json', "couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)"],
    ['{', 'json', 'unexpected end of JSON input ({)'],
    [
      '[]',
      'json',
      'json: cannot unmarshal array into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" } (5b5d)',
    ],
    ['x'.repeat(40), 'json', `invalid character 'x' looking for beginning of value (${'78'.repeat(30)} ...)`],
    [`{"a":"${'b'.repeat(40)}`, 'json', `unexpected end of JSON input ({"a":"${'b'.repeat(24)} ...)`],
    [
      'kind: [x',
      'yaml',
      "(must be of type ConfigMap): yaml: line 1: did not find expected ',' or ']' (6b696e643a205b78)",
    ],
    [
      'xyz',
      'protobuf',
      '(must be of type ConfigMap): provided data does not appear to be a protobuf message, expected prefix [107 56 115 0] (78797a)',
    ],
    [
      Buffer.from('k8s\0garbage', 'latin1'),
      'protobuf',
      '(must be of type ConfigMap): proto: illegal wireType 7 (6b38730067617262616765)',
    ],
    [Buffer.from([0xff]), 'cbor', 'unexpected "break" code (ff)'],
  ])('%j as %s', (body, format, message) => {
    expect(() => read(body, format)).toThrow(message);
    expect(() => read(body, format)).toThrow(expect.objectContaining({ code: 400, reason: 'BadRequest' }));
  });
  it('a broken message in a whole envelope names the kind', () => {
    const body = Buffer.concat([encodeEnvelope(type, gvk, {}), Buffer.from('12020801', 'hex')]);
    expect(() => read(body, 'protobuf')).toThrow(
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: proto: wrong wireType = 0 for field Metadata',
    );
  });
});

describe('strict validation', () => {
  it('reports and lets the caller refuse', () => {
    const { strictErrors } = read('{"x":1,"kind":"ConfigMap","kind":"ConfigMap"}', 'json', true);
    expect(strictErrors).toEqual(['unknown field "x"', 'duplicate field "kind"']);
    expect(strictDecodingError(gvk, 'ConfigMap', strictErrors).message).toBe(
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "x", duplicate field "kind"',
    );
    expect(read('{"x":1}').strictErrors).toEqual([]);
  });
  it('finds repeated keys of YAML and unknown ones in their order there', () => {
    expect(read('y: 1\nx: 2\ny: 3\n', 'yaml', true).strictErrors).toEqual([
      'yaml: unmarshal errors:\n  line 3: key true already set in map',
      'unknown field "true"',
      'unknown field "x"',
    ]);
  });
});

describe('custom resources', () => {
  it('are read as they are', () => {
    expect(custom('{"spec":{"a":null,"b":1.0},"metadata":{}}').object).toEqual({
      kind: 'Thing',
      apiVersion: 'example.com/v1',
      metadata: {},
      spec: { a: null, b: 1 },
    });
    expect(custom('{"spec":{"a":1,"a":2}}', true).strictErrors).toEqual(['duplicate field "spec.a"']);
    expect(() =>
      decodeBody(
        encodeEnvelope(type, gvk, {}),
        'protobuf',
        { gvk: { group: 'e.com', version: 'v1', kind: 'T' } },
        false,
      ),
    ).toThrow('does not implement the protobuf marshalling interface');
  });
});

describe('any kind', () => {
  it('takes what the body names, or what stands in', () => {
    expect(decodeAny(Buffer.from(JSON.stringify(object)), 'json').object).toEqual(object);
    const options = { group: 'meta.k8s.io', version: 'v1', kind: 'DeleteOptions' };
    expect(decodeAny(Buffer.from('{"gracePeriodSeconds":0}'), 'json', options).object).toMatchObject({
      gracePeriodSeconds: 0,
    });
    expect(
      decodeAny(Buffer.from('{"kind":"DeleteOptions","apiVersion":"apps/v1","orphanDependents":false}'), 'json').object,
    ).toMatchObject({ orphanDependents: false });
    expect(decodeAny(Buffer.from('{"kind":"Thing","apiVersion":"e.com/v1","x":[]}'), 'json').object).toMatchObject({
      x: [],
    });
    const foreign = (rest: object) =>
      Buffer.from(JSON.stringify({ kind: 'DeleteOptions', apiVersion: 'e.com/v1', ...rest }));
    expect(decodeAny(foreign({ dryRun: ['All'] }), 'json', options).object).toMatchObject({ dryRun: ['All'] });
    expect(() => decodeAny(foreign({ dryRun: [{ toString: '' }] }), 'json', options)).toThrow(
      'cannot unmarshal object',
    );
    expect(() => decodeAny(foreign({ gracePeriodSeconds: 'x' }), 'json', options)).toThrow('cannot unmarshal string');
    expect(() => decodeAny(Buffer.from('{}'), 'json')).toThrow("Object 'Kind' is missing in '{}'");
    expect(() => decodeAny(Buffer.from('[]'), 'json')).toThrow('cannot unmarshal array');
  });
});

it('names internal types', () => {
  expect(internalTypeName(gvk)).toBe('core.ConfigMap');
  expect(internalTypeName({ group: 'rbac.authorization.k8s.io', version: 'v1', kind: 'Role' })).toBe('rbac.Role');
  expect(internalTypeName({ group: 'events.k8s.io', version: 'v1', kind: 'Event' })).toBe('core.Event');
  expect(internalTypeName({ group: 'internal.apiserver.k8s.io', version: 'v1alpha1', kind: 'StorageVersion' })).toBe(
    'apiserverinternal.StorageVersion',
  );
});
