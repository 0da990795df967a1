import { Path, required as requiredError } from '../../machinery/field.js';
import type { KubeObject } from '../../machinery/json.js';
import { list, str } from '../access.js';
import { kind } from '../kind.js';
import type { Strategy } from '../strategy.js';
import {
  type Check,
  dnsLabel,
  dnsSubdomain,
  each,
  ifPresent,
  ifSet,
  ipWarnings,
  portNumber,
  qualifiedName,
  required,
  struct,
  validateIP,
  whole,
} from '../validation/index.js';
import { PROTOCOLS } from './pod/containers.js';
import { validateNonSpecialIP } from './service/rules.js';

const addressesOf = new WeakMap<KubeObject, string[]>();

/** Asked for again by each address, so remembered. */
function allIPs(endpoints: KubeObject | undefined): string[] {
  if (!endpoints) return [];
  let all = addressesOf.get(endpoints);
  if (!all) {
    all = list(endpoints, 'subsets').flatMap((subset) =>
      ['addresses', 'notReadyAddresses'].flatMap((field) => list(subset, field).map((a) => str(a, 'ip'))),
    );
    addressesOf.set(endpoints, all);
  }
  return all;
}

const address = struct('core.v1.EndpointAddress', {
  ip: (v, at, c) => validateIP(v as string, at, c, allIPs(c.old)),
  hostname: ifSet(dnsLabel),
  nodeName: ifPresent(dnsSubdomain),
  $special: whole((o, at, c) => validateNonSpecialIP(str(o, 'ip'), at.child('ip'), c)),
});

const port = struct('core.v1.EndpointPort', {
  port: portNumber,
  protocol: required(PROTOCOLS),
  appProtocol: ifPresent(qualifiedName),
});

const subset = struct('core.v1.EndpointSubset', {
  $addresses: whole((o, at, c) => {
    if (list(o, 'addresses').length + list(o, 'notReadyAddresses').length === 0)
      c.errors.push(requiredError(at, 'must specify `addresses` or `notReadyAddresses`'));
  }),
  addresses: each(address),
  notReadyAddresses: each(address),
  $ports: whole((o, at, c: Check) => {
    const ports = list(o, 'ports');
    ports.forEach((p, i) => {
      const here = at.child('ports').index(i);
      const name = str(p, 'name');
      if (name) dnsLabel(name, here.child('name'), c);
      else if (ports.length > 1) c.errors.push(requiredError(here.child('name')));
      port(p, here, c);
    });
  }),
});

export const endpoints: Strategy = kind({
  group: '',
  kind: 'Endpoints',
  rules: struct('core.v1.Endpoints', { subsets: each(subset) }),
  onUpdate: ['change', 'meta', 'rules'],
  warnings: (_, o) =>
    list(o, 'subsets').flatMap((s, i) =>
      ['addresses', 'notReadyAddresses'].flatMap((field) =>
        list(s, field).flatMap((a, j) =>
          ipWarnings(new Path('subsets').index(i).child(field).index(j).child('ip'), str(a, 'ip')),
        ),
      ),
    ),
});
