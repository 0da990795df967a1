import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machinery/json.js';
import { details, evaluate } from './evaluate.js';
import { type Level, parseVersion } from './levels.js';
import { podView } from './pod-view.js';

const findings = (level: Level, version: string, spec: JsonObject, annotations: JsonObject = {}) => {
  const containers = spec.containers ?? [{ name: 'c' }];
  const view = podView({ metadata: { annotations }, spec: { ...spec, containers } });
  return evaluate({ level, minor: parseVersion(version)! }, view);
};
const text = (...given: Parameters<typeof findings>) => details(findings(...given));
const context = (securityContext: JsonObject, name = 'c') => ({ name, securityContext });
const containers = (...list: JsonObject[]): JsonObject => ({ containers: list });

describe('baseline', () => {
  it.each([
    [
      { hostNetwork: true, hostPID: true, hostIPC: true },
      'host namespaces (hostNetwork=true, hostPID=true, hostIPC=true)',
    ],
    [
      {
        volumes: [
          { name: 'h', hostPath: {} },
          { name: 'e', emptyDir: {} },
        ],
      },
      'hostPath volumes (volume "h")',
    ],
    [
      {
        ...containers(
          { name: 'c', ports: [{ hostPort: 80 }, { hostPort: 9 }] },
          { name: 'd', ports: [{ hostPort: 80 }] },
        ),
      },
      'hostPort (containers "c", "d" use hostPorts 80, 9)',
    ],
    [{ ...containers({ name: 'c', ports: [{ containerPort: 80 }] }) }, ''],
    [
      containers(context({ privileged: true })),
      'privileged (container "c" must not set securityContext.privileged=true)',
    ],
    [
      { initContainers: [context({ capabilities: { add: ['NET_ADMIN', 'CHOWN', 'BPF'] } }, 'x')] },
      'non-default capabilities (container "x" must not include "BPF", "NET_ADMIN" in securityContext.capabilities.add)',
    ],
    [
      containers(context({ procMount: 'Unmasked' })),
      'procMount (container "c" must not set securityContext.procMount to "Unmasked")',
    ],
    [{ hostUsers: false, ...containers(context({ procMount: 'Unmasked' })) }, ''],
    [
      {
        securityContext: { seLinuxOptions: { type: 'bad_t', user: 'u', role: 'r' } },
        ...containers(context({ seLinuxOptions: { type: 'x' } })),
      },
      'seLinuxOptions (pod and container "c" set forbidden securityContext.seLinuxOptions: types "bad_t", "x"; user may not be set; role may not be set)',
    ],
    [{ securityContext: { seLinuxOptions: { type: 'container_engine_t', level: 's0' } } }, ''],
    [
      { securityContext: { seccompProfile: { type: 'Unconfined' } } },
      'seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined")',
    ],
    [
      { securityContext: { sysctls: [{ name: 'kernel.msgmax' }, { name: 'net.ipv4.tcp_rmem' }] } },
      'forbidden sysctls (kernel.msgmax)',
    ],
    [
      { securityContext: { windowsOptions: { hostProcess: true } } },
      'hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)',
    ],
    [
      { securityContext: { appArmorProfile: { type: 'Unconfined' } } },
      'forbidden AppArmor profile (pod must not set AppArmor profile type to "Unconfined")',
    ],
    [
      {
        ...containers({
          name: 'c',
          livenessProbe: { httpGet: { host: 'h' } },
          lifecycle: { preStop: { tcpSocket: { host: 'g' } } },
        }),
      },
      'probe or lifecycle host (container "c" uses probe or lifecycle hosts "g", "h")',
    ],
    [{}, ''],
  ] as [JsonObject, string][])('%j: %s', (spec, expected) => {
    expect(text('baseline', 'latest', spec)).toBe(expected);
  });
  it('looks at annotations', () => {
    const key = 'container.apparmor.security.beta.kubernetes.io/c';
    expect(text('baseline', 'latest', {}, { [key]: 'unconfined' })).toBe(
      `forbidden AppArmor profile (annotation must not set AppArmor profile type to "${key}="unconfined"")`,
    );
    expect(text('baseline', 'latest', {}, { [key]: 'localhost/x' })).toBe('');
    const seccomp = { 'seccomp.security.alpha.kubernetes.io/pod': 'unconfined' };
    expect(text('baseline', 'v1.18', {}, seccomp)).toBe(
      'seccompProfile (forbidden annotation seccomp.security.alpha.kubernetes.io/pod="unconfined")',
    );
    expect(text('baseline', 'v1.19', {}, seccomp)).toBe('');
  });
  it('is as it was at its version', () => {
    const probe = containers({ name: 'c', livenessProbe: { httpGet: { host: 'h' } } });
    expect(findings('baseline', 'v1.33', probe)).toEqual([]);
    expect(findings('baseline', 'v1.34', probe)).toHaveLength(1);
    const sysctl = { securityContext: { sysctls: [{ name: 'net.ipv4.tcp_fin_timeout' }] } };
    expect(findings('baseline', 'v1.28', sysctl)).toHaveLength(1);
    expect(findings('baseline', 'v1.29', sysctl)).toEqual([]);
    const engine = { securityContext: { seLinuxOptions: { type: 'container_engine_t' } } };
    expect(findings('baseline', 'v1.30', engine)).toHaveLength(1);
    expect(findings('baseline', 'v1.99', engine)).toEqual([]);
  });
});

