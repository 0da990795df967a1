import { type ControlPlane, type ControlPlaneOptions, startControlPlane } from '../controlplane.js';
import { isStorageError } from '../storage/contract.js';

/**
 * Starts, tells, and waits for the end: SIGINT and SIGTERM stop it cleanly, a second one at once. What fails until it is
 * told is said in one line, and the exit code is 1.
 */
export async function serve(
  options: ControlPlaneOptions,
  started: (controlPlane: ControlPlane) => void,
): Promise<number> {
  let controlPlane: ControlPlane | undefined;
  try {
    controlPlane = await startControlPlane(options);
    started(controlPlane);
  } catch (e) {
    process.stderr.write(`porthole: ${reason(e)}\n`);
    await controlPlane?.close();
    return 1;
  }
  await new Promise<void>((resolve) => {
    let asked = false;
    const stop = (): void => {
      if (asked) process.exit(1);
      asked = true;
      resolve();
    };
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
  });
  await controlPlane.close();
  return 0;
}

function reason(e: unknown): string {
  if (isStorageError(e)) return e.message;
  if (e instanceof Error && 'code' in e && e.code === 'EADDRINUSE') {
    return `${e.message}; choose another port with --secure-port (0 for a free one)`;
  }
  return e instanceof Error ? e.message : String(e);
}
