import { badRequest, invalid } from '../machinery/errors.js';
import { type FieldError, forbiddenField, invalidValue, notSupported, required, tooLong } from '../machinery/field.js';
import type { JsonObject, JsonValue } from '../machinery/json.js';

/** meta.v1.ListOptions as a query carries them. Selectors are still text. */
export interface ListQuery {
  labelSelector: string;
  fieldSelector: string;
  watch: boolean;
  allowWatchBookmarks: boolean;
  resourceVersion: string;
  resourceVersionMatch: string;
  timeoutSeconds: number | undefined;
  limit: number;
  continue: string;
  sendInitialEvents: boolean | undefined;
}

/** What create, update and patch have in common. */
export interface WriteQuery {
  dryRun: boolean;
  fieldManager: string;
  fieldValidation: 'Ignore' | 'Warn' | 'Strict';
  force: boolean;
  /** As the admission chain sees them. */
  readonly asObject: JsonObject;
}

export interface DeleteRequestOptions {
  gracePeriodSeconds?: number;
  propagationPolicy?: 'Orphan' | 'Background' | 'Foreground';
  orphanDependents?: boolean;
  preconditions?: { uid?: string; resourceVersion?: string };
  dryRun: boolean;
  readonly asObject: JsonObject;
}

/** Go's query conversion of booleans: only "false" and "0" are false, an empty value is true. */
export function queryBoolean(query: URLSearchParams, name: string): boolean | undefined {
  const value = query.get(name);
  if (value === null) return undefined;
  return value !== '0' && value.toLowerCase() !== 'false';
}

