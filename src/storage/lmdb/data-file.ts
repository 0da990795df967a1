import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { StorageError } from '../contract.js';

// The LMDB binding crashes the process when LMDB itself can't open a file. So what LMDB checks is checked here first.

/** What a new store, or taking one over, needs at most. */
const FIRST_PAGES = 64;
const MAGIC = 0xbeefc0de;
const VERSION = 2;
const META_PAGE = 0x08;

// Offsets in a header page of this version of LMDB.
const HEADER = 160;
const FLAGS_AT = 18;
const MAGIC_AT = 24;
const VERSION_AT = 28;
const PAGE_SIZE_AT = 48;
const LAST_PAGE_AT = 144;

/** Error codes of a full disk, a used up quota, and a limit on file sizes. */
const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

export function isDiskFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && FULL.has(String(error.code));
}

/**
 * Makes sure that LMDB will be able to open its file in a directory, which is made when it is missing. Leaves a store
 * that is there as it is, for another process may have it open.
 *
 * @param nearlyFull whether there may be no room for the first writes
 * @returns whether there is a store already
 * @throws StorageError `NoSpace`, or `Unavailable` for what is no store or may not be read
 */
export function prepareDataFile(directory: string, nearlyFull: () => boolean): boolean {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const path = join(directory, 'data.mdb');
    const exists = checkHeader(path);
    if (!exists || (nearlyFull() && sparePages(path) < FIRST_PAGES))
      probeSpace(join(directory, `probe-${process.pid}`));
    return exists;
  } catch (cause) {
    const code = isDiskFull(cause) ? 'NoSpace' : 'Unavailable';
    throw new StorageError(code, `can't open the store in ${directory}: ${messageOf(cause)}`, { cause });
  }
}

/** Makes sure that a new file is still there after a loss of power. Windows can't, and need not. */
export function syncDirectory(directory: string): void {
  if (process.platform === 'win32') return;
  const fd = openSync(directory, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Pages at the end of the file that the store has not used yet. */
function sparePages(path: string): number {
  const fd = openSync(path, 'r');
  try {
    const pageSize = readHeader(fd).readUInt32LE(PAGE_SIZE_AT);
    // The two headers take turns; each tells how far the file was used at its time.
    const last = [0, pageSize].map((at) => Number(readHeader(fd, at).readBigUInt64LE(LAST_PAGE_AT)));
    return Math.floor(fstatSync(fd).size / pageSize) - Math.max(...last) - 1;
  } finally {
    closeSync(fd);
  }
}

/** Whether there is a store. Throws when there is something else. */
function checkHeader(path: string): boolean {
  let fd: number;
  try {
    fd = openSync(path, 'r+');
  } catch (e) {
    if (e instanceof Error && 'code' in e && e.code === 'ENOENT') return false;
    throw e;
  }
  try {
    const { size } = fstatSync(fd);
    if (size === 0) return false;
    const header = readHeader(fd);
    const isStore = (header.readUInt16LE(FLAGS_AT) & META_PAGE) !== 0 && header.readUInt32LE(MAGIC_AT) === MAGIC;
    if (!isStore || header.readUInt16LE(VERSION_AT) !== VERSION) {
      throw new Error('data.mdb is not an LMDB file of this version');
    }
    if (size < 2 * header.readUInt32LE(PAGE_SIZE_AT)) throw new Error('data.mdb is cut off');
    return true;
  } finally {
    closeSync(fd);
  }
}

function readHeader(fd: number, at = 0): Buffer {
  const header = Buffer.alloc(HEADER);
  readSync(fd, header, 0, HEADER, at);
  return header;
}

function probeSpace(path: string): void {
  const fd = openSync(path, 'w', 0o600);
  try {
    writeFileSync(fd, Buffer.alloc(FIRST_PAGES * 4096)); // goes on after a part of it fitted, until it fails
    fdatasyncSync(fd);
  } finally {
    closeSync(fd);
    unlinkSync(path);
  }
}
