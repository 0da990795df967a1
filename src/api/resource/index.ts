import { invalidValue, Path, required as requiredError } from '../../machinery/field.js';
import { equalJson, type JsonObject, type KubeObject } from '../../machinery/json.js';
import { list, obj, ptr, str } from '../access.js';
import { isExtended } from '../core/pod/resources.js';
import { validateNodeSelector } from '../core/scheduling.js';
import type { GroupStrategies } from '../index.js';
import { kind } from '../kind.js';
import {
  type Check,
  dnsLabel,
  dnsSubdomain,
  goForm,
  immutable,
  nameIsDnsSubdomain,
  required,
  satisfies,
  struct,
} from '../validation/index.js';
import { resourceClaim, resourceClaimTemplate } from './claims.js';
import { counters, type DeviceCheck, device } from './devices.js';
import { named, set, slice } from './lists.js';
import { driverName, poolName } from './names.js';
import { resourcePoolStatusRequest } from './pool-status-request.js';
import { configuration, selectors } from './requests.js';
import { deviceTaintRule } from './taints.js';

const GROUP = 'resource.k8s.io';
const SPEC = new Path('spec');
const spec = (o: KubeObject | undefined) => obj(o, 'spec');
const MAX = { devices: 128, devicesWithMore: 64, counterSets: 8, counters: 32, config: 32 };

const deviceClass = kind({
  group: GROUP,
  kind: 'DeviceClass',
  // This name is checked by a rule declared with the type, which counts in bytes.
  name: (name, prefix) => nameIsDnsSubdomain(name, prefix).map((text) => text.replace(/ characters$/, ' bytes')),
  rules(v, _, c) {
    const o = spec(v as KubeObject);
    selectors(o.selectors, SPEC.child('selectors'), c);
    const stored = c.old !== undefined && equalJson(o.config, spec(c.old).config);
    slice(MAX.config, (e, at) => configuration(e as JsonObject, at, c, stored))(o.config, SPEC.child('config'), c);
    if (o.extendedResourceName !== undefined && !isExtended(str(o, 'extendedResourceName')))
      c.errors.push(
        invalidValue(
          SPEC.child('extendedResourceName'),
          o.extendedResourceName,
          'must be a valid extended resource name',
        ),
      );
  },
  onUpdate: ['meta', 'change', 'rules'],
});

const pool = struct('resource.v1.ResourcePool', {
  name: poolName,
  resourceSliceCount: satisfies((n) => n > 0, 'must be greater than zero'),
  generation: satisfies((n) => n >= 0, 'must be greater than or equal to zero'),
});

const ONE_OF = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required';

/** Where the devices of a slice are. */
function nodes(o: JsonObject, c: Check): void {
  const set: string[] = [];
  if (o.nodeName === '')
    c.errors.push(invalidValue(SPEC.child('nodeName'), '', 'must be either unset or set to a non-empty string'));
  else if (o.nodeName !== undefined) {
    set.push('`nodeName`');
    dnsSubdomain(o.nodeName, SPEC.child('nodeName'), c);
  }
  const selector = ptr(o, 'nodeSelector');
  if (selector) {
    set.push('`nodeSelector`');
    validateNodeSelector(selector, SPEC.child('nodeSelector'), c);
    const terms = list(selector, 'nodeSelectorTerms');
    if (terms.length !== 1)
      c.errors.push(
        invalidValue(
          SPEC.child('nodeSelector', 'nodeSelectorTerms'),
          terms.length === 0 ? null : goForm('core.v1.NodeSelectorTerm', terms),
          'must have exactly one node selector term',
        ),
      );
  }
  for (const name of ['allNodes', 'perDeviceNodeSelection']) {
    if (o[name] === true) set.push(`\`${name}\``);
    else if (o[name] !== undefined)
      c.errors.push(invalidValue(SPEC.child(name), o[name], 'must be either unset or set to true'));
  }
  if (set.length === 0) c.errors.push(requiredError(SPEC, ONE_OF));
  else if (set.length > 1)
    c.errors.push(invalidValue(SPEC, `{${set.join(', ')}}`, `${ONE_OF}, but multiple fields are set`));
}

const LISTS = ['bools', 'ints', 'strings', 'versions'];
/** Some features make devices so large that fewer fit. */
const isLarge = (d: JsonObject): boolean =>
  list(d, 'taints').length > 0 ||
  list(d, 'consumesCounters').length > 0 ||
  Object.keys(obj(d, 'attributes')).some((name) =>
    LISTS.some((field) => obj(obj(d, 'attributes'), name)[field] !== undefined),
  );

const counterSet = struct('resource.v1.CounterSet', { name: required(dnsLabel), counters: counters(MAX.counters) });

function sliceRules(slice: KubeObject, c: Check): void {
  const o = spec(slice);
  driverName(str(o, 'driver'), SPEC.child('driver'), c);
  pool(o.pool, SPEC.child('pool'), c);
  if (c.old) {
    const old = spec(c.old);
    immutable(str(obj(o, 'pool'), 'name'), str(obj(old, 'pool'), 'name'), SPEC.child('pool', 'name'), c);
    immutable(str(o, 'driver'), str(old, 'driver'), SPEC.child('driver'), c);
    immutable(o.nodeName, old.nodeName, SPEC.child('nodeName'), c);
  }
  nodes(o, c);
  if (o.sharedCounters !== undefined && o.devices !== undefined)
    c.errors.push(invalidValue(SPEC, '', 'only one of `sharedCounters` or `devices` is allowed'));
  const max = list(o, 'devices').some(isLarge) ? MAX.devicesWithMore : MAX.devices;
  set<DeviceCheck>(max, device, named('name'))(o.devices, SPEC.child('devices'), {
    ...c,
    perDevice: o.perDeviceNodeSelection === true,
    stored: list(spec(c.old), 'devices'),
  });
  set(MAX.counterSets, counterSet, named('name'))(o.sharedCounters, SPEC.child('sharedCounters'), c);
}

const resourceSlice = kind({
  group: GROUP,
  kind: 'ResourceSlice',
  rules: (v, _, c) => sliceRules(v as KubeObject, c),
  warnings(_, o) {
    const driver = str(spec(o), 'driver');
    return driver === driver.toLowerCase()
      ? []
      : [`spec.driver: driver names should be lowercase; ${JSON.stringify(driver)} contains uppercase characters`];
  },
  strategy: {
    selectableFields: (o) => ({ 'spec.nodeName': str(spec(o), 'nodeName'), 'spec.driver': str(spec(o), 'driver') }),
  },
});

export const strategies: GroupStrategies = {
  DeviceClass: deviceClass,
  DeviceTaintRule: deviceTaintRule,
  ResourceClaim: resourceClaim,
  ResourceClaimTemplate: resourceClaimTemplate,
  ResourcePoolStatusRequest: resourcePoolStatusRequest,
  ResourceSlice: resourceSlice,
};
