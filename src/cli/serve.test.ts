import { afterEach, expect, it, vi } from 'vitest';
import type { ControlPlane } from '../controlplane.js';
import { serve } from './serve.js';

afterEach(() => vi.restoreAllMocks());

it('says in one line why it can not go on, and leaves nothing open', async () => {
  const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  let running: ControlPlane | undefined;
  const code = await serve({ controllers: [] }, (controlPlane) => {
    running = controlPlane;
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  });
  expect(code).toBe(1);
  expect(stderr.mock.calls).toEqual([['porthole: ENOSPC: no space left on device, write\n']]);
  await expect(fetch(running!.url)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });

  const wrong = await serve({ runtimeConfig: { 'api/all': 'perhaps' } }, () => expect.unreachable());
  expect(wrong).toBe(1);
  expect(stderr).toHaveBeenCalledTimes(2);
});
