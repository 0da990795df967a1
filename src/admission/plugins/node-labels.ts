/** Labels that kubelets set on their nodes, and the namespaces in which they may invent more. */
const KUBELET_LABELS = new Set([
  'kubernetes.io/hostname',
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
  'beta.kubernetes.io/instance-type',
  'node.kubernetes.io/instance-type',
  'kubernetes.io/os',
  'kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
]);
const KUBELET_NAMESPACES = ['kubelet.kubernetes.io', 'node.kubernetes.io'];
const RESERVED = 'node-restriction.kubernetes.io';

type Labels = Readonly<Record<string, string>> | undefined;

/**
 * Keys whose value differs between the two maps though a node may not change them: with them it could draw workloads to
 * itself. Everything outside kubernetes.io and k8s.io is free.
 */
export function forbiddenNodeLabels(after: Labels, before: Labels): string[] {
  const value = (labels: Labels, key: string) => (labels && Object.hasOwn(labels, key) ? labels[key] : undefined);
  const keys = new Set([...Object.keys(after ?? {}), ...Object.keys(before ?? {})]);
  return [...keys].filter((key) => value(after, key) !== value(before, key) && isForbidden(key));
}

function isForbidden(key: string): boolean {
  const namespace = key.includes('/') ? key.slice(0, key.indexOf('/')) : '';
  if (isWithin(namespace, RESERVED)) return true;
  if (!isWithin(namespace, 'kubernetes.io') && !isWithin(namespace, 'k8s.io')) return false;
  return !KUBELET_LABELS.has(key) && !KUBELET_NAMESPACES.some((allowed) => isWithin(namespace, allowed));
}

function isWithin(namespace: string, domain: string): boolean {
  return namespace === domain || namespace.endsWith(`.${domain}`);
}
