import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseJson } from '../machinery/codec/json/parse.js';
import type { KubeObject } from '../machinery/json.js';
import type { Cacher } from '../storage/cacher/cacher.js';
import { createCacher } from '../storage/cacher/create.js';
import { systemClock } from '../storage/clock.js';
import type { Storage } from '../storage/contract.js';
import { EncryptedStorage } from '../storage/encryption/encrypted-storage.js';
import { MemoryStorage } from '../storage/memory/memory.js';
import { type EncryptionParts, openEncryption } from './encryption.js';
import type { ControlPlaneOptions } from './options.js';

/**
 * The backend that is asked for, and encryption on top of it where that is.
 *
 * @throws Error for a configuration of encryption that is wrong, and whatever the backend has to say
 */
export async function openStorage(options: ControlPlaneOptions, log: EncryptionParts['log']): Promise<Storage> {
  const { encryptionConfigFile: path, encryptionConfigReload: reload = false } = options;
  if (!path) return openBackend(options);
  const providersOf = openEncryption({
    path,
    reload,
    readFile: (file) => readFileSync(file, 'utf8'),
    random: randomBytes,
    clock: () => performance.now(),
    log,
  });
  return new EncryptedStorage(await openBackend(options), providersOf);
}

/** @throws Error for a backend that is not there or options that don't fit together; StorageError Locked */
async function openBackend(options: ControlPlaneOptions): Promise<Storage> {
  const backend = options.storageBackend ?? (options.dataDir ? 'lmdb' : 'memory');
  switch (backend) {
    case 'memory':
      return new MemoryStorage(systemClock);
    case 'lmdb': {
      if (!options.dataDir) throw new Error('storage backend lmdb needs a data directory');
      const { LmdbStorage } = await import('../storage/lmdb/lmdb.js');
      return new LmdbStorage({ directory: join(options.dataDir, 'store'), clock: systemClock });
    }
    default:
      throw new Error(`storage backend ${String(backend)} is not supported; choose memory or lmdb`);
  }
}

export function openCacher(storage: Storage): Cacher {
  return createCacher({
    storage,
    clock: systemClock,
    hooks: { parse: (json) => parseJson(json) as KubeObject },
  });
}
