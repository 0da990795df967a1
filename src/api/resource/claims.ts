import { forbiddenField, invalidValue, Path, tooMany } from '../../machinery/field.js';
import { equalJson, type JsonObject, type JsonValue, type KubeObject } from '../../machinery/json.js';
import { edit, list, obj, ptr, str } from '../access.js';
import { templateMetadata } from '../core/claim-spec.js';
import { validateNodeSelector } from '../core/scheduling.js';
import { kind } from '../kind.js';
import type { Strategy } from '../strategy.js';
import {
  type Check,
  conditions,
  dnsLabel,
  formatIP,
  ifPresent,
  immutable,
  maxBytes,
  oneOfInOrder,
  parseCIDR,
  type Rule,
  required,
  struct,
  whole,
} from '../validation/index.js';
import { bindingConditions } from './devices.js';
import { named, set, slice } from './lists.js';
import { driverName, poolName, rawObject, uid } from './names.js';
import {
  type ClaimCheck,
  claimSpec,
  configuration,
  requestNames,
  requestReference,
  requestReferences,
} from './requests.js';

const GROUP = 'resource.k8s.io';
const SPEC = new Path('spec');
const STATUS = new Path('status');
const MAX = { consumers: 256, results: 32, config: 64, conditions: 8, ips: 16, data: 10 * 1024 };

export const resourceClaimTemplate: Strategy = kind({
  group: GROUP,
  kind: 'ResourceClaimTemplate',
  rules(v, _, c) {
    const spec = obj(v as KubeObject, 'spec');
    templateMetadata(obj(spec, 'metadata'), SPEC.child('metadata'), c);
    claimSpec(obj(spec, 'spec'), SPEC.child('spec'), c);
  },
  updateRules: (o, old, c) => immutable(o.spec ?? {}, old.spec ?? {}, SPEC, c, 'resource.v1.ResourceClaimTemplateSpec'),
  onUpdate: ['meta', 'rules', 'change', 'updateRules'],
});

// Status ------------------------------------------------------------------------------------------------------------

/** Which device, and which share of it. */
function deviceId(o: JsonObject): JsonObject {
  const part = (name: string) => str(o, name);
  return { Driver: part('driver'), Pool: part('pool'), Device: part('device'), ShareID: part('shareID') };
}
const idText = (o: JsonObject): string => JSON.stringify(deviceId(o));
const resultsOf = (status: JsonObject): JsonObject[] => list(obj(obj(status, 'allocation'), 'devices'), 'results');

const consumer = struct('resource.v1.ResourceClaimConsumerReference', {
  resource: required(),
  name: required(),
  uid: required(),
});

/** An address with the length of its network: 10.9.8.7/24. */
const interfaceAddress: Rule = (v, at, c) => {
  const text = String(v ?? '');
  const cidr = parseCIDR(text);
  const canonical = cidr && `${formatIP(cidr.ip.bytes)}/${cidr.prefix}`;
  if (!cidr)
    c.errors.push(invalidValue(at, text, 'must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)'));
  else if (canonical !== text)
    c.errors.push(invalidValue(at, text, `must be in canonical form (${JSON.stringify(canonical)})`));
};

interface StatusCheck extends ClaimCheck {
  readonly allocated: ReadonlySet<string>;
}

const deviceStatus = struct<StatusCheck>('resource.v1.AllocatedDeviceStatus', {
  driver: driverName,
  pool: poolName,
  device: dnsLabel,
  shareID: ifPresent(uid),
  $allocated: whole<StatusCheck>((o, at, c) => {
    if (!c.allocated.has(idText(o)))
      c.errors.push(invalidValue(at, deviceId(o), 'must be an allocated device in the claim'));
  }),
  conditions: (v, at, c) => {
    if (Array.isArray(v) && v.length > MAX.conditions) c.errors.push(tooMany(at, v.length, MAX.conditions));
    conditions(v, at, c);
  },
  data: ifPresent((v, at, c) => rawObject(v, MAX.data, at, c)),
  networkData: ifPresent(
    struct('resource.v1.NetworkDeviceData', {
      interfaceName: maxBytes(256),
      hardwareAddress: maxBytes(128),
      ips: set(MAX.ips, interfaceAddress),
    }),
  ),
});

