import { goSyntax, goType, goValue } from '../go-format.js';
import { isJsonObject, type JsonValue } from '../json.js';
import { elementText } from './path-element.js';
import { type Atom, kindsOf, type ListAtom, type MapAtom, type ScalarKind, treatAs } from './schema.js';
import { itemElement, TypedError } from './values.js';

interface Fault {
  readonly path: string;
  readonly text: string;
}

/**
 * Checks an applied configuration against its schema: types, undeclared members, repeated list elements.
 * @throws TypedError with the text of kube-apiserver
 */
export function validateConfig(value: JsonValue, atom: Atom): void {
  const faults: Fault[] = [];
  visit(value, atom, '', faults);
  if (faults.length === 0) return;
  const texts = faults.map((f) => (f.path === '' ? f.text : `${f.path}: ${f.text}`));
  throw new TypedError(texts.length === 1 ? texts[0]! : `errors:\n${texts.map((t) => `  ${t}`).join('\n')}`);
}

function visit(value: JsonValue, atom: Atom, path: string, faults: Fault[]): void {
  if (value === null) return;
  switch (treatAs(kindsOf(atom, value))) {
    case 'map':
      visitMap(value, atom.map!, path, faults);
      break;
    case 'list':
      visitList(value, atom.list!, path, faults);
      break;
    case 'scalar': {
      const text = scalarFault(value, atom.scalar!);
      if (text) faults.push({ path, text });
    }
  }
}

/** A decoded value in its upstream wrapper, which is what `%v` and `%#v` show. */
const wrapped = (value: JsonValue): string => `&{${goValue(value)}}`;

function scalarFault(value: JsonValue, kind: ScalarKind): string | undefined {
  const type = typeof value;
  switch (kind) {
    case 'numeric':
      return type === 'number' || type === 'bigint'
        ? undefined
        : `expected numeric (int or float), got ${goType(value)}`;
    case 'string':
      return type === 'string' ? undefined : `expected string, got &value.valueUnstructured{Value:${goSyntax(value)}}`;
    case 'boolean':
      return type === 'boolean' ? undefined : `expected boolean, got ${wrapped(value)}`;
    case 'untyped':
      return type === 'object' ? `expected any scalar, got ${wrapped(value)}` : undefined;
  }
}

function visitMap(value: JsonValue, map: MapAtom, path: string, faults: Fault[]): void {
  if (!isJsonObject(value)) {
    faults.push({ path, text: `expected map, got ${wrapped(value)}` });
    return;
  }
  for (const name of Object.keys(value)) {
    const member = value[name];
    if (member === undefined) continue;
    const atom = map.fields.get(name)?.atom ?? map.element;
    if (!atom) {
      faults.push({ path: `${path}.${name}`, text: 'field not declared in schema' });
      return;
    }
    visit(member, atom, `${path}.${name}`, faults);
  }
}

function visitList(value: JsonValue, list: ListAtom, path: string, faults: Fault[]): void {
  if (!Array.isArray(value)) {
    faults.push({ path, text: `expected list, got ${wrapped(value)}` });
    return;
  }
  const seen = new Set<string>();
  for (const [i, item] of value.entries()) {
    let element = `i:${i}`;
    if (!list.atomic) {
      try {
        element = itemElement(item, list, 'written');
      } catch (e) {
        faults.push({ path, text: `element ${i}: ${(e as Error).message}` });
        return;
      }
      if (seen.has(element)) faults.push({ path, text: `duplicate entries for key ${elementText(element)}` });
      seen.add(element);
    }
    visit(item, list.element, path + elementText(element), faults);
  }
}
