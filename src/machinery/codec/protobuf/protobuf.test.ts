import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../json.js';
import { catalog } from '../../scheme/catalog.js';
import { decodeMessage } from './decode.js';
import { encodeMessage } from './encode.js';
import { decodeEnvelope, encodeEnvelope } from './envelope.js';
import { frameWatchEvent } from './watch.js';

const type = (kind: string, group = '') => catalog().byGvk(group, 'v1', kind)!;
const hex = (text: string) => Buffer.from(text.replace(/[^0-9a-f]/g, ''), 'hex');

// Small messages whose bytes were worked out from the wire format; the golden files check the rest.
const configMap: JsonObject = {
  metadata: { name: 'cm', labels: { b: '2', a: '1' } },
  data: { k: 'v' },
  binaryData: { x: 'AAE=' },
  immutable: false,
};
const configMapMessage = hex(`
  0a22 0a02 636d 1200 1a00 2200 2a00 3200 3800 4200 5a06 0a0161 120131 5a06 0a0162 120132
  1206 0a016b 120176
  1a07 0a0178 12020001
  2000`);

describe('messages', () => {
  it('are written field by field in ascending order', () => {
    expect(encodeMessage(type('ConfigMap'), configMap).toString('hex')).toBe(configMapMessage.toString('hex'));
    expect(decodeMessage(type('ConfigMap'), configMapMessage)).toEqual(configMap);
  });
  it('hold special values', () => {
    const cases: [string, JsonObject, string][] = [
      ['Time', { metadata: { creationTimestamp: '1970-01-01T00:00:01Z' } }, '4204 0801 1000'],
      ['Quantity', { spec: { overhead: { cpu: '100m' } } }, '0a0363 7075 1206 0a04 3130306d'],
      ['negative int32', { spec: { priority: -1 } }, 'ffffffffffffffffff01'],
      ['int64', { metadata: { generation: 9223372036854775807n } }, '38ffffffffffffffff7f'],
    ];
    for (const [name, object, bytes] of cases) {
      const data = encodeMessage(type('Pod'), object);
      expect(data.toString('hex'), name).toContain(bytes.replaceAll(' ', ''));
      expect(decodeMessage(type('Pod'), data), name).toEqual(object);
    }
    const probe = { httpGet: { port: 'http' }, initialDelaySeconds: 1 };
    const pod = { spec: { containers: [{ name: 'c', livenessProbe: probe }] } };
    expect(decodeMessage(type('Pod'), encodeMessage(type('Pod'), pod))).toEqual(pod);
  });
  it('hold schemas', () => {
    const schema = {
      additionalProperties: true,
      items: [{ type: 'a' }, {}],
      dependencies: { x: ['a'], y: { type: 's' } },
      enum: [1, null],
      default: false,
      maximum: 0.5,
    };
    const crd = { spec: { versions: [{ schema: { openAPIV3Schema: schema } }] } };
    const t = type('CustomResourceDefinition', 'apiextensions.k8s.io');
    expect(decodeMessage(t, encodeMessage(t, crd))).toEqual(crd);
  });
  it('merge a message that comes twice and take the last of a scalar', () => {
    const twice = Buffer.concat([hex('0a05 0a01 61 3801'), hex('0a03 0a01 62')]);
    expect(decodeMessage(type('ConfigMap'), twice)).toEqual({ metadata: { name: 'b', generation: 1 } });
  });
  it('skip what they do not know', () => {
    const unknown = hex('f83f 01  f93f 0000000000000000  fa3f 02 6162  fd3f 00000000  fb3f f83f01 fc3f');
    expect(decodeMessage(type('ConfigMap'), Buffer.concat([unknown, hex('1206 0a016b 120176')]))).toEqual({
      data: { k: 'v' },
    });
  });
  it('read packed numbers and entries without key or value', () => {
    expect(decodeMessage(type('Pod'), hex('1208 7206 22020102 2000'))).toEqual({
      spec: { securityContext: { supplementalGroups: [1, 2, 0] } },
    });
    expect(decodeMessage(type('ConfigMap'), hex('1200 1a03 0a0178'))).toEqual({
      data: { '': '' },
      binaryData: { x: '' },
    });
  });
});

