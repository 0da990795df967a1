import { list, obj, ptr, str, strings } from '../../../api/access.js';
import { compareBytes } from '../../../machinery/go-format.js';
import type { JsonObject } from '../../../machinery/json.js';
import { addedCapabilities, isConfined, procMount, seccompSetters } from './baseline-checks.js';
import type { Check } from './checks.js';
import {
  containersWhere,
  type Finding,
  hasUserNamespace,
  isWindows,
  named,
  type PodView,
  plural,
  quoted,
  setters,
} from './pod-view.js';

// The rules of the Pod Security Standards, level restricted.

function privilegeEscalation(pod: PodView): Finding | undefined {
  const containers = containersWhere(pod, (c) => obj(c, 'securityContext').allowPrivilegeEscalation !== false);
  if (containers.length === 0) return undefined;
  const detail = `${named('container', containers)} must set securityContext.allowPrivilegeEscalation=false`;
  return { reason: 'allowPrivilegeEscalation != false', detail };
}

const ADDABLE = new Set(['NET_BIND_SERVICE']);

function capabilities(pod: PodView): Finding | undefined {
  const keeping = containersWhere(pod, (c) => {
    return !strings(obj(obj(c, 'securityContext'), 'capabilities'), 'drop').includes('ALL');
  });
  const kept =
    keeping.length > 0 ? `${named('container', keeping)} must set securityContext.capabilities.drop=["ALL"]` : '';
  const detail = [kept, addedCapabilities(pod, ADDABLE)].filter(Boolean).join('; ');
  return detail ? { reason: 'unrestricted capabilities', detail } : undefined;
}

const VOLUMES = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
];

function volumeTypes({ spec }: PodView): Finding | undefined {
  const bad = list(spec, 'volumes').filter((v) => !VOLUMES.some((type) => ptr(v, type)));
  if (bad.length === 0) return undefined;
  const types = [...new Set(bad.map(volumeType))].sort(compareBytes);
  const use = plural(bad.length, 'uses', 'use');
  const what = `${plural(types.length, 'restricted volume type')} ${quoted(types)}`;
  const names = bad.map((v) => str(v, 'name'));
  return { reason: 'restricted volume types', detail: `${named('volume', names)} ${use} ${what}` };
}

const volumeType = (volume: JsonObject): string => Object.keys(volume).find((type) => ptr(volume, type)) ?? 'unknown';

function runAsNonRoot(pod: PodView): Finding | undefined {
  const reason = 'runAsNonRoot != true';
  const who = setters(pod, (context) => context.runAsNonRoot === false);
  if (who) return { reason, detail: `${who} must not set securityContext.runAsNonRoot=false` };
  if (pod.securityContext.runAsNonRoot === true) return undefined;
  const open = containersWhere(pod, (c) => obj(c, 'securityContext').runAsNonRoot === undefined);
  if (open.length === 0) return undefined;
  return { reason, detail: `pod or ${named('container', open)} must set securityContext.runAsNonRoot=true` };
}

function runAsUser(pod: PodView): Finding | undefined {
  const who = setters(pod, (context) => context.runAsUser === 0);
  return who ? { reason: 'runAsUser=0', detail: `${who} must not set runAsUser=0` } : undefined;
}

function seccompProfile(pod: PodView): Finding | undefined {
  const bad = seccompSetters(pod);
  if (bad) return bad;
  const ofPod = ptr(pod.securityContext, 'seccompProfile');
  if (ofPod && isConfined(ofPod)) return undefined;
  const open = containersWhere(pod, (c) => !ptr(obj(c, 'securityContext'), 'seccompProfile'));
  if (open.length === 0) return undefined;
  const text = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"';
  return { reason: 'seccompProfile', detail: `pod or ${named('container', open)} ${text}` };
}

type Rule = (pod: PodView) => Finding | undefined;
/** Fields that make no sense on Windows can't be asked for there. */
const exceptWindows =
  (rule: Rule): Rule =>
  (pod) =>
    isWindows(pod) ? undefined : rule(pod);
const exceptUserNamespaces =
  (rule: Rule): Rule =>
  (pod) =>
    hasUserNamespace(pod) ? undefined : rule(pod);

/** In the order in which findings are told, after those of the baseline. */
export const RESTRICTED: readonly Check[] = [
  {
    id: 'allowPrivilegeEscalation',
    since: [
      [8, privilegeEscalation],
      [25, exceptWindows(privilegeEscalation)],
    ],
  },
  {
    id: 'capabilities_restricted',
    replaces: 'capabilities_baseline',
    since: [
      [22, capabilities],
      [25, exceptWindows(capabilities)],
    ],
  },
  { id: 'procMount_restricted', replaces: 'procMount', since: [[35, procMount]] },
  { id: 'restrictedVolumes', replaces: 'hostPathVolumes', since: [[0, volumeTypes]] },
  {
    id: 'runAsNonRoot',
    since: [
      [0, runAsNonRoot],
      [35, exceptUserNamespaces(runAsNonRoot)],
    ],
  },
  {
    id: 'runAsUser',
    since: [
      [23, runAsUser],
      [35, exceptUserNamespaces(runAsUser)],
    ],
  },
  {
    id: 'seccompProfile_restricted',
    replaces: 'seccompProfile_baseline',
    since: [
      [19, seccompProfile],
      [25, exceptWindows(seccompProfile)],
    ],
  },
];
