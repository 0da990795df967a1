import { readFileSync } from 'node:fs';

/** The process that has a store open, written into the store itself: so taking it over is one LMDB transaction. */
export interface Owner {
  readonly pid: number;
  /** When the process started, in kernel ticks since boot; tells it from a later one with the same pid. Linux only. */
  readonly startTime: string | undefined;
  /** Changes when the machine restarts. Linux only. */
  readonly bootId: string | undefined;
}

export function thisProcess(): Owner {
  return { pid: process.pid, startTime: procStat(process.pid)?.startTime, bootId: bootId() };
}

/** Whether that process is still running. Killed processes that nobody has waited for yet (zombies) are not. */
export function isAlive(owner: Owner): boolean {
  // Our own pid in the store is left over from a process before us: containers give everybody the same one. What this
  // process itself has open is known without looking into the store.
  if (owner.pid === process.pid) return false;
  if (owner.bootId !== bootId()) return false;
  try {
    process.kill(owner.pid, 0);
  } catch (e) {
    if (e instanceof Error && 'code' in e && e.code === 'ESRCH') return false; // EPERM: alive, and somebody else's
  }
  const stat = procStat(owner.pid);
  if (!stat) return true;
  return stat.state !== 'Z' && stat.state !== 'X' && stat.startTime === owner.startTime;
}

export function encodeOwner(owner: Owner): Buffer {
  return Buffer.from(JSON.stringify(owner));
}

export function decodeOwner(record: Buffer): Owner {
  return JSON.parse(record.toString());
}

function bootId(): string | undefined {
  return readText('/proc/sys/kernel/random/boot_id')?.trim();
}

function procStat(pid: number): { state: string; startTime: string } | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  if (!stat) return undefined;
  // "pid (comm) state ppid …": comm may hold anything, so count from its closing parenthesis. See proc(5).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', startTime: fields[19] ?? '' };
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
