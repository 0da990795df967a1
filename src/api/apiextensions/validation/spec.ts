import {
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  type Path,
  required,
} from '../../../machinery/field.js';
import { str } from '../../access.js';
import { formats } from '../../validation/index.js';
import { hasDefaults } from '../schema/defaults.js';
import type { SchemaProps } from '../schema/props.js';
import { type Structural, structural } from '../schema/structural.js';
import { type ConversionDemands, conversionFaults } from './conversion.js';
import { defaultFaults } from './default-values.js';
import { goSchema, versionsForm } from './go-forms.js';
import type { InternalSpec, InternalVersion, VersionParts } from './internal.js';
import { columnFaults, nameFaults, selectableFieldFaults, subresourceFaults } from './parts.js';
import { RuleScope } from './rule-costs.js';
import { type SchemaDemands, schemaFaults } from './schema.js';
import { structuralFaults, unsupportedFeature } from './structural.js';

/** What is demanded of a spec. An update is spared what the stored definition never met. */
export interface SpecDemands extends SchemaDemands, ConversionDemands {
  /** Every version has a schema. */
  readonly schemas: boolean;
  readonly prunedDefaults: boolean;
  /** The schema of this version did not change: what its rules cost was accepted. */
  ignoreRuleCost(version: string): boolean;
  /** '' for what all versions share. */
  mayHaveManySelectableFields(version: string): boolean;
  gate(name: string): boolean;
}

export function specFaults(spec: InternalSpec, at: Path, demands: SpecDemands): FieldError[] {
  const { shared, versions } = spec;
  const errors: FieldError[] = [];
  errors.push(...groupFaults(spec.group, at.child('group')));
  const scopes = ['Cluster', 'Namespaced'];
  if (spec.scope === '') errors.push(required(at.child('scope')));
  else if (!scopes.includes(spec.scope)) errors.push(notSupported(at.child('scope'), spec.scope, scopes));
  errors.push(...missingSchemas(spec, at, demands.schemas));
  if (spec.preserveUnknownFields && usesDefaults(spec)) {
    const text = 'must be false in order to use defaults in the schema';
    errors.push(invalidValue(at.child('preserveUnknownFields'), true, text));
  }
  for (const [i, version] of versions.entries()) {
    const here = at.child('versions').index(i);
    const label = formats.dns1035Label(version.name);
    if (label.length > 0) errors.push(invalidValue(here.child('name'), version.name, label.join(',')));
    const subresources = versions.some((v) => v.subresources) ? version.subresources : shared.subresources;
    errors.push(...versionFaults(version, here, subresources?.status !== undefined, demands));
  }
  errors.push(...versionSetFaults(spec, at));
  for (const name of ['plural', 'singular', 'kind', 'listKind']) {
    if (str(spec.names, name) === '') errors.push(required(at.child('names').child(name)));
  }
  errors.push(...nameFaults(spec.names, at.child('names')));
  const anyStatus = [shared, ...versions].some((v) => v.subresources?.status !== undefined);
  errors.push(
    ...validationFaults(shared.validation, at.child('validation'), anyStatus, spec.version, demands),
    ...subresourceFaults(shared.subresources, at.child('subresources')),
    ...columnFaults(shared.columns, at.child('additionalPrinterColumns')),
    ...selectableFaults(shared, '', 'may only be set when validations.schema is included', at, demands),
  );
  const { conversion } = spec;
  if (conversion && conversion.strategy !== 'None' && spec.preserveUnknownFields) {
    const text = 'must be None if spec.preserveUnknownFields is true';
    errors.push(invalidValue(at.child('conversion').child('strategy'), conversion.strategy, text));
  }
  errors.push(...conversionFaults(conversion, at.child('conversion'), demands));
  return errors;
}

function groupFaults(group: string, at: Path): FieldError[] {
  if (group === '') return [required(at)];
  const faults = formats.dns1123Subdomain(group);
  if (faults.length > 0) return [invalidValue(at, group, faults.join(','))];
  return group.includes('.') ? [] : [invalidValue(at, group, 'should be a domain with at least one dot')];
}

function missingSchemas(spec: InternalSpec, at: Path, demanded: boolean): FieldError[] {
  if (spec.shared.validation?.openAPIV3Schema || (!demanded && spec.preserveUnknownFields)) return [];
  return spec.versions.flatMap((v, i) => {
    if (v.validation?.openAPIV3Schema || !(demanded || v.served)) return [];
    const here = at.child('versions').index(i).child('schema', 'openAPIV3Schema');
    return [required(here, demanded ? '' : 'because otherwise all fields are pruned')];
  });
}

function usesDefaults(spec: InternalSpec): boolean {
  return [spec.shared, ...spec.versions].some((v) => {
    const schema = v.validation?.openAPIV3Schema;
    return schema !== undefined && hasDefaults(structural(schema));
  });
}

function versionFaults(version: InternalVersion, at: Path, status: boolean, demands: SpecDemands): FieldError[] {
  const text = 'may only be set when `version.schema.openAPIV3Schema` is not included';
  return [
    ...deprecationFaults(version, at.child('deprecationWarning')),
    ...validationFaults(version.validation, at.child('schema'), status, version.name, demands),
    ...subresourceFaults(version.subresources, at.child('subresources')),
    ...columnFaults(version.columns, at.child('additionalPrinterColumns')),
    ...selectableFaults(version, version.name, text, at, demands),
  ];
}

