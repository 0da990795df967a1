import { validateListTypes } from '../../api/apiextensions/schema/list-types.js';
import { validateEmbedded } from '../../api/apiextensions/schema/metadata.js';
import { RuleRun } from '../../api/apiextensions/schema/rules/validator.js';
import { Correlation } from '../../api/apiextensions/schema/values/correlation.js';
import { fieldError } from '../../api/apiextensions/schema/values/fault.js';
import { ValueValidator } from '../../api/apiextensions/schema/values/validator.js';
import type { Strategy, StrategyContext } from '../../api/strategy.js';
import {
  formats,
  nameIsDnsSubdomain,
  nameIsPathSegment,
  newCheck,
  validateObjectMeta,
  validateObjectMetaUpdate,
} from '../../api/validation/index.js';
import { type FieldError, invalidValue, Path } from '../../machinery/field.js';
import { cloneJson, equalJson, type JsonObject, type KubeObject } from '../../machinery/json.js';
import type { CustomVersion } from './custom-version.js';
import { validateScaleSpec, validateScaleStatus } from './scale-values.js';

const ROOT = new Path();

/** What writes to a custom resource at one version go through. */
export function customStrategy(version: CustomVersion, namespaced: boolean): Strategy {
  const { status, scale } = version.defined.subresources ?? {};
  /** Errors about what did not change, which become warnings. */
  const ratcheted = new WeakMap<KubeObject, readonly string[]>();
  const statusProps = version.defined.schema?.openAPIV3Schema?.properties?.status;
  let statusValues: ValueValidator | undefined;

  function correlate(object: KubeObject, old: KubeObject): Correlation | undefined {
    const { schema } = version;
    return schema && new Correlation(object, old, schema);
  }

  function checkRules(
    object: KubeObject,
    old: KubeObject | undefined,
    errors: FieldError[],
    correlation?: Correlation,
  ): void {
    const { rules } = version;
    if (!rules) return;
    if (errors.some((e) => BLOCKING.has(e.type))) {
      errors.push(invalidValue('', null, UNCHECKED));
      return;
    }
    const run = new RuleRun();
    rules.validate(object, old, run, ROOT, correlation);
    errors.push(...run.errors);
    if (run.warnings.length > 0) ratcheted.set(object, run.warnings);
  }

  function typeMeta(object: KubeObject): FieldError[] {
    const errors: FieldError[] = [];
    const must = (name: 'kind' | 'apiVersion', wanted: string) => {
      const found = object[name] ?? '';
      if (found !== wanted) errors.push(invalidValue(name, found, `must be ${wanted}`));
    };
    must('kind', version.kind);
    must('apiVersion', version.apiVersion);
    return errors;
  }

  const meta = { namespaced, name: nameIsDnsSubdomain, standardFinalizers: false };

  return {
    prepareForCreate(_, object) {
      if (status) delete object.status;
      object.metadata.generation = 1;
    },
    validate(ctx, object) {
      const wrong = typeMeta(object);
      if (wrong.length > 0) return wrong;
      const check = newCheck(ctx.gate);
      validateObjectMeta(object.metadata, meta, check);
      const { errors } = check;
      for (const fault of version.values?.validate(object, '').faults ?? []) errors.push(fieldError(fault, ''));
      errors.push(...validateScaleSpec(object, scale), ...validateScaleStatus(object, scale));
      if (version.schema) {
        errors.push(...validateEmbedded(object, version.schema, ROOT, ctx.gate));
        errors.push(...validateListTypes(object, version.schema, ROOT));
      }
      checkRules(object, undefined, errors);
      return errors;
    },
    warningsOnCreate: (_, object) => finalizerWarnings(object, undefined),
    prepareForUpdate(_, object, old) {
      if (status) restoreStatus(object, old);
      if (!equalJson(withoutMetadata(object), withoutMetadata(old))) {
        object.metadata.generation = (old.metadata.generation ?? 0) + 1;
      }
    },
    validateUpdate(ctx, object, old) {
      const errors = genericChecks(ctx, object, old, namespaced);
      const wrong = typeMeta(object);
      if (wrong.length > 0) return [...errors, ...wrong];
      errors.push(...metadataChange(ctx, object, old));
      const correlation = correlate(object, old);
      for (const fault of version.values?.validate(object, '', correlation).faults ?? []) {
        errors.push(fieldError(fault, ''));
      }
      errors.push(...validateScaleSpec(object, scale), ...validateScaleStatus(object, scale));
      if (version.schema) {
        errors.push(...validateEmbedded(object, version.schema, ROOT, ctx.gate));
        errors.push(...changedListTypes(object, old, version));
      }
      checkRules(object, old, errors, correlation);
      return errors;
    },
    warningsOnUpdate: (_, object, old) => [...(ratcheted.get(object) ?? []), ...finalizerWarnings(object, old)],
    subresources: {
      status: {
        prepareForUpdate(_, object, old) {
          keepStatusOnly(object, old);
        },
        validateUpdate(ctx, object, old) {
          const errors = genericChecks(ctx, object, old, namespaced);
          const wrong = typeMeta(object);
          if (wrong.length > 0) return [...errors, ...wrong];
          errors.push(...metadataChange(ctx, object, old));
          const correlation = correlate(object, old);
          if (object.status !== undefined && statusProps) {
            statusValues ??= new ValueValidator(statusProps);
            const outcome = statusValues.validate(object.status, '', correlation?.key('status'));
            for (const fault of outcome.faults) errors.push(fieldError(fault, 'status'));
          }
          errors.push(...validateScaleStatus(object, scale));
          if (version.schema) errors.push(...changedListTypes(object, old, version));
          checkRules(object, old, errors, correlation);
          return errors;
        },
        warningsOnUpdate: (_, object, old) => [...(ratcheted.get(object) ?? []), ...finalizerWarnings(object, old)],
      },
    },
  };
}

