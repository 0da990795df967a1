import { forbiddenField, invalidValue, Path, required, tooLong } from '../../machinery/field.js';
import {
  equalJson,
  type JsonValue,
  type ManagedFieldsEntry,
  type ObjectMeta,
  type OwnerReference,
  parseApiVersion,
} from '../../machinery/json.js';
import { type Check, invalidEach } from './check.js';
import { byteLength, dns1123Label, dns1123Subdomain, pathSegment, qualifiedName } from './formats.js';
import { goForm } from './goform.js';
import { validateLabels } from './selectors.js';

/** Tells what is wrong with a name; with `prefix` it is one for generated names, to which characters will be added. */
export type NameCheck = (name: string, prefix: boolean) => string[];

/** A trailing dash is fine in a prefix: look at it as if a letter followed. */
function masked(check: (name: string) => string[]): NameCheck {
  return (name, prefix) => check(prefix && name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name);
}
export const nameIsDnsSubdomain = masked(dns1123Subdomain);
export const nameIsDnsLabel = masked(dns1123Label);
export const nameIsPathSegment: NameCheck = pathSegment;

/** All of a kind's annotations together, keys and values. */
const TOTAL_ANNOTATION_SIZE = 256 * 1024;
const FIELD_MANAGER_MAX = 128;

export function validateAnnotations(annotations: Readonly<Record<string, string>>, at: Path, c: Check): void {
  let size = 0;
  for (const key of Object.keys(annotations).sort()) {
    invalidEach(c, at, key, qualifiedName(key.toLowerCase()));
    size += byteLength(key) + byteLength(annotations[key]!);
  }
  if (size > TOTAL_ANNOTATION_SIZE) c.errors.push(tooLong(at, TOTAL_ANNOTATION_SIZE));
}

function validateOwnerReferences(refs: readonly OwnerReference[], at: Path, c: Check): void {
  let controller = '';
  for (const ref of refs) {
    const apiVersion = ref.apiVersion ?? '';
    const { group, version } =
      apiVersion.split('/').length > 2 ? { group: '', version: '' } : parseApiVersion(apiVersion);
    if (version === '') c.errors.push(invalidValue(at.child('apiVersion'), apiVersion, 'version must not be empty'));
    for (const name of ['kind', 'name', 'uid'] as const)
      if (!ref[name]) c.errors.push(invalidValue(at.child(name), '', 'must not be empty'));
    if (group === '' && version === 'v1' && ref.kind === 'Event')
      c.errors.push(invalidValue(at, ownerForm(ref), '/v1, Kind=Event is disallowed from being an owner'));
  }
  for (const ref of refs) {
    if (!ref.controller) continue;
    if (controller)
      c.errors.push(
        invalidValue(
          at,
          refs.map(ownerForm),
          `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${ref.kind}/${ref.name}`,
        ),
      );
    else controller = `${ref.kind}/${ref.name}`;
  }
}
const ownerForm = (ref: OwnerReference): JsonValue =>
  goForm('io.k8s.apimachinery.pkg.apis.meta.v1.OwnerReference', ref) ?? null;

function validateFinalizers(finalizers: readonly string[], at: Path, c: Check): void {
  for (const f of finalizers) invalidEach(c, at, f, qualifiedName(f));
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion'))
    c.errors.push(invalidValue(at, [...finalizers], 'finalizer orphan and foregroundDeletion cannot be both set'));
}

const STANDARD_FINALIZERS = new Set(['kubernetes', 'orphan', 'foregroundDeletion']);
export function validateStandardFinalizer(name: string, at: Path, c: Check): void {
  if (!name.includes('/') && !STANDARD_FINALIZERS.has(name))
    c.errors.push(invalidValue(at, name, 'name is neither a standard finalizer name nor is it fully qualified'));
}

