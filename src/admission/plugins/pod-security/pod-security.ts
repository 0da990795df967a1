import { list, obj, ptr, str } from '../../../api/access.js';
import { forbidden, type GroupResource, internalError, invalid } from '../../../machinery/errors.js';
import { fieldErrorsMessage } from '../../../machinery/field.js';
import { goQuote } from '../../../machinery/go-format.js';
import { equalJson, type JsonObject, type KubeObject } from '../../../machinery/json.js';
import type { AdmissionAttributes, AdmissionPlugin } from '../../contract.js';
import type { Objects } from '../concerns.js';
import type { PodSecurityConfiguration } from './configuration.js';
import { details, evaluate } from './evaluate.js';
import { existingPodWarnings } from './existing-pods.js';
import {
  compareLevels,
  isPrivileged,
  type LevelVersion,
  levelLabel,
  levelText,
  MODES,
  type Policy,
  PREFIX,
  policyOf,
  sameLevel,
  versionLabel,
} from './levels.js';
import { type Finding, podView } from './pod-view.js';

export interface PodSecurityDependencies {
  readonly objects: Objects & {
    list(resource: GroupResource, namespace: string): Promise<KubeObject[]> | KubeObject[];
  };
  readonly configuration: PodSecurityConfiguration;
  /** Milliseconds of a clock that only goes forward. */
  now(): number;
}

/** Where workloads keep the pod that they make others from. */
const TEMPLATES: Readonly<Record<string, readonly string[]>> = {
  '/podtemplates': ['template'],
  '/replicationcontrollers': ['spec', 'template'],
  'apps/replicasets': ['spec', 'template'],
  'apps/deployments': ['spec', 'template'],
  'apps/statefulsets': ['spec', 'template'],
  'apps/daemonsets': ['spec', 'template'],
  'batch/jobs': ['spec', 'template'],
  'batch/cronjobs': ['spec', 'jobTemplate', 'spec', 'template'],
};

/** Subresources of pods that leave their spec alone. */
const HARMLESS = new Set(['exec', 'attach', 'binding', 'eviction', 'log', 'portforward', 'proxy', 'status']);

/**
 * Holds pods to the Pod Security Standard that the labels of their namespace name. Workloads are never refused: their
 * client is warned about pods that will be.
 */