/** Faults that leave too little of the object for its rules. */
const BLOCKING: ReadonlySet<string> = new Set([
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
]);
const UNCHECKED =
  'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation';

/** What every update is checked for, whatever its kind. */
function genericChecks(ctx: StrategyContext, object: KubeObject, old: KubeObject, namespaced: boolean): FieldError[] {
  const check = newCheck(ctx.gate, old);
  validateObjectMeta(object.metadata, { namespaced, name: nameIsPathSegment, standardFinalizers: false }, check);
  validateObjectMetaUpdate(object.metadata, old.metadata, check);
  return check.errors;
}

function metadataChange(ctx: StrategyContext, object: KubeObject, old: KubeObject): FieldError[] {
  const check = newCheck(ctx.gate, old);
  validateObjectMetaUpdate(object.metadata, old.metadata, check);
  return check.errors;
}

/** Repeated items are passed over when there were some before. */
function changedListTypes(object: KubeObject, old: KubeObject, { schema }: CustomVersion): FieldError[] {
  const errors = validateListTypes(object, schema!, ROOT);
  return errors.length > 0 && validateListTypes(old, schema!, ROOT).length > 0 ? [] : errors;
}

const STANDARD_FINALIZERS = new Set(['orphan', 'foregroundDeletion', 'kubernetes']);

/** Names of new finalizers that may be those of somebody else. */
function finalizerWarnings(object: KubeObject, old: KubeObject | undefined): string[] {
  const known = new Set(old?.metadata.finalizers);
  const added = [...new Set(object.metadata.finalizers)].filter((f) => !known.has(f)).sort();
  return added.flatMap((name) => {
    const start = `metadata.finalizers: ${JSON.stringify(name)}: `;
    const texts = formats.qualifiedName(name).map((text) => start + text);
    if (name.includes('/') || STANDARD_FINALIZERS.has(name)) return texts;
    const path = name.includes('.') ? ' including a path (/)' : '';
    const advice = `prefer a domain-qualified finalizer name${path} to avoid accidental conflicts with other finalizer writers`;
    return [...texts, start + advice];
  });
}

function restoreStatus(object: KubeObject, old: KubeObject): void {
  if (old.status === undefined) delete object.status;
  else object.status = cloneJson(old.status);
}

function withoutMetadata({ metadata: _, ...rest }: KubeObject): JsonObject {
  return rest;
}

/** Only the status, and who owns it, is written; everything else is as it was. */
function keepStatusOnly(object: KubeObject, old: KubeObject): void {
  const { status } = object;
  const { managedFields } = object.metadata;
  for (const name of Object.keys(object)) delete object[name];
  Object.assign(object, cloneJson(old));
  if (managedFields) object.metadata.managedFields = managedFields;
  else delete object.metadata.managedFields;
  if (status === undefined) delete object.status;
  else object.status = status;
}
