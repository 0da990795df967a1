import {
  duplicate,
  forbiddenField,
  invalidValue,
  notSupported,
  type Path,
  required as requiredError,
  tooLong,
} from '../../../machinery/field.js';
import type { JsonObject } from '../../../machinery/json.js';
import { bool, list, obj, ptr, str, strings } from '../../access.js';
import { FORBID_PRIVILEGED } from '../../strategy.js';
import {
  descendingPath,
  dnsSubdomain,
  each,
  formats,
  goForm,
  ifPresent,
  oneOf,
  oneOfInOrder,
  type Rule,
  requiredWith,
  satisfies,
  struct,
  whole,
} from '../../validation/index.js';
import type { PodCheck } from './check.js';

const MAX_ID = 2 ** 31 - 1;
/** User and group ids: 32 bits, no sign. */
export const posixId = satisfies((n) => n >= 0 && n <= MAX_ID, formats.rangeError(0, MAX_ID));

const PROFILES = ['Localhost', 'RuntimeDefault', 'Unconfined'];

export const seccompProfile = struct<PodCheck>('core.v1.SeccompProfile', {
  type: requiredWith('type is required when seccompProfile is set', oneOfInOrder(...PROFILES)),
  $localhost: whole((o, at, c) => {
    const here = at.child('localhostProfile');
    const profile = o.localhostProfile;
    if (str(o, 'type') === 'Localhost') {
      if (profile === undefined) c.errors.push(requiredError(here, 'must be set when seccomp type is Localhost'));
      else descendingPath(profile, here, c);
    } else if (profile !== undefined)
      c.errors.push(
        invalidValue(here, goForm('core.v1.SeccompProfile', o), 'can only be set when seccomp type is Localhost'),
      );
  }),
});

const PATH_MAX = 4095;
export const appArmorProfile = struct<PodCheck>('core.v1.AppArmorProfile', {
  $profile: whole((o, at, c) => {
    const here = at.child('localhostProfile');
    const profile = o.localhostProfile;
    const type = str(o, 'type');
    if (type === 'Localhost') {
      const text = typeof profile === 'string' ? profile : '';
      if (text.trim() !== text) c.errors.push(invalidValue(here, text, 'must not be padded with whitespace'));
      else if (text === '') c.errors.push(requiredError(here, 'must be set when AppArmor type is Localhost'));
      if (formats.byteLength(text) > PATH_MAX) c.errors.push(tooLong(here, PATH_MAX));
    } else if (type === '')
      c.errors.push(requiredError(at.child('type'), 'type is required when appArmorProfile is set'));
    else if (!PROFILES.includes(type)) c.errors.push(notSupported(at.child('type'), type, PROFILES));
    else if (profile !== undefined)
      c.errors.push(invalidValue(here, profile, 'can only be set when AppArmor type is Localhost'));
  }),
});

const KIB = 1024;
const GMSA_MAX_KIB = 64;
const NETBIOS = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/;
const WINDOWS_DNS =
  /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/;

