import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeStorage } from '../storage.suite.js';
import { LmdbStorage } from './lmdb.js';

describeStorage('lmdb', async (clock) => {
  const directory = mkdtempSync(join(tmpdir(), 'porthole-lmdb-'));
  const open = () => new LmdbStorage({ directory, clock, history: false });
  let storage = open();
  return {
    storage,
    reopen: async () => {
      await storage.close();
      storage = open();
      return storage;
    },
    dispose: async () => {
      await storage.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
});
