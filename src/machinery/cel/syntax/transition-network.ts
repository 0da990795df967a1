import { GRAMMAR, type Node, type RuleName } from './grammar.js';
import { T } from './tokens.js';

/** A state of the transition network that the grammar stands for. */
export interface State {
  id: number;
  rule: RuleName;
  /** States reached without reading a token. */
  epsilons: State[];
  /** Reads one of these tokens and goes to `next`. */
  tokens?: ReadonlySet<number>;
  /** Runs this rule and goes to `next`. */
  calls?: RuleName;
  next?: State;
  /** The end of its rule. */
  stop: boolean;
}

/** Where the parts of a node of the grammar are in the network. */
export interface Place {
  node: Node;
  /** State in which the node is entered; decisions are made here. */
  state: State;
  /** State in which a loop decides whether to go on. */
  loopBack?: State;
  /** One place for each alternative or item, or the body. */
  parts: Place[];
  /** First state of each alternative, the last one being the exit where there is one. */
  branches: State[];
}

/** Says that the end of the rule can be reached without reading a token. */
export const EPSILON = -2;

let count = 0;
const starts = new Map<RuleName, State>();
const stops = new Map<RuleName, State>();
const followers = new Map<RuleName, State[]>();

function state(rule: RuleName, ...epsilons: State[]): State {
  return { id: count++, rule, epsilons, stop: false };
}

/** Builds a node backwards: `next` is where its end leads. */
function build(node: Node, rule: RuleName, next: State): Place {
  switch (node.kind) {
    case 'token': {
      const s = state(rule);
      s.tokens = new Set(node.types);
      s.next = next;
      return { node, state: s, parts: [], branches: [] };
    }
    case 'rule': {
      const s = state(rule);
      s.calls = node.name;
      s.next = next;
      followers.set(node.name, [...(followers.get(node.name) ?? []), next]);
      return { node, state: s, parts: [], branches: [] };
    }
    case 'seq': {
      const parts: Place[] = [];
      let after = next;
      for (const item of node.items.toReversed()) {
        const part = build(item, rule, after);
        parts.unshift(part);
        after = part.state;
      }
      return { node, state: after, parts, branches: [] };
    }
    case 'alt': {
      const parts = node.alternatives.map((a) => build(a, rule, next));
      const branches = parts.map((p) => p.state);
      return { node, state: state(rule, ...branches), parts, branches };
    }
    case 'optional': {
      const body = build(node.body, rule, next);
      return { node, state: state(rule, body.state, next), parts: [body], branches: [body.state, next] };
    }
    case 'star':
    case 'plus': {
      const loopBack = state(rule);
      const body = build(node.body, rule, loopBack);
      loopBack.epsilons.push(body.state, next);
      const entry = node.kind === 'star' ? state(rule, body.state, next) : state(rule, body.state);
      return { node, state: entry, loopBack, parts: [body], branches: [body.state, next] };
    }
    case 'operators': {
      const loopBack = state(rule);
      const parts = node.alternatives.map((a) => build(a.body, rule, loopBack));
      const branches = parts.map((p) => p.state);
      loopBack.epsilons.push(...branches, next);
      return { node, state: state(rule, ...branches, next), loopBack, parts, branches };
    }
  }
}

const PLACES = new Map<RuleName, Place>();
for (const [name, node] of Object.entries(GRAMMAR) as [RuleName, Node][]) {
  const stop = state(name);
  stop.stop = true;
  const place = build(node, name, stop);
  PLACES.set(name, place);
  starts.set(name, place.state);
  stops.set(name, stop);
}

export function ruleBody(name: RuleName): Place {
  return PLACES.get(name)!;
}

const nextCache = new Map<number, ReadonlySet<number>>();

