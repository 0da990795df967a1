import { invalidValue, notSupported, required as requiredError } from '../../machinery/field.js';
import type { JsonObject } from '../../machinery/json.js';
import { bool, num, obj, str, strings } from '../access.js';
import {
  absolutePath,
  type Check,
  descendingPath,
  dnsLabel,
  dnsSubdomain,
  each,
  format,
  formats,
  ifPresent,
  ifSet,
  maxBytes,
  noBacksteps,
  oneOf,
  type Rule,
  type RuleTable,
  range,
  required,
  satisfies,
  struct,
  unreservedPath,
  whole,
} from '../validation/index.js';

// Sources of volumes that pods and persistent volumes share. Those of the two differ in a secret's namespace at most.

/** Permission bits of a file, owner, group and others. */
export const fileMode = ifPresent(
  satisfies((n) => n >= 0 && n <= 0o777, 'must be a number between 0 and 0777 (octal), both inclusive'),
);

const HOST_PATH_TYPES = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
];
const hostPathDetails = struct('core.v1.HostPathVolumeSource', {
  path: noBacksteps,
  type: ifPresent(oneOf(...HOST_PATH_TYPES)),
});
export const hostPath = struct('core.v1.HostPathVolumeSource', {
  path: required(),
  $details: whole((o, at, c) => {
    if (str(o, 'path') !== '') hostPathDetails(o, at, c);
  }),
});

const partition = satisfies((n) => n >= 0 && n <= 255, formats.rangeError(1, 255));
export const gcePersistentDisk = struct('core.v1.GCEPersistentDiskVolumeSource', { pdName: required(), partition });
export const awsElasticBlockStore = struct('core.v1.AWSElasticBlockStoreVolumeSource', {
  volumeID: required(),
  partition,
});

export const nfs = struct('core.v1.NFSVolumeSource', { server: required(), path: [required(), absolutePath] });

const IQN = /iqn\.\d{4}-\d{2}\.([a-zA-Z0-9.-]+)(:[^,;*&$|\s]+)$/;
const EUI = /^eui.[a-zA-Z0-9]{16}$/;
const NAA = /^naa.[a-zA-Z0-9]{32}$/;
function validInitiator(name: string): boolean {
  if (name.startsWith('iqn')) return IQN.test(name);
  return name.startsWith('eui') ? EUI.test(name) : name.startsWith('naa') && NAA.test(name);
}
const knownInitiator = (name: string) => /^(iqn|eui|naa)/.test(name);
const UNIT = range(0, 255);

/** Both kinds of iSCSI sources; `persistent` ones name their secret fully and word one fault otherwise. */
function iscsiTable(persistent: boolean): RuleTable<Check> {
  const unknown = persistent ? 'must be valid format' : 'must be valid format starting with iqn, eui, or naa';
  return {
    iqn: required((v, at, c) => {
      const name = v as string;
      if (!knownInitiator(name)) c.errors.push(invalidValue(at, name, unknown));
      else if (!validInitiator(name)) c.errors.push(invalidValue(at, name, 'must be valid format'));
    }),
    lun: UNIT,
    $secret: whole((o, at, c) => {
      if ((bool(o, 'chapAuthDiscovery') || bool(o, 'chapAuthSession')) && o.secretRef === undefined)
        c.errors.push(requiredError(at.child('secretRef')));
    }),
    ...(persistent ? { secretRef: ifPresent(struct('core.v1.SecretReference', { name: required() })) } : {}),
    $initiator: whole((o, at, c) => {
      if (o.initiatorName === undefined) return;
      const name = str(o, 'initiatorName');
      const here = at.child('initiatorname');
      if (!knownInitiator(name)) c.errors.push(invalidValue(here, name, unknown));
      else if (!validInitiator(name)) c.errors.push(invalidValue(here, name, 'must be valid format'));
    }),
  };
}
export const PORTAL_TEXT =
  'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.';
/** The kubelet makes one name of volume and portal, and iSCSI has no room for more. */
export const portalTooLong = (name: string, iscsi: JsonObject): boolean =>
  iscsi.initiatorName !== undefined && formats.byteLength(`${name}:${str(iscsi, 'targetPortal')}`) > 64;

