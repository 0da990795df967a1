import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ControlPlane, type ControlPlaneOptions, startControlPlane } from '../../src/index.js';
import { kubectlPath } from './kubectl.js';

export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A control plane with a real kubectl on it, and a directory that goes with both. */
export interface Cluster {
  readonly controlPlane: ControlPlane;
  readonly directory: string;
  /** Runs kubectl as the administrator. Never rejects for what kubectl itself reports. */
  kubectl(args: readonly string[], input?: string): Promise<Result>;
  /** The output of a kubectl that must succeed. */
  run(args: string, input?: string): Promise<string>;
  close(): Promise<void>;
}

/** Starts a control plane in this process on a free port. */
export async function startCluster(options: ControlPlaneOptions = {}): Promise<Cluster> {
  const directory = mkdtempSync(join(tmpdir(), 'porthole-test-'));
  const [controlPlane, binary] = await Promise.all([startControlPlane(options), kubectlPath()]);
  const kubeconfig = join(directory, 'kubeconfig');
  writeFileSync(kubeconfig, controlPlane.kubeconfig, { mode: 0o600 });
  const kubectl = (args: readonly string[], input?: string): Promise<Result> =>
    execute(binary, args, { ...process.env, KUBECONFIG: kubeconfig, HOME: directory }, input);
  return {
    controlPlane,
    directory,
    kubectl,
    async run(args, input) {
      const result = await kubectl(words(args), input);
      if (result.code !== 0) throw new Error(`kubectl ${args}: ${result.stderr || result.stdout}`);
      return result.stdout;
    },
    async close() {
      await controlPlane.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Splits at spaces; single quotes keep them. */
function words(text: string): string[] {
  return [...text.matchAll(/'([^']*)'|(\S+)/g)].map((m) => m[1] ?? m[2] ?? '');
}

function execute(
  binary: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  input = '',
  timeoutMs = 30_000,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = spawn(binary, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (d) => {
      stdout += d;
    });
    child.stderr.on('data', (d) => {
      stderr += d;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code: code ?? -1, stdout, stderr });
    });
    child.stdin.end(input);
  });
}
