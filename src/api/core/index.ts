import { notSupported, required } from '../../machinery/field.js';
import type { KubeObject } from '../../machinery/json.js';
import { list, obj, str } from '../access.js';
import type { GroupStrategies } from '../index.js';
import { kind } from '../kind.js';
import { configMap } from './config-map.js';
import { endpoints } from './endpoints.js';
import { event } from './event.js';
import { limitRange } from './limit-range.js';
import { namespace } from './namespace.js';
import { node } from './node.js';
import { pod } from './pod/index.js';
import { podTemplate } from './pod-template.js';
import { replicationController } from './replication-controller.js';
import { resourceQuota } from './resource-quota.js';
import { secret } from './secret.js';
import { service } from './service/index.js';
import { volume } from './volume.js';
import { volumeClaim } from './volume-claim.js';

/** Assigns a pod to a node; never stored. */
const binding = kind({
  group: '',
  kind: 'Binding',
  ownMetadata: true,
  rules(v, _, c) {
    const target = obj(v as KubeObject, 'target');
    const targetKind = str(target, 'kind');
    if (targetKind !== '' && targetKind !== 'Node')
      c.errors.push(notSupported('target.kind', targetKind, ['Node', '<empty>']));
    if (str(target, 'name') === '') c.errors.push(required('target.name'));
  },
});

/** Secrets are meant by name, whatever else a reference may say. */
function nameSecrets(account: KubeObject): void {
  if (Array.isArray(account.secrets))
    account.secrets = list(account, 'secrets').map((s) => (s.name === undefined ? {} : { name: s.name }));
}
const serviceAccount = kind({
  group: '',
  kind: 'ServiceAccount',
  onUpdate: ['change', 'meta'],
  prepareForCreate: (_, account) => nameSecrets(account),
  prepareForUpdate: (_, account) => nameSecrets(account),
});

export const strategies: GroupStrategies = {
  Binding: binding,
  ConfigMap: configMap,
  Endpoints: endpoints,
  Event: event,
  LimitRange: limitRange,
  Namespace: namespace,
  Node: node,
  PersistentVolume: volume,
  PersistentVolumeClaim: volumeClaim,
  Pod: pod,
  PodTemplate: podTemplate,
  ReplicationController: replicationController,
  ResourceQuota: resourceQuota,
  Secret: secret,
  Service: service,
  ServiceAccount: serviceAccount,
};
