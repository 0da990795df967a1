import { list, obj, str } from '../../api/access.js';
import { badRequest } from '../../machinery/errors.js';
import type { KubeObject } from '../../machinery/json.js';

/**
 * The container that a request means: the one it names, else the only one.
 *
 * @throws 400
 */
export function chooseContainer(pod: KubeObject, wanted: string): string {
  const spec = obj(pod, 'spec');
  const names = ['initContainers', 'containers', 'ephemeralContainers'].flatMap((field) =>
    list(spec, field).map((container) => str(container, 'name')),
  );
  const { name = '' } = pod.metadata;
  if (wanted !== '') {
    if (!names.includes(wanted)) throw badRequest(`container ${wanted} is not valid for pod ${name}`);
    return wanted;
  }
  const containers = list(spec, 'containers');
  if (containers.length === 1) return str(containers[0], 'name');
  throw badRequest(`a container name must be specified for pod ${name}, choose one of: [${names.join(' ')}]`);
}

export const nodeOf = (pod: KubeObject): string => str(obj(pod, 'spec'), 'nodeName');

export function firstAddress(pod: KubeObject): string {
  return str(list(obj(pod, 'status'), 'podIPs')[0], 'ip');
}
