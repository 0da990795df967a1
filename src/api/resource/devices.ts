import {
  duplicate,
  forbiddenField,
  invalidValue,
  notFoundValue,
  type Path,
  required as requiredError,
  tooLong,
} from '../../machinery/field.js';
import { equalJson, isJsonObject, type JsonObject } from '../../machinery/json.js';
import { bool, list, obj, ptr, str, strings } from '../access.js';
import { isNative, quantity } from '../core/pod/resources.js';
import { validateNodeSelector } from '../core/scheduling.js';
import {
  type Check,
  dnsLabel,
  dnsSubdomain,
  format,
  formats,
  type Rule,
  required,
  struct,
  whole,
} from '../validation/index.js';
import { requestPolicy } from './capacity.js';
import { entriesOf, named, set, slice } from './lists.js';
import { QUALIFIED_NAME_LENGTH, qualifiedName } from './names.js';
import { taint } from './taints.js';

const MAX = { properties: 32, values: 48, valueLength: 64, taints: 16, consumptions: 2, counters: 32, binding: 4 };

export interface DeviceCheck extends Check {
  /** Each device says itself on which nodes it is. */
  readonly perDevice: boolean;
  /** Devices as they are stored. */
  readonly stored: readonly JsonObject[];
}

const conditionNames = slice(MAX.binding, format(formats.qualifiedName));

/** Conditions that a device has to reach before its pod is bound, and those under which it never will. */
export function bindingConditions(o: JsonObject, at: Path, c: Check): void {
  const [good, bad] = [strings(o, 'bindingConditions'), strings(o, 'bindingFailureConditions')];
  const [goodAt, badAt] = [at.child('bindingConditions'), at.child('bindingFailureConditions')];
  conditionNames(good, goodAt, c);
  conditionNames(bad, badAt, c);
  good.forEach((name, i) => {
    if (good.indexOf(name) < i) c.errors.push(duplicate(goodAt.index(i), name));
  });
  bad.forEach((name, i) => {
    if (bad.indexOf(name) < i) c.errors.push(duplicate(badAt.index(i), name));
    if (good.includes(name))
      c.errors.push(
        invalidValue(badAt.index(i), name, 'bindingFailureConditions must not overlap with bindingConditions'),
      );
  });
  if (good.length === 0 && bad.length > 0)
    c.errors.push(invalidValue(goodAt, null, 'bindingConditions are required to use bindingFailureConditions'));
  if (bad.length === 0 && good.length > 0)
    c.errors.push(invalidValue(badAt, null, 'bindingFailureConditions are required to use bindingConditions'));
}

/** Names of the fields of an attribute inside the real server, by which a fault shows it. */
const ATTRIBUTE_FIELDS: Readonly<Record<string, string>> = {
  int: 'IntValue',
  bool: 'BoolValue',
  string: 'StringValue',
  version: 'VersionValue',
  ints: 'IntValues',
  bools: 'BoolValues',
  strings: 'StringValues',
  versions: 'VersionValues',
};
const LISTS = ['bools', 'ints', 'strings', 'versions'];

const ID = '(0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)';
const SEMVER = new RegExp(
  `^(0|[1-9][0-9]*)\\.(0|[1-9][0-9]*)\\.(0|[1-9][0-9]*)(-${ID}(\\.${ID})*)?(\\+[0-9a-zA-Z-]+(\\.[0-9a-zA-Z-]+)*)?$`,
);
const textValue: Rule = (v, at, c) => {
  if (formats.byteLength(String(v)) > MAX.valueLength) c.errors.push(tooLong(at, MAX.valueLength));
};
const versionValue: Rule = (v, at, c) => {
  // Longer ones are refused anyway, and need not be matched.
  if (!SEMVER.test(String(v).slice(0, 4 * MAX.valueLength)))
    c.errors.push(invalidValue(at, v, 'must be a string compatible with semver.org spec 2.0.0'));
  textValue(v, at, c);
};

const attribute: Rule = whole((o, at, c) => {
  if (o.string !== undefined) textValue(o.string, at.child('string'), c);
  if (o.version !== undefined) versionValue(o.version, at.child('version'), c);
  slice(Infinity, textValue)(o.strings, at.child('strings'), c);
  slice(Infinity, versionValue)(o.versions, at.child('versions'), c);
  const set = Object.keys(ATTRIBUTE_FIELDS).filter((name) => o[name] !== undefined);
  if (set.length === 1) return;
  const shown = Object.fromEntries(Object.entries(ATTRIBUTE_FIELDS).map(([name, go]) => [go, o[name] ?? null]));
  c.errors.push(invalidValue(at, set.length === 0 ? '' : shown, 'exactly one value must be specified'));
});

const valuesOf = (a: JsonObject): number =>
  Math.max(
    1,
    LISTS.reduce((n, name) => n + list(a, name).length, 0),
  );

