import { parseURL } from '../../../machinery/cel/kubernetes/url-parser.js';
import { type FieldError, invalidValue, Path, required } from '../../../machinery/field.js';
import { equalJson, type KubeObject, type ObjectMeta } from '../../../machinery/json.js';
import { list, obj, str, strings } from '../../access.js';
import {
  immutable,
  nameIsDnsSubdomain,
  newCheck,
  validateObjectMeta,
  validateObjectMetaUpdate,
} from '../../validation/index.js';
import type { SchemaProps } from '../schema/props.js';
import { prune } from '../schema/prune.js';
import { asResource, type Structural, structural } from '../schema/structural.js';
import { knownFormat } from '../schema/values/formats.js';
import { hasKnownReviewVersion } from './conversion.js';
import { type InternalSpec, internalSpec, schemasByVersion, schemasOf } from './internal.js';
import { hasLooseSetItems, listItemFaults } from './list-types.js';
import { hasManySelectableFields, nameFaults } from './parts.js';
import { type SpecDemands, specFaults } from './spec.js';
import { structuralFaults, unsupportedFeature } from './structural.js';
import { allSchemas, someSchema } from './walk.js';
import { caBundleFault } from './webhook-client.js';

type Gate = (name: string) => boolean;

const SPEC = new Path('spec');
const STATUS = new Path('status');
const ANNOTATION = 'api-approved.kubernetes.io';

/** Faults of a new definition, in upstream's order and with the paths of its internal version. */
export function validateDefinition(object: KubeObject, gate: Gate): FieldError[] {
  const spec = internalSpec(obj(object, 'spec'));
  const check = newCheck(gate);
  const wanted = `${str(spec.names, 'plural')}.${spec.group}`;
  const name = (text: string, prefix: boolean): string[] => [
    ...nameIsDnsSubdomain(text, prefix),
    ...(text === wanted ? [] : ['must be spec.names.plural+"."+spec.group']),
  ];
  validateObjectMeta(object.metadata, { namespaced: false, name, standardFinalizers: false }, check);
  return [
    ...check.errors,
    ...specFaults(spec, SPEC, demandsOfNew(gate)),
    ...statusFaults(object),
    ...storedVersionFaults(object),
    ...approvalFaults(object, undefined),
    ...preserveFaults(spec, undefined),
  ];
}

/** Faults of a changed definition. What the stored one did not keep to is not demanded of the new one. */
export function validateDefinitionUpdate(object: KubeObject, old: KubeObject, gate: Gate): FieldError[] {
  const spec = internalSpec(obj(object, 'spec'));
  const before = internalSpec(obj(old, 'spec'));
  const check = newCheck(gate, old);
  validateObjectMetaUpdate(object.metadata, old.metadata, check);
  const established = isEstablished(old);
  check.errors.push(...specFaults(spec, SPEC, demandsOfChange(spec, before, established, gate)));
  if (established) {
    immutable(spec.scope, before.scope, SPEC.child('scope'), check);
    immutable(str(spec.names, 'kind'), str(before.names, 'kind'), SPEC.child('names', 'kind'), check);
  }
  immutable(spec.group, before.group, SPEC.child('group'), check);
  immutable(str(spec.names, 'plural'), str(before.names, 'plural'), SPEC.child('names', 'plural'), check);
  return [
    ...check.errors,
    ...statusFaults(object),
    ...storedVersionFaults(object),
    ...approvalFaults(object, old),
    ...preserveFaults(spec, before),
  ];
}

export function validateDefinitionStatus(object: KubeObject, old: KubeObject, gate: Gate): FieldError[] {
  const check = newCheck(gate, old);
  validateObjectMetaUpdate(object.metadata, old.metadata, check);
  return [...check.errors, ...statusFaults(object)];
}

/** Warnings about formats that mean nothing; on update about new ones only. */
export function formatWarnings(object: KubeObject, old: KubeObject | undefined): string[] {
  const known = new Set(old ? unknownFormats(old) : []);
  return unknownFormats(object)
    .filter((format) => !known.has(format))
    .map((format) => `unrecognized format ${JSON.stringify(format)}`);
}

function unknownFormats(object: KubeObject): string[] {
  const found: string[] = [];
  for (const schema of schemasOf(internalSpec(obj(object, 'spec')))) {
    for (const { format, type = '' } of allSchemas(schema)) {
      if (format && knownFormat(format, type) === '') found.push(format);
    }
  }
  return found;
}

function demandsOfNew(gate: Gate): SpecDemands {
  return {
    schemas: true,
    knownTypes: true,
    prunedDefaults: true,
    atomicSetItems: true,
    properListItems: true,
    knownReviewVersion: true,
    goodCaBundle: false,
    ignoreRuleCost: () => false,
    mayHaveManySelectableFields: () => false,
    gate,
  };
}

