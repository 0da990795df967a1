import { compile, DEVICE, deviceEnvironment, type Environment, types } from '../../machinery/cel/index.js';
import {
  forbiddenField,
  invalidValue,
  notSupported,
  type Path,
  required as requiredError,
  tooLong,
} from '../../machinery/field.js';
import type { JsonObject } from '../../machinery/json.js';
import { list, num, str } from '../access.js';
import {
  type Check,
  dnsLabel,
  dnsSubdomain,
  formats,
  invalidEach,
  type Rule,
  required,
  struct,
  whole,
} from '../validation/index.js';
import { named, set, slice } from './lists.js';
import { driverName, fullyQualifiedName, rawObject } from './names.js';
import { toleration } from './taints.js';

const MAX = { requests: 32, constraints: 32, config: 32, selectors: 32, alternatives: 8 };
const EXPRESSION_LENGTH = 10 * 1024;
const EXPRESSION_COST = 1_000_000;
export const PARAMETERS_LENGTH = 10 * 1024;

const environments = new Map<boolean, Environment>();
function environment(shared: boolean): Environment {
  let env = environments.get(shared);
  if (!env) {
    env = deviceEnvironment(shared);
    environments.set(shared, env);
  }
  return env;
}

const expression: Rule = (v, at, c) => {
  const text = String(v ?? '');
  const fault = (why: string) => c.errors.push(invalidValue(at, text, why));
  if (formats.byteLength(text) > EXPRESSION_LENGTH) {
    c.errors.push(tooLong(at, EXPRESSION_LENGTH));
    return;
  }
  const compiled = compile(text, environment(c.gate('DRAConsumableCapacity')), DEVICE);
  if (compiled.failed)
    fault(`${compiled.failed === 'compilation' ? 'compilation' : 'program instantiation'} failed: ${compiled.message}`);
  else if (!['bool', 'any'].includes(compiled.outputType.kind))
    fault(`must evaluate to bool or the unknown type, not ${types.typeToString(compiled.outputType)}`);
  else if (compiled.estimatedCost.max > EXPRESSION_COST)
    c.errors.push(forbiddenField(at, 'too complex, exceeds cost limit'));
};

const selector: Rule = whole((o, at, c) => {
  if (o.cel === undefined) c.errors.push(requiredError(at.child('cel')));
  else struct('resource.v1.CELDeviceSelector', { expression })(o.cel, at.child('cel'), c);
});
export const selectors = slice(MAX.selectors, selector);

const allocation: Rule = whole((o, at, c) => {
  const count = num(o, 'count');
  const mode = str(o, 'allocationMode');
  const fault = (text: string) => c.errors.push(invalidValue(at.child('count'), o.count ?? 0, text));
  if (mode === 'All') {
    if (count !== 0) fault("must not be specified when allocationMode is 'All'");
  } else if (mode === 'ExactCount') {
    if (count <= 0) fault('must be greater than zero');
  } else c.errors.push(notSupported(at.child('allocationMode'), mode, ['All', 'ExactCount']));
});

const exact = struct('resource.v1.ExactDeviceRequest', {
  deviceClassName: required(dnsSubdomain),
  selectors,
  $allocation: allocation,
  tolerations: slice(Infinity, toleration),
});
const alternative = struct('resource.v1.DeviceSubRequest', {
  name: dnsLabel,
  deviceClassName: required(dnsSubdomain),
  selectors,
  $allocation: allocation,
  tolerations: slice(Infinity, toleration),
});

const ONE_OF = 'exactly one of `exactly` or `firstAvailable` is required';
const request: Rule = whole((o, at, c) => {
  dnsLabel(str(o, 'name'), at.child('name'), c);
  const alternatives = list(o, 'firstAvailable').length > 0;
  if (alternatives && o.exactly !== undefined)
    c.errors.push(invalidValue(at, null, `${ONE_OF}, but multiple fields are set`));
  else if (alternatives)
    set(MAX.alternatives, alternative, named('name'))(o.firstAvailable, at.child('firstAvailable'), c);
  else if (o.exactly !== undefined) exact(o.exactly, at.child('exactly'), c);
  else c.errors.push(requiredError(at, ONE_OF));
});

/** Names of the requests of a claim with those of their alternatives. */
export type RequestNames = ReadonlyMap<string, ReadonlySet<string>>;
export function requestNames(devices: JsonObject): RequestNames {
  return new Map(
    list(devices, 'requests').map((r) => [
      str(r, 'name'),
      new Set(list(r, 'firstAvailable').map((sub) => str(sub, 'name'))),
    ]),
  );
}

export interface ClaimCheck extends Check {
  readonly requests: RequestNames;
}

const NO_SUCH_REQUEST =
  "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";
export const requestReference: Rule<ClaimCheck> = (v, at, c) => {
  const name = String(v ?? '');
  const parts = name.split('/');
  const fault = () => c.errors.push(invalidValue(at, name, NO_SUCH_REQUEST));
  if (parts.length > 2) {
    fault();
    return;
  }
  for (const part of parts) invalidEach(c, at, part, formats.dns1123Label(part));
  const known = c.requests.get(parts[0]!);
  if (!known || (parts.length === 2 && !known.has(parts[1]!))) fault();
};
export const requestReferences = set<ClaimCheck>(MAX.requests, requestReference);

const constraint = struct<ClaimCheck>('resource.v1.DeviceConstraint', {
  requests: requestReferences,
  $attribute: whole((o, at, c) => {
    if (o.matchAttribute !== undefined) fullyQualifiedName(o.matchAttribute, at.child('matchAttribute'), c);
    else if (o.distinctAttribute !== undefined)
      fullyQualifiedName(o.distinctAttribute, at.child('distinctAttribute'), c);
    else if (c.gate('DRAConsumableCapacity'))
      c.errors.push(
        requiredError(
          at,
          'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set',
        ),
      );
    else c.errors.push(requiredError(at.child('matchAttribute')));
  }),
});

/** What a driver is told; opaque to everybody else. */
export function configuration(o: JsonObject, at: Path, c: Check, stored = false): void {
  if (o.opaque === undefined) {
    c.errors.push(requiredError(at.child('opaque')));
    return;
  }
  struct('resource.v1.OpaqueDeviceConfiguration', {
    driver: driverName,
    parameters: (v, here) => rawObject(v, PARAMETERS_LENGTH, here, c, stored),
  })(o.opaque, at.child('opaque'), c);
}

export const claimConfig: Rule<ClaimCheck> = whole((o, at, c) => {
  requestReferences(o.requests, at.child('requests'), c);
  configuration(o, at, c);
});

const devices = struct<ClaimCheck>('resource.v1.DeviceClaim', {
  requests: set(MAX.requests, request, named('name')),
  constraints: slice(MAX.constraints, constraint),
  config: slice(MAX.config, claimConfig),
});

/** resource.v1.ResourceClaimSpec. */
export function claimSpec(spec: JsonObject, at: Path, c: Check): void {
  const claim = (spec.devices ?? {}) as JsonObject;
  devices(claim, at.child('devices'), { ...c, requests: requestNames(claim) });
}
