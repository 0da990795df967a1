import type { JsonValue } from '../../machinery/json.js';
import { goForm } from './goform.js';

// A refused change of a large struct shows what changed, as a unified diff of the two values' JSON. The blocks are those
// of Ratcliff and Obershelp's matching (longest common run first, then left and right of it), as Python's difflib and
// its Go port find them, so that the text is the same.

interface Match {
  a: number;
  b: number;
  size: number;
}

/** Lines of b → where they are. Lines that make up more than a hundredth of a long text do not start a match. */
function index(b: readonly string[]): Map<string, number[]> {
  const at = new Map<string, number[]>();
  b.forEach((line, i) => {
    const known = at.get(line);
    if (known) known.push(i);
    else at.set(line, [i]);
  });
  if (b.length >= 200) {
    const limit = Math.floor(b.length / 100) + 1;
    for (const [line, where] of at) if (where.length > limit) at.delete(line);
  }
  return at;
}

function longest(
  a: readonly string[],
  b: readonly string[],
  at: Map<string, number[]>,
  r: readonly [number, number, number, number],
): Match {
  const [alo, ahi, blo, bhi] = r;
  const best: Match = { a: alo, b: blo, size: 0 };
  let lengths = new Map<number, number>();
  for (let i = alo; i < ahi; i++) {
    const next = new Map<number, number>();
    for (const j of at.get(a[i]!) ?? []) {
      if (j < blo) continue;
      if (j >= bhi) break;
      const k = (lengths.get(j - 1) ?? 0) + 1;
      next.set(j, k);
      if (k > best.size) Object.assign(best, { a: i - k + 1, b: j - k + 1, size: k });
    }
    lengths = next;
  }
  while (best.a > alo && best.b > blo && a[best.a - 1] === b[best.b - 1]) {
    best.a--;
    best.b--;
    best.size++;
  }
  while (best.a + best.size < ahi && best.b + best.size < bhi && a[best.a + best.size] === b[best.b + best.size])
    best.size++;
  return best;
}

function matches(a: readonly string[], b: readonly string[]): Match[] {
  const at = index(b);
  const out: Match[] = [];
  const todo: [number, number, number, number][] = [[0, a.length, 0, b.length]];
  while (todo.length > 0) {
    const r = todo.pop()!;
    const m = longest(a, b, at, r);
    if (m.size === 0) continue;
    out.push(m);
    if (r[0] < m.a && r[2] < m.b) todo.push([r[0], m.a, r[2], m.b]);
    if (m.a + m.size < r[1] && m.b + m.size < r[3]) todo.push([m.a + m.size, r[1], m.b + m.size, r[3]]);
  }
  out.sort((x, y) => x.a - y.a || x.b - y.b);
  const joined: Match[] = [];
  for (const m of out) {
    const last = joined.at(-1);
    if (last && last.a + last.size === m.a && last.b + last.size === m.b) last.size += m.size;
    else joined.push({ ...m });
  }
  return [...joined, { a: a.length, b: b.length, size: 0 }];
}

interface Step {
  same: boolean;
  a: [number, number];
  b: [number, number];
}

function steps(a: readonly string[], b: readonly string[]): Step[] {
  const out: Step[] = [];
  let i = 0;
  let j = 0;
  for (const m of matches(a, b)) {
    if (i < m.a || j < m.b) out.push({ same: false, a: [i, m.a], b: [j, m.b] });
    if (m.size > 0) out.push({ same: true, a: [m.a, m.a + m.size], b: [m.b, m.b + m.size] });
    i = m.a + m.size;
    j = m.b + m.size;
  }
  return out;
}

/** Cuts the steps into hunks with so many unchanged lines around. */
function hunks(all: Step[], context: number): Step[][] {
  const out: Step[][] = [];
  let hunk: Step[] = [];
  all.forEach((step, i) => {
    let { a, b } = step;
    if (step.same) {
      const length = a[1] - a[0];
      if (i === 0) {
        const skip = Math.max(0, length - context);
        a = [a[0] + skip, a[1]];
        b = [b[0] + skip, b[1]];
      } else if (i === all.length - 1) {
        const keep = Math.min(length, context);
        a = [a[0], a[0] + keep];
        b = [b[0], b[0] + keep];
      } else if (length > 2 * context) {
        hunk.push({ same: true, a: [a[0], a[0] + context], b: [b[0], b[0] + context] });
        out.push(hunk);
        hunk = [];
        a = [a[1] - context, a[1]];
        b = [b[1] - context, b[1]];
      }
    }
    hunk.push({ same: step.same, a, b });
  });
  out.push(hunk);
  return out.filter((h) => h.some((s) => !s.same));
}

const range = (from: number, to: number): string => {
  const length = to - from;
  if (length === 1) return `${from + 1}`;
  return `${length === 0 ? from : from + 1},${length}`;
};

/** Unified diff of two texts with three lines of context, without file headers. */
function unifiedDiff(before: string, after: string): string {
  const a = before.split('\n');
  const b = after.split('\n');
  let out = '';
  for (const hunk of hunks(steps(a, b), 3)) {
    const first = hunk[0]!;
    const last = hunk.at(-1)!;
    out += `@@ -${range(first.a[0], last.a[1])} +${range(first.b[0], last.b[1])} @@\n`;
    for (const step of hunk) {
      if (step.same) for (const line of a.slice(...step.a)) out += ` ${line}\n`;
      else {
        for (const line of a.slice(...step.a)) out += `-${line}\n`;
        for (const line of b.slice(...step.b)) out += `+${line}\n`;
      }
    }
  }
  return out;
}

/** What changed between two values of a type, in their Go form. */
export function goDiff(
  typeName: string,
  before: JsonValue | undefined,
  after: JsonValue | undefined,
  fill: (form: JsonValue) => JsonValue = (form) => form,
): string {
  const text = (v: JsonValue) => JSON.stringify(v, (_, e) => (typeof e === 'bigint' ? Number(e) : e), 1);
  const form = (v: JsonValue | undefined) => goForm(typeName, v) ?? null;
  return unifiedDiff(text(form(before)), text(fill(form(after))));
}
