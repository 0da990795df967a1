/**
 * Whether a text contains a match, for patterns of the kind that rules are full of: characters, classes, groups,
 * alternatives, repetitions and the anchors ^ and $. The pattern becomes an automaton whose states are worked out when
 * they are first reached; each character of the text then costs one look-up, so time is linear whatever the pattern.
 * What it does not know is left to the general engine.
 */
export interface FastMatcher {
  /** Undefined when this text has to be left to the general engine. */
  test(text: string): boolean | undefined;
}

type Ranges = [number, number][];

/** A state of the nondeterministic automaton. */
type Nfa =
  | { kind: 'char'; ranges: Ranges; next: number }
  | { kind: 'split'; next: number[] }
  | { kind: 'start' | 'end'; next: number }
  | { kind: 'match' };

/** A part of a pattern. */
type Node =
  | { kind: 'char'; ranges: Ranges }
  | { kind: 'start' | 'end' }
  | { kind: 'concat' | 'alternatives'; parts: Node[] }
  | { kind: 'repeat'; body: Node; min: number; max: number };

class Unknown {}

const MAX_NFA = 3000;
/** How many places the states kept for one pattern may name in all. */
const MAX_PLACES = 20_000;
const MAX_UNIT = 0xffff;

/** A matcher for a pattern that is known to be valid, or undefined when the pattern has parts that are not known here. */
export function fastMatcher(pattern: string): FastMatcher | undefined {
  try {
    const nfa = build(new Parser(pattern).pattern());
    return new Automaton(nfa.states, nfa.start);
  } catch (e) {
    if (e instanceof Unknown) return undefined;
    throw e;
  }
}

const DIGIT: Ranges = [[48, 57]];
const WORD: Ranges = [
  [48, 57],
  [65, 90],
  [95, 95],
  [97, 122],
];
const SPACE: Ranges = [
  [9, 10],
  [12, 13],
  [32, 32],
];
const CLASSES: Record<string, Ranges> = { d: DIGIT, w: WORD, s: SPACE };
const CONTROLS: Record<string, number> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };

