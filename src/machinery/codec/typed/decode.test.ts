import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../json.js';
import { catalog } from '../../scheme/catalog.js';
import { parseJson } from '../json/parse.js';
import type { Duplicates } from '../json/scanner.js';
import { decodeTyped } from './decode.js';
import { emptyListDropper } from './empty-lists.js';
import { decodeUnstructured } from './unstructured.js';

const type = (kind: string, group = '', version = 'v1') => catalog().byGvk(group, version, kind)!;
const minimal = (kind: string, value: JsonValue, group = '') => decodeTyped(type(kind, group), value).object;
const crd = (schema: JsonValue) => ({ spec: { versions: [{ schema: { openAPIV3Schema: schema } }] } });

describe('minimal form', () => {
  it('drops null and zero values of fields that are no pointers', () => {
    const pod = {
      metadata: { name: '', labels: {}, finalizers: [], creationTimestamp: null, generation: 0 },
      spec: { hostNetwork: false, containers: [{ name: 'c', resources: {}, ports: null, stdin: false }] },
      status: {},
    };
    expect(minimal('Pod', pod)).toEqual({ spec: { containers: [{ name: 'c' }] } });
  });
  it('keeps zero values of pointers', () => {
    const spec = {
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      securityContext: {},
      volumes: [{ name: 'v', emptyDir: {} }],
    };
    expect(minimal('Pod', { spec })).toEqual({ spec });
  });
  it('tells empty from unset lists that Go always writes, until they are stored', () => {
    const role = minimal(
      'Role',
      { rules: [], metadata: { managedFields: [], finalizers: [] } },
      'rbac.authorization.k8s.io',
    );
    expect(role).toEqual({ rules: [], metadata: { managedFields: [] } });
    emptyListDropper(type('Role', 'rbac.authorization.k8s.io'))!(role);
    expect(role).toEqual({ metadata: {} });
  });
  it('keeps bytes that Go always writes, though there are none', () => {
    const request = (value: JsonValue) =>
      minimal('CertificateSigningRequest', { spec: { request: value, signerName: '' } }, 'certificates.k8s.io');
    expect(request('')).toEqual({ spec: { request: '' } });
    expect(request(null)).toEqual({});
  });
  it('keeps map values and elements of lists', () => {
    expect(minimal('ConfigMap', { data: { a: '', b: null }, binaryData: { c: '' } })).toEqual({
      data: { a: '', b: '' },
      binaryData: { c: '' },
    });
    expect(minimal('Pod', { metadata: { managedFields: [{}], finalizers: [null] } })).toEqual({
      metadata: { managedFields: [{}], finalizers: [''] },
    });
    expect(minimal('SubjectAccessReview', { spec: { extra: { a: null, b: [] } } }, 'authorization.k8s.io')).toEqual({
      spec: { extra: { a: null, b: [] } },
    });
  });
  it('keeps keys such as __proto__ in maps only', () => {
    const value = parseJson('{"metadata":{"labels":{"__proto__":"x"}},"__proto__":{"spec":1}}');
    const { object, unknown } = decodeTyped(type('Pod'), value, { strict: true });
    expect(Object.keys((object.metadata as { labels: object }).labels)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(object)).toBe(Object.prototype);
    expect(unknown).toEqual(['unknown field "__proto__"']);
  });
  it('makes special values canonical', () => {
    const spec = { containers: [{ resources: { limits: { cpu: '1000m', memory: 1024, x: 0.5 } } }] };
    expect(minimal('Pod', { spec })).toEqual({
      spec: { containers: [{ resources: { limits: { cpu: '1', memory: '1024', x: '500m' } } }] },
    });
    expect(minimal('Pod', { metadata: { creationTimestamp: '2026-01-01T01:00:00+01:00' } })).toEqual({
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
    });
    expect(minimal('Secret', { data: { a: 'YQ==\n', b: 'YR==', c: [97, null] } })).toEqual({
      data: { a: 'YQ==', b: 'YQ==', c: 'YQA=' },
    });
    const ports = [
      { port: 1, targetPort: 'http' },
      { port: 2, targetPort: 8080 },
      { port: 3, targetPort: 0 },
    ];
    expect(minimal('Service', { spec: { ports } })).toEqual({ spec: { ports: [ports[0], ports[1], { port: 3 }] } });
  });
  it('keeps free-form values as they are', () => {
    expect(minimal('ControllerRevision', { data: { b: 0, a: { c: null } }, revision: 1 }, 'apps')).toEqual({
      data: { b: 0, a: { c: null } },
      revision: 1,
    });
    const schema = {
      default: {},
      enum: [null, 0, ''],
      additionalProperties: false,
      items: { type: 'string', nullable: false },
      properties: { a: {} },
    };
    expect(minimal('CustomResourceDefinition', crd(schema), 'apiextensions.k8s.io')).toEqual(
      crd({ ...schema, items: { type: 'string' } }),
    );
  });
  it('reads null as nothing at all', () => {
    expect(minimal('Pod', null)).toEqual({});
  });
  it('holds integers exactly', () => {
    expect(minimal('Pod', { metadata: { generation: 9223372036854775807n } })).toEqual({
      metadata: { generation: 9223372036854775807n },
    });
    expect(Object.is((minimal('Pod', { spec: { priority: -0 } }).spec as { priority: number }).priority, 0)).toBe(true);
  });
});

