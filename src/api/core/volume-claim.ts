import { forbiddenField, invalidValue, notSupported, Path, required } from '../../machinery/field.js';
import { cloneJson, equalJson, type JsonObject, type KubeObject } from '../../machinery/json.js';
import { obj, ptr, str, strings } from '../access.js';
import { kind } from '../kind.js';
import type { Strategy } from '../strategy.js';
import {
  type Check,
  formats,
  goDiff,
  immutable,
  invalidEach,
  newCheck,
  validateLabelSelector,
} from '../validation/index.js';
import { type ClaimCheck, claimSpec } from './claim-spec.js';
import { isNative, quantity, validateAmount } from './pod/resources.js';
import { claimSpecWarnings } from './pod/warnings.js';

const SPEC = new Path('spec');
const STATUS = new Path('status');
export const BETA_CLASS = 'volume.beta.kubernetes.io/storage-class';

const storage = (holder: JsonObject, field: string) => quantity(obj(holder, field).storage);

/** A claim whose class came from the old annotation, or that had none, may get the field once. */
function classUpgrade(claim: KubeObject, old: KubeObject, munged: JsonObject, c: Check): void {
  const annotations = claim.metadata.annotations ?? {};
  const before = old.metadata.annotations ?? {};
  const name = munged.storageClassName;
  const wasUnset = obj(old, 'spec').storageClassName === undefined;
  const annotated = before[BETA_CLASS];
  if (
    annotated !== undefined &&
    wasUnset &&
    name === annotated &&
    [undefined, annotated].includes(annotations[BETA_CLASS])
  ) {
    delete munged.storageClassName;
    return;
  }
  if ((annotations[BETA_CLASS] ?? '') !== (annotated ?? ''))
    c.errors.push(
      invalidValue(
        new Path('metadata.annotations').child(BETA_CLASS),
        annotations[BETA_CLASS] ?? '',
        'field is immutable',
      ),
    );
  if (name !== undefined && wasUnset && (annotated === undefined || name === annotated)) delete munged.storageClassName;
}

function change(claim: KubeObject, old: KubeObject, c: Check): void {
  const spec = obj(claim, 'spec');
  const before = cloneJson(obj(old, 'spec'));
  const munged = cloneJson(spec);
  if (str(before, 'volumeName') === '' && munged.volumeName !== undefined) before.volumeName = munged.volumeName;
  classUpgrade(claim, old, munged, c);
  const bound = str(obj(claim, 'status'), 'phase') === 'Bound';
  if (bound) {
    const requests = ptr(obj(munged, 'resources'), 'requests');
    const stored = obj(obj(before, 'resources'), 'requests').storage;
    if (requests && stored !== undefined) requests.storage = stored;
    if (munged.volumeAttributesClassName !== undefined) {
      if (before.volumeAttributesClassName === undefined) delete munged.volumeAttributesClassName;
      else munged.volumeAttributesClassName = before.volumeAttributesClassName;
    }
  }
  if (!equalJson(munged, before))
    c.errors.push(
      forbiddenField(
        SPEC,
        `spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n${goDiff('core.v1.PersistentVolumeClaimSpec', before, munged)}`,
      ),
    );
  const size = storage(obj(spec, 'resources'), 'requests');
  // A claim may shrink to what it has, after an expansion that failed; the storage itself never shrinks.
  if (
    size.compare(storage(obj(obj(old, 'spec'), 'resources'), 'requests')) < 0 &&
    size.compare(storage(obj(old, 'status'), 'capacity')) <= 0
  )
    c.errors.push(
      forbiddenField(SPEC.child('resources', 'requests', 'storage'), 'field can not be less than status.capacity'),
    );
  immutable(spec.volumeMode, before.volumeMode, new Path('volumeMode'), c);
  const attributes = SPEC.child('volumeAttributesClassName');
  const [was, is] = [obj(old, 'spec').volumeAttributesClassName, spec.volumeAttributesClassName];
  if (was !== undefined && was !== is) {
    if (is === undefined) c.errors.push(forbiddenField(attributes, 'update from non-nil value to nil is forbidden'));
    else if (is === '')
      c.errors.push(forbiddenField(attributes, 'update from non-nil value to an empty string is forbidden'));
  }
}

const RESIZE = [
  'ControllerResizeInProgress',
  'ControllerResizeInfeasible',
  'NodeResizeInProgress',
  'NodeResizeInfeasible',
  'NodeResizePending',
].sort();

