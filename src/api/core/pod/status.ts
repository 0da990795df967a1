import { duplicate, forbiddenField, invalidValue, notSupported, Path } from '../../../machinery/field.js';
import { getOwn, type JsonObject, type KubeObject } from '../../../machinery/json.js';
import { list, obj, ptr, str } from '../../access.js';
import {
  type Check,
  dnsSubdomain,
  each,
  goForm,
  immutable,
  parseIP,
  qualifiedName,
  struct,
  validateIP,
} from '../../validation/index.js';
import type { PodCheck } from './check.js';
import { posixId } from './security.js';
import { annotationUpdates } from './update.js';

const STATUS = new Path('status');
const SYSTEM_CONDITIONS = new Set(['PodScheduled', 'Ready', 'Initialized']);

/** A container that has ended for good does not come back. */
function transitions(
  pod: KubeObject,
  old: KubeObject,
  field: string,
  restartPolicy: string,
  restartable: (name: string) => boolean,
  c: Check,
): void {
  if (restartPolicy === 'Always') return;
  list(obj(old, 'status'), field).forEach((was, i) => {
    const ended = ptr(obj(was, 'state'), 'terminated');
    if (!ended || (Number(ended.exitCode ?? 0) !== 0 && restartPolicy === 'OnFailure')) return;
    if (restartable(str(was, 'name'))) return;
    for (const now of list(obj(pod, 'status'), field))
      if (str(now, 'name') === str(was, 'name') && !ptr(obj(now, 'state'), 'terminated'))
        c.errors.push(
          forbiddenField(
            STATUS.child(field).index(i).child('state'),
            'may not be transitioned to non-terminated state',
          ),
        );
  });
}

function claimStatuses(pod: KubeObject, c: Check): void {
  const known = new Set(list(obj(pod, 'spec'), 'resourceClaims').map((o) => str(o, 'name')));
  const seen = new Set<string>();
  list(obj(pod, 'status'), 'resourceClaimStatuses').forEach((s, i) => {
    const name = str(s, 'name');
    const here = STATUS.child('resourceClaimStatuses').index(i).child('name');
    if (!known.has(name))
      c.errors.push(invalidValue(here, name, 'must match the name of an entry in `spec.resourceClaims`'));
    if (seen.has(name)) c.errors.push(duplicate(here, name));
    seen.add(name);
    if (s.resourceClaimName !== undefined) dnsSubdomain(s.resourceClaimName, here, c);
  });
}

/** Addresses of a pod or its node: at most one of each family. */
function addresses(pod: KubeObject, old: KubeObject, field: 'podIPs' | 'hostIPs', type: string, c: Check): void {
  const status = obj(pod, 'status');
  const all = list(status, field);
  const at = STATUS.child(field);
  if (all.length === 0) return;
  const ips = all.map((o) => str(o, 'ip'));
  const stored = list(obj(old, 'status'), field).map((o) => str(o, 'ip'));
  if (field === 'hostIPs' && str(status, 'hostIP') !== ips[0])
    c.errors.push(invalidValue(at.index(0).child('ip'), ips[0], 'must be equal to `hostIP`'));
  ips.forEach((ip, i) => {
    validateIP(ip, at.index(i), c, stored);
  });
  if (ips.length < 2) return;
  const families = new Set(ips.map((ip) => parseIP(ip)?.family));
  const oneEach = families.size === 2 && !families.has(undefined) && ips.length === 2;
  const twice = () => {
    const seen = new Set<string>();
    ips.forEach((ip, i) => {
      if (seen.has(ip)) c.errors.push(duplicate(at.index(i), goForm(type, all[i])));
      seen.add(ip);
    });
  };
  if (field === 'hostIPs') twice();
  if (!oneEach)
    c.errors.push(invalidValue(at, goForm(type, all), 'may specify no more than one IP for each IP family'));
  if (field === 'podIPs') twice();
}

const linuxUser = struct<PodCheck>('core.v1.LinuxContainerUser', {
  uid: posixId,
  gid: posixId,
  supplementalGroups: each(posixId),
});

function users(pod: KubeObject, field: string, c: Check): void {
  const windows = str(obj(obj(pod, 'spec'), 'os'), 'name') === 'windows';
  list(obj(pod, 'status'), field).forEach((s, i) => {
    const linux = ptr(ptr(s, 'user'), 'linux');
    const here = STATUS.child(field).index(i).child('linux');
    if (!linux) return;
    if (windows) c.errors.push(forbiddenField(here, 'cannot be set for a windows pod'));
    else linuxUser(linux, here, c as PodCheck);
  });
}