function properties(o: JsonObject, at: Path, c: Check): void {
  const attributes = obj(o, 'attributes');
  const total = Object.keys(attributes).length + Object.keys(obj(o, 'capacity')).length;
  if (total > MAX.properties)
    c.errors.push(
      invalidValue(at, total, `the total number of attributes and capacities must not exceed ${MAX.properties}`),
    );
  const values = Object.values(attributes).reduce<number>((n, a) => n + valuesOf(isJsonObject(a) ? a : {}), 0);
  if (values > MAX.values)
    c.errors.push(invalidValue(at, values, `the total number of attribute values must not exceed ${MAX.values}`));
  entriesOf({ keyLength: QUALIFIED_NAME_LENGTH }, qualifiedName, attribute)(attributes, at.child('attributes'), c);
  const shared = bool(o, 'allowMultipleAllocations');
  const capacity: Rule = whole((v, here) => {
    const policy = ptr(v, 'requestPolicy');
    if (!policy) return;
    if (shared) requestPolicy(quantity(v.value ?? '0'), policy, here.child('requestPolicy'), c);
    else c.errors.push(forbiddenField(here.child('requestPolicy'), 'allowMultipleAllocations must be true'));
  });
  entriesOf({ keyLength: QUALIFIED_NAME_LENGTH }, qualifiedName, capacity)(o.capacity, at.child('capacity'), c);
}

/** Counters by name, as a set of them has and as devices consume. */
export const counters = (max: number): Rule =>
  required(entriesOf({ max, keyLength: 63 }, (key, at, c) => dnsLabel(key, at, c)));
const consumption = struct('resource.v1.DeviceCounterConsumption', {
  counterSet: required(dnsLabel),
  counters: counters(MAX.counters),
});

const WHERE =
  'exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec';

function nodes(o: JsonObject, at: Path, c: DeviceCheck): void {
  if (!c.perDevice) {
    if (o.nodeName !== undefined || o.nodeSelector !== undefined || o.allNodes !== undefined)
      c.errors.push(
        invalidValue(
          at,
          null,
          '`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec',
        ),
      );
    return;
  }
  const set: string[] = [];
  if (o.nodeName === '') c.errors.push(invalidValue(at.child('nodeName'), '', 'must not be empty'));
  else if (o.nodeName !== undefined) {
    set.push('`nodeName`');
    dnsSubdomain(o.nodeName, at.child('nodeName'), c);
  }
  const selector = ptr(o, 'nodeSelector');
  if (selector) {
    set.push('`nodeSelector`');
    validateNodeSelector(selector, at.child('nodeSelector'), c);
  }
  if (o.allNodes === true) set.push('`allNodes`');
  else if (o.allNodes !== undefined)
    c.errors.push(invalidValue(at.child('allNodes'), o.allNodes, 'must be either unset or set to true'));
  if (set.length === 0) c.errors.push(requiredError(at, WHERE));
  else if (set.length > 1) c.errors.push(invalidValue(at, `{${set.join(', ')}}`, WHERE));
}

function allocatable(o: JsonObject, at: Path, c: Check): void {
  const mappings = obj(o, 'nodeAllocatableResourceMappings');
  const capacity = obj(o, 'capacity');
  for (const name of Object.keys(mappings).sort()) {
    const here = at.child('nodeAllocatableResourceMappings').key(name);
    const { allocationMultiplier: multiplier, capacityKey: key } = obj(mappings, name);
    if (!isNative(name)) c.errors.push(invalidValue(here, name, 'must be a node allocatable resource name'));
    if (multiplier === undefined && key === undefined)
      c.errors.push(invalidValue(here, '', 'at least one of allocationMultiplier or capacityKey must be set'));
    if (multiplier !== undefined && quantity(multiplier).sign() <= 0)
      c.errors.push(
        invalidValue(here.child('allocationMultiplier'), quantity(multiplier).toString(), 'must be positive'),
      );
    if (key === '')
      c.errors.push(invalidValue(here.child('capacityKey'), '', 'capacityKey must not be an empty string'));
    else if (key !== undefined && !Object.hasOwn(capacity, String(key)))
      c.errors.push(notFoundValue(here.child('capacityKey'), key));
  }
}

export const device: Rule<DeviceCheck> = whole((o, at, c) => {
  const name = str(o, 'name');
  dnsLabel(name, at.child('name'), c);
  properties(o, at, c);
  const stored = c.stored.find((d) => str(d, 'name') === name);
  if (!stored || !equalJson(stored.taints, o.taints)) slice(MAX.taints, taint)(o.taints, at.child('taints'), c);
  set(MAX.consumptions, consumption, named('counterSet'))(o.consumesCounters, at.child('consumesCounters'), c);
  nodes(o, at, c);
  bindingConditions(o, at, c);
  allocatable(o, at, c);
});
