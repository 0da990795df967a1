import type { ZPage } from './zpage.js';

/** `/flagz`: the flags that the server runs with, by name without dashes, and their values (feature gate ComponentFlagz). */
export function flagz(flags: Readonly<Record<string, string>>, between: string): ZPage {
  const sorted = Object.entries(flags).sort(([a], [b]) => (a < b ? -1 : 1));
  const text = sorted.map(([name, value]) => `${name}${between}${value}\n`).join('');
  return {
    name: 'flagz',
    kind: 'Flagz',
    text: () => text,
    fields: () => ({ flags: Object.fromEntries(sorted) }),
  };
}
