import {
  duplicate,
  forbiddenField,
  invalidValue,
  notFoundValue,
  notSupported,
  type Path,
  required as requiredError,
} from '../../../machinery/field.js';
import type { JsonObject } from '../../../machinery/json.js';
import { bool, list, num, obj, ptr, str } from '../../access.js';
import {
  descendingPath,
  dnsLabel,
  each,
  formats,
  ifPresent,
  ifSet,
  oneOf,
  oneOfInOrder,
  portNumber,
  type Rule,
  required,
  struct,
  whole,
} from '../../validation/index.js';
import type { PodCheck } from './check.js';
import { envFrom, envVar } from './env.js';
import { lifecycle, livenessProbe, noProbes, readinessProbe, startupProbe } from './handlers.js';
import { containerResources } from './resources.js';
import { securityContext } from './security.js';

export const PROTOCOLS = oneOf('SCTP', 'TCP', 'UDP');
export const pullPolicy = required(oneOf('Always', 'IfNotPresent', 'Never'));

const port = struct<PodCheck>('core.v1.ContainerPort', {
  containerPort: required(portNumber),
  hostPort: ifSet(portNumber),
  protocol: required(PROTOCOLS),
});

/** Ports of one container; a name counts as taken only when it is sound. */
const ports: Rule<PodCheck> = (v, at, c) => {
  const taken = new Set<string>();
  if (!Array.isArray(v)) return;
  let shown = 0;
  (v as JsonObject[]).forEach((p, i) => {
    shown = i;
    const name = str(p, 'name');
    if (name) {
      const faults = formats.portName(name);
      for (const fault of faults) c.errors.push(invalidValue(at.index(i).child('name'), name, fault));
      if (faults.length === 0 && taken.has(name)) c.errors.push(duplicate(at.index(i).child('name'), name));
      taken.add(name);
    }
    port(p, at.index(shown), c);
  });
};

/** Ports of the host may be used once by one address and protocol. */
function hostPorts(containers: readonly JsonObject[], at: (i: number) => Path, c: PodCheck): void {
  const taken = new Set<string>();
  containers.forEach((container, i) => {
    list(container, 'ports').forEach((p, j) => {
      if (num(p, 'hostPort') === 0) return;
      const key = `${str(p, 'protocol')}/${str(p, 'hostIP')}/${num(p, 'hostPort')}`;
      if (taken.has(key)) c.errors.push(duplicate(at(i).child('ports').index(j).child('hostPort'), key));
      else taken.add(key);
    });
  });
}

function mounts(container: JsonObject, at: Path, c: PodCheck): void {
  const devices = list(container, 'volumeDevices');
  const taken = new Set<string>();
  list(container, 'volumeMounts').forEach((mount, i) => {
    const here = at.index(i);
    const name = str(mount, 'name');
    const path = str(mount, 'mountPath');
    const volume = c.volumes.get(name);
    const fault = (field: string, value: string, text: string) =>
      c.errors.push(invalidValue(here.child(field), value, text));
    if (name === '') c.errors.push(requiredError(here.child('name')));
    if (!volume) c.errors.push(notFoundValue(here.child('name'), name));
    if (path === '') c.errors.push(requiredError(here.child('mountPath')));
    if (taken.has(path)) fault('mountPath', path, 'must be unique');
    taken.add(path);
    if (devices.some((d) => str(d, 'name') === name)) fault('name', name, 'must not already exist in volumeDevices');
    if (devices.some((d) => str(d, 'devicePath') === path))
      fault('mountPath', path, 'must not already exist as a path in volumeDevices');
    const subPath = str(mount, 'subPath');
    const expr = str(mount, 'subPathExpr');
    // Faults of these paths are reported at the list: see the recorded answers.
    if (subPath) descendingPath(subPath, at.child('subPath'), c);
    if (expr) {
      if (subPath) fault('subPathExpr', expr, 'subPathExpr and subPath are mutually exclusive');
      descendingPath(expr, at.child('subPathExpr'), c);
    }
    propagation(mount, container, at, c);
  });
}

const PROPAGATIONS = oneOf('Bidirectional', 'HostToContainer', 'None');
function propagation(mount: JsonObject, container: JsonObject, at: Path, c: PodCheck): void {
  const mode = mount.mountPropagation;
  if (mode !== undefined) {
    const here = at.child('mountPropagation');
    PROPAGATIONS(mode, here, c);
    if (mode === 'Bidirectional' && !bool(obj(container, 'securityContext'), 'privileged'))
      c.errors.push(forbiddenField(here, 'Bidirectional mount propagation is available only to privileged containers'));
  }
  const recursive = mount.recursiveReadOnly;
  const here = at.child('recursiveReadOnly');
  if (recursive === 'Enabled' || recursive === 'IfPossible') {
    if (!bool(mount, 'readOnly')) c.errors.push(forbiddenField(here, 'may only be specified when readOnly is true'));
    if (mode !== undefined && mode !== 'None')
      c.errors.push(forbiddenField(here, 'may only be specified when mountPropagation is None or not specified'));
  } else if (recursive !== undefined && recursive !== 'Disabled')
    c.errors.push(notSupported(here, recursive, ['Disabled', 'Enabled', 'IfPossible']));
}

