import { Path } from '../../../machinery/field.js';
import type { JsonObject, ObjectMeta } from '../../../machinery/json.js';
import { list, num, obj, ptr, str } from '../../access.js';
import { APPARMOR } from './annotations.js';
import { quantity } from './resources.js';
import { visitContainers } from './security.js';

const quote = JSON.stringify;

/** Labels of nodes that have a successor. */
export const DEPRECATED_LABELS: Readonly<Record<string, string>> = {
  'beta.kubernetes.io/arch': 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  'beta.kubernetes.io/os': 'deprecated since v1.14; use "kubernetes.io/os" instead',
  'failure-domain.beta.kubernetes.io/region': 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  'failure-domain.beta.kubernetes.io/zone': 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  'beta.kubernetes.io/instance-type': 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
};
const DEPRECATED_ANNOTATIONS: Readonly<Record<string, string>> = {
  'scheduler.alpha.kubernetes.io/critical-pod': 'non-functional in v1.16+; use the "priorityClassName" field instead',
  'security.alpha.kubernetes.io/sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
  'security.alpha.kubernetes.io/unsafe-sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
};
/** Volume types that are gone or going: field, name in the warning, since when. */
const DEPRECATED_VOLUMES: readonly (readonly [field: string, shown: string, text: string])[] = [
  ['photonPersistentDisk', 'photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['gitRepo', 'gitRepo', 'deprecated in v1.11, and disabled by default in v1.33+'],
  ['scaleIO', 'scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['flocker', 'flocker', 'deprecated in v1.22, non-functional in v1.25+'],
  ['storageos', 'storageOS', 'deprecated in v1.22, non-functional in v1.25+'],
  ['quobyte', 'quobyte', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
];
const DEPRECATED_VOLUMES_LATER: typeof DEPRECATED_VOLUMES = [
  ['cephfs', 'cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['rbd', 'rbd', 'deprecated in v1.28, non-functional in v1.31+'],
];

/** `key: message` for each deprecated label that the term selects nodes by. */
export function nodeSelectorTermWarnings(term: JsonObject, at: Path): string[] {
  return list(term, 'matchExpressions').flatMap((r, i) => {
    const key = str(r, 'key');
    const text = DEPRECATED_LABELS[key];
    return text ? [`${at.child('matchExpressions').index(i).child('key')}: ${key} is ${text}`] : [];
  });
}

function schedulingWarnings(spec: JsonObject, at: Path): string[] {
  const out: string[] = [];
  for (const key of Object.keys(obj(spec, 'nodeSelector')).sort())
    if (DEPRECATED_LABELS[key]) out.push(`${at.child('nodeSelector').key(key)}: ${DEPRECATED_LABELS[key]}`);
  const nodes = obj(obj(spec, 'affinity'), 'nodeAffinity');
  const nodePath = at.child('affinity', 'nodeAffinity');
  const needed = nodePath.child('requiredDuringSchedulingIgnoredDuringExecution', 'nodeSelectorTerms');
  list(obj(nodes, 'requiredDuringSchedulingIgnoredDuringExecution'), 'nodeSelectorTerms').forEach((term, i) => {
    out.push(...nodeSelectorTermWarnings(term, needed.index(i)));
  });
  const wished = nodePath.child('preferredDuringSchedulingIgnoredDuringExecution');
  list(nodes, 'preferredDuringSchedulingIgnoredDuringExecution').forEach((term, i) => {
    out.push(...nodeSelectorTermWarnings(obj(term, 'preference'), wished.index(i).child('preference')));
  });
  list(spec, 'topologySpreadConstraints').forEach((constraint, i) => {
    const here = at.child('topologySpreadConstraints').index(i);
    const key = str(constraint, 'topologyKey');
    if (DEPRECATED_LABELS[key]) out.push(`${here.child('topologyKey')}: ${key} is ${DEPRECATED_LABELS[key]}`);
    if (!ptr(constraint, 'labelSelector'))
      out.push(`${here.child('labelSelector')}: a null labelSelector results in matching no pod`);
  });
  return out;
}

interface PathOf {
  readonly path: string;
  readonly source: string;
}
const shownPath = ({ path, source }: PathOf) => (source ? `${quote(path)} (${source})` : quote(path));
const itemPaths = (holder: JsonObject | undefined, source: string): PathOf[] =>
  list(holder, 'items').map((item) => ({ path: str(item, 'path').replace(/\/+$/, ''), source }));

/** The headers of an answer have room for 4096 letters of warnings in all. */
const MAX_OVERLAPS = 4096;

/** Paths that are the same, or one inside the other. */
function overlaps(paths: readonly PathOf[]): string[] {
  const out: string[] = [];
  const folders = paths.map(({ path }) => `${path}/`);
  for (const [i, p] of paths.entries()) {
    if (!p.path) continue;
    const here = folders[i]!;
    for (let j = 0; j < i; j++) {
      const other = folders[j]!;
      if (other === '/' || !(here.startsWith(other) || other.startsWith(here))) continue;
      out.push(`${shownPath(p)} with ${shownPath(paths[j]!)}`);
      if (out.length === MAX_OVERLAPS) return out;
    }
  }
  return out;
}

function projectedPaths(source: JsonObject): PathOf[] {
  const named = (kind: string, shown: string) =>
    itemPaths(ptr(source, kind), `${shown} ${quote(str(ptr(source, kind), 'name'))}`);
  if (source.configMap !== undefined) return named('configMap', 'ConfigMap');
  if (source.secret !== undefined) return named('secret', 'Secret');
  if (source.downwardAPI !== undefined) return itemPaths(ptr(source, 'downwardAPI'), 'DownwardAPI');
  const token = ptr(source, 'serviceAccountToken');
  if (token) return [{ path: str(token, 'path'), source: 'ServiceAccountToken' }];
  const bundle = ptr(source, 'clusterTrustBundle');
  const name = str(bundle, 'name') || str(bundle, 'signerName');
  return bundle ? [{ path: str(bundle, 'path'), source: `ClusterTrustBundle ${quote(name)}` }] : [];
}

/** Files of one volume that hide each other. */
function overlapWarnings(volumes: readonly JsonObject[]): string[] {
  return volumes.flatMap((volume) => {
    const warn = (what: string, paths: readonly PathOf[]) =>
      overlaps(paths).map((o) => `volume ${quote(str(volume, 'name'))} (${what}): overlapping paths: ${o}`);
    const { configMap, secret, downwardAPI, projected } = volume as Record<string, JsonObject | undefined>;
    const sources = list(projected, 'sources');
    return [
      ...(configMap ? warn(`ConfigMap ${quote(str(configMap, 'name'))}`, itemPaths(configMap, '')) : []),
      ...(secret ? warn(`Secret ${quote(str(secret, 'secretName'))}`, itemPaths(secret, '')) : []),
      ...(downwardAPI ? warn('DownwardAPI', itemPaths(downwardAPI, '')) : []),
      ...sources
        .filter((source) => Object.keys(source).length === 0)
        .map(() => `volume ${quote(str(volume, 'name'))} (Projected) has no sources provided`),
      ...warn('Projected', sources.flatMap(projectedPaths)),
    ];
  });
}

function volumeWarnings(spec: JsonObject, at: Path): string[] {
  const out: string[] = [];
  list(spec, 'volumes').forEach((volume, i) => {
    const here = at.child('volumes').index(i);
    const deprecated = (table: typeof DEPRECATED_VOLUMES) => {
      for (const [field, shown, text] of table)
        if (volume[field] !== undefined) out.push(`${here.child(shown)}: ${text}`);
    };
    deprecated(DEPRECATED_VOLUMES);
    const template = ptr(ptr(volume, 'ephemeral'), 'volumeClaimTemplate');
    if (template)
      out.push(...claimSpecWarnings(obj(template, 'spec'), here.child('ephemeral', 'volumeClaimTemplate', 'spec')));
    deprecated(DEPRECATED_VOLUMES_LATER);
  });
  return [...out, ...overlapWarnings(list(spec, 'volumes'))];
}

const fractional = (amounts: JsonObject, name: string, at: Path): string[] => {
  if (amounts[name] === undefined) return [];
  const q = quantity(amounts[name]);
  return q.isInteger()
    ? []
    : [`${at.key(name)}: fractional byte value ${quote(q.toString())} is invalid, must be an integer`];
};

/** Storage is asked for in whole bytes. */
export function claimSpecWarnings(spec: JsonObject, at: Path): string[] {
  const resources = obj(spec, 'resources');
  return ['requests', 'limits'].flatMap((side) =>
    fractional(obj(resources, side), 'storage', at.child('resources', side)),
  );
}

function duplicates(items: readonly string[], warn: (i: number, item: string) => void): void {
  const seen = new Set<string>();
  items.forEach((item, i) => {
    if (seen.has(item)) warn(i, item);
    else seen.add(item);
  });
}

function envWarnings(container: JsonObject, at: Path): string[] {
  const out: string[] = [];
  const seen = new Set<string>();
  list(container, 'env').forEach((v, i) => {
    const name = str(v, 'name');
    const reference = `$(${name})`;
    const value = str(v, 'value');
    if (!seen.has(name)) seen.add(name);
    else if (v.valueFrom !== undefined || value === reference || !value.includes(reference))
      out.push(
        `${at.child('env').index(i)}: hides previous definition of ${quote(name)}, which may be dropped when using apply`,
      );
  });
  return out;
}

const goStruct = (p: JsonObject) =>
  `{Name:${str(p, 'name')} HostPort:${num(p, 'hostPort')} ContainerPort:${num(p, 'containerPort')} Protocol:${str(p, 'protocol')} HostIP:${str(p, 'hostIP')}}`;

function portWarnings(spec: JsonObject, at: Path): string[] {
  const out: string[] = [];
  const all = new Map<string, { at: Path; port: JsonObject }[]>();
  visitContainers(spec, at, (container, here) => {
    list(container, 'ports').forEach((port, i) => {
      const where = here.child('ports').index(i);
      const ip = str(port, 'hostIP');
      const host = num(port, 'hostPort');
      if (ip && host === 0) out.push(`${where}: hostIP set without hostPort: ${goStruct(port)}`);
      const key = `${num(port, 'containerPort')}/${str(port, 'protocol')}`;
      const others = all.get(key) ?? [];
      for (const other of others) {
        const otherIp = str(other.port, 'hostIP');
        const otherHost = num(other.port, 'hostPort');
        if (ip === otherIp && host === otherHost) out.push(`${where}: duplicate port definition with ${other.at}`);
        else if (host === 0 || otherHost === 0) out.push(`${where}: overlapping port definition with ${other.at}`);
        else if (host === otherHost && (ip === '') !== (otherIp === ''))
          out.push(`${where}: dangerously ambiguous port definition with ${other.at}`);
      }
      all.set(key, [...others, { at: where, port }]);
    });
  });
  return out;
}

function affinityWarnings(spec: JsonObject, at: Path): string[] {
  const out: string[] = [];
  for (const kind of ['podAffinity', 'podAntiAffinity']) {
    const terms = obj(obj(spec, 'affinity'), kind);
    const here = at.child('affinity', kind);
    const warn = (where: Path) => out.push(`${where}: a null labelSelector results in matching no pod`);
    list(terms, 'requiredDuringSchedulingIgnoredDuringExecution').forEach((term, i) => {
      if (!ptr(term, 'labelSelector'))
        warn(here.child('requiredDuringSchedulingIgnoredDuringExecution').index(i).child('labelSelector'));
    });
    list(terms, 'preferredDuringSchedulingIgnoredDuringExecution').forEach((term, i) => {
      if (!ptr(obj(term, 'podAffinityTerm'), 'labelSelector'))
        warn(
          here
            .child('preferredDuringSchedulingIgnoredDuringExecution')
            .index(i)
            .child('podAffinityTerm', 'labelSelector'),
        );
    });
  }
  return out;
}

/**
 * What is accepted but surely not meant: deprecated fields and labels, duplicates that an apply would drop, fractions of
 * bytes. `at` is the template's path; undefined for a pod.
 */
export function podWarnings(meta: ObjectMeta, spec: JsonObject, at?: Path): string[] {
  const here = (at ?? new Path()).child('spec');
  const annotations = meta.annotations ?? {};
  const annotationPath = (at ?? new Path()).child('metadata', 'annotations');
  const out = schedulingWarnings(spec, here);
  for (const [key, text] of Object.entries(DEPRECATED_ANNOTATIONS))
    if (Object.hasOwn(annotations, key)) out.push(`${annotationPath.key(key)}: ${text}`);
  out.push(...volumeWarnings(spec, here));
  duplicates(
    list(spec, 'hostAliases').map((o) => str(o, 'ip')),
    (i, ip) => out.push(`${here.child('hostAliases').index(i).child('ip')}: duplicate ip ${quote(ip)}`),
  );
  const secrets = list(spec, 'imagePullSecrets').map((o) => str(o, 'name'));
  const secretPath = (i: number) => here.child('imagePullSecrets').index(i).child('name');
  duplicates(secrets, (i, name) => out.push(`${secretPath(i)}: duplicate name ${quote(name)}`));
  secrets.forEach((name, i) => {
    if (name === '') out.push(`${secretPath(i)}: invalid empty name ""`);
  });
  for (const name of ['memory', 'ephemeral-storage'])
    out.push(...fractional(obj(spec, 'overhead'), name, here.child('overhead')));

  const context = obj(spec, 'securityContext');
  const seccomp = (key: string) => {
    if (Object.hasOwn(annotations, key))
      out.push(`${annotationPath.key(key)}: non-functional in v1.27+; use the "seccompProfile" field instead`);
  };
  if (context.seccompProfile === undefined) seccomp('seccomp.security.alpha.kubernetes.io/pod');
  visitContainers(spec, here, (container, path) => {
    const own = obj(container, 'securityContext');
    const name = str(container, 'name');
    if (own.seccompProfile === undefined) seccomp(`container.seccomp.security.alpha.kubernetes.io/${name}`);
    // For pods the annotation is turned into the field, which warns on its own.
    if (
      at &&
      (own.appArmorProfile ?? context.appArmorProfile) === undefined &&
      Object.hasOwn(annotations, APPARMOR + name)
    )
      out.push(
        `${annotationPath.key(APPARMOR + name)}: deprecated since v1.30; use the "appArmorProfile" field instead`,
      );
    const resources = obj(container, 'resources');
    for (const amount of ['memory', 'ephemeral-storage'])
      for (const side of ['limits', 'requests'])
        out.push(...fractional(obj(resources, side), amount, path.child('resources', side)));
    out.push(...envWarnings(container, path));
  });
  out.push(...portWarnings(spec, here));
  if (num(spec, 'terminationGracePeriodSeconds') < 0)
    out.push(
      `${here.child('terminationGracePeriodSeconds')}: must be >= 0; negative values are invalid and will be treated as 1`,
    );
  return [...out, ...affinityWarnings(spec, here)];
}