/** `DOMAIN\USER` as Windows takes it. */
function windowsUserFaults(name: string): string[] {
  if (name === '') return ['runAsUserName cannot be an empty string'];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\x00-\x1f\x7f]/.test(name)) return ['runAsUserName cannot contain control characters'];
  const parts = name.split('\\');
  if (parts.length > 2) return ['runAsUserName cannot contain more than one backslash'];
  const user = parts.at(-1)!;
  const domain = parts.length === 2 ? parts[0]! : undefined;
  const faults: string[] = [];
  if (domain !== undefined) {
    if (formats.byteLength(domain) >= 256) faults.push("runAsUserName's Domain length must be under 256 characters");
    if (!NETBIOS.test(domain) && !WINDOWS_DNS.test(domain))
      faults.push("runAsUserName's Domain doesn't match the NetBios nor the DNS format");
  }
  if (user === '') faults.push("runAsUserName's User cannot be empty");
  else if (formats.byteLength(user) > 104)
    faults.push("runAsUserName's User length must not be longer than 104 characters");
  if (/^[. ]+$/.test(user)) faults.push("runAsUserName's User cannot contain only periods or spaces");
  if (/["/\\:;|=,+*?<>@[\]]/.test(user))
    faults.push('runAsUserName\'s User cannot contain the following characters: "/\\:;|=,+*?<>@[]');
  return faults;
}

const windowsOptions = struct<PodCheck>('core.v1.WindowsSecurityContextOptions', {
  gmsaCredentialSpecName: ifPresent(dnsSubdomain),
  gmsaCredentialSpec: ifPresent((v, at, c) => {
    const size = formats.byteLength(v as string);
    if (size === 0) c.errors.push(invalidValue(at, v, 'gmsaCredentialSpec cannot be an empty string'));
    else if (size > GMSA_MAX_KIB * KIB)
      c.errors.push(invalidValue(at, v, `gmsaCredentialSpec size must be under ${GMSA_MAX_KIB} KiB`));
  }),
  runAsUserName: ifPresent((v, at, c) => {
    for (const fault of windowsUserFaults(v as string)) c.errors.push(invalidValue(at, v, fault));
  }),
});

/** core.v1.SecurityContext of a container. */
export const securityContext = struct<PodCheck>('core.v1.SecurityContext', {
  privileged: ifPresent((v, at, c) => {
    if (v && c.gate(FORBID_PRIVILEGED)) c.errors.push(forbiddenField(at, 'disallowed by cluster policy'));
  }),
  runAsUser: ifPresent(posixId),
  runAsGroup: ifPresent(posixId),
  procMount: ifPresent<PodCheck>(oneOfInOrder('Default', 'Unmasked'), (v, at, c) => {
    if (c.hostUsers && v === 'Unmasked')
      c.errors.push(invalidValue(at, v, '`hostUsers` must be false to use `Unmasked`'));
  }),
  seccompProfile: ifPresent(seccompProfile),
  $escalation: whole((o, at, c) => {
    if (o.allowPrivilegeEscalation !== false) return;
    const fault = (text: string) =>
      c.errors.push(
        invalidValue(
          at,
          goForm('core.v1.SecurityContext', o),
          `cannot set \`allowPrivilegeEscalation\` to false and ${text}`,
        ),
      );
    if (bool(o, 'privileged')) fault('`privileged` to true');
    for (const capability of strings(obj(o, 'capabilities'), 'add'))
      if (capability === 'CAP_SYS_ADMIN') fault('`capabilities.Add` CAP_SYS_ADMIN');
  }),
  windowsOptions: ifPresent(windowsOptions),
  appArmorProfile: ifPresent(appArmorProfile),
});

const SYSCTL = /^[a-z0-9](?:[-_a-z0-9]*[a-z0-9])?(?:[./][a-z0-9](?:[-_a-z0-9]*[a-z0-9])?)*$/;
const SYSCTL_TEXT =
  'must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$';

/** The kernel namespace that a sysctl belongs to. */
function sysctlNamespace(name: string): 'ipc' | 'net' | undefined {
  // With slashes for separators, dots are part of a name.
  const separator = /[./]/.exec(name)?.[0];
  const dotted = separator === '/' ? name.replace(/[./]/g, (ch) => (ch === '/' ? '.' : '/')) : name;
  if (['kernel.sem', 'fs.mqueue.'].some((p) => dotted.startsWith(p)) || /^kernel\.(shm|msg)/.test(dotted)) return 'ipc';
  return dotted.startsWith('net.') ? 'net' : undefined;
}

const sysctls: Rule<PodCheck> = (v, at, c) => {
  const seen = new Set<string>();
  (v as JsonObject[]).forEach((sysctl, i) => {
    const name = str(sysctl, 'name');
    const here = at.index(i).child('name');
    if (name === '') c.errors.push(requiredError(here));
    else if (formats.byteLength(name) > 253 || !SYSCTL.test(name)) c.errors.push(invalidValue(here, name, SYSCTL_TEXT));
    else if (seen.has(name)) c.errors.push(duplicate(here, name));
    if (!c.lenient.hostSysctls) {
      const namespace = sysctlNamespace(name);
      if (namespace === 'net' && bool(c.spec, 'hostNetwork'))
        c.errors.push(invalidValue(here, name, "may not be specified when 'hostNetwork' is true"));
      else if (namespace === 'ipc' && bool(c.spec, 'hostIPC'))
        c.errors.push(invalidValue(here, name, "may not be specified when 'hostIPC' is true"));
    }
    seen.add(name);
  });
};

/** core.v1.PodSecurityContext. */
export const podSecurityContext = struct<PodCheck>('core.v1.PodSecurityContext', {
  fsGroup: ifPresent(posixId),
  runAsUser: ifPresent(posixId),
  runAsGroup: ifPresent(posixId),
  supplementalGroups: each(posixId),
  $processes: whole((_, at, c) => {
    if (c.spec.shareProcessNamespace === true && bool(c.spec, 'hostPID'))
      c.errors.push(
        invalidValue(
          at.child('shareProcessNamespace'),
          true,
          'ShareProcessNamespace and HostPID cannot both be enabled',
        ),
      );
  }),
  sysctls: ifPresent(sysctls),
  fsGroupChangePolicy: ifPresent(oneOf('OnRootMismatch', 'Always')),
  seccompProfile: ifPresent(seccompProfile),
  windowsOptions: ifPresent(windowsOptions),
  appArmorProfile: ifPresent(appArmorProfile),
  supplementalGroupsPolicy: ifPresent(oneOf('Merge', 'Strict')),
  seLinuxChangePolicy: ifPresent((v, at, c) => {
    const policies = c.gate('SELinuxMount') ? ['MountOption', 'Recursive'] : ['Recursive'];
    if (!policies.includes(v as string)) c.errors.push(notSupported(at, v, policies));
  }),
});

/** Every container of a spec, with its path: init, regular and ephemeral. */
export function visitContainers(spec: JsonObject, at: Path, visit: (container: JsonObject, at: Path) => void): void {
  for (const name of ['initContainers', 'containers', 'ephemeralContainers'])
    list(spec, name).forEach((container, i) => {
      visit(container, at.child(name).index(i));
    });
}

/** Windows host process containers come all or none, and on the host's network. */
export function hostProcesses(spec: JsonObject, at: Path, c: PodCheck): void {
  const ofPod = obj(obj(spec, 'securityContext'), 'windowsOptions').hostProcess;
  let all = 0;
  let host = 0;
  visitContainers(spec, at, (container, here) => {
    all++;
    const own = obj(obj(container, 'securityContext'), 'windowsOptions').hostProcess;
    if (ofPod !== undefined && own !== undefined && ofPod !== own)
      c.errors.push(
        invalidValue(
          here.child('securityContext', 'windowsOptions', 'hostProcess'),
          own,
          `pod hostProcess value must be identical if both are specified, was ${ofPod}`,
        ),
      );
    if ((own ?? ofPod) === true) host++;
  });
  if (host === 0) return;
  if (host !== all)
    c.errors.push(
      invalidValue(
        at,
        '',
        'If pod contains any hostProcess containers then all containers must be HostProcess containers',
      ),
    );
  if (!bool(spec, 'hostNetwork'))
    c.errors.push(
      invalidValue(
        at.child('hostNetwork'),
        false,
        'hostNetwork must be true if pod contains any hostProcess containers',
      ),
    );
  if (c.gate(FORBID_PRIVILEGED))
    c.errors.push(forbiddenField(at, 'hostProcess containers are disallowed by cluster policy'));
}

const NOT_FOR_WINDOWS_POD = [
  'appArmorProfile',
  'seLinuxOptions',
  '!hostUsers',
  '!hostPID',
  '!hostIPC',
  'seccompProfile',
  'fsGroup',
  'fsGroupChangePolicy',
  'sysctls',
  '!shareProcessNamespace',
  'runAsUser',
  'runAsGroup',
  'supplementalGroups',
  'supplementalGroupsPolicy',
  'seLinuxChangePolicy',
];
const NOT_FOR_WINDOWS_CONTAINER = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'capabilities',
  'readOnlyRootFilesystem',
  'privileged',
  'allowPrivilegeEscalation',
  'procMount',
  'runAsUser',
  'runAsGroup',
];