export const iscsi = struct('core.v1.ISCSIVolumeSource', { targetPortal: required(), ...iscsiTable(false) });
export const persistentIscsi = (volumeName: string): Rule =>
  struct('core.v1.ISCSIPersistentVolumeSource', {
    targetPortal: required(),
    $portal: whole((o, at, c) => {
      if (portalTooLong(volumeName, o))
        c.errors.push(invalidValue(at.child('targetportal'), str(o, 'targetPortal'), PORTAL_TEXT));
    }),
    ...iscsiTable(true),
  });

export const fc = struct('core.v1.FCVolumeSource', {
  $names: whole((o, at, c) => {
    const wwns = strings(o, 'targetWWNs');
    const wwids = strings(o, 'wwids');
    const here = at.child('targetWWNs');
    if (wwns.length === 0 && wwids.length === 0)
      c.errors.push(requiredError(here, 'must specify either targetWWNs or wwids, but not both'));
    if (wwns.length > 0 && wwids.length > 0)
      c.errors.push(invalidValue(here, wwns, 'targetWWNs and wwids can not be specified simultaneously'));
    if (wwns.length === 0) return;
    if (o.lun === undefined)
      c.errors.push(requiredError(at.child('lun'), 'lun is required if targetWWNs is specified'));
    else UNIT(num(o, 'lun'), at.child('lun'), c);
  }),
});

const PAIR = 'must be a host:port pair or multiple pairs separated by commas';
/** `host:port`, an IPv6 host in brackets. */
const isHostPort = (s: string) => /^(?:\[[^[\]]*\]|[^[\]:]*):[^[\]:]*$/.test(s);
export const quobyte = struct('core.v1.QuobyteVolumeSource', {
  $registry: whole((o, at, c) => {
    const registry = str(o, 'registry');
    if (registry === '') c.errors.push(requiredError(at.child('registry'), PAIR));
    else if (formats.byteLength(str(o, 'tenant')) >= 65)
      c.errors.push(requiredError(at.child('tenant'), 'must be a UUID and may not exceed a length of 64 characters'));
    else
      for (const pair of registry.split(','))
        if (!isHostPort(pair)) c.errors.push(invalidValue(at.child('registry'), registry, PAIR));
  }),
  volume: required(),
});

export const glusterfs = struct('core.v1.GlusterfsVolumeSource', { endpoints: required(), path: required() });
export const persistentGlusterfs = struct('core.v1.GlusterfsPersistentVolumeSource', {
  endpoints: required(),
  path: required(),
  endpointsNamespace: ifPresent((v, at, c) => {
    if (v === '')
      c.errors.push(invalidValue(at, v, 'if the endpointnamespace is set, it must be a valid namespace name'));
    else dnsLabel(v, at, c);
  }),
});

export const flocker = struct('core.v1.FlockerVolumeSource', {
  $dataset: whole((o, at, c) => {
    const name = str(o, 'datasetName');
    const uuid = str(o, 'datasetUUID');
    if (!name && !uuid) c.errors.push(requiredError(at, 'one of datasetName and datasetUUID is required'));
    if (name && uuid)
      c.errors.push(invalidValue(at, 'resource', 'datasetName and datasetUUID can not be specified simultaneously'));
    if (name.includes('/')) c.errors.push(invalidValue(at.child('datasetName'), name, "must not contain '/'"));
  }),
});

const ceph = { monitors: required() };
export const rbd = struct('core.v1.RBDVolumeSource', { ...ceph, image: required() });
export const persistentRbd = struct('core.v1.RBDPersistentVolumeSource', { ...ceph, image: required() });
export const cephfs = struct('core.v1.CephFSVolumeSource', ceph);
export const persistentCephfs = struct('core.v1.CephFSPersistentVolumeSource', ceph);

const secretName = ifPresent(struct('core.v1.LocalObjectReference', { name: required() }));
const secretInNamespace = ifPresent(struct('core.v1.SecretReference', { name: required(), namespace: required() }));
export const cinder = struct('core.v1.CinderVolumeSource', { volumeID: required(), secretRef: secretName });
export const persistentCinder = struct('core.v1.CinderPersistentVolumeSource', {
  volumeID: required(),
  secretRef: secretInNamespace,
});

const flexTable: RuleTable<Check> = {
  driver: required(),
  $options: whole((o, at, c) => {
    for (const key of Object.keys(obj(o, 'options')).sort()) {
      const namespace = `.${(key.includes('/') ? key.slice(0, key.indexOf('/')) : key).toLowerCase()}`;
      if (namespace.endsWith('.kubernetes.io') || namespace.endsWith('.k8s.io'))
        c.errors.push(
          invalidValue(at.child('options').key(key), key, 'kubernetes.io and k8s.io namespaces are reserved'),
        );
    }
  }),
};
export const flexVolume = struct('core.v1.FlexVolumeSource', flexTable);
export const persistentFlexVolume = struct('core.v1.FlexPersistentVolumeSource', flexTable);

