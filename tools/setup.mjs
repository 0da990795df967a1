// What `npm start` and `npm test` need before they can run: dependencies, and with --build the compiled server.
// Does nothing when there is nothing to do, so that both stay one command in a fresh clone.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';

function run(command, ...args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
}

/**
 * `npm ci` wants every platform's optional packages in the lock file, and a registry that mirrors only some of them makes
 * that impossible; `npm install` takes the locked versions all the same.
 */
function install() {
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  const { status } = spawnSync(npm, ['ci', ...quiet], { cwd: root, stdio: 'ignore' });
  if (status !== 0) run(npm, 'install', '--no-save', ...quiet);
}

/** The dependencies are those of the lock file when npm's own record of them is. */
function installed() {
  const record = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  const have = JSON.parse(readFileSync(record, 'utf8')).packages;
  const want = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  return Object.entries(want).every(([name, p]) => name === '' || p.optional || have[name]?.version === p.version);
}

function newest(folder) {
  let latest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    latest = Math.max(latest, entry.isDirectory() ? newest(path) : statSync(path).mtimeMs);
  }
  return latest;
}

if (!installed()) install();
if (process.argv.includes('--build')) {
  const stamp = join(root, 'dist', '.built');
  if (!existsSync(stamp) || statSync(stamp).mtimeMs < newest(join(root, 'src'))) run('node', 'tools/build.mjs');
}
