import { cborWatchEvent } from '../../machinery/codec/cbor/encode.js';
import { frameWatchEvent } from '../../machinery/codec/protobuf/watch.js';
import type { Representation } from './representation.js';

/**
 * One watch event around an encoded object: a line of JSON, or in protobuf a length and a bare meta.v1.WatchEvent.
 *
 * @param object the object's encoding without newline
 */
export function encodeEvent(type: string, object: Buffer, form: Representation): Buffer {
  switch (form.format) {
    case 'json':
      return Buffer.concat([Buffer.from(`{"type":"${type}","object":`), object, Buffer.from('}\n')]);
    case 'protobuf':
      return frameWatchEvent(type, object);
    case 'cbor':
      return cborWatchEvent(type, object);
    default:
      throw new Error(`no watch stream in ${form.format}`);
  }
}
