/**
 * An ordered map from strings to values whose snapshots cost nothing: a B+ tree that copies on write. Counts are kept in
 * the nodes, so the number of keys in a range takes logarithmic time. `undefined` is no value.
 */
const MAX = 64;
const MERGE_BELOW = 16;

/** Marks the nodes that a map may change in place. */
type Owner = Record<never, never>;

interface Leaf<V> {
  readonly leaf: true;
  readonly owner: Owner;
  readonly keys: string[];
  readonly values: V[];
}

interface Inner<V> {
  readonly leaf: false;
  readonly owner: Owner;
  /** keys[i] is not greater than any key below children[i], and greater than every key below children[i - 1]. */
  readonly keys: string[];
  readonly children: Node<V>[];
  size: number;
}

type Node<V> = Leaf<V> | Inner<V>;

/** An immutable state of an `OrderedMap`. */
export interface OrderedView<V> {
  readonly size: number;
  get(key: string): V | undefined;
  /** Number of keys in [start, end). */
  count(start: string, end: string): number;
  /** Walks the values of keys in [start, end) in order. */
  cursor(start: string, end: string): Cursor<V>;
  /** A map that starts as this state and changes apart from it. */
  fork(): OrderedMap<V>;
}

export interface Cursor<V> {
  /** The next value, undefined at the end. */
  next(): V | undefined;
}

export class OrderedMap<V> implements OrderedView<V> {
  #root: Node<V>;
  #owner: Owner = {};

  constructor(root?: Node<V>) {
    this.#root = root ?? { leaf: true, owner: this.#owner, keys: [], values: [] };
  }