describe('bytes that are no message', () => {
  it.each([
    ['0a', 'unexpected EOF'],
    ['0a05 0a', 'unexpected EOF'],
    ['0aff', 'unexpected EOF'],
    ['0affffffffffffffffff01', 'proto: negative length found during unmarshaling'],
    ['0affffffffffffffffffffff01', 'proto: integer overflow'],
    ['08 01', 'proto: wrong wireType = 0 for field Metadata'],
    ['10 01', 'proto: wrong wireType = 0 for field Data'],
    ['22 00', 'proto: wrong wireType = 2 for field Immutable'],
    ['00', 'proto: ConfigMap: illegal tag 0 (wire type 0)'],
    ['0c', 'proto: ConfigMap: wiretype end group for non-group'],
    ['67', 'proto: illegal wireType 7'],
    ['fb3f', 'unexpected EOF'],
    ['f93f 00', 'unexpected EOF'],
    ['0a06 42 04 08ffffff', 'unexpected EOF'],
  ])('%s', (bytes, message) => {
    expect(() => decodeMessage(type('ConfigMap'), hex(bytes))).toThrow(message);
  });
  it('times and raw JSON that the API cannot write', () => {
    expect(() => decodeMessage(type('ConfigMap'), hex('0a0c 420a 08ffffffffffffff7f 10'))).toThrow();
    expect(() => decodeMessage(type('ConfigMap'), hex('0a0a 4208 08ffffffffffff7f'))).toThrow('year outside of range');
    expect(() => decodeMessage(type('ControllerRevision', 'apps'), hex('1203 0a017b'))).toThrow(
      'unexpected end of JSON input',
    );
  });
  it('quantities that are none', () => {
    expect(() => decodeMessage(type('Pod'), hex('120e 8202 0b 0a0163 1206 0a04 61626364'))).toThrow(
      'quantities must match',
    );
  });
});

describe('envelope', () => {
  const gvk = { group: 'apps', version: 'v1', kind: 'Deployment' };
  it('names kind and version', () => {
    const body = encodeEnvelope(type('Deployment', 'apps'), gvk, {});
    expect(body.subarray(0, 4).toString('latin1')).toBe('k8s\0');
    expect(body.toString('hex')).toMatch(/^6b3873000a150a07617070732f7631120a4465706c6f796d656e7412.*1a002200$/);
    const { gvk: back, raw } = decodeEnvelope(body);
    expect(back).toEqual(gvk);
    expect(decodeMessage(type('Deployment', 'apps'), raw)).toEqual({});
  });
  it.each([
    ['', 'empty data'],
    ['6b387300', 'empty body'],
    ['78797a', 'provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]'],
    ['6b387300 67', 'proto: illegal wireType 7'],
    ['6b387300 0a05', 'unexpected EOF'],
    ['6b387300 0801', 'proto: wrong wireType = 0 for field TypeMeta'],
    ['6b387300 0a02 0801', 'proto: wrong wireType = 0 for field APIVersion'],
    ['6b387300 04', 'proto: Unknown: wiretype end group for non-group'],
    ['6b387300 00', 'proto: Unknown: illegal tag 0 (wire type 0)'],
  ])('%j is refused', (bytes, message) => {
    expect(() => decodeEnvelope(hex(bytes))).toThrow(message);
  });
});

it('a watch frame has its length, its type and the object', () => {
  const frame = frameWatchEvent('ADDED', Buffer.from('k8s\0x', 'latin1'));
  expect(frame.toString('hex')).toBe('00000010' + '0a054144444544' + '1207' + '0a05' + '6b38730078');
});
