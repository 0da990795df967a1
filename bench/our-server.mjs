// A control plane as a user starts it, in a process of its own.
import { startControlPlane } from '../dist/index.js';

const dataDir = process.argv[2];
const cp = await startControlPlane({ dataDir: dataDir || undefined, port: 0, priorityAndFairness: true });
process.send({
  port: Number(new URL(cp.url).port),
  ca: cp.caCertificate,
  cert: cp.clientCertificate,
  key: cp.clientKey,
});
process.on('message', (m) => {
  if (m === 'rss') process.send({ rss: process.memoryUsage.rss() });
});
process.on('disconnect', async () => {
  await cp.close();
  process.exit();
});
