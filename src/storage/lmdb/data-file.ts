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

/** What a new store needs at most for its first pages. */
const FIRST_PAGES = 256 * 1024;
const MAGIC = 0xbeefc0de;
const VERSION = 2;
const META_PAGE = 0x08;
const HEADER = 64;

/** Error codes of a full disk, a used up quota, and a limit on file sizes. */
const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

export function isDiskFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && FULL.has(String(error.code));
}

/**
 * Makes sure that LMDB will be able to open its file in a directory, which is made when it is missing.
 *
 * @returns whether there is a store already
 * @throws StorageError `NoSpace`, or `Unavailable` for what is no store or may not be read
 */
export function prepareDataFile(directory: string): boolean {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const exists = readHeader(join(directory, 'data.mdb'));
    if (!exists) probeSpace(join(directory, 'probe'));
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

function readHeader(path: string): boolean {
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
    const header = Buffer.alloc(HEADER);
    readSync(fd, header, 0, HEADER, 0);
    const isStore = (header.readUInt16LE(18) & META_PAGE) !== 0 && header.readUInt32LE(24) === MAGIC;
    if (!isStore || header.readUInt16LE(28) !== VERSION)
      throw new Error('data.mdb is not an LMDB file of this version');
    if (size < 2 * header.readUInt32LE(48)) throw new Error('data.mdb is cut off');
    return true;
  } finally {
    closeSync(fd);
  }
}

function probeSpace(path: string): void {
  const fd = openSync(path, 'w', 0o600);
  try {
    writeFileSync(fd, Buffer.alloc(FIRST_PAGES)); // goes on after a part of it fitted, until it fails
    fdatasyncSync(fd);
  } finally {
    closeSync(fd);
    unlinkSync(path);
  }
}