describe("a wrong type gives Go's message", () => {
  it.each<[string, JsonValue, string]>([
    ['Pod', [], 'json: cannot unmarshal array into Go value of type v1.Pod'],
    ['Pod', { spec: 'x' }, 'json: cannot unmarshal string into Go struct field Pod.spec of type v1.PodSpec'],
    [
      'Pod',
      { spec: { containers: {} } },
      'json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container',
    ],
    [
      'Pod',
      { spec: { containers: ['x'] } },
      'json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type v1.Container',
    ],
    [
      'Pod',
      { spec: { containers: [{ name: 5 }] } },
      'json: cannot unmarshal number into Go struct field Container.spec.containers.name of type string',
    ],
    [
      'Pod',
      { spec: { containers: [{ imagePullPolicy: 5 }] } },
      'json: cannot unmarshal number into Go struct field Container.spec.containers.imagePullPolicy of type v1.PullPolicy',
    ],
    [
      'Pod',
      { spec: { containers: [{ resources: { limits: [] } }] } },
      'json: cannot unmarshal array into Go struct field ResourceRequirements.spec.containers.resources.limits of type v1.ResourceList',
    ],
    [
      'Pod',
      { spec: { volumes: [{ hostPath: 'x' }] } },
      'json: cannot unmarshal string into Go struct field Volume.spec.volumes.VolumeSource.hostPath of type v1.HostPathVolumeSource',
    ],
    [
      'Pod',
      { spec: { priority: 2147483648 } },
      'json: cannot unmarshal number 2147483648 into Go struct field PodSpec.spec.priority of type int32',
    ],
    [
      'Pod',
      { spec: { priority: 1.5 } },
      'json: cannot unmarshal number 1.5 into Go struct field PodSpec.spec.priority of type int32',
    ],
    [
      'Pod',
      { metadata: { generation: 99999999999999999999n } },
      'json: cannot unmarshal number 99999999999999999999 into Go struct field ObjectMeta.metadata.generation of type int64',
    ],
    [
      'Pod',
      { metadata: { uid: true } },
      'json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.uid of type types.UID',
    ],
    [
      'Pod',
      { metadata: { labels: { a: 1 } } },
      'json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string',
    ],
    [
      'Pod',
      { metadata: { labels: [] } },
      'json: cannot unmarshal array into Go struct field ObjectMeta.metadata.labels of type map[string]string',
    ],
    [
      'Pod',
      { metadata: { creationTimestamp: 5 } },
      'json: cannot unmarshal number into Go struct field ObjectMeta.metadata.creationTimestamp of type string',
    ],
    [
      'Pod',
      { spec: { hostNetwork: 'x' } },
      'json: cannot unmarshal string into Go struct field PodSpec.spec.hostNetwork of type bool',
    ],
    [
      'Service',
      { spec: { ports: [{ targetPort: true }] } },
      'json: cannot unmarshal bool into Go struct field ServicePort.spec.ports.targetPort of type int32',
    ],
    [
      'Service',
      { spec: { ports: [{ targetPort: 99999999999 }] } },
      'json: cannot unmarshal number 99999999999 into Go struct field ServicePort.spec.ports.targetPort of type int32',
    ],
    [
      'Secret',
      { data: 'x' },
      'json: cannot unmarshal string into Go struct field Secret.data of type map[string][]uint8',
    ],
    ['Secret', { data: { a: 5 } }, 'json: cannot unmarshal number into Go struct field Secret.data of type []uint8'],
    ['Secret', { data: { a: '!' } }, 'illegal base64 data at input byte 0'],
    ['Secret', { data: { a: 'YQ' } }, 'illegal base64 data at input byte 0'],
    ['Secret', { data: { a: 'YQ=x' } }, 'illegal base64 data at input byte 3'],
    ['Secret', { data: { a: 'Y\nQ=x' } }, 'illegal base64 data at input byte 4'],
    ['Pod', { spec: { overhead: { cpu: 'x' } } }, 'quantities must match'],
    ['Pod', { spec: { overhead: { cpu: [] } } }, 'quantities must match'],
  ])('of %s %o: %s', (kind, value, message) => {
    expect(() => minimal(kind, value)).toThrow(message);
  });
  it('the first one counts, but a bad special value comes before them', () => {
    expect(() => minimal('Pod', { spec: { hostNetwork: 1, priority: 'x' } })).toThrow('PodSpec.spec.hostNetwork');
    expect(() => minimal('Pod', { spec: { hostNetwork: 1, overhead: { cpu: 'x' } } })).toThrow('quantities must match');
  });
  it('parts of schemas name the outer field', () => {
    const bad = (schema: JsonValue) => () => minimal('CustomResourceDefinition', crd(schema), 'apiextensions.k8s.io');
    expect(bad({ items: { type: 5 } })).toThrow(
      'json: cannot unmarshal number into Go struct field JSONSchemaProps.spec.versions.schema.openAPIV3Schema.items of type string',
    );
    expect(bad({ additionalProperties: 'x' })).toThrow('boolean or JSON schema expected');
    expect(bad({ dependencies: { a: [1] } })).toThrow('of type string');
    expect(bad({ multipleOf: 'x' })).toThrow('of type float64');
    expect(minimal('CustomResourceDefinition', crd({ items: 'x' }), 'apiextensions.k8s.io')).toEqual(
      crd({ items: null }),
    );
  });
});