const HEALTH = ['Healthy', 'Unhealthy', 'Unknown'].sort();
function allocated(pod: KubeObject, field: string, containers: readonly JsonObject[] | undefined, c: Check): void {
  list(obj(pod, 'status'), field).forEach((s, i) => {
    const at = STATUS.child(field).index(i).child('allocatedResourcesStatus');
    const resources = list(s, 'allocatedResourcesStatus');
    if (!containers) {
      if (resources.length > 0) c.errors.push(forbiddenField(at, 'must not be specified in container status'));
      return;
    }
    const container = containers.find((o) => str(o, 'name') === str(s, 'name'));
    resources.forEach((resource, j) => {
      if (container) allocatedName(str(resource, 'name'), container, at.index(j).child('name'), c);
      const seen = new Set<string>();
      list(resource, 'resources').forEach((r, k) => {
        const here = at.index(j).child('resources').index(k);
        const health = str(r, 'health');
        if (!HEALTH.includes(health)) c.errors.push(notSupported(here.child('health'), health, HEALTH));
        const id = str(r, 'resourceID');
        if (seen.has(id)) c.errors.push(duplicate(here.child('resourceID'), id));
        seen.add(id);
      });
    });
  });
}
function allocatedName(name: string, container: JsonObject, at: Path, c: Check): void {
  const resources = obj(container, 'resources');
  if (name.startsWith('claim:')) {
    const names = list(resources, 'claims').map(
      (o) => `claim:${str(o, 'name')}${o.request ? `/${str(o, 'request')}` : ''}`,
    );
    if (!names.includes(name))
      c.errors.push(
        invalidValue(
          at,
          name,
          "must match one of the container's resource claims in a format 'claim:<claimName>/<request>' or 'claim:<claimName>' if request is empty",
        ),
      );
  } else if (getOwn(obj(resources, 'requests'), name) === undefined)
    c.errors.push(invalidValue(at, name, "must match one of the container's resource requests"));
}

/** What the kubelet may report. */
export function podStatusRules(pod: KubeObject, old: KubeObject, c: Check): void {
  annotationUpdates(pod, old, c);
  const status = obj(pod, 'status');
  const spec = obj(pod, 'spec');
  const oldSpec = obj(old, 'spec');
  list(status, 'conditions').forEach((condition, i) => {
    const type = str(condition, 'type');
    if (!SYSTEM_CONDITIONS.has(type)) qualifiedName(type, new Path('status.conditions').index(i).child('Type'), c);
  });
  if (str(spec, 'nodeName') !== str(oldSpec, 'nodeName'))
    c.errors.push(forbiddenField(STATUS.child('nodeName'), 'may not be changed directly'));
  const nominated = str(status, 'nominatedNodeName');
  if (nominated && nominated !== str(obj(old, 'status'), 'nominatedNodeName'))
    dnsSubdomain(nominated, STATUS.child('nominatedNodeName'), c);
  immutable(str(status, 'qosClass'), str(obj(old, 'status'), 'qosClass'), STATUS.child('qosClass'), c);
  const policy = str(oldSpec, 'restartPolicy');
  const containers = [...list(oldSpec, 'containers'), ...list(oldSpec, 'initContainers')];
  const own = (name: string) => containers.find((o) => str(o, 'name') === name);
  const never = () => false;
  transitions(
    pod,
    old,
    'containerStatuses',
    policy,
    (name) => own(name)?.restartPolicy !== undefined || list(own(name), 'restartPolicyRules').length > 0,
    c,
  );
  transitions(pod, old, 'initContainerStatuses', policy, (name) => own(name)?.restartPolicy !== undefined, c);
  transitions(pod, old, 'ephemeralContainerStatuses', 'Never', never, c);
  claimStatuses(pod, c);
  addresses(pod, old, 'podIPs', 'core.v1.PodIP', c);
  addresses(pod, old, 'hostIPs', 'core.v1.HostIP', c);
  for (const field of ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'])
    users(pod, field, c);
  allocated(pod, 'containerStatuses', list(spec, 'containers'), c);
  allocated(pod, 'initContainerStatuses', list(spec, 'initContainers'), c);
  allocated(pod, 'ephemeralContainerStatuses', undefined, c);
}