/** int64 as Go's ParseInt takes it; 400 with its message otherwise. */
export function queryInteger(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name);
  if (value === null) return undefined;
  if (!/^[+-]?\d+$/.test(value)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
  const n = BigInt(value);
  if (n !== BigInt.asIntN(64, n)) {
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: value out of range`);
  }
  return Number(n);
}

function optionsInvalid(kind: string, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind }, '', errors);
}

/** @throws 400 for what can't be converted, 422 for combinations that make no sense */
export function listQuery(query: URLSearchParams, watch: boolean): ListQuery {
  const options: ListQuery = {
    labelSelector: query.get('labelSelector') ?? '',
    fieldSelector: query.get('fieldSelector') ?? '',
    watch,
    allowWatchBookmarks: queryBoolean(query, 'allowWatchBookmarks') ?? false,
    resourceVersion: query.get('resourceVersion') ?? '',
    resourceVersionMatch: query.get('resourceVersionMatch') ?? '',
    timeoutSeconds: queryInteger(query, 'timeoutSeconds'),
    limit: queryInteger(query, 'limit') ?? 0,
    continue: query.get('continue') ?? '',
    sendInitialEvents: queryBoolean(query, 'sendInitialEvents'),
  };
  optionsInvalid('ListOptions', watch ? watchFaults(withInitialEvents(options)) : listFaults(options));
  return options;
}

/** A watch from wherever things are begins with what there is: it counts as having asked for that. */
function withInitialEvents(o: ListQuery): ListQuery {
  const anywhere = o.resourceVersion === '' || o.resourceVersion === '0';
  if (!anywhere || o.sendInitialEvents !== undefined || o.resourceVersionMatch) return o;
  return { ...o, sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' };
}

function listFaults(o: ListQuery): FieldError[] {
  const errors: FieldError[] = [];
  const at = 'resourceVersionMatch';
  if (o.resourceVersionMatch) {
    if (!o.resourceVersion) {
      errors.push(forbiddenField(at, 'resourceVersionMatch is forbidden unless resourceVersion is provided'));
    }
    if (o.continue) errors.push(forbiddenField(at, 'resourceVersionMatch is forbidden when continue is provided'));
    if (o.resourceVersionMatch !== 'Exact' && o.resourceVersionMatch !== 'NotOlderThan') {
      errors.push(notSupported(at, o.resourceVersionMatch, ['Exact', 'NotOlderThan', '']));
    }
    if (o.resourceVersionMatch === 'Exact' && o.resourceVersion === '0') {
      errors.push(forbiddenField(at, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
    }
  }
  if (o.sendInitialEvents !== undefined) {
    errors.push(forbiddenField('sendInitialEvents', 'sendInitialEvents is forbidden for list'));
  }
  return errors;
}

function watchFaults(o: ListQuery): FieldError[] {
  const errors: FieldError[] = [];
  const at = 'resourceVersionMatch';
  if (o.sendInitialEvents !== undefined && o.resourceVersionMatch !== 'NotOlderThan') {
    errors.push(forbiddenField(at, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'));
  }
  if (o.resourceVersionMatch) {
    if (o.sendInitialEvents === undefined) {
      errors.push(
        forbiddenField(at, 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'),
      );
    }
    if (o.resourceVersionMatch !== 'NotOlderThan') {
      errors.push(notSupported(at, o.resourceVersionMatch, ['NotOlderThan']));
    }
    if (o.continue) errors.push(forbiddenField(at, 'resourceVersionMatch is forbidden when continue is provided'));
  }
  return errors;
}

/** @param apply only for a server-side apply patch: a field manager is required then, and force allowed */
export function writeQuery(
  kind: 'CreateOptions' | 'UpdateOptions' | 'PatchOptions',
  query: URLSearchParams,
  apply = false,
): WriteQuery {
  const errors: FieldError[] = [];
  const force = kind === 'PatchOptions' ? queryBoolean(query, 'force') : undefined;
  const manager = query.get('fieldManager') ?? '';
  const validation = query.get('fieldValidation') ?? '';
  const dryRun = query.getAll('dryRun').filter((v) => v !== '');
  if (kind === 'PatchOptions' && !apply && force !== undefined) {
    errors.push(forbiddenField('force', 'may not be specified for non-apply patch'));
  }
  if (apply && manager === '') errors.push(required('fieldManager', 'is required for apply patch'));
  errors.push(...managerFaults(manager), ...dryRunFaults(dryRun));
  if (!['', 'Ignore', 'Warn', 'Strict'].includes(validation)) {
    errors.push(notSupported('fieldValidation', validation, ['', 'Ignore', 'Strict', 'Warn']));
  }
  optionsInvalid(kind, errors);
  const asObject: JsonObject = { kind, apiVersion: 'meta.k8s.io/v1' };
  if (dryRun.length > 0) asObject.dryRun = dryRun;
  if (force !== undefined) asObject.force = force;
  if (manager) asObject.fieldManager = manager;
  if (validation) asObject.fieldValidation = validation;
  return {
    dryRun: dryRun.length > 0,
    fieldManager: manager,
    fieldValidation: validation === '' ? 'Warn' : (validation as WriteQuery['fieldValidation']),
    force: force ?? false,
    asObject,
  };
}

function managerFaults(manager: string): FieldError[] {
  const errors: FieldError[] = [];
  // Counted in bytes, as Go does.
  if (Buffer.byteLength(manager) > 128) errors.push(tooLong('fieldManager', 128));
  for (const [i, c] of [...manager].entries()) {
    if (!isPrint(c)) {
      errors.push(invalidValue('fieldManager', manager, `should not contain character U+${hex(c)} (at position ${i})`));
    }
  }
  return errors;
}

/** unicode.IsPrint: letters, marks, numbers, punctuation, symbols and the ASCII space. */
function isPrint(c: string): boolean {
  return c === ' ' || /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(c);
}
function hex(c: string): string {
  return (c.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
}

function dryRunFaults(dryRun: readonly string[]): FieldError[] {
  return dryRun.some((v) => v !== 'All') ? [notSupported('dryRun', [...dryRun], ['All'])] : [];
}

/**
 * DeleteOptions from the body, or from the query when there is no body.
 *
 * @param body decoded meta.v1.DeleteOptions; undefined for an empty body
 */
export function deleteOptions(body: JsonObject | undefined, query: URLSearchParams): DeleteRequestOptions {
  const source: JsonObject = body ?? fromQuery(query);
  const policy = source.propagationPolicy;
  const dryRun = Array.isArray(source.dryRun) ? source.dryRun.map(String) : [];
  const errors: FieldError[] = [];
  if (policy !== undefined && source.orphanDependents !== undefined) {
    errors.push(
      invalidValue('propagationPolicy', policy, 'orphanDependents and deletionPropagation cannot be both set'),
    );
  }
  if (policy !== undefined && !['Foreground', 'Background', 'Orphan'].includes(String(policy))) {
    errors.push(notSupported('propagationPolicy', policy, ['Foreground', 'Background', 'Orphan', 'nil']));
  }
  errors.push(...dryRunFaults(dryRun));
  optionsInvalid('DeleteOptions', errors);
  return {
    gracePeriodSeconds: optional(source.gracePeriodSeconds, Number),
    propagationPolicy: policy as DeleteRequestOptions['propagationPolicy'],
    orphanDependents: optional(source.orphanDependents, Boolean),
    preconditions: source.preconditions as DeleteRequestOptions['preconditions'],
    dryRun: dryRun.length > 0,
    asObject: admittedDeleteOptions(source),
  };
}

const DELETE_FIELDS = [
  'gracePeriodSeconds',
  'preconditions',
  'orphanDependents',
  'propagationPolicy',
  'dryRun',
  'ignoreStoreReadErrorWithClusterBreakingPotential',
];

/** Admission sees the options at their own version, whatever version the body had, in the order of the Go type. */
function admittedDeleteOptions(source: JsonObject): JsonObject {
  const out: JsonObject = { kind: 'DeleteOptions', apiVersion: 'meta.k8s.io/v1' };
  for (const name of DELETE_FIELDS) if (source[name] !== undefined) out[name] = source[name];
  return out;
}

function optional<T>(value: JsonValue | undefined, convert: (v: JsonValue) => T): T | undefined {
  return value === undefined || value === null ? undefined : convert(value);
}

function fromQuery(query: URLSearchParams): JsonObject {
  const out: JsonObject = {};
  const grace = queryInteger(query, 'gracePeriodSeconds');
  if (grace !== undefined) out.gracePeriodSeconds = grace;
  const orphan = queryBoolean(query, 'orphanDependents');
  if (orphan !== undefined) out.orphanDependents = orphan;
  const policy = query.get('propagationPolicy');
  if (policy) out.propagationPolicy = policy;
  const dryRun = query.getAll('dryRun').filter((v) => v !== '');
  if (dryRun.length > 0) out.dryRun = dryRun;
  return out;
}
