import {
  duplicate,
  forbiddenField,
  invalidValue,
  type Path,
  required as requiredError,
} from '../../../machinery/field.js';
import type { JsonObject } from '../../../machinery/json.js';
import { list, num, ptr, str } from '../../access.js';
import {
  type Check,
  dnsLabel,
  exactlyOne,
  formats,
  goForm,
  ifPresent,
  labelSelector,
  oneOf,
  type Rule,
  required,
  requiredPresent,
  struct,
  unreservedPath,
  whole,
} from '../../validation/index.js';
import { claimTemplate } from '../claim-spec.js';
import { validateSignerName, validateTrustBundleName } from '../signer-name.js';
import * as sources from '../volume-sources.js';
import type { PodCheck } from './check.js';
import { fieldSelector, resourceSelector } from './env.js';
import { quantity } from './resources.js';

const emptyDir = struct<PodCheck>('core.v1.EmptyDirVolumeSource', {
  sizeLimit: ifPresent((v, at, c) => {
    if (quantity(v).sign() < 0) c.errors.push(forbiddenField(at, 'SizeLimit field must be a valid resource quantity'));
  }),
});

const downwardField = fieldSelector([
  'metadata.name',
  'metadata.namespace',
  'metadata.labels',
  'metadata.annotations',
  'metadata.uid',
]);
const downwardResource = resourceSelector(true);