export function podSecurity({ objects, configuration, now }: PodSecurityDependencies): AdmissionPlugin {
  const { defaults, exemptions } = configuration;

  async function namespacePolicy(a: AdmissionAttributes): Promise<ReturnType<typeof policyOf> | undefined> {
    const namespace = await objects.get({ group: '', resource: 'namespaces' }, '', a.namespace);
    return namespace && policyOf(namespace.metadata.labels, defaults);
  }

  const lookupFailed = (a: AdmissionAttributes) => `failed to lookup namespace ${goQuote(a.namespace)}`;

  function exempt(a: AdmissionAttributes, reason: string): void {
    a.annotate(`${PREFIX}exempt`, reason);
  }

  function isExempt(a: AdmissionAttributes): boolean {
    const reason = exemptions.namespaces.has(a.namespace)
      ? 'namespace'
      : exemptions.usernames.has(a.user.name)
        ? 'user'
        : undefined;
    if (reason) exempt(a, reason);
    return reason !== undefined;
  }

  async function validatePod(a: AdmissionAttributes, pod: KubeObject): Promise<void> {
    if (HARMLESS.has(a.subresource) || isExempt(a)) return;
    const found = await namespacePolicy(a);
    if (!found) throw internalError(lookupFailed(a));
    const { policy, faults } = found;
    if (faults.length === 0 && isPrivileged(policy)) {
      a.annotate(`${PREFIX}enforce-policy`, 'privileged:latest');
      return;
    }
    if (a.oldObject && !isSignificant(pod, a.oldObject)) return;
    judge(a, pod, policy, true, faults.length > 0 ? fieldErrorsMessage(faults) : undefined);
  }

  async function validateWorkload(a: AdmissionAttributes, object: KubeObject, path: readonly string[]): Promise<void> {
    if (a.subresource !== '' || isExempt(a)) return;
    const found = await namespacePolicy(a);
    if (!found) return a.annotate(`${PREFIX}error`, lookupFailed(a));
    const { policy, faults } = found;
    if (faults.length === 0 && policy.warn.level === 'privileged' && policy.audit.level === 'privileged') return;
    let template: JsonObject | undefined = object;
    for (const field of path) template = ptr(template, field);
    if (template) judge(a, template, policy, false, faults.length > 0 ? fieldErrorsMessage(faults) : undefined);
  }

  /** @throws 403 for a pod that the enforced level forbids */
  function judge(a: AdmissionAttributes, pod: JsonObject, policy: Policy, enforce: boolean, error?: string): void {
    if (exemptions.runtimeClasses.has(str(obj(pod, 'spec'), 'runtimeClassName'))) {
      exempt(a, 'runtimeClass');
      return;
    }
    if (error) a.annotate(`${PREFIX}error`, `Failed to parse policy: ${error}`);
    const view = podView(pod);
    const known: { level: LevelVersion; findings: Finding[] }[] = [];
    const findingsAt = (level: LevelVersion): Finding[] => {
      const before = known.find((k) => sameLevel(k.level, level));
      if (before) return before.findings;
      const findings = evaluate(level, view);
      known.push({ level, findings });
      return findings;
    };
    const violation = (level: LevelVersion, findings: Finding[]) =>
      `PodSecurity ${goQuote(levelText(level))}: ${details(findings)}`;

    if (enforce) a.annotate(`${PREFIX}enforce-policy`, levelText(policy.enforce));
    const enforced = enforce ? findingsAt(policy.enforce) : [];
    const audited = findingsAt(policy.audit);
    if (audited.length > 0) {
      a.annotate(`${PREFIX}audit-violations`, `would violate ${violation(policy.audit, audited)}`);
    }
    if (enforced.length > 0) {
      const { group, resource } = a.resource;
      throw forbidden({ group, resource }, a.name, `violates ${violation(policy.enforce, enforced)}`);
    }
    const warned = findingsAt(policy.warn);
    if (warned.length > 0) a.warn(`would violate ${violation(policy.warn, warned)}`);
  }

  async function validateNamespace(a: AdmissionAttributes, namespace: KubeObject): Promise<void> {
    if (a.subresource !== '') return;
    const { policy, faults } = policyOf(namespace.metadata.labels, defaults);
    const before = a.oldObject ? policyOf(a.oldObject.metadata.labels, defaults) : undefined;
    const name = namespace.metadata.name ?? '';
    if (faults.length > 0 && !(before && equalFaults(before.faults, faults))) {
      throw invalid({ group: '', kind: 'Namespace' }, name, faults);
    }
    if (before) {
      const old = before.policy.enforce;
      const { enforce } = policy;
      const relaxed = enforce.minor === old.minor && compareLevels(enforce.level, old.level) <= 0;
      if (enforce.level === 'privileged' || relaxed) return;
    }
    if (exemptions.namespaces.has(name)) {
      const text = exemptWarning(name, policy, namespace.metadata.labels ?? {});
      if (text) a.warn(text);
    } else if (before) {
      const pods = await objects.list({ group: '', resource: 'pods' }, name);
      const checked = pods.filter((p) => !exemptions.runtimeClasses.has(str(obj(p, 'spec'), 'runtimeClassName')));
      for (const text of existingPodWarnings(name, checked, policy.enforce, now)) a.warn(text);
    }
  }

  /** An exempt namespace whose labels ask for more than the defaults expects something that will not happen. */
  function exemptWarning(name: string, policy: Policy, labels: Readonly<Record<string, string>>): string {
    const differs = MODES.some((mode) => {
      const [x, y] = [policy[mode], defaults[mode]];
      return !sameLevel(x, y) && !(x.level === 'privileged' && y.level === 'privileged');
    });
    if (!differs || isPrivileged(policy)) return '';
    const asked = MODES.filter(
      (mode) => policy[mode].level !== 'privileged' && [levelLabel(mode), versionLabel(mode)].some((l) => l in labels),
    );
    const text = asked.map((mode) => `${mode}=${levelText(policy[mode])}`).join(', ');
    return `namespace ${goQuote(name)} is exempt from Pod Security, and the policy (${text}) will be ignored`;
  }

  return {
    name: 'PodSecurity',
    handles: (operation) => operation === 'CREATE' || operation === 'UPDATE',
    validate(a) {
      if (!a.object) return undefined;
      const resource = `${a.resource.group}/${a.resource.resource}`;
      if (resource === '/pods') return validatePod(a, a.object);
      if (resource === '/namespaces') return validateNamespace(a, a.object);
      const path = TEMPLATES[resource];
      return path && validateWorkload(a, a.object, path);
    },
  };
}

function equalFaults(a: readonly { toString(): string }[], b: readonly { toString(): string }[]): boolean {
  return equalJson(a.map(String), b.map(String));
}

/** Of what may change in a pod, only containers that come and images that change can break a standard. */
function isSignificant(pod: KubeObject, old: KubeObject): boolean {
  const [spec, before] = [obj(pod, 'spec'), obj(old, 'spec')];
  for (const field of ['containers', 'initContainers']) {
    const [now, was] = [list(spec, field), list(before, field)];
    if (now.length !== was.length || now.some((c, i) => c.image !== was[i]?.image)) return true;
  }
  const ephemeral = list(before, 'ephemeralContainers');
  return list(spec, 'ephemeralContainers').some((c) => {
    const was = ephemeral.find((o) => o.name === c.name);
    return !was || c.image !== was.image;
  });
}
