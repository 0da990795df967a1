import { describeStorage } from '../storage.suite.js';
import { MemoryStorage } from './memory.js';

describeStorage('memory', async (clock) => {
  const storage = new MemoryStorage(clock);
  return { storage, dispose: () => storage.close() };
});
