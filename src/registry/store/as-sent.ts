import { DecodeError } from '../../machinery/codec/errors.js';
import { encodePlain } from '../../machinery/codec/json/encode.js';
import { parseJson } from '../../machinery/codec/json/parse.js';
import { sentEmpties, withSentEmpties } from '../../machinery/codec/typed/sent-empty.js';
import { FieldError } from '../../machinery/field.js';
import type { KubeObject } from '../../machinery/json.js';

const QUOTED = /^((?:Invalid|Unsupported|Duplicate) value: )(null|\{.*\})(: .*)$/s;

/** Faults whose values show `[]` and `{}` where the client sent them, and null where it sent nothing. */
export function asSent(errors: readonly FieldError[], object: KubeObject): readonly FieldError[] {
  const empties = sentEmpties(object);
  if (empties.size === 0) return errors;
  return errors.map((error) => {
    const [, before, value, after] = QUOTED.exec(error.text) ?? [];
    if (before === undefined || value === undefined || after === undefined) return error;
    try {
      const shown = encodePlain(withSentEmpties(parseJson(Buffer.from(value)), error.field, empties));
      return new FieldError(error.type, error.field, before + shown + after);
    } catch (e) {
      // The braces of the text are not those of the value.
      if (e instanceof DecodeError) return error;
      throw e;
    }
  });
}
