import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { kubectlPath } from './kubectl.js';

it('unpacks a kubectl that runs', async () => {
  const { stdout } = await promisify(execFile)(await kubectlPath(), ['version', '--client', '-o', 'json']);
  expect(JSON.parse(stdout).clientVersion.gitVersion).toMatch(/^v1\./);
});

it('gives everybody the same file', async () => {
  expect(await kubectlPath()).toBe(await kubectlPath());
});
