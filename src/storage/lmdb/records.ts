import type { KeyValue, WatchEvent } from '../contract.js';

/**
 * The layout on disk. Values are stored once, under the revision that wrote them; keys point to their newest revision,
 * and every revision to the one before it, so that a key's past is a chain of revisions.
 *
 *   revisions   revision → Change         what happened at a revision; this is the history that watches read
 *   keys        key → KeyState            the newest state of a key, tombstones included until they are compacted
 *   leases      lease → time of expiry
 *   leaseKeys   lease, key → nothing      what hangs on a lease
 *   meta        'state' → StoreState, 'owner' → the process that has the store open
 *
 * Numbers are big-endian so that LMDB's byte order is their order.
 */
export interface Change {
  readonly deleted: boolean;
  readonly key: string;
  readonly revision: number;
  readonly createRevision: number;
  readonly version: number;
  readonly lease: bigint;
  /** The key's change before this one, a tombstone perhaps. 0 when there is none. */
  readonly previousRevision: number;
  readonly value: Buffer;
}

export type KeyState = Pick<Change, 'deleted' | 'revision' | 'createRevision' | 'version' | 'lease'>;

export interface StoreState {
  readonly revision: number;
  readonly compacted: number;
  /** Up to here the obsolete records are removed. */
  readonly swept: number;
}

const FORMAT = 1;
const CHANGE_HEADER = 29;
const NO_VALUE = Buffer.alloc(0);

export function keyOf(key: string): Buffer {
  return Buffer.from(key);
}

export function revisionKey(revision: number): Buffer {
  const out = Buffer.allocUnsafe(6);
  out.writeUIntBE(revision, 0, 6);
  return out;
}

export function revisionOf(key: Buffer): number {
  return key.readUIntBE(0, 6);
}

export function encodeChange(change: Change): Buffer {
  const key = Buffer.byteLength(change.key);
  const out = Buffer.allocUnsafe(CHANGE_HEADER + key + change.value.length);
  out.writeUInt8(change.deleted ? 1 : 0, 0);
  out.writeUIntBE(change.createRevision, 1, 6);
  out.writeUIntBE(change.version, 7, 6);
  out.writeUIntBE(change.previousRevision, 13, 6);
  out.writeBigInt64BE(change.lease, 19);
  out.writeUInt16BE(key, 27);
  out.write(change.key, CHANGE_HEADER);
  change.value.copy(out, CHANGE_HEADER + key);
  return out;
}

export function decodeChange(revision: number, record: Buffer): Change {
  const value = CHANGE_HEADER + record.readUInt16BE(27);
  return {
    deleted: record[0] === 1,
    key: record.toString('utf8', CHANGE_HEADER, value),
    revision,
    createRevision: record.readUIntBE(1, 6),
    version: record.readUIntBE(7, 6),
    previousRevision: record.readUIntBE(13, 6),
    lease: record.readBigInt64BE(19),
    value: value === record.length ? NO_VALUE : record.subarray(value),
  };
}

/** Whether the key in an encoded change starts with a prefix. */
export function recordStartsWith(record: Buffer, prefix: Buffer): boolean {
  if (record.readUInt16BE(27) < prefix.length) return false;
  for (let i = 0; i < prefix.length; i++) if (record[CHANGE_HEADER + i] !== prefix[i]) return false;
  return true;
}

export function encodeKeyState(state: KeyState): Buffer {
  const out = Buffer.allocUnsafe(27);
  out.writeUInt8(state.deleted ? 1 : 0, 0);
  out.writeUIntBE(state.revision, 1, 6);
  out.writeUIntBE(state.createRevision, 7, 6);
  out.writeUIntBE(state.version, 13, 6);
  out.writeBigInt64BE(state.lease, 19);
  return out;
}

export function decodeKeyState(record: Buffer): KeyState {
  return {
    deleted: record[0] === 1,
    revision: record.readUIntBE(1, 6),
    createRevision: record.readUIntBE(7, 6),
    version: record.readUIntBE(13, 6),
    lease: record.readBigInt64BE(19),
  };
}

export function encodeStoreState(state: StoreState): Buffer {
  const out = Buffer.alloc(19);
  out.writeUInt8(FORMAT, 0);
  out.writeUIntBE(state.revision, 1, 6);
  out.writeUIntBE(state.compacted, 7, 6);
  out.writeUIntBE(state.swept, 13, 6);
  return out;
}

/** Throws when the store was written by another format of this program. */
export function decodeStoreState(record: Buffer): StoreState {
  if (record[0] !== FORMAT) throw new Error(`the store has format ${record[0]}, this program reads format ${FORMAT}`);
  return { revision: record.readUIntBE(1, 6), compacted: record.readUIntBE(7, 6), swept: record.readUIntBE(13, 6) };
}

export function leaseKey(lease: bigint): Buffer {
  const out = Buffer.allocUnsafe(8);
  out.writeBigInt64BE(lease);
  return out;
}

export function leaseOf(key: Buffer): bigint {
  return key.readBigInt64BE(0);
}

export function attachmentKey(lease: bigint, key: string): Buffer {
  return Buffer.concat([leaseKey(lease), Buffer.from(key)]);
}

export function attachedKey(attachment: Buffer): string {
  return attachment.toString('utf8', 8);
}

export function encodeExpiry(time: number): Buffer {
  const out = Buffer.allocUnsafe(8);
  out.writeDoubleBE(time);
  return out;
}

export function decodeExpiry(record: Buffer): number {
  return record.readDoubleBE(0);
}

export function keyValueOf(change: Change): KeyValue {
  return {
    key: change.key,
    value: change.value,
    createRevision: change.createRevision,
    modRevision: change.revision,
    version: change.version,
    lease: change.lease,
  };
}

export function eventOf(change: Change, prevKv?: KeyValue): WatchEvent {
  const type = change.deleted ? 'DELETE' : 'PUT';
  return { type, kv: keyValueOf(change), prevKv, revision: change.revision };
}
