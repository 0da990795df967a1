import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const sources = fileURLToPath(new URL('../../', import.meta.url));

export interface CompiledChild {
  /** Path of the JavaScript file. */
  readonly script: string;
  dispose(): void;
}

/** Compiles a file of this folder, with what it imports, so that plain Node can run it in a process of its own. */
export function compileChild(name: string): CompiledChild {
  const entry = fileURLToPath(new URL(name, import.meta.url));
  const out = mkdtempSync(join(cacheDirectory(), 'child-'));
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
  execFileSync(process.execPath, [
    tsc,
    ...['--ignoreConfig', '--noCheck', '--outDir', out, '--rootDir', sources],
    ...['--module', 'nodenext', '--target', 'es2023', '--types', 'node', entry],
  ]);
  return {
    script: join(out, relative(sources, entry).replace(/\.ts$/, '.js')),
    dispose: () => rmSync(out, { recursive: true, force: true }),
  };
}

/** Below the project, so that the compiled files find its packages. */
function cacheDirectory(): string {
  const directory = join(sources, '..', '.cache');
  mkdirSync(directory, { recursive: true });
  return directory;
}

export interface RunningChild {
  readonly process: ChildProcess;
  readonly lines: string[];
  /** What it wrote to stderr. */
  readonly errors: string[];
  /** Settles with the first line that starts so, now or later; rejects when the process ends without. */
  line(start: string): Promise<string>;
  /** Settles with the exit code or signal, when all output is read. */
  readonly ended: Promise<number | string | null>;
}

export function run(command: string, args: readonly string[]): RunningChild {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: string[] = [];
  const errors: string[] = [];
  const waiting: { start: string; resolve(line: string): void; reject(e: Error): void }[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    for (const w of waiting) if (line.startsWith(w.start)) w.resolve(line);
  });
  child.stderr.on('data', (data) => errors.push(String(data)));
  const ended = new Promise<number | string | null>((resolve) => {
    child.on('close', (code, signal) => {
      for (const w of waiting) w.reject(new Error(`process ended (${code ?? signal}): ${errors.join('')}`));
      resolve(code ?? signal);
    });
  });
  return {
    process: child,
    lines,
    errors,
    ended,
    line: (start) =>
      new Promise((resolve, reject) => {
        const have = lines.find((l) => l.startsWith(start));
        if (have !== undefined) resolve(have);
        else waiting.push({ start, resolve, reject });
      }),
  };
}