/** A file of the downward API. Its faults are reported at what holds the list. */
const downwardFile: Rule<PodCheck> = struct<PodCheck>('core.v1.DownwardAPIVolumeFile', {
  path: [required(), unreservedPath],
  $value: whole((o, at, c) => {
    if (o.fieldRef !== undefined) {
      downwardField(o.fieldRef, at.child('fieldRef'), c);
      if (o.resourceFieldRef !== undefined)
        c.errors.push(
          invalidValue(at, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously'),
        );
    } else if (o.resourceFieldRef !== undefined) downwardResource(o.resourceFieldRef, at.child('resourceFieldRef'), c);
    else c.errors.push(requiredError(at, 'one of fieldRef and resourceFieldRef is required'));
  }),
  mode: sources.fileMode,
});
const downwardAPI: Rule<PodCheck> = struct<PodCheck>('core.v1.DownwardAPIVolumeSource', {
  defaultMode: sources.fileMode,
  $items: whole((o, at, c) => {
    for (const file of list(o, 'items')) downwardFile(file, at, c);
  }),
});

/** Paths that the sources of a projected volume wrote so far. */
class Projected {
  readonly #seen = new Set<string>();
  readonly #at: Path;
  constructor(at: Path) {
    this.#at = at;
  }
  add(path: string, shown: string, c: Check): void {
    if (this.#seen.has(path)) c.errors.push(invalidValue(this.#at, shown, 'conflicting duplicate paths'));
    else this.#seen.add(path);
  }
}

const TEN_MINUTES = 600;
function tokenSource(token: JsonObject, at: Path, volume: Path, c: PodCheck): void {
  const seconds = num(token, 'expirationSeconds');
  const here = at.child('expirationSeconds');
  if (seconds < TEN_MINUTES)
    c.errors.push(invalidValue(here, seconds, 'may not specify a duration less than 10 minutes'));
  if (seconds > 2 ** 32)
    c.errors.push(invalidValue(here, seconds, 'may not specify a duration larger than 2^32 seconds'));
  const path = str(token, 'path');
  if (path === '') c.errors.push(requiredError(volume.child('path')));
  else if (!c.lenient.tokenPaths) unreservedPath(path, volume.child('path'), c);
}

function trustBundle(bundle: JsonObject, at: Path, c: PodCheck): void {
  const { name, signerName } = bundle;
  if (name !== undefined && signerName !== undefined)
    c.errors.push(
      invalidValue(
        at,
        goForm('core.v1.ClusterTrustBundleProjection', bundle),
        'only one of name and signerName may be used',
      ),
    );
  else if (name !== undefined) {
    if (name === '') c.errors.push(requiredError(at.child('name'), 'must be a valid object name'));
    for (const m of validateTrustBundleName(name as string))
      c.errors.push(invalidValue(at.child('name'), name, `not a valid clustertrustbundlename: ${m}`));
    if (bundle.labelSelector !== undefined)
      c.errors.push(
        invalidValue(
          at.child('labelSelector'),
          bundle.labelSelector,
          'labelSelector must be unset if name is specified',
        ),
      );
  } else if (signerName !== undefined) {
    if (signerName === '') c.errors.push(requiredError(at.child('signerName'), 'must be a valid signer name'));
    validateSignerName(signerName as string, at.child('signerName'), c);
    labelSelector(bundle.labelSelector, at.child('labelSelector'), c);
  } else c.errors.push(requiredError(at, 'either name or signerName must be specified'));
  required()(str(bundle, 'path'), at.child('path'), c);
  unreservedPath(str(bundle, 'path'), at.child('path'), c);
}

const KEY_TYPES = ['ECDSAP256', 'ECDSAP384', 'ECDSAP521', 'ED25519', 'RSA3072', 'RSA4096'];
const podCertificate = struct<PodCheck>('core.v1.PodCertificateProjection', {
  signerName: (v, at, c) => validateSignerName(v as string, at, c),
  keyType: oneOf(...KEY_TYPES),
});

const projectedSources: readonly string[] = [
  'secret',
  'configMap',
  'downwardAPI',
  'serviceAccountToken',
  'clusterTrustBundle',
  'podCertificate',
];

function projectedSource(source: JsonObject, at: Path, volume: Path, paths: Projected, c: PodCheck): void {
  for (const kind of ['secret', 'configMap']) {
    const projection = ptr(source, kind);
    if (!projection) continue;
    const here = at.child(kind);
    required()(str(projection, 'name'), here.child('name'), c);
    list(projection, 'items').forEach((item, i) => {
      sources.keyToPath(item, here.child('items').index(i), c);
      if (str(item, 'path')) paths.add(str(item, 'path'), str(projection, 'name'), c);
    });
  }
  for (const file of list(ptr(source, 'downwardAPI'), 'items')) {
    downwardFile(file, at.child('downwardAPI'), c);
    if (str(file, 'path')) paths.add(str(file, 'path'), str(file, 'path'), c);
  }
  const token = ptr(source, 'serviceAccountToken');
  if (token) tokenSource(token, at.child('serviceAccountToken'), volume, c);
  const bundle = ptr(source, 'clusterTrustBundle');
  if (bundle) {
    trustBundle(bundle, at.child('clusterTrustBundle'), c);
    paths.add(str(bundle, 'path'), str(bundle, 'path'), c);
  }
  const certificate = ptr(source, 'podCertificate');
  if (certificate) podCertificate(certificate, at.child('podCertificate'), c);
  if (projectedSources.filter((name) => source[name] !== undefined).length > 1)
    c.errors.push(forbiddenField(at, 'may not specify more than 1 volume type per source'));
}

const projected = struct<PodCheck>('core.v1.ProjectedVolumeSource', {
  defaultMode: sources.fileMode,
  $sources: whole((o, at, c) => {
    const paths = new Projected(at);
    list(o, 'sources').forEach((source, i) => {
      projectedSource(source, at.child('sources').index(i), at, paths, c);
    });
  }),
});

const image = struct<PodCheck>('core.v1.ImageVolumeSource', {
  reference: (v, at, c) => {
    if (c.pod) required()(v, at, c);
  },
  pullPolicy: required(oneOf('Always', 'IfNotPresent', 'Never')),
});

const source = exactlyOne<PodCheck>(
  'volume',
  {
    emptyDir,
    hostPath: sources.hostPath,
    gitRepo: sources.gitRepo,
    gcePersistentDisk: sources.gcePersistentDisk,
    awsElasticBlockStore: sources.awsElasticBlockStore,
    secret: sources.secret,
    nfs: sources.nfs,
    iscsi: sources.iscsi,
    glusterfs: sources.glusterfs,
    flocker: sources.flocker,
    persistentVolumeClaim: sources.claim,
    rbd: sources.rbd,
    cinder: sources.cinder,
    cephfs: sources.cephfs,
    quobyte: sources.quobyte,
    downwardAPI,
    fc: sources.fc,
    flexVolume: sources.flexVolume,
    configMap: sources.configMap,
    azureFile: sources.azureFile,
    vsphereVolume: sources.vsphereVolume,
    photonPersistentDisk: sources.photonPersistentDisk,
    portworxVolume: sources.portworxVolume,
    azureDisk: sources.azureDisk,
    storageos: sources.storageos,
    projected,
    scaleIO: sources.scaleIO,
    csi: sources.csi,
    ephemeral: struct<PodCheck>('core.v1.EphemeralVolumeSource', {
      volumeClaimTemplate: requiredPresent('', claimTemplate),
    }),
    image,
  },
  {
    lookAt: { gcePersistentDisk: 'persistentDisk' },
    refuseAt: { cephfs: 'cephFS', downwardAPI: 'downwarAPI' },
  },
);

function validateVolume(volume: JsonObject, at: Path, taken: ReadonlySet<string>, c: PodCheck): void {
  const name = str(volume, 'name');
  source(volume, at, c);
  const iscsi = ptr(volume, 'iscsi');
  if (iscsi && sources.portalTooLong(name, iscsi))
    c.errors.push(invalidValue(at.child('name'), name, sources.PORTAL_TEXT));
  if (volume.ephemeral !== undefined && c.pod?.name && name) {
    const claim = `${c.pod.name}-${name}`;
    for (const m of formats.dns1123Subdomain(claim))
      c.errors.push(invalidValue(at.child('name'), name, `PVC name ${JSON.stringify(claim)}: ${m}`));
  }
  required(dnsLabel)(name, at.child('name'), c);
  if (taken.has(name)) c.errors.push(duplicate(at.child('name'), name));
}

/** Checks the volumes of a pod and returns the sound ones by name; containers can mount no others. */
export function validateVolumes(volumes: readonly JsonObject[], at: Path, c: PodCheck): Map<string, JsonObject> {
  const sound = new Map<string, JsonObject>();
  const made = new Set(
    c.pod?.name ? volumes.filter((v) => v.ephemeral !== undefined).map((v) => `${c.pod!.name}-${str(v, 'name')}`) : [],
  );
  const taken = new Set<string>();
  volumes.forEach((volume, i) => {
    const here = at.index(i);
    const name = str(volume, 'name');
    const before = c.errors.length;
    validateVolume(volume, here, taken, c);
    if (c.errors.length === before) {
      taken.add(name);
      sound.set(name, volume);
    }
    const claim = str(ptr(volume, 'persistentVolumeClaim'), 'claimName');
    if (volume.persistentVolumeClaim !== undefined && made.has(claim))
      c.errors.push(
        invalidValue(
          here.child('persistentVolumeClaim', 'claimName'),
          claim,
          'must not reference a PVC that gets created for an ephemeral volume',
        ),
      );
  });
  return sound;
}
