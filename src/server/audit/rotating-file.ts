import { createReadStream, createWriteStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

export interface RotatingFileOptions {
  readonly path: string;
  /** Bytes; 0: never rotated. */
  readonly maxSize: number;
  /** Days that old files are kept; 0: for ever. */
  readonly maxAge: number;
  /** Old files that are kept; 0: all. */
  readonly maxBackups: number;
  /** Old files are packed with gzip. */
  readonly compress: boolean;
  readonly now: () => number;
}

const DAY = 86_400_000;

/**
 * A file that only grows until it is full, then is put aside under a name with the time (`audit-2026-01-02T15-04-05.000.log`)
 * and begun anew. Lines that come while a write is under way go into the next one together.
 */
export class RotatingFile {
  readonly #options: RotatingFileOptions;
  #file: FileHandle | undefined;
  #size = 0;
  #waiting: { readonly text: string; readonly done: (error?: unknown) => void }[] = [];
  #writing: Promise<void> | undefined;

  constructor(options: RotatingFileOptions) {
    this.#options = options;
  }

  /** Makes the file when there is none, so that a path that can't be written fails the start and not a request. */
  async open(): Promise<void> {
    const { path } = this.#options;
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    this.#file = await open(path, 'a', 0o600);
    this.#size = (await this.#file.stat()).size;
  }

  /** Appends text, whole lines. Resolves when the operating system has it. */
  write(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ text, done: (error) => (error === undefined ? resolve() : reject(error as Error)) });
      this.#writing ??= this.#drain();
    });
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#file?.close();
    this.#file = undefined;
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      let error: unknown;
      try {
        await this.#append(batch.map((w) => w.text));
      } catch (e) {
        error = e ?? new Error('write failed');
      }
      for (const { done } of batch) done(error);
    }
    this.#writing = undefined;
  }

  async #append(lines: readonly string[]): Promise<void> {
    const { maxSize } = this.#options;
    let chunk: string[] = [];
    let bytes = 0;
    for (const line of lines) {
      const length = Buffer.byteLength(line);
      if (maxSize > 0 && this.#size + bytes + length > maxSize && this.#size + bytes > 0) {
        await this.#put(chunk, bytes);
        chunk = [];
        bytes = 0;
        await this.#rotate();
      }
      chunk.push(line);
      bytes += length;
    }
    await this.#put(chunk, bytes);
  }

  async #put(chunk: readonly string[], bytes: number): Promise<void> {
    if (bytes === 0) return;
    if (!this.#file) await this.open();
    await this.#file!.appendFile(chunk.join(''));
    this.#size += bytes;
  }

  async #rotate(): Promise<void> {
    const { path, now, compress } = this.#options;
    await this.#file?.close();
    this.#file = undefined;
    const extension = extname(path);
    const stem = join(dirname(path), basename(path, extension));
    const time = new Date(now()).toISOString().slice(0, -1).replaceAll(':', '-');
    const aside = `${stem}-${time}${extension}`;
    await rename(path, aside);
    await this.open();
    if (compress) await gzip(aside);
    await this.#prune();
  }

  /** Removes what is too old or too much. */
  async #prune(): Promise<void> {
    const { path, maxBackups, maxAge, now } = this.#options;
    const extension = extname(path);
    const prefix = `${basename(path, extension)}-`;
    const old = (await readdir(dirname(path))).flatMap((name) => {
      if (!name.startsWith(prefix)) return [];
      const rest = name.slice(prefix.length).replace(/\.gz$/, '');
      const match = /^(\d{4}-\d\d-\d\dT)(\d\d)-(\d\d)-(\d\d\.\d{3})/.exec(rest);
      if (!match || rest.slice(match[0].length) !== extension) return [];
      return [{ name, time: Date.parse(`${match[1]}${match[2]}:${match[3]}:${match[4]}Z`) }];
    });
    old.sort((a, b) => b.time - a.time);
    const excess = old.filter(
      ({ time }, i) => (maxBackups > 0 && i >= maxBackups) || (maxAge > 0 && time < now() - maxAge * DAY),
    );
    for (const { name } of excess) await rm(join(dirname(path), name), { force: true });
  }
}

async function gzip(path: string): Promise<void> {
  await pipeline(createReadStream(path), createGzip(), createWriteStream(`${path}.gz`, { mode: 0o600 }));
  await rm(path);
}
