// The whole test run: types, style, then the tests. `npm test -- FILTER` runs some of the tests alone.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const filters = process.argv.slice(2);

function run(script, ...args) {
  const { status } = spawnSync('node', [script, ...args], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

if (filters.length === 0) {
  run('node_modules/typescript/bin/tsc', '--noEmit');
  run('node_modules/@biomejs/biome/bin/biome', 'check', '--diagnostic-level=error');
}
run('node_modules/vitest/vitest.mjs', 'run', ...filters);
