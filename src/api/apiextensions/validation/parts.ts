import { duplicate, type FieldError, invalidValue, type Path, required, tooMany } from '../../../machinery/field.js';
import type { JsonObject } from '../../../machinery/json.js';
import { ptr, str, strings } from '../../access.js';
import { formats } from '../../validation/index.js';
import { FieldPathError, type FoundField, findField } from '../schema/rules/field-path.js';
import type { Structural } from '../schema/structural.js';

const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string'];
const COLUMN_FORMATS = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password'];
const MAX_SELECTABLE_FIELDS = 8;

export function columnFaults(columns: readonly JsonObject[], at: Path): FieldError[] {
  return columns.flatMap((column, i) => {
    const here = at.index(i);
    const errors: FieldError[] = [];
    const type = str(column, 'type');
    const format = str(column, 'format');
    const path = str(column, 'jsonPath');
    const oneOf = (values: readonly string[]): string => `must be one of ${values.join(',')}`;
    if (str(column, 'name') === '') errors.push(required(here.child('name')));
    if (type === '') errors.push(required(here.child('type'), oneOf(COLUMN_TYPES)));
    else if (!COLUMN_TYPES.includes(type)) errors.push(invalidValue(here.child('type'), type, oneOf(COLUMN_TYPES)));
    if (format !== '' && !COLUMN_FORMATS.includes(format)) {
      errors.push(invalidValue(here.child('format'), format, oneOf(COLUMN_FORMATS)));
    }
    if (path === '') errors.push(required(here.child('JSONPath')));
    else errors.push(...simplePathFaults(path, here.child('JSONPath')));
    return errors;
  });
}

/** JSON paths are only looked at for their first character here; what can't be parsed shows nothing later. */
function simplePathFaults(path: string, at: Path): FieldError[] {
  return path.startsWith('.') ? [] : [invalidValue(at, path, 'must be a simple json path starting with .')];
}

export function subresourceFaults(subresources: JsonObject | undefined, at: Path): FieldError[] {
  const scale = ptr(subresources, 'scale');
  if (!scale) return [];
  const errors: FieldError[] = [];
  const check = (name: string, roots: readonly string[], where: string, isRequired: boolean): void => {
    const path = str(scale, name);
    const here = at.child(`scale.${name}`);
    if (path === '') {
      if (isRequired) errors.push(required(here));
      return;
    }
    const faults = simplePathFaults(path, here);
    if (faults.length === 0 && !roots.some((root) => path.startsWith(root))) {
      faults.push(invalidValue(here, path, `should be a json path under ${where}`));
    }
    errors.push(...faults);
  };
  check('specReplicasPath', ['.spec.'], '.spec', true);
  check('statusReplicasPath', ['.status.'], '.status', true);
  check('labelSelectorPath', ['.spec.', '.status.'], 'either .spec or .status', false);
  return errors;
}

/** @param mayBeMany the definition had as many before */
export function selectableFieldFaults(
  fields: readonly JsonObject[],
  schema: Structural,
  at: Path,
  mayBeMany: boolean,
): FieldError[] {
  const errors: FieldError[] = [];
  const known = new Set<string>();
  for (const [i, field] of fields.entries()) {
    const path = str(field, 'jsonPath');
    const here = at.index(i).child('jsonPath');
    if (path === '') {
      errors.push(required(here));
      continue;
    }
    let found: FoundField;
    try {
      found = findField(path, schema, false);
    } catch (e) {
      if (!(e instanceof FieldPathError)) throw e;
      errors.push(invalidValue(here, path, `is an invalid path: ${e.message}`));
      continue;
    }
    if (found.root === 'metadata') errors.push(invalidValue(here, path, 'must not point to fields in metadata'));
    if (!['string', 'boolean', 'integer'].includes(found.schema.type)) {
      const text =
        'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.';
      errors.push(invalidValue(here, path, text));
    }
    if (known.has(found.path.text)) errors.push(duplicate(here, path));
    known.add(found.path.text);
  }
  if (known.size > MAX_SELECTABLE_FIELDS && !mayBeMany) errors.push(tooMany(at, known.size, MAX_SELECTABLE_FIELDS));
  return errors;
}

/** More selectable fields than new definitions may have. */
export function hasManySelectableFields(fields: readonly JsonObject[]): boolean {
  return fields.length > MAX_SELECTABLE_FIELDS;
}

export function nameFaults(names: JsonObject, at: Path): FieldError[] {
  const errors: FieldError[] = [];
  const check = (name: string, mixedCase: boolean): void => {
    const value = str(names, name);
    const faults = value === '' ? [] : formats.dns1035Label(mixedCase ? value.toLowerCase() : value);
    if (faults.length === 0) return;
    const start = mixedCase ? 'may have mixed case, but should otherwise match: ' : '';
    errors.push(invalidValue(at.child(name), value, start + faults.join(',')));
  };
  const checkEach = (name: string): void => {
    for (const [i, value] of strings(names, name).entries()) {
      const faults = formats.dns1035Label(value);
      if (faults.length > 0) errors.push(invalidValue(at.child(name).index(i), value, faults.join(',')));
    }
  };
  check('plural', false);
  check('singular', false);
  check('kind', true);
  check('listKind', true);
  checkEach('shortNames');
  const kind = str(names, 'kind');
  if (kind !== '' && kind === str(names, 'listKind')) {
    errors.push(invalidValue(at.child('listKind'), kind, 'kind and listKind may not be the same'));
  }
  checkEach('categories');
  return errors;
}
