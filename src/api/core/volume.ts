import { forbiddenField, invalidValue, notSupported, Path, required as requiredError } from '../../machinery/field.js';
import { equalJson, type JsonObject, type KubeObject } from '../../machinery/json.js';
import { catalog } from '../../machinery/scheme/catalog.js';
import { list, obj, ptr, str } from '../access.js';
import { kind } from '../kind.js';
import type { Strategy } from '../strategy.js';
import {
  type Check,
  dnsSubdomain,
  exactlyOne,
  goDiff,
  goForm,
  ifPresent,
  ifSet,
  immutable,
  newCheck,
  oneOf,
  type Rule,
  required,
  requiredWith,
  sortedMap,
  struct,
  whole,
} from '../validation/index.js';
import { accessModes, volumeMode } from './claim-spec.js';
import { positiveQuantity } from './pod/resources.js';
import { nodeSelectorTermWarnings } from './pod/warnings.js';
import { validateNodeSelector } from './scheduling.js';
import { basicAmount } from './volume-claim.js';
import * as sources from './volume-sources.js';

const SPEC = new Path('spec');

/** Where a volume of `inline` use stands: in a VolumeAttachment instead of a PersistentVolume. */
export interface VolumeCheck extends Check {
  readonly name: string;
  readonly inline: boolean;
}
const INLINE = 'may not be specified in the context of inline volumes';

const affinityRule = (v: JsonObject, at: Path, c: VolumeCheck): void => {
  const needed = ptr(v, 'required');
  if (!needed) c.errors.push(requiredError(at.child('required'), 'must specify required node constraints'));
  else validateNodeSelector(needed, at.child('required'), c, hasOddAffinity(c.old));
};
function hasOddAffinity(old: KubeObject | undefined): boolean {
  const needed = ptr(ptr(obj(old, 'spec'), 'nodeAffinity'), 'required');
  const faults = (lenient: boolean) => {
    const c = newCheck(() => true);
    if (needed) validateNodeSelector(needed, SPEC, c, lenient);
    return c.errors.length;
  };
  return faults(false) > faults(true);
}

const local: Rule<VolumeCheck> = (v, at, c) => sources.local(v, at, c);
const members: Readonly<Record<string, Rule<VolumeCheck>>> = {
  hostPath: sources.hostPath,
  gcePersistentDisk: sources.gcePersistentDisk,
  awsElasticBlockStore: sources.awsElasticBlockStore,
  glusterfs: sources.persistentGlusterfs,
  flocker: sources.flocker,
  nfs: sources.nfs,
  rbd: sources.persistentRbd,
  quobyte: sources.quobyte,
  cephfs: sources.persistentCephfs,
  iscsi: (v, at, c) => sources.persistentIscsi(c.name)(v, at, c),
  cinder: sources.persistentCinder,
  fc: sources.fc,
  flexVolume: sources.persistentFlexVolume,
  azureFile: sources.persistentAzureFile,
  vsphereVolume: sources.vsphereVolume,
  photonPersistentDisk: sources.photonPersistentDisk,
  portworxVolume: sources.portworxVolume,
  azureDisk: sources.azureDisk,
  scaleIO: sources.persistentScaleIO,
  local,
  storageos: sources.persistentStorageos,
  csi: sources.persistentCsi,
};
const source = exactlyOne<VolumeCheck>('volume', members, {
  lookAt: { gcePersistentDisk: 'persistentDisk' },
  refuseAt: { cephfs: 'cephFS' },
});

const capacity: Rule<VolumeCheck> = (v, at, c) => {
  const amounts = (v ?? {}) as JsonObject;
  const names = Object.keys(amounts).sort();
  if (names.length === 0) c.errors.push(requiredError(at));
  if (amounts.storage === undefined || names.length > 1) c.errors.push(notSupported(at, sortedMap(v), ['storage']));
  for (const name of names) {
    basicAmount(amounts[name], at.key(name), c);
    positiveQuantity(amounts[name], at.key(name), c);
  }
};

const outside =
  (field: string, rule: Rule<VolumeCheck>): Rule<VolumeCheck> =>
  (v, at, c) => {
    if (!c.inline) rule(v, at, c);
    else if (field in { claimRef: 1, nodeAffinity: 1, storageClassName: 1, capacity: 1 } && v !== undefined && v !== '')
      c.errors.push(forbiddenField(at, INLINE));
  };

