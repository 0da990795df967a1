import {
  type FieldError,
  invalidValue,
  notSupported,
  required,
  tooLong,
  tooMany,
  typeInvalid,
} from '../../../../machinery/field.js';
import { goJson } from '../../../../machinery/go-format.js';
import type { JsonValue } from '../../../../machinery/json.js';

export type FaultCode = 'type' | 'required' | 'enum' | 'tooLong' | 'tooManyItems' | 'tooManyProperties' | 'other';

/**
 * What is wrong with a value, in the words of the OpenAPI validation of go-openapi. Faults of schemas as a whole (allOf,
 * oneOf, number ranges) have no path of their own: their field is unknown, and the text names it.
 */
export interface Fault {
  readonly code: FaultCode;
  /** Undefined: the fault has no field. */
  readonly path: string | undefined;
  readonly text: string;
  readonly value?: JsonValue;
  /** What was allowed: the maximum, or the values of the enum. */
  readonly allowed?: number | readonly JsonValue[];
}

/** Faults of a value and how many checks it passed, by which the best of several alternatives is chosen. */
export class Outcome {
  readonly faults: Fault[] = [];
  matches = 0;

  get valid(): boolean {
    return this.faults.length === 0;
  }

  /** A text that is there already is not repeated. */
  add(fault: Fault | undefined): void {
    if (fault && !this.faults.some((f) => f.text === fault.text)) this.faults.push(fault);
  }

  merge(other: Outcome): void {
    for (const fault of other.faults) this.add(fault);
    this.matches += other.matches;
  }
}

/** @param root path that the value has in its object; '' for the object itself */
export function fieldError(fault: Fault, root: string): FieldError {
  const { code, path, text, value, allowed } = fault;
  const at = path === undefined ? root : join(root, path);
  switch (code) {
    case 'required':
      return required(at);
    case 'enum':
      return notSupported(
        at,
        value ?? null,
        (allowed as readonly JsonValue[]).map((v) => (typeof v === 'string' ? v : goJson(v))),
      );
    case 'tooLong':
      return tooLong(at, allowed as number);
    case 'tooManyItems':
    case 'tooManyProperties':
      return tooMany(at, value as number, allowed as number);
    case 'type':
      return typeInvalid(at, value ?? '', text);
    case 'other':
      return invalidValue(at, value ?? '', text);
  }
}

function join(root: string, path: string): string {
  const name = path.replace(/^\./, '');
  if (name === '') return root;
  return root === '' ? name : `${root}.${name}`;
}
