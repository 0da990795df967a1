import { list, num, obj, ptr, str, strings } from '../../../api/access.js';
import { compareBytes, goQuote } from '../../../machinery/go-format.js';
import type { JsonObject } from '../../../machinery/json.js';
import type { Check } from './checks.js';
import {
  containersWhere,
  type Finding,
  hasUserNamespace,
  named,
  type PodView,
  plural,
  quoted,
  setters,
} from './pod-view.js';

// The rules of the Pod Security Standards, level baseline. Source: the standards' page of the Kubernetes documentation,
// which lists fields, allowed values and the version from which each holds.

const sorted = (set: ReadonlySet<string>): string[] => [...set].sort(compareBytes);

function appArmor(pod: PodView): Finding | undefined {
  const types = new Set<string>();
  let who = setters(pod, (context) => {
    const profile = ptr(context, 'appArmorProfile');
    const type = str(profile, 'type');
    if (!profile || type === 'RuntimeDefault' || type === 'Localhost') return false;
    types.add(type);
    return true;
  });
  const annotations = Object.entries(pod.annotations)
    .filter(([key]) => key.startsWith('container.apparmor.security.beta.kubernetes.io/'))
    .filter(([, value]) => value !== '' && value !== 'runtime/default' && !value.startsWith('localhost/'))
    .map(([key, value]) => `${key}=${goQuote(value)}`)
    .sort(compareBytes);
  if (annotations.length > 0) who = [who, plural(annotations.length, 'annotation')].filter(Boolean).join(' and ');
  if (!who) return undefined;
  const bad = [...sorted(types), ...annotations];
  const reason = plural(bad.length, 'forbidden AppArmor profile');
  return { reason, detail: `${who} must not set AppArmor profile type to ${quoted(bad)}` };
}

const DEFAULT_CAPABILITIES = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
]);

/** Containers that add capabilities beyond those allowed, in words. */
export function addedCapabilities(pod: PodView, allowed: ReadonlySet<string>): string {
  const added = new Set<string>();
  const containers = containersWhere(pod, (container) => {
    const capabilities = obj(obj(container, 'securityContext'), 'capabilities');
    const bad = strings(capabilities, 'add').filter((c) => !allowed.has(c));
    for (const c of bad) added.add(c);
    return bad.length > 0;
  });
  if (containers.length === 0) return '';
  return `${named('container', containers)} must not include ${quoted(sorted(added))} in securityContext.capabilities.add`;
}

function capabilities(pod: PodView): Finding | undefined {
  const detail = addedCapabilities(pod, DEFAULT_CAPABILITIES);
  return detail ? { reason: 'non-default capabilities', detail } : undefined;
}

function hostNamespaces({ spec }: PodView): Finding | undefined {
  const used = ['hostNetwork', 'hostPID', 'hostIPC'].filter((field) => spec[field] === true);
  if (used.length === 0) return undefined;
  return { reason: 'host namespaces', detail: used.map((field) => `${field}=true`).join(', ') };
}

function hostPathVolumes({ spec }: PodView): Finding | undefined {
  const volumes = list(spec, 'volumes').filter((v) => ptr(v, 'hostPath'));
  if (volumes.length === 0) return undefined;
  const names = volumes.map((v) => str(v, 'name'));
  return { reason: 'hostPath volumes', detail: named('volume', names) };
}

function hostPorts(pod: PodView): Finding | undefined {
  const ports = new Set<string>();
  const containers = containersWhere(pod, (container) => {
    const bad = list(container, 'ports').filter((p) => num(p, 'hostPort') !== 0);
    for (const p of bad) ports.add(`${num(p, 'hostPort')}`);
    return bad.length > 0;
  });
  if (containers.length === 0) return undefined;
  const use = plural(containers.length, 'uses', 'use');
  const what = `${plural(ports.size, 'hostPort')} ${sorted(ports).join(', ')}`;
  return { reason: 'hostPort', detail: `${named('container', containers)} ${use} ${what}` };
}

function probeHosts(pod: PodView): Finding | undefined {
  const hosts = new Set<string>();
  const containers = containersWhere(pod, (container) => {
    const handlers = [
      ...['livenessProbe', 'readinessProbe', 'startupProbe'].map((field) => obj(container, field)),
      ...['postStart', 'preStop'].map((field) => obj(obj(container, 'lifecycle'), field)),
    ];
    const bad = handlers
      .flatMap((h) => [str(obj(h, 'httpGet'), 'host'), str(obj(h, 'tcpSocket'), 'host')])
      .filter((host) => host !== '');
    for (const host of bad) hosts.add(host);
    return bad.length > 0;
  });
  if (containers.length === 0) return undefined;
  const reason = 'probe or lifecycle host';
  const who = named('container', sorted(new Set(containers)));
  const use = plural(new Set(containers).size, 'uses', 'use');
  return { reason, detail: `${who} ${use} ${plural(hosts.size, reason)} ${quoted(sorted(hosts))}` };
}

function privileged(pod: PodView): Finding | undefined {
  const containers = containersWhere(pod, (c) => obj(c, 'securityContext').privileged === true);
  if (containers.length === 0) return undefined;
  const detail = `${named('container', containers)} must not set securityContext.privileged=true`;
  return { reason: 'privileged', detail };
}

export function procMount(pod: PodView): Finding | undefined {
  const types = new Set<string>();
  const containers = containersWhere(pod, (container) => {
    const { procMount: type } = obj(container, 'securityContext');
    if (typeof type !== 'string' || type === 'Default') return false;
    types.add(type);
    return true;
  });
  if (containers.length === 0) return undefined;
  const detail = `${named('container', containers)} must not set securityContext.procMount to ${quoted(sorted(types))}`;
  return { reason: 'procMount', detail };
}