/** Tokens that can come next within the rule of a state, with EPSILON when the rule can end. */
export function nextTokens(from: State): ReadonlySet<number> {
  let found = nextCache.get(from.id) as Set<number> | undefined;
  if (found) return found;
  found = new Set();
  const seen = new Set<State>();
  const todo = [from];
  for (let s = todo.pop(); s; s = todo.pop()) {
    if (seen.has(s)) continue;
    seen.add(s);
    if (s.stop) found.add(EPSILON);
    if (s.tokens) for (const t of s.tokens) found.add(t);
    // No rule of the grammar is empty, so what follows the call cannot matter.
    if (s.calls) for (const t of nextTokens(starts.get(s.calls)!)) found.add(t);
    todo.push(...s.epsilons);
  }
  nextCache.set(from.id, found);
  return found;
}

interface Stack {
  id: number;
  state: State;
  below: Stack | undefined;
}

interface Config {
  state: State;
  stack: Stack | undefined;
  alternative: number;
  /** The rule of the decision has been left. */
  left: boolean;
}

/**
 * Chooses between the branches of a decision by reading ahead until only one of them fits, without regard for where
 * the rule was called from. Answers the branch, or the index of the token at which none fits any more.
 */
export function predict(
  branches: State[],
  tokenAt: (ahead: number) => number,
): { branch: number } | { stuckAt: number } {
  const stacks = new Map<string, Stack>();
  const push = (s: State, below: Stack | undefined): Stack => {
    const key = `${s.id}/${below?.id ?? -1}`;
    const stack = stacks.get(key) ?? { id: stacks.size, state: s, below };
    stacks.set(key, stack);
    return stack;
  };
  let configs = closure(
    branches.map((s, alternative) => ({ state: s, stack: undefined, alternative, left: false })),
    push,
  );
  for (let ahead = 0; ; ahead++) {
    const token = tokenAt(ahead);
    const reached = configs.filter((c) => c.state.tokens?.has(token)).map((c) => ({ ...c, state: c.state.next! }));
    if (reached.length === 0) {
      const left = configs.filter((c) => c.left).map((c) => c.alternative);
      return left.length > 0 ? { branch: Math.min(...left) } : { stuckAt: ahead };
    }
    configs = closure(reached, push);
    const alternatives = new Set(configs.map((c) => c.alternative));
    if (alternatives.size <= 1 || token === T.EOF || isAmbiguous(configs)) {
      return { branch: Math.min(...(alternatives.size > 0 ? alternatives : reached.map((c) => c.alternative))) };
    }
  }
}

function closure(start: Config[], push: (s: State, below: Stack | undefined) => Stack): Config[] {
  const seen = new Set<string>();
  const found: Config[] = [];
  const todo = start.toReversed();
  for (let c = todo.pop(); c; c = todo.pop()) {
    const key = `${c.state.id}/${c.stack?.id ?? -1}/${c.alternative}/${c.left}`;
    if (seen.has(key)) continue;
    seen.add(key);
    if (c.state.tokens) found.push(c);
    const { stack, alternative, left } = c;
    if (c.state.stop) {
      if (stack) todo.push({ state: stack.state, stack: stack.below, alternative, left });
      else for (const s of followers.get(c.state.rule) ?? []) todo.push({ state: s, stack, alternative, left: true });
    }
    if (c.state.calls) {
      todo.push({ state: starts.get(c.state.calls)!, stack: push(c.state.next!, stack), alternative, left });
    }
    for (const s of c.state.epsilons) todo.push({ state: s, stack, alternative, left });
  }
  return found;
}

/** Whether every situation that can be reached is reached by more than one branch, so that reading on is no use. */
function isAmbiguous(configs: Config[]): boolean {
  const alternatives = new Map<string, number>();
  const shared = new Set<string>();
  for (const c of configs) {
    const key = `${c.state.id}/${c.stack?.id ?? -1}`;
    const first = alternatives.get(key);
    if (first === undefined) alternatives.set(key, c.alternative);
    else if (first !== c.alternative) shared.add(key);
  }
  return shared.size === alternatives.size;
}