/** The name under which a client's fields are managed: short and printable. */
function validateFieldManager(manager: string, at: Path, c: Check): void {
  if (byteLength(manager) > FIELD_MANAGER_MAX) c.errors.push(tooLong(at, FIELD_MANAGER_MAX));
  let position = 0;
  for (const ch of manager) {
    if (!/[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(ch)) {
      const code = ch.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
      c.errors.push(invalidValue(at, manager, `invalid character U+${code} (at position ${position})`));
    }
    position += byteLength(ch);
  }
}

function validateManagedFields(managed: readonly ManagedFieldsEntry[], at: Path, c: Check): void {
  managed.forEach((m, i) => {
    const here = at.index(i);
    if (m.operation !== 'Apply' && m.operation !== 'Update')
      c.errors.push(invalidValue(here.child('operation'), m.operation ?? '', 'must be `Apply` or `Update`'));
    if (m.fieldsType && m.fieldsType !== 'FieldsV1')
      c.errors.push(invalidValue(here.child('fieldsType'), m.fieldsType, 'must be `FieldsV1`'));
    validateFieldManager(m.manager ?? '', here.child('manager'), c);
    if (byteLength(m.subresource ?? '') > 256) c.errors.push(tooLong(here.child('subresource'), 256));
  });
}

/** Kinds outside the core helpers take any qualified name as a finalizer. */
export interface MetaOptions {
  readonly namespaced: boolean;
  readonly name: NameCheck;
  readonly standardFinalizers?: boolean;
}

/** ObjectMeta of a new object. */
export function validateObjectMeta(meta: ObjectMeta, options: MetaOptions, c: Check, at = new Path('metadata')): void {
  const name = meta.name ?? '';
  if (meta.generateName)
    invalidEach(c, at.child('generateName'), meta.generateName, options.name(meta.generateName, true));
  if (name === '') c.errors.push(required(at.child('name'), 'name or generateName is required'));
  else invalidEach(c, at.child('name'), name, options.name(name, false));
  if (options.namespaced) {
    if (!meta.namespace) c.errors.push(required(at.child('namespace')));
    else invalidEach(c, at.child('namespace'), meta.namespace, dns1123Label(meta.namespace));
  } else if (meta.namespace) c.errors.push(forbiddenField(at.child('namespace'), 'not allowed on this type'));
  if ((meta.generation ?? 0) < 0)
    c.errors.push(invalidValue(at.child('generation'), meta.generation, 'must be greater than or equal to 0'));
  validateLabels(meta.labels ?? {}, at.child('labels'), c);
  validateAnnotations(meta.annotations ?? {}, at.child('annotations'), c);
  validateOwnerReferences(meta.ownerReferences ?? [], at.child('ownerReferences'), c);
  validateFinalizers(meta.finalizers ?? [], at.child('finalizers'), c);
  validateManagedFields(meta.managedFields ?? [], at.child('managedFields'), c);
  if (options.standardFinalizers !== false) validateStandardFinalizers(meta, c, at);
}

/** Finalizers without a domain are those that Kubernetes itself knows. */
export function validateStandardFinalizers(meta: ObjectMeta, c: Check, at = new Path('metadata')): void {
  meta.finalizers?.forEach((f, i) => {
    validateStandardFinalizer(f, at.child('finalizers').index(i), c);
  });
}

/** What of ObjectMeta may change, and how. */
export function validateObjectMetaUpdate(meta: ObjectMeta, old: ObjectMeta, c: Check, at = new Path('metadata')): void {
  if (old.deletionTimestamp) {
    const added = (meta.finalizers ?? []).filter((f) => !old.finalizers?.includes(f)).sort();
    if (added.length > 0) {
      const shown = `[]string{${added.map((f) => JSON.stringify(f)).join(', ')}}`;
      c.errors.push(
        forbiddenField(
          at.child('finalizers'),
          `no new finalizers can be added if the object is being deleted, found new finalizers ${shown}`,
        ),
      );
    }
  }
  if (!meta.resourceVersion)
    c.errors.push(invalidValue(at.child('resourceVersion'), '', 'must be specified for an update'));
  if ((meta.generation ?? 0) < (old.generation ?? 0))
    c.errors.push(invalidValue(at.child('generation'), meta.generation ?? 0, 'must not be decremented'));
  for (const name of ['name', 'namespace', 'uid', 'creationTimestamp', 'deletionTimestamp'] as const)
    immutable(meta[name] ?? (name.endsWith('Timestamp') ? undefined : ''), old[name], at.child(name), c);
  immutable(meta.deletionGracePeriodSeconds, old.deletionGracePeriodSeconds, at.child('deletionGracePeriodSeconds'), c);
  validateLabels(meta.labels ?? {}, at.child('labels'), c);
  validateAnnotations(meta.annotations ?? {}, at.child('annotations'), c);
  validateOwnerReferences(meta.ownerReferences ?? [], at.child('ownerReferences'), c);
  validateManagedFields(meta.managedFields ?? [], at.child('managedFields'), c);
}

/** A field that may not change. `typeName` names the struct type of the value, to print it as the real server does. */
export function immutable(
  value: JsonValue | undefined,
  old: JsonValue | undefined,
  at: Path,
  c: Check,
  typeName?: string,
): void {
  const same = equalJson(value, old) || ((value === '' || value === undefined) && (old === '' || old === undefined));
  if (!same) c.errors.push(invalidValue(at, typeName ? goForm(typeName, value) : value, 'field is immutable'));
}
