// Indexes of jobs as text: "1,3-5,7".

interface Interval {
  readonly first: number;
  readonly last: number;
}
const WHOLE = /^[+-]?[0-9]{1,15}$/;

/** One fragment, or what is wrong with it. */
function interval(text: string, completions: number): Interval | string {
  const limits = text.split('-');
  if (limits.length > 2)
    return `the fragment ${JSON.stringify(text)} violates the requirement that an index interval can have at most two parts separated by '-'`;
  for (const limit of limits) {
    if (!WHOLE.test(limit)) return `cannot convert string to integer for index: ${JSON.stringify(limit)}`;
    if (Number(limit) >= completions) return `too large index: ${JSON.stringify(limit)}`;
  }
  const first = Number(limits[0]);
  const last = Number(limits.at(-1));
  if (limits.length === 2 && first >= last) return `non-increasing order, previous: ${first}, current: ${last}`;
  return { first, last };
}

/** How many indexes a text names, or what is wrong with it. */
export function countIndexes(text: string, completions: number): number | string {
  let total = 0;
  let previous: number | undefined;
  if (text === '') return 0;
  for (const fragment of text.split(',')) {
    const found = interval(fragment, completions);
    if (typeof found === 'string') return found;
    if (previous !== undefined && previous >= found.first)
      return `non-increasing order, previous: ${previous}, current: ${found.first}`;
    total += found.last - found.first + 1;
    previous = found.last;
  }
  return total;
}

/** The first index that both texts name. Fragments that can't be read are passed over. */
export function commonIndex(a: string, b: string, completions: number): number | undefined {
  const intervals = (text: string) =>
    text.split(',').flatMap((fragment) => {
      const found = interval(fragment, completions);
      return typeof found === 'string' ? [] : [found];
    });
  const [left, right] = [intervals(a), intervals(b)];
  for (let i = 0, j = 0; i < left.length && j < right.length; ) {
    const [x, y] = [left[i]!, right[j]!];
    if (x.first <= y.last && y.first <= x.last) return Math.max(x.first, y.first);
    if (x.first <= y.first) i++;
    else j++;
  }
  return undefined;
}
