import { badRequest } from '../errors.js';
import { compareBytes } from '../go-format.js';

export interface FieldRequirement {
  readonly field: string;
  readonly operator: '=' | '!=';
  readonly value: string;
}

export type Fields = Readonly<Record<string, string | undefined>>;

/** All requirements must hold; a field that is not there counts as "". Immutable. */
export class FieldSelector {
  readonly requirements: readonly FieldRequirement[];

  constructor(requirements: readonly FieldRequirement[]) {
    this.requirements = requirements;
  }

  get empty(): boolean {
    return this.requirements.length === 0;
  }

  matches(fields: Fields): boolean {
    for (const { field, operator, value } of this.requirements) {
      if ((((Object.hasOwn(fields, field) && fields[field]) || '') === value) !== (operator === '=')) return false;
    }
    return true;
  }

  toString(): string {
    return this.requirements.map((r) => `${r.field}${r.operator}${escapeFieldValue(r.value)}`).join(',');
  }

  /** The value that this field must have, e.g. `metadata.name` of a request for one object. */
  exactValue(field: string): string | undefined {
    return this.requirements.find((r) => r.field === field && r.operator === '=')?.value;
  }
}

/** Puts a backslash before `\`, `,` and `=`. */
export function escapeFieldValue(value: string): string {
  return value.replace(/[\\,=]/g, '\\$&');
}

function unescapeValue(text: string): string {
  let out = '';
  let escaped = false;
  for (const char of text) {
    if (escaped) {
      if (char !== '\\' && char !== ',' && char !== '=') throw invalidEscape(`\\${char}`);
      out += char;
      escaped = false;
    } else if (char === '\\') escaped = true;
    else if (char === ',' || char === '=') {
      throw badRequest(`invalid field selector: unescaped character in value: ${char.charCodeAt(0)}`);
    } else out += char;
  }
  if (escaped) throw invalidEscape('\\');
  return out;
}

function invalidEscape(sequence: string): Error {
  return badRequest(`invalid field selector: invalid escape sequence: ${sequence}`);
}

/** Splits at commas that no backslash precedes; the backslashes stay. */
function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === ',') {
      terms.push(text.slice(start, i));
      start = i + 1;
    }
  }
  terms.push(text.slice(start));
  return terms;
}

/**
 * The selector in a `fieldSelector` query parameter: `a=b`, `a==b`, `a!=b`, joined by commas.
 * @throws StatusError 400 with the message of kube-apiserver. Whether the kind knows the fields is for the caller.
 */
export function parseFieldSelector(text: string): FieldSelector {
  const requirements: FieldRequirement[] = [];
  for (const term of splitTerms(text).sort(compareBytes)) {
    if (term === '') continue;
    const split = /!=|==?/.exec(term);
    if (!split) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
    requirements.push({
      field: term.slice(0, split.index),
      operator: split[0] === '!=' ? '!=' : '=',
      value: unescapeValue(term.slice(split.index + split[0].length)),
    });
  }
  return new FieldSelector(requirements);
}