function seLinux(pod: PodView, allowed: ReadonlySet<string>): Finding | undefined {
  const types = new Set<string>();
  const also = new Set<string>();
  const who = setters(pod, (context) => {
    const options = obj(context, 'seLinuxOptions');
    const type = str(options, 'type');
    if (!allowed.has(type)) types.add(type);
    for (const field of ['user', 'role']) if (str(options, field)) also.add(`${field} may not be set`);
    return !allowed.has(type) || str(options, 'user') !== '' || str(options, 'role') !== '';
  });
  if (!who) return undefined;
  const what = [...(types.size > 0 ? [named('type', sorted(types))] : []), ...sorted(also).reverse()];
  const detail = `${who} set forbidden securityContext.seLinuxOptions: ${what.join('; ')}`;
  return { reason: 'seLinuxOptions', detail };
}

const SE_LINUX_TYPES = ['', 'container_t', 'container_init_t', 'container_kvm_t'];
const SE_LINUX_1_0 = new Set(SE_LINUX_TYPES);
const SE_LINUX_1_31 = new Set([...SE_LINUX_TYPES, 'container_engine_t']);

function seccompAnnotations(pod: PodView): Finding | undefined {
  const keys = new Set([
    'seccomp.security.alpha.kubernetes.io/pod',
    ...pod.containers.map((c) => `container.seccomp.security.alpha.kubernetes.io/${str(c, 'name')}`),
  ]);
  const bad = sorted(keys).flatMap((key) => {
    const value = Object.hasOwn(pod.annotations, key) ? pod.annotations[key] : undefined;
    const allowed =
      value === undefined || ['runtime/default', 'docker/default'].includes(value) || value.startsWith('localhost/');
    return allowed ? [] : [`${key}=${goQuote(value)}`];
  });
  if (bad.length === 0) return undefined;
  const detail = `forbidden ${plural(bad.length, 'annotation')} ${bad.join(', ')}`;
  return { reason: 'seccompProfile', detail };
}

/** A security context that asks for a seccomp profile that is no confinement. */
export function seccompSetters(pod: PodView): Finding | undefined {
  const types = new Set<string>();
  const who = setters(pod, (context) => {
    const profile = ptr(context, 'seccompProfile');
    if (!profile || isConfined(profile)) return false;
    types.add(str(profile, 'type'));
    return true;
  });
  if (!who) return undefined;
  const detail = `${who} must not set securityContext.seccompProfile.type to ${quoted(sorted(types))}`;
  return { reason: 'seccompProfile', detail };
}

export const isConfined = (profile: JsonObject): boolean =>
  ['RuntimeDefault', 'Localhost'].includes(str(profile, 'type'));

const SYSCTLS_1_0 = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
];
const SYSCTLS_1_27 = [...SYSCTLS_1_0, 'net.ipv4.ip_local_reserved_ports'];
const SYSCTLS_1_29 = [
  ...SYSCTLS_1_27,
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
];
const SYSCTLS_1_32 = [...SYSCTLS_1_29, 'net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem'];

function sysctls({ securityContext }: PodView, allowed: readonly string[]): Finding | undefined {
  const names = list(securityContext, 'sysctls').map((s) => str(s, 'name'));
  const bad = names.filter((name) => !allowed.includes(name));
  return bad.length > 0 ? { reason: 'forbidden sysctls', detail: bad.join(', ') } : undefined;
}

function windowsHostProcess(pod: PodView): Finding | undefined {
  const who = setters(pod, (context) => obj(context, 'windowsOptions').hostProcess === true);
  if (!who) return undefined;
  return { reason: 'hostProcess', detail: `${who} must not set securityContext.windowsOptions.hostProcess=true` };
}

/** In the order in which findings are told. */
export const BASELINE: readonly Check[] = [
  { id: 'appArmorProfile', since: [[0, appArmor]] },
  { id: 'capabilities_baseline', since: [[0, capabilities]] },
  { id: 'hostNamespaces', since: [[0, hostNamespaces]] },
  { id: 'hostPathVolumes', since: [[0, hostPathVolumes]] },
  { id: 'hostPorts', since: [[0, hostPorts]] },
  { id: 'hostProbesAndHostLifecycle', since: [[34, probeHosts]] },
  { id: 'privileged', since: [[0, privileged]] },
  {
    id: 'procMount',
    since: [
      [0, procMount],
      [35, (pod) => (hasUserNamespace(pod) ? undefined : procMount(pod))],
    ],
  },
  {
    id: 'seLinuxOptions',
    since: [
      [0, (pod) => seLinux(pod, SE_LINUX_1_0)],
      [31, (pod) => seLinux(pod, SE_LINUX_1_31)],
    ],
  },
  {
    id: 'seccompProfile_baseline',
    since: [
      [0, seccompAnnotations],
      [19, seccompSetters],
    ],
  },
  {
    id: 'sysctls',
    since: [
      [0, (pod) => sysctls(pod, SYSCTLS_1_0)],
      [27, (pod) => sysctls(pod, SYSCTLS_1_27)],
      [29, (pod) => sysctls(pod, SYSCTLS_1_29)],
      [32, (pod) => sysctls(pod, SYSCTLS_1_32)],
    ],
  },
  { id: 'windowsHostProcess', since: [[0, windowsHostProcess]] },
];