const result = struct<ClaimCheck>('resource.v1.DeviceRequestAllocationResult', {
  request: requestReference,
  driver: driverName,
  pool: poolName,
  device: dnsLabel,
  $binding: whole(bindingConditions),
  shareID: ifPresent(uid),
});

const allocationConfig: Rule<ClaimCheck> = whole((o, at, c) => {
  required(oneOfInOrder('FromClaim', 'FromClass'))(str(o, 'source'), at.child('source'), c);
  requestReferences(o.requests, at.child('requests'), c);
  configuration(o, at, c);
});

const allocation = struct<ClaimCheck>('resource.v1.AllocationResult', {
  devices: struct('resource.v1.DeviceAllocationResult', {
    results: slice(MAX.results, result),
    config: slice(MAX.config, allocationConfig),
  }),
  nodeSelector: ifPresent((v, at, c) => validateNodeSelector(v as JsonObject, at, c)),
});

function reservations(o: KubeObject, old: KubeObject, c: Check): void {
  const at = STATUS.child('reservedFor');
  const status = obj(o, 'status');
  const consumers = list(status, 'reservedFor');
  if (consumers.length === 0) return;
  if (status.allocation === undefined)
    c.errors.push(forbiddenField(at, 'may not be specified when `allocated` is not set'));
  else if (o.metadata.deletionTimestamp) {
    const before = list(obj(old, 'status'), 'reservedFor');
    if (consumers.some((e) => !before.some((b) => equalJson(b, e))))
      c.errors.push(
        forbiddenField(at, 'new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set'),
      );
  }
}

function statusRules(o: KubeObject, old: KubeObject, check: Check): void {
  const status = obj(o, 'status');
  const c: StatusCheck = {
    ...check,
    requests: requestNames(obj(obj(o, 'spec'), 'devices')),
    allocated: new Set(resultsOf(status).map(idText)),
  };
  set(MAX.consumers, consumer, named('uid'))(status.reservedFor, STATUS.child('reservedFor'), c);
  const idOf = (e: JsonValue) => deviceId(e as JsonObject);
  set<StatusCheck>(Infinity, deviceStatus, idOf)(status.devices, STATUS.child('devices'), c);
  reservations(o, old, c);
  const at = STATUS.child('allocation');
  const before = ptr(obj(old, 'status'), 'allocation');
  if (status.allocation === undefined) return;
  if (before) immutable(status.allocation, before, at, c, 'resource.v1.AllocationResult');
  else allocation(status.allocation, at, c);
}

/** Devices that were given back have no status any more. */
function dropDeallocated(o: KubeObject, old: KubeObject): void {
  const now = new Set(resultsOf(obj(o, 'status')).map(idText));
  const gone = new Set(
    resultsOf(obj(old, 'status'))
      .map(idText)
      .filter((id) => !now.has(id)),
  );
  if (gone.size === 0) return;
  edit(o, 'status', (status) => {
    const left = list(status, 'devices').filter((d) => !gone.has(idText(d)));
    if (left.length > 0) status.devices = left;
    else delete status.devices;
  });
}

export const resourceClaim: Strategy = kind({
  group: GROUP,
  kind: 'ResourceClaim',
  rules: (v, _, c) => claimSpec(obj(v as KubeObject, 'spec'), SPEC, c),
  updateRules: (o, old, c) => immutable(o.spec ?? {}, old.spec ?? {}, SPEC, c, 'resource.v1.ResourceClaimSpec'),
  onUpdate: ['meta', 'change', 'updateRules'],
  subresources: { status: { prepare: (_, o, old) => dropDeallocated(o, old), rules: statusRules } },
});