/** Fields that the pod's operating system does not know. */
export function osRules(spec: JsonObject, at: Path, c: PodCheck): void {
  const os = str(ptr(spec, 'os'), 'name');
  const refuse = (where: Path, text: string) => c.errors.push(forbiddenField(where, text));
  const context = obj(spec, 'securityContext');
  if (os === 'linux') {
    const text = 'windows options cannot be set for a linux pod';
    if (context.windowsOptions !== undefined) refuse(at.child('securityContext', 'windowsOptions'), text);
    visitContainers(spec, at, (container, here) => {
      if (obj(container, 'securityContext').windowsOptions !== undefined)
        refuse(here.child('securityContext', 'windowsOptions'), text);
    });
  } else if (os === 'windows') {
    const text = 'cannot be set for a windows pod';
    for (const name of NOT_FOR_WINDOWS_POD) {
      const ofSpec = name.startsWith('!');
      const field = ofSpec ? name.slice(1) : name;
      if ((ofSpec ? spec : context)[field] !== undefined)
        refuse(ofSpec ? at.child(field) : at.child('securityContext', field), text);
    }
    visitContainers(spec, at, (container, here) => {
      for (const field of NOT_FOR_WINDOWS_CONTAINER)
        if (obj(container, 'securityContext')[field] !== undefined) refuse(here.child('securityContext', field), text);
    });
  }
}

/** A pod with users of its own shares no other namespace of the host. */
export function hostUsersRules(spec: JsonObject, at: Path, c: PodCheck): void {
  if (c.hostUsers) return;
  const text = 'when `pod.Spec.HostUsers` is false';
  if (bool(spec, 'hostNetwork') && !c.gate('UserNamespacesHostNetworkSupport'))
    c.errors.push(forbiddenField(at.child('hostNetwork'), text));
  if (bool(spec, 'hostPID')) c.errors.push(forbiddenField(at.child('HostPID'), text));
  if (bool(spec, 'hostIPC')) c.errors.push(forbiddenField(at.child('HostIPC'), text));
}
