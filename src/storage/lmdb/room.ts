import { closeSync, fstatSync, openSync, statfsSync, writeSync } from 'node:fs';
import { StorageError } from '../contract.js';
import { isDiskFull } from './data-file.js';

/** What LMDB tells about its file, in pages. */
export interface FileUse {
  readonly pageSize: number;
  /** Pages from the start of the file that are or were in use. */
  readonly used: number;
  /** Pages among them that are free again. */
  free(): number;
}

/** With less free than this the disk counts as nearly full. */
const NEARLY_FULL = 64 * 2 ** 20;
/** How long the disk is trusted not to fill up, and how much may be written in that time. */
const TRUST_MS = 100;
const TRUST_BYTES = 16 * 2 ** 20;
/** Pages that ordinary writes leave to housekeeping, which makes room again. */
const RESERVE = 256;

export function freeBytes(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}

/**
 * Makes sure that what LMDB is about to write will fit. A write that fails inside of LMDB damages the memory of the
 * process (its binding formats the error into too short a buffer), so it must not come to that. As long as the disk
 * has space this costs a look now and then. On a nearly full disk the file is made longer before LMDB needs it, and
 * when that fails, the write is refused.
 */
export class Room {
  readonly #file: string;
  readonly #freeBytes: () => number;
  #trustedUntil = 0;
  #trustedBytes = 0;

  /** @param free bytes that are free on the disk of the file */
  constructor(file: string, free: () => number) {
    this.#file = file;
    this.#freeBytes = free;
  }

  get nearlyFull(): boolean {
    return this.#freeBytes() < NEARLY_FULL;
  }

  /**
   * @param bytes of values to be written
   * @param pages at most, beside those that hold these bytes
   * @param housekeeping may use the reserve
   * @throws StorageError `NoSpace`
   */
  reserve(bytes: number, pages: number, housekeeping: boolean, use: () => FileUse): void {
    const total = 2 * bytes + pages * 4096;
    const now = performance.now();
    if (now < this.#trustedUntil && this.#trustedBytes >= total) {
      this.#trustedBytes -= total;
      return;
    }
    if (this.#freeBytes() >= NEARLY_FULL + total) {
      this.#trustedUntil = now + TRUST_MS;
      this.#trustedBytes = TRUST_BYTES;
      return;
    }
    this.#trustedUntil = 0;
    const { pageSize, used, free } = use();
    // Beside the pages themselves LMDB writes the list of its free pages, up to a long number for each there is.
    const needed = pages + Math.ceil((2 * bytes) / pageSize) + Math.ceil((16 * used) / pageSize) + 32;
    const spare = this.#extend((used + needed + RESERVE) * pageSize) / pageSize - used;
    if (spare >= needed + RESERVE) return;
    // LMDB takes free pages before it makes the file longer, so there is hope; and room enough in case there is not.
    if (spare >= needed && (housekeeping || free() >= 2 * needed)) return;
    throw new StorageError('NoSpace', `no space left on device for ${this.#file}`);
  }

  /** Makes the file as long as wanted with real bytes, if there is space. Returns how long it is. */
  #extend(wanted: number): number {
    const fd = openSync(this.#file, 'r+');
    try {
      let { size } = fstatSync(fd);
      const zeros = Buffer.alloc(Math.min(2 ** 20, Math.max(0, wanted - size)));
      try {
        while (size < wanted) size += writeSync(fd, zeros, 0, Math.min(zeros.length, wanted - size), size);
      } catch (e) {
        if (!isDiskFull(e)) throw e;
      }
      return Math.max(size, fstatSync(fd).size);
    } finally {
      closeSync(fd);
    }
  }
}
