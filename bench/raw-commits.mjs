// The ceiling of durable writes: lmdb's own group commits of values of the same size, nothing around them.
import { open } from 'lmdb';
import { throughput } from './measure.mjs';

export async function rawCommits(path, concurrency, ms, bytes) {
  const db = open({ path, encoding: 'binary' });
  const value = Buffer.alloc(bytes, 'x');
  let i = 0;
  const rate = await throughput(concurrency, ms, () => db.put(`key${i++}`, value));
  await db.close();
  return rate;
}