export const azureFile = struct('core.v1.AzureFileVolumeSource', { secretName: required(), shareName: required() });
export const persistentAzureFile = struct('core.v1.AzureFilePersistentVolumeSource', {
  secretName: required(),
  shareName: required(),
  secretNamespace: ifPresent(required()),
});

const MANAGED_URI = ['/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}'];
const BLOB_URI = ['https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd'];
export const azureDisk = struct('core.v1.AzureDiskVolumeSource', {
  diskName: required(),
  diskURI: required(),
  cachingMode: ifPresent(oneOf('None', 'ReadOnly', 'ReadWrite')),
  kind: ifPresent(oneOf('Dedicated', 'Managed', 'Shared')),
  $uri: whole((o, at, c) => {
    const uri = str(o, 'diskURI');
    if (o.kind === undefined) return;
    const managed = o.kind === 'Managed';
    if (!uri.startsWith(managed ? '/subscriptions/' : 'https://'))
      c.errors.push(notSupported(at.child('diskURI'), uri, managed ? MANAGED_URI : BLOB_URI));
  }),
});

export const vsphereVolume = struct('core.v1.VsphereVirtualDiskVolumeSource', { volumePath: required() });
export const photonPersistentDisk = struct('core.v1.PhotonPersistentDiskVolumeSource', { pdID: required() });
export const portworxVolume = struct('core.v1.PortworxVolumeSource', { volumeID: required() });

const scaleIOTable = { gateway: required(), system: required(), volumeName: required() };
export const scaleIO = struct('core.v1.ScaleIOVolumeSource', scaleIOTable);
export const persistentScaleIO = struct('core.v1.ScaleIOPersistentVolumeSource', scaleIOTable);

const storageosTable = { volumeName: required(dnsLabel), volumeNamespace: ifSet(dnsLabel) };
export const storageos = struct('core.v1.StorageOSVolumeSource', { ...storageosTable, secretRef: secretName });
export const persistentStorageos = struct('core.v1.StorageOSPersistentVolumeSource', {
  ...storageosTable,
  secretRef: ifPresent(struct('core.v1.ObjectReference', { name: required(), namespace: required() })),
});

/** Name of a CSI driver: a domain of at most 63 bytes, whatever its case. */
export const csiDriverName: Rule = required(
  maxBytes(63),
  format((s) => formats.dns1123Subdomain(s.toLowerCase())),
);

export const keyToPath = struct('core.v1.KeyToPath', {
  key: required(),
  path: [required(), unreservedPath],
  mode: fileMode,
});
const items = each(keyToPath);
export const secret = struct('core.v1.SecretVolumeSource', { secretName: required(), defaultMode: fileMode, items });
export const configMap = struct('core.v1.ConfigMapVolumeSource', { name: required(), defaultMode: fileMode, items });

export const gitRepo = struct('core.v1.GitRepoVolumeSource', {
  repository: required(),
  directory: descendingPath,
});
export const claim = struct('core.v1.PersistentVolumeClaimVolumeSource', { claimName: required() });
export const local = struct('core.v1.LocalVolumeSource', { path: required(noBacksteps) });

/** CSI volume written in a pod. Faults of the secret's name are reported at the volume's: see the recorded answers. */
export const csi = struct('core.v1.CSIVolumeSource', {
  driver: csiDriverName,
  $secret: whole((o, at, c) => {
    if (o.nodePublishSecretRef === undefined) return;
    const name = str(obj(o, 'nodePublishSecretRef'), 'name');
    if (name === '') c.errors.push(requiredError(at.child('nodePublishSecretRef', 'name')));
    else dnsSubdomain(name, at.child('name'), c);
  }),
});

const pvSecret = ifPresent(
  struct('core.v1.SecretReference', { name: required(dnsSubdomain), namespace: required(dnsLabel) }),
);
export const persistentCsi = struct('core.v1.CSIPersistentVolumeSource', {
  driver: csiDriverName,
  volumeHandle: required(),
  controllerPublishSecretRef: pvSecret,
  controllerExpandSecretRef: pvSecret,
  nodePublishSecretRef: pvSecret,
  nodeExpandSecretRef: pvSecret,
});
