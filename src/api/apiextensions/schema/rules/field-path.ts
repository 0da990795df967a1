import { Path } from '../../../../machinery/field.js';
import { GO_ESCAPES } from '../../../../machinery/go-format.js';
import { additionalSchema, type Structural } from '../structural.js';

/** Why a path does not lead to a field. */
export class FieldPathError extends Error {}

export interface FoundField {
  /** Normalised: members of objects with dots, those of maps in brackets. */
  readonly path: Path;
  readonly schema: Structural;
  /** The first name in it. */
  readonly root: string;
}

/**
 * Follows a JSON path of member names (`.a.b`, `.a['b']`) through a schema.
 *
 * @param brackets whether names may stand in brackets
 * @throws FieldPathError
 */
export function findField(text: string, schema: Structural, brackets = true): FoundField {
  const tokens = tokenize(text);
  let at = 0;
  const next = (): string => {
    const token = tokens[at++];
    if (token === undefined) throw new FieldPathError('unexpected end of JSON path');
    return token;
  };
  let path = new Path();
  let root = '';
  let found = schema;
  const step = (name: string): void => {
    if (found.properties.size > 0) {
      const property = found.properties.get(name);
      if (!property) throw new FieldPathError('does not refer to a valid field');
      path = path.child(name);
      found = property;
    } else {
      const inner = additionalSchema(found);
      if (!inner) throw new FieldPathError('does not refer to a valid field');
      path = path.key(name);
      found = inner;
    }
    root ||= name;
  };
  while (at < tokens.length) {
    const token = next();
    if (token === '.') step(next());
    else if (token === '[') {
      if (!brackets) throw new FieldPathError('array notation is not allowed');
      const quoted = next();
      if (!/^'.*'$/s.test(quoted) || quoted.length < 2) {
        throw new FieldPathError(`expected single quoted string but got ${quoted}`);
      }
      step(unquote(quoted.slice(1, -1)));
      const close = next();
      if (close !== ']') throw new FieldPathError(`expected ] but got ${close}`);
    } else throw new FieldPathError(`expected [ or . but got: ${token}`);
  }
  return { path, schema: found, root };
}

/** Dots and brackets by themselves, quoted texts whole, and whatever is in between. */
function tokenize(text: string): string[] {
  return text.match(/'(?:[^'\\]|\\.)*'|[.[\]]|[^.[\]]+/gs) ?? [];
}

const ESCAPES: Readonly<Record<string, string>> = { ...GO_ESCAPES, "'": "'" };

function unquote(text: string): string {
  return text.replace(/\\(.)/gs, (all, char: string) => {
    const plain = ESCAPES[char];
    if (plain === undefined) throw new FieldPathError(`invalid string literal: invalid escape char ${all}`);
    return plain;
  });
}