function deprecationFaults({ deprecated, deprecationWarning: text }: InternalVersion, at: Path): FieldError[] {
  if (text === undefined) return [];
  if (!deprecated) return [invalidValue(at, text, 'can only be set for deprecated versions')];
  const faults: string[] = [];
  if (Buffer.byteLength(text) > 256) faults.push('must be <= 256 characters long');
  if (text === '') faults.push('must not be an empty string');
  const odd = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.exec(text);
  if (odd) {
    const index = Buffer.byteLength(text.slice(0, odd.index));
    const what = 'must only contain printable UTF-8 characters; non-printable character found at index';
    faults.push(`${what} ${index}`);
  }
  return faults.map((fault) => invalidValue(at, text, fault));
}

function versionSetFaults(spec: InternalSpec, at: Path): FieldError[] {
  const errors: FieldError[] = [];
  const { versions } = spec;
  const here = at.child('versions');
  if (new Set(versions.map((v) => v.name)).size < versions.length) {
    errors.push(invalidValue(here, versionsForm(versions), 'must contain unique version names'));
  }
  if (versions.filter((v) => v.storage).length !== 1) {
    const text = 'must have exactly one version marked as storage version';
    errors.push(invalidValue(here, versions.length > 0 ? versionsForm(versions) : null, text));
  }
  const label = spec.version === '' ? [] : formats.dns1035Label(spec.version);
  if (label.length > 0) errors.push(invalidValue(at.child('version'), spec.version, label.join(',')));
  return errors;
}

function selectableFaults(
  parts: VersionParts,
  version: string,
  withoutSchema: string,
  at: Path,
  demands: SpecDemands,
): FieldError[] {
  if (parts.selectableFields.length === 0) return [];
  const here = at.child('selectableFields');
  const props = parts.validation?.openAPIV3Schema;
  if (!props) return [invalidValue(here, '', withoutSchema)];
  const unsupported = unsupportedFeature(props);
  const errors = unsupported ? [invalidValue(at.child('schema.openAPIV3Schema'), '', unsupported)] : [];
  const many = demands.mayHaveManySelectableFields(version);
  return [...errors, ...selectableFieldFaults(parts.selectableFields, structural(props), here, many)];
}

/** Fields that a root schema can have beside properties so that nothing is lost when the status is validated alone. */
const ALLOWED_AT_ROOT: readonly (readonly [goName: string, name: string])[] = [
  ['Description', 'description'],
  ['Type', 'type'],
  ['Format', 'format'],
  ['Title', 'title'],
  ['Maximum', 'maximum'],
  ['ExclusiveMaximum', 'exclusiveMaximum'],
  ['Minimum', 'minimum'],
  ['ExclusiveMinimum', 'exclusiveMinimum'],
  ['MaxLength', 'maxLength'],
  ['MinLength', 'minLength'],
  ['Pattern', 'pattern'],
  ['MaxItems', 'maxItems'],
  ['MinItems', 'minItems'],
  ['UniqueItems', 'uniqueItems'],
  ['MultipleOf', 'multipleOf'],
  ['Required', 'required'],
  ['Items', 'items'],
  ['Properties', 'properties'],
  ['ExternalDocs', 'externalDocs'],
  ['Example', 'example'],
  ['XPreserveUnknownFields', 'x-kubernetes-preserve-unknown-fields'],
  ['XValidations', 'x-kubernetes-validations'],
];

function rootFaults(schema: SchemaProps, at: Path): FieldError[] {
  const { type = '' } = schema;
  if (type !== '' && type !== 'object') {
    const text = 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled';
    return [invalidValue(at.child('type'), type, text)];
  }
  const allowed = new Set(ALLOWED_AT_ROOT.map(([, name]) => name));
  if (Object.keys(schema).every((name) => schema[name] === undefined || allowed.has(name))) return [];
  const names = ALLOWED_AT_ROOT.map(([goName]) => goName).join(' ');
  const text = `only [${names}] fields are allowed at the root of the schema if the status subresource is enabled`;
  return [invalidValue(at, goSchema(schema), text)];
}

function validationFaults(
  validation: VersionParts['validation'],
  at: Path,
  status: boolean,
  version: string,
  demands: SpecDemands,
): FieldError[] {
  const schema = validation?.openAPIV3Schema;
  if (!schema) return [];
  const here = at.child('openAPIV3Schema');
  const errors = status ? rootFaults(schema, here) : [];
  if (schema.nullable) errors.push(forbiddenField(here.child('nullable'), 'nullable cannot be true at the root'));
  const unsupported = unsupportedFeature(schema);
  let scope: RuleScope | undefined;
  if (!unsupported) {
    const found = structuralFaults(schema, here);
    const made: Structural | undefined = found.length === 0 ? structural(schema) : undefined;
    if (made) found.push(...defaultFaults(made, here, demands.prunedDefaults, demands.gate));
    errors.push(...found);
    if (made && found.length === 0) scope = RuleScope.root(made);
  }
  errors.push(...schemaFaults(schema, here, demands, scope, demands.ignoreRuleCost(version)));
  // Mostly told of in better words already.
  if (unsupported && errors.length === 0) errors.push(invalidValue(here, '', unsupported));
  if (scope) errors.push(...scope.total.faults(here));
  return errors;
}