/** core.v1.PersistentVolumeSpec. */
export const volumeSpec = struct<VolumeCheck>('core.v1.PersistentVolumeSpec', {
  $inline: whole((o, at, c) => {
    if (!c.inline) return;
    for (const field of ['claimRef', 'capacity']) outside(field, () => {})(o[field], at.child(field), c);
    if (o.csi === undefined)
      c.errors.push(requiredError(at.child('csi'), 'has to be specified in the context of inline volumes'));
  }),
  accessModes: [required(), accessModes],
  $capacity: whole((o, at, c) => {
    if (!c.inline) capacity(o.capacity, at.child('capacity'), c);
  }),
  persistentVolumeReclaimPolicy: ifSet((v, at, c) => {
    if (!c.inline) oneOf('Delete', 'Recycle', 'Retain')(v, at, c);
    else if (v !== 'Retain') c.errors.push(forbiddenField(at, 'may only be Retain in the context of inline volumes'));
  }),
  nodeAffinity: outside(
    'nodeAffinity',
    ifPresent((v, at, c) => affinityRule(v as JsonObject, at, c)),
  ),
  $source: source,
  $localAffinity: whole((o, at, c) => {
    if (o.local !== undefined && o.nodeAffinity === undefined && !c.inline)
      c.errors.push(requiredError(at.child('nodeAffinity'), 'Local volume requires node affinity'));
  }),
  $recycle: whole((o, at, c) => {
    const path = str(ptr(o, 'hostPath'), 'path');
    if (o.hostPath !== undefined && /^\/+(\.?\/*)*$/.test(path) && o.persistentVolumeReclaimPolicy === 'Recycle')
      c.errors.push(
        forbiddenField(at.child('persistentVolumeReclaimPolicy'), "may not be 'recycle' for a hostPath mount of '/'"),
      );
  }),
  storageClassName: outside('storageClassName', ifSet(dnsSubdomain)),
  volumeMode: ifPresent((v, at, c) => {
    if (!c.inline) volumeMode(v, at, c);
    else if (v !== 'Filesystem')
      c.errors.push(
        forbiddenField(at, 'may not specify volumeMode other than Filesystem in the context of inline volumes'),
      );
  }),
  volumeAttributesClassName: ifPresent(requiredWith('an empty string is disallowed', dnsSubdomain)),
  $attributes: whole((o, at, c) => {
    if (o.volumeAttributesClassName !== undefined && o.csi === undefined)
      c.errors.push(requiredError(at.child('csi'), 'has to be specified when using volumeAttributesClassName'));
  }),
});

const SOURCE_TYPE = 'core.v1.PersistentVolumeSource';
/** The part of a spec that says where the volume is. */
function sourceOf(spec: JsonObject): JsonObject {
  const type = catalog().type(`io.k8s.api.${SOURCE_TYPE}`);
  return Object.fromEntries(type.fields.filter((f) => spec[f.name] !== undefined).map((f) => [f.name, spec[f.name]]));
}

const BETA_TO_GA: Readonly<Record<string, string>> = {
  'failure-domain.beta.kubernetes.io/zone': 'topology.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region': 'topology.kubernetes.io/region',
  'beta.kubernetes.io/os': 'kubernetes.io/os',
  'beta.kubernetes.io/arch': 'kubernetes.io/arch',
  'beta.kubernetes.io/instance-type': 'node.kubernetes.io/instance-type',
};

/** Equal but for labels that were renamed when they became stable. */
function sameAffinity(affinity: JsonObject | undefined, old: JsonObject): boolean {
  const terms = (a: JsonObject | undefined) => list(ptr(a, 'required'), 'nodeSelectorTerms');
  const renamed = terms(old).map((term, i) => ({
    ...term,
    ...(term.matchExpressions === undefined
      ? {}
      : {
          matchExpressions: list(term, 'matchExpressions').map((r, j) => {
            const key = str(list(terms(affinity)[i], 'matchExpressions')[j], 'key');
            return BETA_TO_GA[str(r, 'key')] === key ? { ...r, key } : r;
          }),
        }),
  }));
  return equalJson(affinity, { ...old, required: { ...ptr(old, 'required'), nodeSelectorTerms: renamed } });
}

function change(volume: KubeObject, oldVolume: KubeObject, c: Check): void {
  const spec = obj(volume, 'spec');
  const old = obj(oldVolume, 'spec');
  const now = sourceOf(spec);
  const was = sourceOf(old);
  // This secret may be added later: expansion came after many volumes.
  const csi = ptr(now, 'csi');
  if (csi && ptr(was, 'csi') && ptr(was, 'csi')?.controllerExpandSecretRef === undefined) {
    const { controllerExpandSecretRef: _, ...rest } = csi;
    now.csi = rest;
  }
  if (!equalJson(now, was))
    c.errors.push(
      forbiddenField(
        SPEC.child('persistentvolumesource'),
        `spec.persistentvolumesource is immutable after creation\n${goDiff(SOURCE_TYPE, was, now)}`,
      ),
    );
  immutable(spec.volumeMode, old.volumeMode, new Path('volumeMode'), c);
  const affinity = ptr(old, 'nodeAffinity');
  if (affinity && !c.gate('MutablePVNodeAffinity') && !sameAffinity(ptr(spec, 'nodeAffinity'), affinity))
    c.errors.push(
      invalidValue(
        new Path('nodeAffinity'),
        goForm('core.v1.VolumeNodeAffinity', spec.nodeAffinity),
        'field is immutable, except for updating from beta label to GA',
      ),
    );
  if (old.volumeAttributesClassName !== undefined && spec.volumeAttributesClassName === undefined)
    c.errors.push(
      forbiddenField(SPEC.child('volumeAttributesClassName'), 'update from non-nil value to nil is forbidden'),
    );
}

const DEPRECATED: readonly (readonly [string, string, string])[] = [
  ['photonPersistentDisk', 'photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['scaleIO', 'scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['storageos', 'storageOS', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['cephfs', 'cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['rbd', 'rbd', 'deprecated in v1.28, non-functional in v1.31+'],
];

function warnings(volume: KubeObject): string[] {
  const spec = obj(volume, 'spec');
  const annotations = volume.metadata.annotations ?? {};
  const out: string[] = [];
  if (annotations['volume.beta.kubernetes.io/storage-class'] !== undefined)
    out.push(
      'metadata.annotations[volume.beta.kubernetes.io/storage-class]: deprecated since v1.8; use "storageClassName" attribute instead',
    );
  if (spec.persistentVolumeReclaimPolicy === 'Recycle')
    out.push(
      'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.',
    );
  if (annotations['volume.beta.kubernetes.io/mount-options'] !== undefined)
    out.push(
      'metadata.annotations[volume.beta.kubernetes.io/mount-options]: deprecated since v1.31; use "spec.mountOptions" instead',
    );
  const terms = SPEC.child('nodeAffinity', 'required', 'nodeSelectorTerms');
  list(ptr(ptr(spec, 'nodeAffinity'), 'required'), 'nodeSelectorTerms').forEach((term, i) => {
    out.push(...nodeSelectorTermWarnings(term, terms.index(i)));
  });
  for (const [field, shown, text] of DEPRECATED)
    if (spec[field] !== undefined) out.push(`${SPEC.child(shown)}: ${text}`);
  return out;
}

export const volume: Strategy = kind({
  group: '',
  kind: 'PersistentVolume',
  rules: (v, _, c) =>
    volumeSpec((v as KubeObject).spec, SPEC, { ...c, name: (v as KubeObject).metadata.name ?? '', inline: false }),
  updateRules: change,
  onUpdate: ['meta', 'rules', 'meta', 'rules', 'updateRules'],
  prepareForCreate(ctx, o) {
    o.status = { phase: 'Pending', lastPhaseTransitionTime: ctx.now() };
  },
  warnings: (_, o) => warnings(o),
  subresources: {
    status: {
      prepare(ctx, o, old) {
        const status = obj(o, 'status');
        const before = obj(old, 'status');
        const same = str(status, 'phase') === str(before, 'phase');
        if (!same && [undefined, before.lastPhaseTransitionTime].includes(status.lastPhaseTransitionTime))
          o.status = { ...status, lastPhaseTransitionTime: ctx.now() };
        else if (same && before.lastPhaseTransitionTime !== undefined && status.lastPhaseTransitionTime === undefined)
          o.status = { ...status, lastPhaseTransitionTime: before.lastPhaseTransitionTime };
      },
      rules: (o, _, c) => {
        if (!o.metadata.resourceVersion) c.errors.push(requiredError('resourceVersion'));
      },
    },
  },
});
