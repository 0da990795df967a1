// The ceiling: a node:https server that sends the same bytes and knows nothing. Run as a child process.
import { createServer } from 'node:https';

const { cert, key, bodies } = await new Promise((resolve) => process.once('message', resolve));
const answers = new Map(Object.entries(bodies).map(([path, text]) => [path, Buffer.from(text, 'base64')]));
const watchers = new Set();

const server = createServer({ cert, key }, (req, res) => {
  if (req.url === '/watch') {
    res.writeHead(200, { 'Content-Type': 'application/json' });
    res.flushHeaders();
    watchers.add(res);
    res.on('close', () => watchers.delete(res));
    return;
  }
  if (req.url === '/event') {
    for (const watcher of watchers) watcher.write(answers.get('/event'));
    res.end();
    return;
  }
  const body = answers.get(req.url);
  res.writeHead(body ? 200 : 404, { 'Content-Type': 'application/json', 'Content-Length': body?.length ?? 0 });
  res.end(body);
});
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
process.on('disconnect', () => process.exit());
