import { internalError } from '../../machinery/errors.js';
import { type FieldError, invalidValue } from '../../machinery/field.js';
import { goType, goValue } from '../../machinery/go-format.js';
import { isJsonObject, type JsonObject, type JsonValue, type KubeObject, setOwn } from '../../machinery/json.js';
import type { ScaleAccess } from '../../registry/subresources/scale.js';
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

/** Replicas where the definition says they are. */
export function customScale(scale: ScalePaths, paths: ScaleAccess['paths']): ScaleAccess {
  return {
    paths,
    read(object, toChange) {
      try {
        const replicas = integerAt(object, scale.specReplicasPath);
        const current = integerAt(object, scale.statusReplicasPath) ?? 0;
        const { labelSelectorPath } = scale;
        const selector = labelSelectorPath ? (stringAt(object, labelSelectorPath) ?? '') : '';
        if (replicas !== undefined || toChange) return { replicas: replicas ?? 0, current, selector };
      } catch (e) {
        throw e instanceof WrongTypeError ? internalError(e.message) : e;
      }
      throw internalError(`the spec replicas field "${scale.specReplicasPath}" does not exist`);
    },
    write(object, replicas) {
      const names = scale.specReplicasPath.replace(/^\./, '').split('.');
      const last = names.pop()!;
      let at: JsonObject = object;
      for (const name of names) {
        if (!Object.hasOwn(at, name) || at[name] === null) setOwn(at, name, {});
        const next = at[name];
        if (!isJsonObject(next)) throw internalError(`value cannot be set because ${name} is not a map`);
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
