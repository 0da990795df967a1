import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import type { FileSource } from './contract.js';

/**
 * The file system. Changes are found by looking at a file's time and size every second: this sees files that a kubelet
 * swaps behind symbolic links, and network file systems, which notifications miss. Does not keep the process alive.
 */
export const fileSystem: FileSource = {
  read: (path) => readFileSync(path),
  watch(path, changed) {
    const listener = (): void => changed();
    watchFile(path, { interval: 1000, persistent: false }, listener);
    return () => unwatchFile(path, listener);
  },
};
