import { badRequest, internalError, StatusError } from '../../machinery/errors.js';
import { type FieldError, invalidValue } from '../../machinery/field.js';
import { goType, goValue } from '../../machinery/go-format.js';
import { isJsonObject, type JsonObject, type JsonValue, type KubeObject, setOwn } from '../../machinery/json.js';
import { replicasOf, type ScaleAccess, type ScaleValues } from '../../registry/subresources/scale.js';
import type { ScalePaths } from './definition.js';

const INT32_MAX = 2147483647;

/** Why a value at a path of names can't be read. */
export class WrongTypeError extends Error {}

/** What is at a path such as `.spec.replicas`; undefined when it, or something above it, is not there. */
export function valueAt(object: KubeObject, path: string): JsonValue | undefined {
  let value: JsonValue | undefined = object;
  const names = path.replace(/^\./, '').split('.');
  for (const [i, name] of names.entries()) {
    if (value === null) return undefined;
    if (!isJsonObject(value)) {
      const where = `.${names.slice(0, i + 1).join('.')}`;
      const what = `${goValue(value)} is of the type ${goType(value)}`;
      throw new WrongTypeError(`${where} accessor error: ${what}, expected map[string]interface{}`);
    }
    value = Object.hasOwn(value, name) ? value[name] : undefined;
    if (value === undefined) return undefined;
  }
  return value;
}

/** An int64 at a path. */
export function integerAt(object: KubeObject, path: string): number | undefined {
  const value = valueAt(object, path);
  if (value === undefined) return undefined;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'number' && Number.isInteger(value)) return value;
  throw new WrongTypeError(`${path} accessor error: ${goValue(value)} is of the type ${goType(value)}, expected int64`);
}

export function stringAt(object: KubeObject, path: string): string | undefined {
  const value = valueAt(object, path);
  if (value === undefined || typeof value === 'string') return value;
  throw new WrongTypeError(
    `${path} accessor error: ${goValue(value)} is of the type ${goType(value)}, expected string`,
  );
}

/** Stands for replicas that are not there yet while a Scale is written. */
const NO_REPLICAS = -2147483648;

/** Replicas where the definition says they are. */
export function customScale(scale: ScalePaths, paths: ScaleAccess['paths']): ScaleAccess {
  const { specReplicasPath, statusReplicasPath, labelSelectorPath } = scale;

  function valuesOf(object: KubeObject): Omit<ScaleValues, 'replicas'> & { replicas: number | undefined } {
    try {
      const replicas = integerAt(object, specReplicasPath);
      const current = integerAt(object, statusReplicasPath) ?? 0;
      const selector = labelSelectorPath ? (stringAt(object, labelSelectorPath) ?? '') : '';
      return { replicas, current, selector };
    } catch (e) {
      throw e instanceof WrongTypeError ? new StatusError(500, '', e.message) : e;
    }
  }

  return {
    paths,
    read(object) {
      const { replicas, ...rest } = valuesOf(object);
      if (replicas === undefined) throw internalError(`the spec replicas field "${specReplicasPath}" does not exist`);
      return { ...rest, replicas };
    },
    readToChange(object) {
      const values = valuesOf(object);
      return { ...values, replicas: values.replicas ?? NO_REPLICAS };
    },
    /** What replicas there may be is for the object's own validation to say. */
    check(wanted) {
      if (replicasOf(wanted) !== NO_REPLICAS) return;
      throw badRequest(`the spec replicas field "${specReplicasPath}" cannot be empty`);
    },
    write(object, replicas) {
      const names = specReplicasPath.replace(/^\./, '').split('.');
      const last = names.pop()!;
      let at: JsonObject = object;
      for (const [i, name] of names.entries()) {
        if (!Object.hasOwn(at, name)) setOwn(at, name, {});
        const next = at[name];
        if (!isJsonObject(next)) {
          const where = `.${names.slice(0, i + 1).join('.')}`;
          throw new StatusError(500, '', `value cannot be set because ${where} is not a map[string]interface{}`);
        }
        at = next;
      }
      setOwn(at, last, replicas);
    },
  };
}

/** The number of replicas asked for must be one. */
export function validateScaleSpec(object: KubeObject, scale: ScalePaths | undefined): FieldError[] {
  return scale ? validateReplicas(object, scale.specReplicasPath) : [];
}

/** So must be the number of those there are; the selector must be a text. */
export function validateScaleStatus(object: KubeObject, scale: ScalePaths | undefined): FieldError[] {
  if (!scale) return [];
  const errors = validateReplicas(object, scale.statusReplicasPath);
  const { labelSelectorPath: path } = scale;
  if (path === undefined) return errors;
  try {
    stringAt(object, path);
  } catch (e) {
    if (!(e instanceof WrongTypeError)) throw e;
    errors.push(invalidValue(path, '', e.message));
  }
  return errors;
}

function validateReplicas(object: KubeObject, path: string): FieldError[] {
  try {
    const value = integerAt(object, path) ?? 0;
    if (value < 0) return [invalidValue(path, value, 'should be a non-negative integer')];
    if (value > INT32_MAX) return [invalidValue(path, value, `should be less than or equal to ${INT32_MAX}`)];
    return [];
  } catch (e) {
    if (!(e instanceof WrongTypeError)) throw e;
    return [invalidValue(path, 0, e.message)];
  }
}
