import { ProtoWriter } from './writer.js';

/**
 * One frame of a protobuf watch: the length in four bytes, then a bare WatchEvent whose object holds a whole
 * {@link encodeEnvelope envelope}.
 */
export function frameWatchEvent(type: string, envelope: Uint8Array): Buffer {
  const w = new ProtoWriter(envelope.length + 64);
  w.lengthDelimited(envelope); // RawExtension.raw
  w.varint(0x0a);
  w.lengthSince(0); // WatchEvent.object
  w.varint(0x12);
  w.string(type);
  w.varint(0x0a);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(w.length);
  w.bytes(length);
  return w.finish();
}
