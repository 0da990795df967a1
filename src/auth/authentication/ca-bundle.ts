import { type Certificate, parseBundle } from '../pki/certificate.js';
import type { FileSource, Log } from './contract.js';

/** Certificates that are trusted, from a file that may change. */
export interface CaBundle {
  readonly path: string;
  /** As last read well; replaced as a whole. */
  readonly certificates: readonly Certificate[];
  readonly pem: string;
  close(): void;
}

/**
 * Reads a PEM bundle and follows its file. A change that can't be read or parsed leaves the old certificates in force and
 * goes to the log. Throws when the first reading fails. `changed` is called after each good change.
 */
export function openCaBundle(path: string, files: FileSource, log: Log, changed: () => void): CaBundle {
  let pem = files.read(path).toString('utf8');
  let certificates = parse(path, pem);
  const stop = files.watch(path, () => {
    try {
      const text = files.read(path).toString('utf8');
      if (text === pem) return;
      certificates = parse(path, text);
      pem = text;
    } catch (e) {
      log('error', `${(e as Error).message}; the certificates read before stay in force`);
      return;
    }
    log('info', `reloaded the CA bundle ${path}`);
    changed();
  });
  return {
    path,
    get certificates() {
      return certificates;
    },
    get pem() {
      return pem;
    },
    close: stop,
  };
}

function parse(path: string, pem: string): readonly Certificate[] {
  try {
    return parseBundle(pem);
  } catch (e) {
    throw new Error(`error loading CA bundle from ${path}: ${(e as Error).message}`);
  }
}
