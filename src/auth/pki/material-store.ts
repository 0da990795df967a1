import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MaterialStore } from './material.js';

/** A directory of keys and certificates. It is made, readable by its owner alone, with the first write. */
export function directoryStore(directory: string): MaterialStore {
  return {
    read(name) {
      try {
        return readFileSync(join(directory, name), 'utf8');
      } catch (e) {
        if ((e as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw e;
      }
    },
    write(name, text, mode) {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      const path = join(directory, name);
      const temporary = `${path}.${process.pid}.tmp`;
      writeFileSync(temporary, text, { mode });
      renameSync(temporary, path);
    },
  };
}