/** Only storage has no domain. Tells whether the name is fine. */
function resourceKey(name: string, at: Path, c: Check): boolean {
  const before = c.errors.length;
  invalidEach(c, at, name, formats.qualifiedName(name));
  if (c.errors.length === before && isNative(name) && name !== 'storage')
    c.errors.push(notSupported(at, name, ['storage']));
  return c.errors.length === before;
}

/** An amount that a status reports. */
export function basicAmount(v: JsonObject[string], at: Path, c: Check): boolean {
  const value = quantity(v).valueRounded();
  if (value >= 0n) return true;
  c.errors.push(invalidValue(at, value, 'must be a valid resource quantity'));
  return false;
}

function statusChange(claim: KubeObject, _: KubeObject, c: Check): void {
  if (!claim.metadata.resourceVersion) c.errors.push(required('resourceVersion'));
  if (strings(obj(claim, 'spec'), 'accessModes').length === 0) c.errors.push(required('Spec.accessModes'));
  const status = obj(claim, 'status');
  const capacity = obj(status, 'capacity');
  for (const name of Object.keys(capacity).sort()) basicAmount(capacity[name], STATUS.child('capacity').key(name), c);
  const states = obj(status, 'allocatedResourceStatuses');
  const at = STATUS.child('allocatedResourceStatus');
  for (const name of Object.keys(states).sort()) {
    resourceKey(name, at, c);
    if (!RESIZE.includes(String(states[name]))) c.errors.push(notSupported(at, name, RESIZE));
  }
  const allocated = obj(status, 'allocatedResources');
  for (const name of Object.keys(allocated).sort()) {
    const here = STATUS.child('allocatedResources');
    if (resourceKey(name, here, c) && basicAmount(allocated[name], here.key(name), c))
      validateAmount('storage', allocated[name], here.key(name), c);
  }
}

function warnings(claim: KubeObject): string[] {
  const out: string[] = [];
  if (claim.metadata.annotations?.[BETA_CLASS] !== undefined)
    out.push(`metadata.annotations[${BETA_CLASS}]: deprecated since v1.8; use "storageClassName" attribute instead`);
  return [...out, ...claimSpecWarnings(obj(claim, 'spec'), SPEC)];
}

/** `dataSource` and `dataSourceRef` say the same; the older one is filled from the newer and the other way round. */
function syncDataSources(spec: JsonObject, gate: (name: string) => boolean): void {
  const ref = ptr(spec, 'dataSourceRef');
  if (ref && str(ref, 'namespace') !== '') {
    if (!gate('CrossNamespaceVolumeDataSource')) delete spec.dataSourceRef;
    return;
  }
  const source = ptr(spec, 'dataSource');
  if (source && !ref) spec.dataSourceRef = cloneJson(source);
  else if (ref && !source) {
    const { namespace: _n, ...rest } = ref;
    spec.dataSource = cloneJson(rest);
  }
}

/** A data source of another kind than claims and snapshots means nothing in the old field. */
function dropForeignSource(spec: JsonObject): void {
  const source = ptr(spec, 'dataSource');
  if (!source) return;
  const group = str(source, 'apiGroup');
  const known =
    (str(source, 'kind') === 'PersistentVolumeClaim' && group === '') ||
    (str(source, 'kind') === 'VolumeSnapshot' && group === 'snapshot.storage.k8s.io');
  if (!known) delete spec.dataSource;
}

export const volumeClaim: Strategy = kind({
  group: '',
  kind: 'PersistentVolumeClaim',
  rules(v, _, c) {
    const claim = v as KubeObject;
    const old = c.old && obj(c.old, 'spec');
    const lenient: ClaimCheck = {
      ...c,
      lenientSelector: old !== undefined && hasOddSelector(old),
      lenientSource: [ptr(old, 'dataSource'), ptr(old, 'dataSourceRef')].some((s) => s?.apiGroup !== undefined),
    };
    claimSpec(claim.spec, SPEC, lenient);
  },
  updateRules: change,
  onUpdate: ['change', 'meta', 'rules', 'updateRules'],
  prepareForCreate(ctx, claim) {
    claim.status = { phase: 'Pending' };
    const spec = ptr(claim, 'spec');
    if (!spec) return;
    dropForeignSource(spec);
    syncDataSources(spec, ctx.gate);
  },
  prepareForUpdate(ctx, claim) {
    const spec = ptr(claim, 'spec');
    if (spec) syncDataSources(spec, ctx.gate);
  },
  warnings: (_, claim) => warnings(claim),
  subresources: { status: { rules: statusChange } },
});

function hasOddSelector(spec: JsonObject): boolean {
  const selector = ptr(spec, 'selector');
  const c = newCheck(() => true);
  if (selector) validateLabelSelector(selector, SPEC, c);
  return c.errors.length > 0;
}
