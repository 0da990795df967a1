import { apiVersionOf, type GroupVersionKind, type JsonObject, parseApiVersion } from '../../json.js';
import type { Type } from '../../scheme/type.js';
import { DecodeError } from '../errors.js';
import { messageWriter } from './encode.js';
import { ProtoReader } from './reader.js';
import { ProtoWriter } from './writer.js';

/** Every protobuf body starts so: `k8s` and a zero byte, then runtime.Unknown. */
export const PROTOBUF_PREFIX = Buffer.from('k8s\0', 'latin1');

/** The whole protobuf form of an object: prefix, kind and version, message. */
export function encodeEnvelope(type: Type, gvk: GroupVersionKind, object: JsonObject): Buffer {
  const w = new ProtoWriter(4096);
  w.varint(0); // contentType: empty
  w.varint(0x22);
  w.varint(0); // contentEncoding: empty
  w.varint(0x1a);
  let mark = w.length;
  messageWriter(type)(w, object);
  w.lengthSince(mark);
  w.varint(0x12);
  mark = w.length;
  w.string(gvk.kind);
  w.varint(0x12);
  w.string(apiVersionOf(gvk));
  w.varint(0x0a);
  w.lengthSince(mark);
  w.varint(0x0a);
  w.bytes(PROTOBUF_PREFIX);
  return w.finish();
}

export function hasProtobufPrefix(body: Uint8Array): boolean {
  return body.length >= 4 && PROTOBUF_PREFIX.equals(body.subarray(0, 4));
}

/** Opens the envelope: the kind it names (parts may be empty) and the bytes of the message. Throws DecodeError. */
export function decodeEnvelope(body: Uint8Array): { gvk: GroupVersionKind; raw: Buffer } {
  if (body.length === 0) throw new DecodeError('empty data');
  if (!hasProtobufPrefix(body)) {
    throw new DecodeError('provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]');
  }
  if (body.length === 4) throw new DecodeError('empty body');
  const r = new ProtoReader(body.subarray(4));
  let raw: Buffer = Buffer.alloc(0);
  const meta = { apiVersion: '', kind: '' };
  eachField(r, 'Unknown', (number, wire) => {
    if (number > 4) return r.skip(wire);
    if (wire !== 2) {
      const field = ['TypeMeta', 'Raw', 'ContentEncoding', 'ContentType'][number - 1];
      throw new DecodeError(`proto: wrong wireType = ${wire} for field ${field}`);
    }
    if (number === 1) readTypeMeta(r.bytes(), meta);
    else if (number === 2) raw = r.bytes();
    else r.bytes();
  });
  return { gvk: { ...parseApiVersion(meta.apiVersion), kind: meta.kind }, raw };
}

function readTypeMeta(data: Buffer, meta: { apiVersion: string; kind: string }): void {
  const r = new ProtoReader(data);
  eachField(r, 'TypeMeta', (number, wire) => {
    if (number > 2) return r.skip(wire);
    if (wire !== 2)
      throw new DecodeError(`proto: wrong wireType = ${wire} for field ${number === 1 ? 'APIVersion' : 'Kind'}`);
    meta[number === 1 ? 'apiVersion' : 'kind'] = r.string();
  });
}

function eachField(r: ProtoReader, name: string, read: (number: number, wire: number) => void): void {
  while (r.pos < r.end) {
    const tag = r.varint();
    const wire = tag & 7;
    const number = Math.floor(tag / 8);
    if (wire === 4) throw new DecodeError(`proto: ${name}: wiretype end group for non-group`);
    if (number <= 0) throw new DecodeError(`proto: ${name}: illegal tag ${number} (wire type ${tag})`);
    read(number, wire);
  }
}
