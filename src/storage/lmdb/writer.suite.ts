/**
 * A process that writes to a store until it is killed or the disk is full. Prints each acknowledged write at once:
 * `ack <key> <revision> <value>`, for a delete without a value.
 *
 *   node writer.suite.js <directory> <writers> <bytes per value> [keep | retry] [careful]
 *
 * With `keep`, keys are never deleted and history is never compacted. With `retry`, a full disk does not end it.
 * With `careful` the disk counts as nearly full from the start: limits that are none of the file system stay unseen.
 */
import { writeSync } from 'node:fs';
import { systemClock } from '../clock.js';
import { isStorageError } from '../contract.js';
import { LmdbStorage } from './lmdb.js';

const [directory = '', writers = '64', size = '100', mode, careful] = process.argv.slice(2);
const keep = mode === 'keep';
const padding = 'x'.repeat(Number(size));

process.on('unhandledRejection', (e) => {
  writeSync(1, `unhandled ${String(e)}\n`);
  process.exit(3);
});

try {
  const history = keep ? false : { milliseconds: 200, revisions: 2000 };
  const storage = new LmdbStorage({
    directory,
    clock: systemClock,
    history,
    freeBytes: careful ? () => 0 : undefined,
  });
  writeSync(1, `open ${await storage.currentRevision()}\n`);
  let full = 0;
  const writer = async (id: number) => {
    for (let n = 0; full === 0 || mode === 'retry'; n++) {
      const key = `/w/${id}/${n % 50}`;
      try {
        if (!keep && n % 7 === 3) {
          const gone = await storage.delete(key);
          if (gone.succeeded) writeSync(1, `ack ${key} ${gone.revision}\n`);
        } else {
          const value = `${process.pid}.${id}.${n}.`;
          const put = await storage.put(key, Buffer.from(value + padding));
          if (put.succeeded) writeSync(1, `ack ${key} ${put.revision} ${value}\n`);
        }
      } catch (e) {
        if (!isStorageError(e, 'NoSpace')) throw e;
        full++;
        if (mode === 'retry') {
          writeSync(1, `full ${full}\n`);
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      }
    }
  };
  await Promise.all(Array.from({ length: Number(writers) }, (_, id) => writer(id)));
  writeSync(1, `full ${full}\n`);
  await storage.close();
} catch (e) {
  writeSync(1, `error ${isStorageError(e) ? e.code : 'unknown'} ${String(e)}\n`);
  process.exitCode = 1;
}