  get size(): number {
    return sizeOf(this.#root);
  }

  get(key: string): V | undefined {
    let node = this.#root;
    while (!node.leaf) node = node.children[childIndex(node.keys, key)]!;
    const i = lowerBound(node.keys, key);
    return node.keys[i] === key ? node.values[i] : undefined;
  }

  /** Sets a value and returns what was there before. */
  set(key: string, value: V): V | undefined {
    const out: Replaced<V> = { previous: undefined };
    const grown = insert(this.#root, this.#owner, key, value, out);
    if (grown.right) {
      const children = [grown.node, grown.right];
      const keys = [firstKey(grown.node), firstKey(grown.right)];
      const size = sizeOf(grown.node) + sizeOf(grown.right);
      this.#root = { leaf: false, owner: this.#owner, keys, children, size };
    } else this.#root = grown.node;
    return out.previous;
  }

  /** Removes a key and returns its value. */
  delete(key: string): V | undefined {
    const previous = this.get(key);
    if (previous === undefined) return undefined;
    let root = remove(this.#root, this.#owner, key);
    while (!root.leaf && root.children.length === 1) root = root.children[0]!;
    this.#root = root;
    return previous;
  }

  /** The state as it is now. It stays as it is when the map changes. */
  snapshot(): OrderedView<V> {
    this.#owner = {};
    return new OrderedMap<V>(this.#root);
  }

  fork(): OrderedMap<V> {
    this.#owner = {};
    return new OrderedMap<V>(this.#root);
  }

  count(start: string, end: string): number {
    return Math.max(0, rank(this.#root, end) - rank(this.#root, start));
  }

  cursor(start: string, end: string): Cursor<V> {
    return new TreeCursor(this.#root, start, end);
  }
}

class TreeCursor<V> implements Cursor<V> {
  readonly #path: { node: Inner<V>; index: number }[] = [];
  readonly #end: string;
  #leaf: Leaf<V> | undefined;
  #index: number;

  constructor(root: Node<V>, start: string, end: string) {
    this.#end = end;
    let node = root;
    while (!node.leaf) {
      const index = childIndex(node.keys, start);
      this.#path.push({ node, index });
      node = node.children[index]!;
    }
    this.#leaf = node;
    this.#index = lowerBound(node.keys, start);
  }

  next(): V | undefined {
    while (this.#leaf && this.#index >= this.#leaf.keys.length) this.#nextLeaf();
    const leaf = this.#leaf;
    if (!leaf || leaf.keys[this.#index]! >= this.#end) {
      this.#leaf = undefined;
      return undefined;
    }
    return leaf.values[this.#index++];
  }

  #nextLeaf(): void {
    this.#index = 0;
    for (;;) {
      const top = this.#path.at(-1);
      if (!top) {
        this.#leaf = undefined;
        return;
      }
      if (++top.index < top.node.children.length) {
        let node = top.node.children[top.index]!;
        while (!node.leaf) {
          this.#path.push({ node, index: 0 });
          node = node.children[0]!;
        }
        this.#leaf = node;
        return;
      }
      this.#path.pop();
    }
  }
}

interface Replaced<V> {
  previous: V | undefined;
}

function sizeOf<V>(node: Node<V>): number {
  return node.leaf ? node.keys.length : node.size;
}

function firstKey<V>(node: Node<V>): string {
  return node.keys[0]!;
}

/** First index whose key is not less than `key`. */
function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const mid = (low + high) >>> 1;
    if (keys[mid]! < key) low = mid + 1;
    else high = mid;
  }
  return low;
}

/** The child a key belongs to. */
function childIndex(keys: readonly string[], key: string): number {
  const i = lowerBound(keys, key);
  return keys[i] === key ? i : Math.max(0, i - 1);
}

/** Number of keys less than `key`. */
function rank<V>(root: Node<V>, key: string): number {
  let node = root;
  let n = 0;
  while (!node.leaf) {
    const index = childIndex(node.keys, key);
    for (let i = 0; i < index; i++) n += sizeOf(node.children[i]!);
    node = node.children[index]!;
  }
  return n + lowerBound(node.keys, key);
}

/** The node itself when the owner may change it, else a copy that it may. */
function own<V>(node: Node<V>, owner: Owner): Node<V> {
  if (node.owner === owner) return node;
  return node.leaf
    ? { leaf: true, owner, keys: node.keys.slice(), values: node.values.slice() }
    : { leaf: false, owner, keys: node.keys.slice(), children: node.children.slice(), size: node.size };
}

function insert<V>(
  shared: Node<V>,
  owner: Owner,
  key: string,
  value: V,
  out: Replaced<V>,
): { node: Node<V>; right?: Node<V> } {
  const node = own(shared, owner);
  if (node.leaf) {
    const i = lowerBound(node.keys, key);
    if (node.keys[i] === key) {
      out.previous = node.values[i];
      node.values[i] = value;
      return { node };
    }
    node.keys.splice(i, 0, key);
    node.values.splice(i, 0, value);
  } else {
    const i = childIndex(node.keys, key);
    const grown = insert(node.children[i]!, owner, key, value, out);
    node.children[i] = grown.node;
    if (key < node.keys[i]!) node.keys[i] = key;
    if (grown.right) {
      node.children.splice(i + 1, 0, grown.right);
      node.keys.splice(i + 1, 0, firstKey(grown.right));
    }
    if (out.previous === undefined) node.size++;
  }
  return node.keys.length > MAX ? split(node, owner) : { node };
}

/** Moves the upper half of a node that is too long into a new one. */
function split<V>(node: Node<V>, owner: Owner): { node: Node<V>; right: Node<V> } {
  const at = node.keys.length >>> 1;
  const keys = node.keys.splice(at);
  if (node.leaf) return { node, right: { leaf: true, owner, keys, values: node.values.splice(at) } };
  const children = node.children.splice(at);
  const size = children.reduce((n, child) => n + sizeOf(child), 0);
  node.size -= size;
  return { node, right: { leaf: false, owner, keys, children, size } };
}

/** Removes a key that is known to exist. */
function remove<V>(shared: Node<V>, owner: Owner, key: string): Node<V> {
  const node = own(shared, owner);
  if (node.leaf) {
    const i = lowerBound(node.keys, key);
    node.keys.splice(i, 1);
    node.values.splice(i, 1);
    return node;
  }
  const i = childIndex(node.keys, key);
  const child = remove(node.children[i]!, owner, key);
  node.size--;
  node.children[i] = child;
  if (child.keys.length === 0) {
    node.children.splice(i, 1);
    node.keys.splice(i, 1);
  } else if (child.keys.length < MERGE_BELOW) mergeWithNeighbour(node, i, owner);
  return node;
}

function mergeWithNeighbour<V>(parent: Inner<V>, index: number, owner: Owner): void {
  const at = index > 0 ? index - 1 : index;
  const right = parent.children[at + 1];
  if (!right || parent.children[at]!.keys.length + right.keys.length > MAX - MERGE_BELOW) return;
  const left = own(parent.children[at]!, owner);
  if (left.leaf && right.leaf) {
    left.keys.push(...right.keys);
    left.values.push(...right.values);
  } else if (!left.leaf && !right.leaf) {
    left.keys.push(...right.keys);
    left.children.push(...right.children);
    left.size += right.size;
  }
  parent.children[at] = left;
  parent.children.splice(at + 1, 1);
  parent.keys.splice(at + 1, 1);
}
