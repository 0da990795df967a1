import {
  forbiddenField,
  invalidValue,
  notSupported,
  type Path,
  required as requiredError,
} from '../../machinery/field.js';
import type { JsonObject, JsonValue } from '../../machinery/json.js';
import { obj, ptr, str } from '../access.js';
import {
  type Check,
  dnsLabel,
  dnsSubdomain,
  formats,
  ifPresent,
  ifSet,
  invalidEach,
  oneOf,
  type Rule,
  requiredWith,
  struct,
  validateAnnotations,
  validateLabelSelector,
  validateLabels,
  whole,
} from '../validation/index.js';
import { positiveQuantity, validateAmount } from './pod/resources.js';

const ACCESS_MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];

/** Access modes of volumes and claims; faults are reported at the list. */
export const accessModes: Rule = (v, at, c) => {
  const modes = Array.isArray(v) ? (v as string[]) : [];
  for (const mode of modes) if (!ACCESS_MODES.includes(mode)) c.errors.push(notSupported(at, mode, ACCESS_MODES));
  const others = modes.some((m) => m !== 'ReadWriteOncePod' && ACCESS_MODES.includes(m));
  if (modes.includes('ReadWriteOncePod') && others)
    c.errors.push(forbiddenField(at, 'may not use ReadWriteOncePod with other access modes'));
};
export const volumeMode = ifPresent(oneOf('Block', 'Filesystem'));

/** Facts about the stored claim. */
export interface ClaimCheck extends Check {
  readonly lenientSelector?: boolean;
  readonly lenientSource?: boolean;
}

function dataSource(type: string): Rule<ClaimCheck> {
  return (v, at, c) => {
    const source = v as JsonObject;
    const kind = str(source, 'kind');
    const group = str(source, 'apiGroup');
    if (str(source, 'name') === '') c.errors.push(requiredError(at.child('name')));
    if (kind === '') c.errors.push(requiredError(at.child('kind')));
    if (group === '' && kind !== 'PersistentVolumeClaim')
      c.errors.push(invalidValue(at, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup"));
    if (group !== '' && !c.lenientSource) invalidEach(c, at.child('apiGroup'), group, formats.dns1123Subdomain(group));
    if (type === 'ref' && str(source, 'namespace') !== '') dnsLabel(str(source, 'namespace'), at.child('namespace'), c);
  };
}

/** core.v1.PersistentVolumeClaimSpec. */
export const claimSpec: Rule<ClaimCheck> = struct<ClaimCheck>('core.v1.PersistentVolumeClaimSpec', {
  accessModes: requiredWith('at least 1 access mode is required'),
  selector: ifPresent((v, at, c) => validateLabelSelector(v as JsonObject, at, c, c.lenientSelector)),
  $modes: whole((o, at, c) => accessModes(o.accessModes, at.child('accessModes'), c)),
  $storage: whole((o, at, c) => {
    const here = at.child('resources').key('storage');
    const storage = obj(obj(o, 'resources'), 'requests').storage;
    if (storage === undefined) {
      c.errors.push(requiredError(here));
      return;
    }
    const before = c.errors.length;
    positiveQuantity(storage, here, c);
    if (c.errors.length === before) validateAmount('storage', storage, here, c);
  }),
  storageClassName: ifSet(dnsSubdomain),
  volumeMode,
  dataSource: ifPresent(dataSource('')),
  dataSourceRef: ifPresent(dataSource('ref')),
  $sources: whole((o, at, c) => {
    const source = ptr(o, 'dataSource');
    const ref = ptr(o, 'dataSourceRef');
    if (!source || !ref) return;
    // The real server prints a path there instead of the value.
    const shown: JsonValue = {};
    if (str(ref, 'namespace') !== '')
      c.errors.push(invalidValue(at, shown, 'may not be specified when dataSourceRef.namespace is specified'));
    else if (['apiGroup', 'kind', 'name'].some((name) => source[name] !== ref[name]))
      c.errors.push(invalidValue(at, shown, 'must match dataSourceRef'));
  }),
  volumeAttributesClassName: ifSet(dnsSubdomain),
});

/** Metadata of a template may hold labels and annotations only. */
export function templateMetadata(meta: JsonObject, at: Path, c: Check): void {
  validateAnnotations(obj(meta, 'annotations') as Record<string, string>, at.child('annotations'), c);
  validateLabels(obj(meta, 'labels') as Record<string, string>, at.child('labels'), c);
  const others = [
    'name',
    'generateName',
    'namespace',
    'selfLink',
    'uid',
    'resourceVersion',
    'generation',
    'creationTimestamp',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
    'ownerReferences',
    'finalizers',
    'managedFields',
  ];
  const goNames: Record<string, string> = { uid: 'uID' };
  for (const name of others)
    if (meta[name] !== undefined) c.errors.push(forbiddenField(at.child(goNames[name] ?? name), 'cannot be set'));
}

/** core.v1.PersistentVolumeClaimTemplate of an ephemeral volume. */
export const claimTemplate: Rule = (v, at, c) => {
  const template = v as JsonObject;
  templateMetadata(obj(template, 'metadata'), at.child('metadata'), c);
  claimSpec(template.spec, at.child('spec'), c);
};
