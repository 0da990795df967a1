// Schedules of cron jobs: five fields, or a descriptor such as @daily. The texts are those of the parser that the real
// server uses, as users look for them.

interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const MONTHS = ['', 'jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const FIELDS: readonly Bounds[] = [
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  { min: 1, max: 12, names: MONTHS },
  { min: 0, max: 6, names: DAYS },
];
const DESCRIPTORS = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'];
const ZONE = /^(?:CRON_)?TZ=/;
const EVERY = '@every ';
const DURATION = /^[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+$/;

class Fault extends Error {}

function whole(text: string, of: string): number {
  const number = /^[+-]?[0-9]+$/.test(text) ? Number(text) : undefined;
  const wrong = (why: string) =>
    new Fault(`failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: ${why}`);
  if (number === undefined) throw wrong('invalid syntax');
  if (Math.abs(number) > 2 ** 63 - 1) throw wrong('value out of range');
  if (number < 0) throw new Fault(`negative number (${number}) not allowed: ${of}`);
  return number;
}

/** `*`, `3`, `1-5` or `mon`, each optionally with `/step`. */
function checkRange(text: string, bounds: Bounds): void {
  const [range = '', ...steps] = text.split('/');
  const ends = range.split('-');
  const number = (end: string) => {
    const named = end === '' ? -1 : (bounds.names?.indexOf(end.toLowerCase()) ?? -1);
    return named >= 0 ? named : whole(end, end);
  };
  let [low, high] = [bounds.min, bounds.max];
  if (ends[0] !== '*' && ends[0] !== '?') {
    low = number(ends[0]!);
    if (ends.length > 2) throw new Fault(`too many hyphens: ${text}`);
    high = ends.length === 2 ? number(ends[1]!) : low;
  }
  let step = 1;
  if (steps.length > 1) throw new Fault(`too many slashes: ${text}`);
  if (steps.length === 1) {
    step = whole(steps[0]!, steps[0]!);
    if (ends.length === 1) high = bounds.max;
  }
  if (low < bounds.min) throw new Fault(`beginning of range (${low}) below minimum (${bounds.min}): ${text}`);
  if (high > bounds.max) throw new Fault(`end of range (${high}) above maximum (${bounds.max}): ${text}`);
  if (low > high) throw new Fault(`beginning of range (${low}) beyond end of range (${high}): ${text}`);
  if (step === 0) throw new Fault(`step of range should be a positive number: ${text}`);
}

function check(schedule: string): void {
  let text = schedule;
  if (ZONE.test(text)) {
    const space = text.indexOf(' ');
    const zone = text.slice(text.indexOf('=') + 1, space < 0 ? undefined : space);
    if (!isTimeZone(zone)) throw new Fault(`provided bad location ${zone}: unknown time zone ${zone}`);
    text = space < 0 ? '' : text.slice(space).trim();
  }
  if (text.startsWith(EVERY)) {
    const duration = text.slice(EVERY.length);
    if (duration !== '0' && !DURATION.test(duration))
      throw new Fault(`failed to parse duration ${text}: time: invalid duration ${JSON.stringify(duration)}`);
    return;
  }
  if (text.startsWith('@')) {
    if (!DESCRIPTORS.includes(text)) throw new Fault(`unrecognized descriptor: ${text}`);
    return;
  }
  const fields = text.split(/\s+/).filter(Boolean);
  if (fields.length !== FIELDS.length)
    throw new Fault(`expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`);
  FIELDS.forEach((bounds, i) => {
    for (const range of fields[i]!.split(',').filter(Boolean)) checkRange(range, bounds);
  });
}

/** What is wrong with a schedule, if anything. */
export function scheduleFault(schedule: string): string | undefined {
  try {
    check(schedule);
    return undefined;
  } catch (e) {
    if (e instanceof Fault) return e.message;
    throw e;
  }
}

/** Whether this is a zone of the time zone database, in the right case as far as that can be told. */
export function isTimeZone(name: string): boolean {
  if (name === '' || name === 'Local') return true;
  if (/^[^A-Za-z]/.test(name)) return false;
  try {
    const canonical = new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone;
    return canonical === name || canonical.toLowerCase() !== name.toLowerCase();
  } catch {
    return false;
  }
}