function devices(container: JsonObject, at: Path, c: PodCheck): void {
  const mounted = list(container, 'volumeMounts');
  const names = new Set<string>();
  const paths = new Set<string>();
  list(container, 'volumeDevices').forEach((device, i) => {
    const here = at.index(i);
    const name = str(device, 'name');
    const path = str(device, 'devicePath');
    const volume = c.volumes.get(name);
    const fault = (field: string, value: string, text: string) =>
      c.errors.push(invalidValue(here.child(field), value, text));
    if (name === '') c.errors.push(requiredError(here.child('name')));
    if (names.has(name)) fault('name', name, 'must be unique');
    if (!volume) c.errors.push(notFoundValue(here.child('name'), name));
    else if (volume.persistentVolumeClaim === undefined && volume.ephemeral === undefined)
      fault('name', name, 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode');
    if (path === '') c.errors.push(requiredError(here.child('devicePath')));
    if (paths.has(path)) fault('devicePath', path, 'must be unique');
    if (path.split('/').includes('..')) fault('devicePath', path, "can not contain backsteps ('..')");
    else paths.add(path);
    if (mounted.some((m) => str(m, 'name') === name)) fault('name', name, 'must not already exist in volumeMounts');
    if (mounted.some((m) => str(m, 'mountPath') === path))
      fault('devicePath', path, 'must not already exist as a path in volumeMounts');
    if (name) names.add(name);
  });
}

const RESIZABLE = ['cpu', 'memory'];
const RESIZE_POLICIES = ['NotRequired', 'RestartContainer'];
const resizePolicy: Rule<PodCheck> = (v, at, c) => {
  const seen = new Set<string>();
  if (!Array.isArray(v)) return;
  (v as JsonObject[]).forEach((p, i) => {
    const resource = str(p, 'resourceName');
    const policy = str(p, 'restartPolicy');
    if (seen.has(resource)) c.errors.push(duplicate(at.index(i), resource));
    seen.add(resource);
    required(oneOf(...RESIZABLE))(resource, at, c);
    required(oneOf(...RESIZE_POLICIES))(policy, at, c);
    if (str(c.spec, 'restartPolicy') === 'Never' && policy !== 'NotRequired')
      c.errors.push(invalidValue(at, policy, "must be 'NotRequired' when `restartPolicy` is 'Never'"));
  });
};

/** Files with variables lie in an emptyDir of the pod (KEP-3721). */
function envFiles(container: JsonObject, at: Path, c: PodCheck): void {
  list(container, 'env').forEach((v, i) => {
    const ref = ptr(ptr(v, 'valueFrom'), 'fileKeyRef');
    if (!ref) return;
    const name = str(ref, 'volumeName');
    const here = at.index(i).child('valueFrom', 'fileKeyRef', 'volumeName');
    const volume = c.volumes.get(name);
    if (!volume) c.errors.push(notFoundValue(here, name));
    else if (volume.emptyDir === undefined)
      c.errors.push(invalidValue(here, name, 'referenced volume must be of type emptyDir'));
  });
}

/** What every container has: regular, init and ephemeral. */
const common = struct<PodCheck>('core.v1.Container', {
  name: required(dnsLabel),
  image: required(),
  terminationMessagePolicy: required(oneOfInOrder('File', 'FallbackToLogsOnError')),
  ports,
  env: each(envVar),
  $envFiles: whole((o, at, c) => envFiles(o, at.child('env'), c)),
  envFrom,
  $volumeMounts: whole((o, at, c) => mounts(o, at.child('volumeMounts'), c)),
  $volumeDevices: whole((o, at, c) => devices(o, at.child('volumeDevices'), c)),
  imagePullPolicy: pullPolicy,
  resources: containerResources,
  resizePolicy,
  securityContext: ifPresent(securityContext),
});

const longRunning = struct<PodCheck>('core.v1.Container', {
  lifecycle: ifPresent(lifecycle),
  livenessProbe,
  readinessProbe,
  startupProbe,
});

const POLICIES = ['Always', 'Never', 'OnFailure'];
const RULES_MAX = 20;
const CODES_MAX = 255;

/** How a container is started again, and by which exit codes that differs (KEP-5307). */
function restartRules(container: JsonObject, at: Path, c: PodCheck): void {
  const policy = container.restartPolicy;
  const rules = list(container, 'restartPolicyRules');
  if (policy !== undefined) oneOf(...POLICIES)(policy, at.child('restartPolicy'), c);
  const here = at.child('restartPolicyRules');
  if (rules.length > 0 && policy === undefined)
    c.errors.push(requiredError(at.child('restartPolicy'), 'must specify restartPolicy when restart rules are used'));
  if (rules.length > RULES_MAX) c.errors.push(invalidValue(here, rules.length, `must have at most ${RULES_MAX} items`));
  rules.forEach((rule, i) => {
    restartRule(rule, here.index(i), c);
  });
}
function restartRule(rule: JsonObject, at: Path, c: PodCheck): void {
  oneOf('Restart', 'RestartAllContainers')(str(rule, 'action'), at.child('action'), c);
  const codes = ptr(rule, 'exitCodes');
  const here = at.child('exitCodes');
  if (!codes) {
    c.errors.push(requiredError(here, 'must be specified'));
    return;
  }
  oneOf('In', 'NotIn')(str(codes, 'operator'), here.child('operator'), c);
  const values = Array.isArray(codes.values) ? codes.values : [];
  if (values.length === 0) c.errors.push(requiredError(here.child('values'), 'must specify at least one value'));
  if (values.length > CODES_MAX)
    c.errors.push(invalidValue(here.child('values'), values.length, `must have at most ${CODES_MAX} items`));
}

export function validateContainers(containers: readonly JsonObject[], at: Path, c: PodCheck): void {
  if (containers.length === 0) c.errors.push(requiredError(at));
  const names = new Set<string>();
  containers.forEach((container, i) => {
    const here = at.index(i);
    const name = str(container, 'name');
    common(container, here, c);
    if (names.has(name)) c.errors.push(duplicate(here.child('name'), name));
    names.add(name);
    longRunning(container, here, c);
    restartRules(container, here, c);
  });
  hostPorts(containers, (i) => at.index(i), c);
}

export function validateInitContainers(
  containers: readonly JsonObject[],
  regular: readonly JsonObject[],
  at: Path,
  c: PodCheck,
): void {
  const names = new Set(regular.map((r) => str(r, 'name')));
  containers.forEach((container, i) => {
    const here = at.index(i);
    const name = str(container, 'name');
    common(container, here, c);
    restartRules(container, here, c);
    if (names.has(name)) c.errors.push(duplicate(here.child('name'), name));
    else if (name) names.add(name);
    // One by one they may use the same ports; within one they may not. The index is that of a list of one.
    hostPorts([container], () => at.index(0), c);
    if (container.restartPolicy === 'Always') longRunning(container, here, c);
    else noProbes(container, here, c);
  });
}

const EPHEMERAL_FORBIDDEN = [
  'ports',
  'resources',
  'resizePolicy',
  'restartPolicy',
  'restartPolicyRules',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
];
const EPHEMERAL_TEXT = 'cannot be set for an Ephemeral Container';

export function validateEphemeralContainers(spec: JsonObject, at: Path, c: PodCheck): void {
  const others = new Set([...list(spec, 'containers'), ...list(spec, 'initContainers')].map((o) => str(o, 'name')));
  const names = new Set(others);
  list(spec, 'ephemeralContainers').forEach((container, i) => {
    const here = at.index(i);
    const name = str(container, 'name');
    common(container, here, c);
    imageSpace(container, here, c);
    if (names.has(name)) c.errors.push(duplicate(here.child('name'), name));
    names.add(name);
    const target = str(container, 'targetContainerName');
    if (target && !others.has(target)) c.errors.push(notFoundValue(here.child('targetContainerName'), target));
    for (const field of EPHEMERAL_FORBIDDEN)
      if (container[field] !== undefined) c.errors.push(forbiddenField(here.child(field), EPHEMERAL_TEXT));
    list(container, 'volumeMounts').forEach((mount, j) => {
      for (const field of ['subPath', 'subPathExpr'])
        if (str(mount, field))
          c.errors.push(forbiddenField(here.child('volumeMounts').index(j).child(field), EPHEMERAL_TEXT));
    });
  });
}

/** Templates may hold images with blanks around them; pods may not. */
export function imageSpace(container: JsonObject, at: Path, c: PodCheck): void {
  const image = str(container, 'image');
  if (image.trim() !== image)
    c.errors.push(invalidValue(at.child('image'), image, 'must not have leading or trailing whitespace'));
}

/** An init container that keeps running beside the others. */
export const isSidecar = (container: JsonObject): boolean => container.restartPolicy === 'Always';
