import type { ZPage } from './zpage.js';

export interface StatuszOptions {
  /** Of the process. */
  readonly startedAt: Date;
  now(): Date;
  /** What runs it: `node v24.0.0`. */
  readonly runtime: string;
  /** `1.36.0` */
  readonly version: string;
  /** Paths of the index at `/`. */
  readonly paths: readonly string[];
}

/** Those that serve no debugging. */
const OTHERS = new Set(['/apis', '/api', '/openid', '/openapi', '/.well-known']);

/** `/statusz`: how long the server runs, in which version, and where else to look (feature gate ComponentStatusz). */
export function statusz({ startedAt, now, runtime, version, paths }: StatuszOptions, between: string): ZPage {
  const folders = [...new Set(paths.map((path) => `/${path.split('/')[1]}`))]
    .filter((folder) => folder !== '/' && !OTHERS.has(folder))
    .sort();
  const emulation = version.split('.').slice(0, 2).join('.');
  const uptime = () => Math.max(0, Math.floor((now().getTime() - startedAt.getTime()) / 1000));
  return {
    name: 'statusz',
    kind: 'Statusz',
    text() {
      const seconds = uptime();
      const two = (n: number) => String(n % 60).padStart(2, '0');
      const rows = [
        ['Started', unixDate(startedAt)],
        ['Up', `${Math.floor(seconds / 3600)} hr ${two(Math.floor(seconds / 60))} min ${two(seconds)} sec`],
        ['Go version', runtime],
        ['Binary version', version],
        ['Emulation version', emulation],
        ['Paths', folders.join(' ')],
      ];
      return `\n${rows.map(([name, value]) => `${name}${between} ${value}\n`).join('')}`;
    },
    fields: () => ({
      startTime: `${startedAt.toISOString().slice(0, 19)}Z`,
      uptimeSeconds: uptime(),
      goVersion: runtime,
      binaryVersion: version,
      emulationVersion: emulation,
      paths: folders,
    }),
  };
}

/** `Mon Jan  2 15:04:05 UTC 2006` */
function unixDate(date: Date): string {
  const [day, dayOfMonth, month, year, time] = date.toUTCString().replace(',', '').split(' ');
  return `${day} ${month} ${String(Number(dayOfMonth)).padStart(2, ' ')} ${time} UTC ${year}`;
}
