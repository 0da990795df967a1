import type { JsonObject, JsonValue } from '../../json.js';
import type { Type } from '../../scheme/type.js';
import { DecodeError } from '../errors.js';
import type { DuplicateKey, Duplicates } from '../json/scanner.js';
import { goTypeAt, goTypeName } from './gotypes.js';

/** Upstream stops noting strict faults here. */
const MAX_STRICT_ERRORS = 100;
/** They serve messages alone. */
const MAX_EMPTIES = 100;

/** A value of a wrong type; what it is made of lets an outer decoder name its own place instead. */
export class TypeMismatch extends DecodeError {
  /** `string`, `object`, `number 1.5`, … */
  readonly value: string;
  readonly goType: string;
  constructor(value: string, goType: string, place: string | undefined) {
    super(`json: cannot unmarshal ${value} into Go ${place ? `struct field ${place}` : 'value'} of type ${goType}`);
    this.value = value;
    this.goType = goType;
  }
}

/**
 * Where a decoder stands in the value and what it has found so far. A wrong type does not stop a decoder: the first one
 * is kept and thrown at the end, as Go does, so that a fault which does stop it (a bad quantity or time) comes first.
 */
export class DecodeContext {
  readonly strict: boolean;
  readonly root: Type;
  /** Lists and maps that the value has and nothing is in, by path. */
  readonly empties = new Map<string, '[]' | '{}'>();
  /** Faults that only strict validation minds: `unknown field "spec.x"`, `duplicate field "kind"`. */
  readonly strictErrors = new Set<string>();
  readonly #duplicates: Duplicates | undefined;
  readonly #keys: (string | number)[] = [];
  /** The struct that the key is a field of; undefined for list indexes, null for map keys. */
  readonly #owners: (Type | undefined | null)[] = [];
  #saved: DecodeError | undefined;

  constructor(root: Type, strict: boolean, duplicates?: Duplicates) {
    this.root = root;
    this.strict = strict;
    this.#duplicates = strict ? duplicates : undefined;
  }

  enterField(owner: Type, name: string): void {
    this.#keys.push(name);
    this.#owners.push(owner);
  }
  enterIndex(index: number): void {
    this.#keys.push(index);
    this.#owners.push(undefined);
  }
  enterKey(key: string): void {
    this.#keys.push(key);
    this.#owners.push(null);
  }
  leave(): void {
    this.#keys.pop();
    this.#owners.pop();
  }

  /** A field of the struct at hand is there, and empty. */
  noteEmpty(name: string, value: JsonValue): void {
    if (this.empties.size >= MAX_EMPTIES) return;
    let path = '';
    for (const [i, key] of this.#keys.entries()) {
      if (this.#owners[i]) path += path === '' ? key : `.${key}`;
      else path += `[${key}]`;
    }
    this.empties.set(path === '' ? name : `${path}.${name}`, Array.isArray(value) ? '[]' : '{}');
  }

  /** The keys that the text of this object repeats. */
  duplicatesOf(object: JsonObject): DuplicateKey[] | undefined {
    return this.#duplicates?.get(object);
  }

  unknownField(name: string): void {
    if (this.strict) this.#strictError(`unknown field ${goQuote(this.#strictPath(name))}`);
  }
  duplicateField(name: string): void {
    this.#strictError(`duplicate field ${goQuote(this.#strictPath(name))}`);
  }
  #strictError(text: string): void {
    if (this.strictErrors.size < MAX_STRICT_ERRORS) this.strictErrors.add(text);
  }

  /** Notes that a value does not fit the Go type at this place. */
  mismatch(value: JsonValue, goType?: string): undefined {
    this.#saved ??= this.typeError(kindOf(value), goType);
    return undefined;
  }
  /** Notes that a number does not fit the integer type at this place. */
  numberMismatch(value: number | bigint, goType?: string): undefined {
    this.#saved ??= this.typeError(`number ${value}`, goType);
    return undefined;
  }
  /** Notes a fault that Go reports without its place. */
  save(message: string): undefined {
    this.#saved ??= new DecodeError(message);
    return undefined;
  }

  /** The error for a value of a kind (`string`, `number 1.5`) that does not fit; the Go type is found from the place. */
  typeError(value: string, goType?: string): TypeMismatch {
    let last = this.#owners.length - 1;
    while (last >= 0 && !this.#owners[last]) last--;
    if (last < 0) return new TypeMismatch(value, goType ?? goTypeName(this.root), undefined);
    const owner = this.#owners[last]!;
    const path = this.#goPath();
    const struct = owner.name.slice(owner.name.lastIndexOf('.') + 1);
    const type = goType ?? goTypeAt(owner, String(this.#keys[last]), this.#keys.length - 1 - last);
    return new TypeMismatch(value, type, `${struct}.${path}`);
  }

  /** Throws the first noted fault, if there is one. */
  finish(): void {
    if (this.#saved) throw this.#saved;
  }

  /** Field names without indexes and map keys; a field of an embedded struct has the struct's name before it. */
  #goPath(): string {
    const names: string[] = [];
    this.#keys.forEach((key, i) => {
      const owner = this.#owners[i];
      if (owner) names.push(...(owner.field.get(String(key))?.inline ?? []), String(key));
    });
    return names.join('.');
  }

  #strictPath(name: string): string {
    let path = '';
    this.#keys.forEach((key, i) => {
      path += this.#owners[i] === undefined ? `[${key}]` : path === '' ? key : `.${key}`;
    });
    return path === '' ? name : `${path}.${name}`;
  }
}

/** What Go calls the JSON value: string, bool, number, object or array. */
export function kindOf(value: JsonValue): string {
  if (Array.isArray(value)) return 'array';
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'boolean':
      return 'bool';
    case 'object':
      return 'object';
    default:
      return 'number';
  }
}

/** Go's quoted string: JSON's but for the escapes of control characters, which no path in practice holds. */
function goQuote(text: string): string {
  return JSON.stringify(text);
}
