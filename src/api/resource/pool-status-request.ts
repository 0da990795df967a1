import { invalidValue, Path, tooLong, tooMany } from '../../machinery/field.js';
import { equalJson, type KubeObject } from '../../machinery/json.js';
import { obj, ptr } from '../access.js';
import { kind } from '../kind.js';
import type { Strategy } from '../strategy.js';
import {
  type Check,
  changed,
  conditions,
  dnsSubdomain,
  each,
  format,
  formats,
  ifPresent,
  immutable,
  maxBytes,
  maximum,
  minimum,
  type Rule,
  required,
  requiredPresent,
  struct,
  uniqueKey,
} from '../validation/index.js';

// Asks the scheduler for what is left of pools of devices (KEP-5677). All rules but those of conditions are declarative.

const V = 'resource.v1alpha3';
const SPEC = new Path('spec');
const STATUS = new Path('status');
const MAX_POOLS = 1000;
const MAX_CONDITIONS = 10;
const MAX_POOL_NAME = 253;
const CONDITION = 'io.k8s.apimachinery.pkg.apis.meta.v1.Condition';

const driver = format((s) => formats.dns1123Subdomain(s.toLowerCase()));
const poolName: Rule = (v, at, c) => {
  const name = String(v);
  if (formats.byteLength(name) > MAX_POOL_NAME) c.errors.push(tooLong(at, MAX_POOL_NAME));
  name.split('/').forEach((part, i) => {
    if (part === '') c.errors.push(invalidValue(at, name, `segment ${i}: must not be empty`));
    else for (const m of formats.dns1123Subdomain(part)) c.errors.push(invalidValue(at, part, `segment ${i}: ${m}`));
  });
};

const spec = struct(`${V}.ResourcePoolStatusRequestSpec`, {
  driver: required(driver),
  poolName: ifPresent(poolName),
  limit: requiredPresent('', minimum(1), maximum(1000)),
});

const count = ifPresent(minimum(0));
const pool = struct(`${V}.PoolStatus`, {
  driver: required(driver),
  poolName: required(poolName),
  generation: required(minimum(0)),
  resourceSliceCount: ifPresent(minimum(1)),
  totalDevices: count,
  allocatedDevices: count,
  availableDevices: count,
  unavailableDevices: count,
  nodeName: ifPresent(dnsSubdomain),
  validationError: ifPresent(maxBytes(256)),
});
const limited =
  (max: number, rule: Rule): Rule =>
  (v, at, c) => {
    if (Array.isArray(v) && v.length > max) c.errors.push(tooMany(at, v.length, max));
    else rule(v, at, c);
  };
const status = struct(`${V}.ResourcePoolStatusRequestStatus`, {
  poolCount: requiredPresent('', minimum(0)),
  pools: limited(MAX_POOLS, each(pool)),
  conditions: limited(MAX_CONDITIONS, uniqueKey(CONDITION, 'type')),
});

/** A status is written once. */
function statusRules(o: KubeObject, old: KubeObject, c: Check): void {
  const now = ptr(o, 'status');
  if (old.status !== undefined) immutable(o.status, old.status, STATUS, c, `${V}.ResourcePoolStatusRequestStatus`);
  else if (now) conditions(now.conditions, STATUS.child('conditions'), c);
  if (now && !equalJson(now, old.status)) status(now, STATUS, c);
}

export const resourcePoolStatusRequest: Strategy = kind({
  group: 'resource.k8s.io',
  kind: 'ResourcePoolStatusRequest',
  rules: (v, _, c) => spec(obj(v as KubeObject, 'spec'), SPEC, c),
  updateRules(o, old, c) {
    if (!equalJson(obj(o, 'spec'), obj(old, 'spec'))) changed(SPEC, c);
  },
  onUpdate: ['change', 'updateRules'],
  subresources: { status: { rules: statusRules } },
});