describe('strict faults', () => {
  const faults = (kind: string, text: string, group = '') => {
    const duplicates: Duplicates = new Map();
    return decodeTyped(type(kind, group), parseJson(text, duplicates), { strict: true, duplicates }).unknown;
  };
  it('come with their path, in the order of the text', () => {
    expect(
      faults(
        'Pod',
        '{"bogus":1,"spec":{"containers":[{"x":1},{"x":1}]},"metadata":{"labels":{"a":"1","a":"2"},"y":1},"kind":"Pod","kind":"Pod"}',
      ),
    ).toEqual([
      'unknown field "bogus"',
      'unknown field "spec.containers[0].x"',
      'unknown field "spec.containers[1].x"',
      'duplicate field "metadata.labels.a"',
      'unknown field "metadata.y"',
      'duplicate field "kind"',
    ]);
    expect(faults('Pod', '{"x":1,"spec":{"hostNetwork":true,"hostNetwork":true,"z":1},"x":2}')).toEqual([
      'unknown field "x"',
      'duplicate field "spec.hostNetwork"',
      'unknown field "spec.z"',
    ]);
  });
  it('are not looked for in free-form parts and schemas inside schemas', () => {
    expect(faults('ControllerRevision', '{"revision":1,"data":{"a":1,"a":2}}', 'apps')).toEqual([]);
    expect(
      faults(
        'CustomResourceDefinition',
        JSON.stringify(crd({ items: { x: 1 }, properties: { p: { x: 1 } } })),
        'apiextensions.k8s.io',
      ),
    ).toEqual(['unknown field "spec.versions[0].schema.openAPIV3Schema.properties.p.x"']);
  });
  it('stop at a hundred', () => {
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`x${i}`, 1]));
    expect(faults('Pod', JSON.stringify(many))).toHaveLength(100);
  });
  it('are not noted when nobody asks', () => {
    expect(decodeTyped(type('Pod'), { x: 1 }).unknown).toEqual([]);
  });
});

describe('unstructured values', () => {
  it('are objects with exact int64 and floating-point beyond it', () => {
    expect(decodeUnstructured({ a: [9223372036854775807n, 18446744073709551616n] })).toEqual({
      a: [9223372036854775807n, 2 ** 64],
    });
    expect(decodeUnstructured(null)).toEqual({});
    expect(() => decodeUnstructured([])).toThrow(
      'json: cannot unmarshal array into Go value of type map[string]interface {}',
    );
    expect(() => decodeUnstructured('x')).toThrow('cannot unmarshal string');
  });
  it('note repeated keys', () => {
    const duplicates: Duplicates = new Map();
    const found: string[] = [];
    decodeUnstructured(parseJson('{"a":[{"b":1,"b":2}],"c":{"d":1,"d":1},"c":{"d":1}}', duplicates), duplicates, found);
    expect(found).toEqual(['duplicate field "c"', 'duplicate field "a[0].b"']);
  });
});