describe('restricted', () => {
  const good = {
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    ...containers(context({ allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } })),
  };
  it('tells everything in order, baseline first', () => {
    const spec = {
      hostPID: true,
      volumes: [
        { name: 'n', nfs: {} },
        { name: 'h', hostPath: {} },
      ],
    };
    expect(text('restricted', 'latest', { ...spec, ...containers({ name: 'a' }, { name: 'b' }) })).toBe(
      'host namespaces (hostPID=true), ' +
        'allowPrivilegeEscalation != false (containers "a", "b" must set securityContext.allowPrivilegeEscalation=false), ' +
        'unrestricted capabilities (containers "a", "b" must set securityContext.capabilities.drop=["ALL"]), ' +
        'restricted volume types (volumes "n", "h" use restricted volume types "hostPath", "nfs"), ' +
        'runAsNonRoot != true (pod or containers "a", "b" must set securityContext.runAsNonRoot=true), ' +
        'seccompProfile (pod or containers "a", "b" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
    );
  });
  it.each([
    [good, ''],
    [
      {
        ...good,
        volumes: [
          { name: 'v', image: {} },
          { name: 'w', csi: {} },
        ],
      },
      '',
    ],
    [
      {
        ...good,
        ...containers(context({ allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'], add: ['CHOWN'] } })),
      },
      'unrestricted capabilities (container "c" must not include "CHOWN" in securityContext.capabilities.add)',
    ],
    [
      { ...good, securityContext: { ...good.securityContext, runAsNonRoot: false } },
      'runAsNonRoot != true (pod must not set securityContext.runAsNonRoot=false)',
    ],
    [
      { ...good, securityContext: { ...good.securityContext, runAsUser: 0 } },
      'runAsUser=0 (pod must not set runAsUser=0)',
    ],
    [{ ...good, hostUsers: false, securityContext: { ...good.securityContext, runAsUser: 0 } }, ''],
    [
      {
        ...good,
        hostUsers: false,
        ...containers(
          context({
            procMount: 'Unmasked',
            allowPrivilegeEscalation: false,
            capabilities: { drop: ['ALL'] },
          }),
        ),
      },
      'procMount (container "c" must not set securityContext.procMount to "Unmasked")',
    ],
    [{ os: { name: 'windows' }, securityContext: { runAsNonRoot: true } }, ''],
    [
      {
        ...good,
        ...containers(
          context({
            allowPrivilegeEscalation: false,
            capabilities: { drop: ['ALL'] },
            seccompProfile: { type: 'Unconfined' },
          }),
        ),
      },
      'seccompProfile (container "c" must not set securityContext.seccompProfile.type to "Unconfined")',
    ],
  ] as [JsonObject, string][])('%j: %s', (spec, expected) => {
    expect(text('restricted', 'latest', spec)).toBe(expected);
  });
  it('is as it was at its version', () => {
    expect(text('restricted', 'v1.0', {})).toBe(
      'runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true)',
    );
    expect(findings('restricted', 'v1.8', {})).toHaveLength(2);
    expect(findings('restricted', 'v1.22', {})).toHaveLength(4);
    expect(findings('restricted', 'v1.24', { os: { name: 'windows' } })).toHaveLength(4);
    expect(findings('restricted', 'v1.25', { os: { name: 'windows' } })).toHaveLength(1);
  });
});

it('privileged allows everything', () => {
  expect(findings('privileged', 'latest', { hostPID: true, ...containers(context({ privileged: true })) })).toEqual([]);
});