function negate(ranges: Ranges): Ranges {
  const out: Ranges = [];
  let from = 0;
  for (const [lo, hi] of ranges.toSorted((a, b) => a[0] - b[0])) {
    if (lo > from) out.push([from, lo - 1]);
    from = Math.max(from, hi + 1);
  }
  if (from <= MAX_UNIT) out.push([from, MAX_UNIT]);
  return out;
}

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    if (/[\ud800-\udfff]/.test(text)) throw new Unknown();
    this.#text = text;
  }

  pattern(): Node {
    const node = this.#alternatives();
    if (this.#at < this.#text.length) throw new Unknown();
    return node;
  }

  #accept(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #alternatives(): Node {
    const parts = [this.#concat()];
    while (this.#accept('|')) parts.push(this.#concat());
    return parts.length === 1 ? parts[0]! : { kind: 'alternatives', parts };
  }

  #concat(): Node {
    const parts: Node[] = [];
    while (this.#at < this.#text.length && this.#text[this.#at] !== '|' && this.#text[this.#at] !== ')') {
      parts.push(this.#repeated());
    }
    return { kind: 'concat', parts };
  }

  #repeated(): Node {
    const body = this.#atom();
    const m = /[*+?]|\{(\d+)(,(\d*))?\}/y;
    m.lastIndex = this.#at;
    const found = m.exec(this.#text);
    if (!found) return body;
    this.#at = m.lastIndex;
    // Greed does not matter where only the fact of a match counts.
    this.#accept('?');
    const [sign, low, comma, high] = found;
    if (low === undefined) return { kind: 'repeat', body, min: sign === '+' ? 1 : 0, max: sign === '?' ? 1 : Infinity };
    const max = comma === undefined ? Number(low) : high ? Number(high) : Infinity;
    return { kind: 'repeat', body, min: Number(low), max };
  }

  #atom(): Node {
    const char = this.#text[this.#at++]!;
    switch (char) {
      case '(':
        return this.#group();
      case '[':
        return { kind: 'char', ranges: this.#class() };
      case '.':
        return { kind: 'char', ranges: negate([[10, 10]]) };
      case '^':
        return { kind: 'start' };
      case '$':
        return { kind: 'end' };
      case '\\':
        return this.#escaped();
      default:
        return { kind: 'char', ranges: [[char.charCodeAt(0), char.charCodeAt(0)]] };
    }
  }

  #group(): Node {
    const name = /\?(?::|P?<\w+>)/y;
    name.lastIndex = this.#at;
    if (this.#text[this.#at] === '?') {
      if (!name.test(this.#text)) throw new Unknown();
      this.#at = name.lastIndex;
    }
    const node = this.#alternatives();
    if (!this.#accept(')')) throw new Unknown();
    return node;
  }

  #escaped(): Node {
    if (this.#accept('A')) return { kind: 'start' };
    if (this.#accept('z')) return { kind: 'end' };
    return { kind: 'char', ranges: this.#escape() };
  }

  #escape(): Ranges {
    const char = this.#text[this.#at++] ?? '';
    const known = CLASSES[char.toLowerCase()];
    if (known) return char === char.toLowerCase() ? known : negate(known);
    const code = CONTROLS[char] ?? (/[^A-Za-z0-9]/.test(char) ? char.charCodeAt(0) : undefined);
    if (code === undefined) throw new Unknown();
    return [[code, code]];
  }

  #class(): Ranges {
    const negated = this.#accept('^');
    const ranges: Ranges = [];
    for (let first = true; first || !this.#accept(']'); first = false) {
      if (this.#at >= this.#text.length || this.#text.startsWith('[:', this.#at)) throw new Unknown();
      const low = this.#classChar();
      if (low.length === 1 && low[0]![0] === low[0]![1] && /^-[^\]]/.test(this.#text.slice(this.#at, this.#at + 2))) {
        this.#at++;
        const high = this.#classChar();
        if (high.length !== 1) throw new Unknown();
        ranges.push([low[0]![0], high[0]![1]]);
      } else ranges.push(...low);
    }
    return negated ? negate(ranges) : ranges;
  }

  #classChar(): Ranges {
    const char = this.#text[this.#at++]!;
    return char === '\\' ? this.#escape() : [[char.charCodeAt(0), char.charCodeAt(0)]];
  }
}

function build(root: Node): { states: Nfa[]; start: number } {
  const states: Nfa[] = [{ kind: 'match' }];
  const add = (state: Nfa): number => {
    if (states.length >= MAX_NFA) throw new Unknown();
    return states.push(state) - 1;
  };
  const make = (node: Node, next: number): number => {
    switch (node.kind) {
      case 'char':
        return add({ kind: 'char', ranges: node.ranges, next });
      case 'start':
      case 'end':
        return add({ kind: node.kind, next });
      case 'concat':
        return node.parts.reduceRight((after, part) => make(part, after), next);
      case 'alternatives':
        return add({ kind: 'split', next: node.parts.map((part) => make(part, next)) });
      case 'repeat':
        return repeat(node, next);
    }
  };
  const repeat = ({ body, min, max }: Node & { kind: 'repeat' }, next: number): number => {
    let after = next;
    if (max === Infinity) {
      const again: Nfa & { kind: 'split' } = { kind: 'split', next: [next] };
      after = add(again);
      again.next.push(make(body, after));
    } else {
      for (let i = min; i < max; i++) after = add({ kind: 'split', next: [make(body, after), next] });
    }
    for (let i = 0; i < min; i++) after = make(body, after);
    return after;
  };
  const start = make(root, 0);
  return { states, start };
}

/** A state of the deterministic automaton: the places of the other one that can be reached. */
interface Dfa {
  places: number[];
  /** A match is complete. */
  matched: boolean;
  /** A match is complete if the text ends here. */
  matchedAtEnd: boolean;
  next: (Dfa | undefined)[];
}

class Automaton implements FastMatcher {
  readonly #nfa: Nfa[];
  readonly #start: number;
  /** First character of each class of characters that the pattern does not tell apart. */
  readonly #classes: number[];
  readonly #classOfAscii = new Uint16Array(128);
  #states = new Map<string, Dfa>();
  #places = 0;
  #initial: Dfa;

  constructor(nfa: Nfa[], start: number) {
    this.#nfa = nfa;
    this.#start = start;
    const edges = new Set([0]);
    for (const state of nfa) {
      if (state.kind !== 'char') continue;
      for (const [lo, hi] of state.ranges) edges.add(lo).add(hi + 1);
    }
    this.#classes = [...edges].sort((a, b) => a - b);
    for (let unit = 0; unit < 128; unit++) this.#classOfAscii[unit] = this.#classOf(unit);
    this.#initial = this.#begin();
  }

  test(text: string): boolean | undefined {
    let state = this.#initial;
    for (let i = 0; i < text.length; i++) {
      if (state.matched) return true;
      const unit = text.charCodeAt(i);
      if (unit >= 0xd800 && unit <= 0xdfff) return undefined;
      const group = unit < 128 ? this.#classOfAscii[unit]! : this.#classOf(unit);
      state = state.next[group] ?? this.#step(state, group);
      if (state.places.length === 0) return false;
    }
    return state.matched || state.matchedAtEnd;
  }

  #classOf(unit: number): number {
    let low = 0;
    let high = this.#classes.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#classes[middle]! <= unit) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #begin(): Dfa {
    return this.#make(this.#closure([this.#start], true), true);
  }

  #step(from: Dfa, group: number): Dfa {
    const unit = this.#classes[group]!;
    const reached: number[] = [];
    for (const place of from.places) {
      const state = this.#nfa[place]!;
      if (state.kind === 'char' && state.ranges.some(([lo, hi]) => lo <= unit && unit <= hi)) reached.push(state.next);
    }
    // A match may begin at any character.
    reached.push(this.#start);
    const next = this.#state(this.#closure(reached, false));
    from.next[group] = next;
    return next;
  }

  #state(places: number[]): Dfa {
    const key = places.join();
    let state = this.#states.get(key);
    if (!state) {
      if (this.#places > MAX_PLACES) this.#forget();
      state = this.#make(places, false);
      this.#states.set(key, state);
      this.#places += places.length + 1;
    }
    return state;
  }

  /** Lets go of every state: the initial one leads to all others. */
  #forget(): void {
    this.#states = new Map();
    this.#places = 0;
    this.#initial = this.#begin();
  }

  #make(places: number[], atStart: boolean): Dfa {
    const ends = places.filter((place) => this.#nfa[place]!.kind === 'end');
    const matchedAtEnd = ends.length > 0 && this.#closure(ends, atStart, true).includes(0);
    return { places, matched: places.includes(0), matchedAtEnd, next: [] };
  }

  /** Everything that can be reached without reading a character; `end` lets one pass the end of the text. */
  #closure(from: number[], atStart: boolean, end = false): number[] {
    const seen = new Set<number>();
    const todo = [...from];
    for (let place = todo.pop(); place !== undefined; place = todo.pop()) {
      if (seen.has(place)) continue;
      seen.add(place);
      const state = this.#nfa[place]!;
      if (state.kind === 'split') todo.push(...state.next);
      else if ((state.kind === 'start' && atStart) || (state.kind === 'end' && end)) todo.push(state.next);
    }
    return [...seen]
      .filter((place) => {
        const { kind } = this.#nfa[place]!;
        return kind === 'char' || kind === 'end' || kind === 'match';
      })
      .sort((a, b) => a - b);
  }
}
