import { Path, required } from '../../machinery/field.js';
import { isJsonObject } from '../../machinery/json.js';
import type { GroupStrategies } from '../index.js';
import { kind } from '../kind.js';
import { immutable, nonNegative, struct } from '../validation/index.js';
import { daemonSet } from './daemon-set.js';
import { deployment } from './deployment.js';
import { replicaSet } from './replica-set.js';
import { statefulSet } from './stateful-set.js';

/** A state of a workload to go back to. */
const controllerRevision = kind({
  group: 'apps',
  kind: 'ControllerRevision',
  rules: struct('apps.v1.ControllerRevision', {
    data: (v, at, c) => {
      if (v === undefined || v === null) c.errors.push(required(at, 'data is mandatory'));
      else if (!isJsonObject(v)) c.errors.push(required(at, 'data must be a valid JSON object'));
    },
    revision: nonNegative,
  }),
  updateRules: (o, old, c) => immutable(o.data, old.data, new Path('data'), c),
  onUpdate: ['change', 'meta', 'rules', 'updateRules'],
});

export const strategies: GroupStrategies = {
  ControllerRevision: controllerRevision,
  DaemonSet: daemonSet,
  Deployment: deployment,
  ReplicaSet: replicaSet,
  StatefulSet: statefulSet,
};