function demandsOfChange(spec: InternalSpec, before: InternalSpec, established: boolean, gate: Gate): SpecDemands {
  const schemas = schemasOf(before);
  const none = (is: (schema: SchemaProps) => boolean): boolean => !schemas.some((s) => someSchema(s, is));
  const now = schemasByVersion(spec);
  const then = schemasByVersion(before);
  const reviewVersions = before.conversion?.reviewVersions ?? [];
  const bundle = str(before.conversion?.clientConfig, 'caBundle');
  const selectable = (s: InternalSpec, version: string) =>
    (version === '' ? s.shared : s.versions.find((v) => v.name === version))?.selectableFields ?? [];
  return {
    schemas: [...then.values()].every((s) => s !== undefined),
    knownTypes: none(({ type }) => Boolean(type) && !TYPES.has(type!)),
    prunedDefaults: schemas.every((s) => !hasUnprunedDefaults(s)),
    atomicSetItems: none(hasLooseSetItems),
    properListItems: none((s) => listItemFaults(s, SPEC).length > 0),
    knownReviewVersion: reviewVersions.length === 0 || hasKnownReviewVersion(reviewVersions),
    goodCaBundle: established && (bundle === '' || caBundleFault(bundle) === undefined),
    ignoreRuleCost: (version) => then.has(version) && equalJson(now.get(version), then.get(version)),
    mayHaveManySelectableFields(version) {
      const fields = selectable(before, version);
      return hasManySelectableFields(fields) && equalJson([...fields], [...selectable(spec, version)]);
    },
    gate,
  };
}

const TYPES: ReadonlySet<string> = new Set(['array', 'boolean', 'integer', 'number', 'object', 'string']);

function hasUnprunedDefaults(props: SchemaProps): boolean {
  if (unsupportedFeature(props) || structuralFaults(props, SPEC).length > 0) return false;
  let found = false;
  const visit = (schema: Structural): void => {
    if (schema.default !== undefined) prune(structuredClone(schema.default), schema, () => (found = true));
    for (const inner of schema.properties.values()) visit(inner);
    if (schema.items) visit(schema.items);
    if (typeof schema.additional === 'object') visit(schema.additional);
  };
  visit(asResource(structural(props)));
  return found;
}

function isEstablished(object: KubeObject): boolean {
  const conditions = list(obj(object, 'status'), 'conditions');
  return conditions.some((c) => c.type === 'Established' && c.status === 'True');
}

function statusFaults(object: KubeObject): FieldError[] {
  return nameFaults(obj(obj(object, 'status'), 'acceptedNames'), STATUS.child('acceptedNames'));
}

function storedVersionFaults(object: KubeObject): FieldError[] {
  const at = STATUS.child('storedVersions');
  const stored = strings(obj(object, 'status'), 'storedVersions');
  if (stored.length === 0) return [invalidValue(at, null, 'must have at least one stored version')];
  const versions = list(obj(object, 'spec'), 'versions');
  const missing = versions
    .filter((v) => v.storage === true && !stored.includes(str(v, 'name')))
    .map((v) => invalidValue(at, stored, `must have the storage version ${str(v, 'name')}`));
  const known = new Set(versions.map((v) => str(v, 'name')));
  const gone = stored.flatMap((name, i) => {
    if (known.has(name)) return [];
    const text = `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`;
    return [invalidValue(at.index(i), name, text)];
  });
  return [...missing, ...gone];
}

export type Approval = 'Missing' | 'Bypassed' | 'Approved' | 'Invalid';

/** Groups of the Kubernetes community take only what was approved. */
export function isProtectedGroup(group: string): boolean {
  return group === 'k8s.io' || group === 'kubernetes.io' || /\.(k8s|kubernetes)\.io$/.test(group);
}

/** What the annotation says of the approval, and the words for it. */
export function approvalOf(meta: ObjectMeta): { readonly state: Approval; readonly reason: string } {
  const value = meta.annotations?.[ANNOTATION] ?? '';
  const must = `protected groups must have approval annotation "${ANNOTATION}"`;
  const see = 'see https://github.com/kubernetes/enhancements/pull/1111';
  if (value === '') return { state: 'Missing', reason: `${must}, ${see}` };
  if (value.startsWith('unapproved')) return { state: 'Bypassed', reason: `not approved: ${JSON.stringify(value)}` };
  if (isUrl(value)) return { state: 'Approved', reason: `approved in ${value}` };
  return { state: 'Invalid', reason: `${must} with either a URL or a reason starting with "unapproved", ${see}` };
}

function isUrl(text: string): boolean {
  try {
    const url = parseURL(text, true);
    return url.host !== '' && url.scheme !== '';
  } catch {
    return false;
  }
}

function approvalFaults(object: KubeObject, old: KubeObject | undefined): FieldError[] {
  if (!isProtectedGroup(str(obj(object, 'spec'), 'group'))) return [];
  const { state, reason } = approvalOf(object.metadata);
  if (old && approvalOf(old.metadata).state === state) return [];
  const at = new Path('metadata').child('annotations').key(ANNOTATION);
  if (state === 'Missing') return [required(at, reason)];
  return state === 'Invalid' ? [invalidValue(at, object.metadata.annotations![ANNOTATION], reason)] : [];
}

function preserveFaults(spec: InternalSpec, before: InternalSpec | undefined): FieldError[] {
  if (!spec.preserveUnknownFields || before?.preserveUnknownFields) return [];
  const text =
    'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead';
  return [invalidValue(SPEC.child('preserveUnknownFields'), true, text)];
}
