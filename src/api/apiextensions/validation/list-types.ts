import {
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  Path,
  required,
} from '../../../machinery/field.js';
import type { SchemaProps } from '../schema/props.js';

const NOWHERE = new Path();

export function checkMapType(s: SchemaProps, at: Path, errors: FieldError[]): void {
  const { type = '', 'x-kubernetes-map-type': mapType } = s;
  if (mapType === undefined) return;
  if (type !== 'object') errors.push(wrongType(at, type, 'must be object if x-kubernetes-map-type is specified'));
  const known = ['atomic', 'granular'];
  if (!known.includes(mapType)) errors.push(notSupported(at.child('x-kubernetes-map-type'), mapType, known));
}

/** @param atomicSetItems whether items of sets must be atomic */
export function checkListType(s: SchemaProps, at: Path, atomicSetItems: boolean, errors: FieldError[]): void {
  const { type = '', 'x-kubernetes-list-type': listType, 'x-kubernetes-list-map-keys': keys = [] } = s;
  const here = at.child('x-kubernetes-list-type');
  if (listType !== undefined && type !== 'array') {
    errors.push(wrongType(at, type, 'must be array if x-kubernetes-list-type is specified'));
  } else if (atomicSetItems && listType === 'set') {
    const fault = setItemFault(s, at);
    if (fault) errors.push(fault);
  }
  const known = ['atomic', 'set', 'map'];
  if (listType !== undefined && !known.includes(listType)) errors.push(notSupported(here, listType, known));
  if (keys.length > 0 && listType !== 'map') {
    const text = 'must be map if x-kubernetes-list-map-keys is non-empty';
    errors.push(listType === undefined ? required(here, text) : invalidValue(here, listType, text));
  }
  if (listType === 'map') checkMapList(s, keys, at, errors);
}

function checkMapList(s: SchemaProps, keys: readonly string[], at: Path, errors: FieldError[]): void {
  const { items } = s;
  const keysAt = at.child('x-kubernetes-list-map-keys');
  if (keys.length === 0) errors.push(required(keysAt, 'must not be empty if x-kubernetes-list-type is map'));
  if (!items) errors.push(required(at.child('items'), 'must have a schema if x-kubernetes-list-type is map'));
  if (!items || Array.isArray(items)) return;
  const itemType = items.type ?? '';
  if (itemType !== 'object') {
    const text = "must be object if parent array's x-kubernetes-list-type is map";
    errors.push(invalidValue(at.child('items').child('type'), itemType, text));
    return;
  }
  const seen = new Set<string>();
  for (const key of keys) {
    const property = propertyOf(items, key);
    if (!property) errors.push(invalidValue(keysAt, [...keys], 'entries must all be names of item properties'));
    else if (property.type === 'array' || property.type === 'object') {
      const where = at.child('items').child('properties').key(key).child('type');
      const text = "must be a scalar type if parent array's x-kubernetes-list-type is map";
      errors.push(invalidValue(where, itemType, text));
    }
    if (seen.has(key)) errors.push(invalidValue(keysAt, [...keys], 'must not contain duplicate entries'));
    seen.add(key);
  }
}

/** What an item of a set must be; in the fault upstream prints the list type of the item, whatever is wrong. */
function setItemFault(s: SchemaProps, at: Path): FieldError | undefined {
  const { items } = s;
  if (!items || Array.isArray(items)) return undefined;
  const text = 'must be atomic as item of a list with x-kubernetes-list-type=set';
  const listType = items['x-kubernetes-list-type'];
  if (items.type === 'array' && listType !== undefined && listType !== 'atomic') {
    return invalidValue(at.child('items').child('x-kubernetes-list-type'), listType, text);
  }
  if (items.type === 'object' && items['x-kubernetes-map-type'] !== 'atomic') {
    return invalidValue(at.child('items').child('x-kubernetes-map-type'), listType ?? null, text);
  }
  return undefined;
}

/** Whether a set has items that are not atomic. */
export function hasLooseSetItems(s: SchemaProps): boolean {
  return s['x-kubernetes-list-type'] === 'set' && setItemFault(s, NOWHERE) !== undefined;
}

/** Items of sets and maps may not be null, and the keys of maps must always be there. */
export function listItemFaults(s: SchemaProps, at: Path): FieldError[] {
  const { items, 'x-kubernetes-list-type': listType } = s;
  if (!items || Array.isArray(items) || (listType !== 'set' && listType !== 'map')) return [];
  const errors: FieldError[] = [];
  const here = at.child('items');
  if (items.nullable) {
    errors.push(
      forbiddenField(here.child('nullable'), `cannot be nullable when x-kubernetes-list-type is ${listType}`),
    );
  }
  for (const key of listType === 'map' ? (s['x-kubernetes-list-map-keys'] ?? []) : []) {
    const property = propertyOf(items, key);
    if (!property) continue;
    const where = here.child('properties').key(key);
    const start = 'this property is in x-kubernetes-list-map-keys, so it';
    if (!items.required?.includes(key) && property.default === undefined) {
      errors.push(required(where.child('default'), `${start} must have a default or be a required property`));
    }
    if (property.nullable) errors.push(forbiddenField(where.child('nullable'), `${start} cannot be nullable`));
  }
  return errors;
}

function propertyOf(s: SchemaProps, name: string): SchemaProps | undefined {
  return s.properties && Object.hasOwn(s.properties, name) ? s.properties[name] : undefined;
}

function wrongType(at: Path, type: string, text: string): FieldError {
  return type === '' ? required(at.child('type'), text) : invalidValue(at.child('type'), type, text);
}
