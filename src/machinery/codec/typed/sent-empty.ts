import { isJsonObject, type JsonValue, setOwn } from '../../json.js';

/** By path, as field errors write it: `spec.template.metadata.labels`. */
export type SentEmpties = ReadonlyMap<string, '[]' | '{}'>;

const known = new WeakMap<object, SentEmpties>();
const NONE: SentEmpties = new Map();

/**
 * The lists and maps that a client sent with nothing in them. The minimal form does not tell them from unset ones, and
 * nor does what is stored, but a few rules and the messages of validation do.
 */
export function sentEmpties(object: object | undefined): SentEmpties {
  return (object && known.get(object)) ?? NONE;
}

export function noteSentEmpties(object: object, empties: SentEmpties): void {
  if (empties.size > 0) known.set(object, empties);
}

/** `value` is null, or an object that `empties` below `path` are put into where it has null, by the names of Go's fields. */
export function withSentEmpties(value: JsonValue, path: string, empties: SentEmpties): JsonValue {
  if (value === null) return emptyOf(empties.get(path)) ?? null;
  for (const [at, text] of empties) {
    // Faults of lists may show one item.
    const below = at.startsWith(path) ? /^(?:\[\d+\])?\.(.*)$/.exec(at.slice(path.length)) : null;
    if (below) putEmpty(value, below[1]!.split(/\]?[.[]/), text);
  }
  return value;
}

/** @param names of fields, and indexes with or without the bracket after them */
function putEmpty(value: JsonValue, names: readonly string[], text: '[]' | '{}'): void {
  let at: JsonValue | undefined = value;
  for (const [i, name] of names.entries()) {
    if (Array.isArray(at)) {
      at = at[Number.parseInt(name, 10)];
    } else if (isJsonObject(at)) {
      const key: string = name.charAt(0).toUpperCase() + name.slice(1);
      const next: JsonValue | undefined = Object.hasOwn(at, key) ? at[key] : undefined;
      if (i === names.length - 1 && next === null) setOwn(at, key, emptyOf(text)!);
      at = next;
    } else return;
  }
}

function emptyOf(text: '[]' | '{}' | undefined): JsonValue | undefined {
  return text && (text === '[]' ? [] : {});
}
