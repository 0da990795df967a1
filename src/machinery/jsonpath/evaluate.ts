import { compareBytes } from '../go-format.js';
import { isJsonObject, type JsonValue } from '../json.js';
import { JsonPathError, type Literal, type PathNode } from './parse.js';

/** Values that one evaluation may visit: descents multiply. */
const MAX_VISITS = 100_000;

type Values = readonly JsonValue[];

/**
 * The values that a path leads to; none when names are missing on the way.
 *
 * @throws JsonPathError what the path asks for does not fit the value
 */
export function evaluatePath(path: readonly PathNode[], value: JsonValue): Values {
  return new Evaluation().list([value], path);
}

class Evaluation {
  #visits = 0;

  list(values: Values, path: readonly PathNode[]): Values {
    let found = values;
    for (const node of path) {
      found = this.#step(found, node);
      this.#visit(found.length);
    }
    return found;
  }

  #visit(count: number): void {
    this.#visits += count + 1;
    if (this.#visits > MAX_VISITS) throw new JsonPathError('the path visits too many values');
  }

  #step(values: Values, node: PathNode): Values {
    switch (node.type) {
      case 'field':
        return values.flatMap((v) => {
          const found = isJsonObject(v) && Object.hasOwn(v, node.name) ? v[node.name] : undefined;
          return found === undefined ? [] : [found];
        });
      case 'slice':
        return this.#slices(values, node);
      case 'wildcard':
        return values.flatMap(members);
      case 'descent':
        return this.#descend(values);
      case 'union':
        return node.paths.flatMap((path) => this.list(values, path));
      case 'filter':
        return values.flatMap((v) => this.#filter(v, node));
      case 'literal':
        // A text stands for itself, however many values there are; the others take the place of each.
        return node.value.kind === 'text' ? [node.value.value] : values.map(() => node.value.value);
      case 'keyword':
        throw new JsonPathError(`unrecognized identifier ${node.name}`);
    }
  }

  /** The values with members, each before what is in it. */
  #descend(values: Values): Values {
    const out: JsonValue[] = [];
    const open = [...values].reverse();
    while (open.length > 0) {
      this.#visit(0);
      const value = open.pop()!;
      const inner = members(value);
      if (inner.length === 0) continue;
      out.push(value);
      for (let i = inner.length - 1; i >= 0; i--) open.push(inner[i]!);
    }
    return out;
  }

  #slices(values: Values, { slice }: Extract<PathNode, { type: 'slice' }>): Values {
    const out: JsonValue[] = [];
    for (const value of values) {
      if (value === null) continue;
      if (!Array.isArray(value)) throw new JsonPathError('not array or slice');
      const { length } = value;
      let start = slice.start ?? 0;
      if (start < 0) start += length;
      let end = slice.end ?? length;
      if (end < 0 || (end === 0 && slice.derived)) end += length;
      // Nothing asked for here ends the search, with what there is.
      if (start === end) return out;
      if (start >= length || start < 0)
        throw new JsonPathError(`array index out of bounds: index ${start}, length ${length}`);
      if (end > length || end < 0)
        throw new JsonPathError(`array index out of bounds: index ${end - 1}, length ${length}`);
      if (start > end) throw new JsonPathError(`starting index ${start} is greater than ending index ${end}`);
      const step = slice.step ?? 1;
      if (step <= 0) throw new JsonPathError('step must be > 0');
      for (let i = start; i < end; i += step) out.push(value[i]!);
    }
    return out;
  }

  #filter(value: JsonValue, node: Extract<PathNode, { type: 'filter' }>): Values {
    if (!Array.isArray(value)) throw new JsonPathError('not array or slice and cannot be filtered');
    return value.filter((item) => {
      if (node.operator === 'exists') return this.#exists(item, node.left);
      const left = this.#single(item, node.left);
      if (left === undefined) return false;
      const right = this.#single(item, node.right);
      return right !== undefined && compare(left, node.operator, right);
    });
  }

  /** What can't be looked into counts as being there. */
  #exists(item: JsonValue, path: readonly PathNode[]): boolean {
    try {
      return this.list([item], path).length > 0;
    } catch (e) {
      if (e instanceof JsonPathError && this.#visits <= MAX_VISITS) return true;
      throw e;
    }
  }

  #single(item: JsonValue, path: readonly PathNode[]): Literal | undefined {
    const found = this.list([item], path);
    if (found.length > 1) throw new JsonPathError('can only compare one element at a time');
    if (found.length === 0) return undefined;
    const last = path.at(-1);
    return last?.type === 'literal' ? last.value : scalar(found[0]!);
  }
}

/** Of a text, its bytes. */
function members(value: JsonValue): Values {
  if (Array.isArray(value)) return value;
  if (typeof value === 'string') return [...Buffer.from(value)];
  if (!isJsonObject(value)) return [];
  return Object.keys(value)
    .sort(compareBytes)
    .flatMap((key) => (value[key] === undefined ? [] : [value[key]]));
}

function scalar(value: JsonValue): Literal {
  switch (typeof value) {
    case 'string':
      return { kind: 'text', value };
    case 'boolean':
      return { kind: 'bool', value };
    case 'bigint':
      return { kind: 'int', value: Number(value) };
    case 'number':
      return { kind: Number.isInteger(value) ? 'int' : 'float', value };
    default:
      throw new JsonPathError('invalid type for comparison');
  }
}

function compare(left: Literal, operator: string, right: Literal): boolean {
  if (left.kind !== right.kind) throw new JsonPathError('incompatible types for comparison');
  if (operator === '==' || operator === '!=') return (left.value === right.value) === (operator === '==');
  if (left.kind === 'bool') throw new JsonPathError('invalid type for comparison');
  const order =
    left.kind === 'text' ? compareBytes(`${left.value}`, `${right.value}`) : Number(left.value) - Number(right.value);
  switch (operator) {
    case '<':
      return order < 0;
    case '>':
      return order > 0;
    case '<=':
      return order <= 0;
    case '>=':
      return order >= 0;
    default:
      throw new JsonPathError(`unrecognized filter operator ${operator}`);
  }
}
