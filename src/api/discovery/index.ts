import { duplicate, invalidValue, Path, required as requiredError, tooMany } from '../../machinery/field.js';
import { equalJson, type JsonObject, type KubeObject } from '../../machinery/json.js';
import { list, str, stringMap, strings } from '../access.js';
import { validateNonSpecialIP } from '../core/service/rules.js';
import type { GroupStrategies } from '../index.js';
import { kind } from '../kind.js';
import {
  type Check,
  dnsLabel,
  dnsSubdomain,
  formats,
  ifPresent,
  immutable,
  ipWarnings,
  labels,
  labelValue,
  maxItems,
  oneOf,
  parseIP,
  qualifiedName,
  type Rule,
  required,
  requiredPresent,
  struct,
  validateCanonicalIP,
  validateIP,
  whole,
} from '../validation/index.js';

const MAX = { addresses: 100, ports: 20000, endpoints: 1000, hints: 8, topology: 16 };
const HOSTNAME = 'kubernetes.io/hostname';
const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';
const CONTROLLERS = ['endpointslice-controller.k8s.io', 'endpointslicemirroring-controller.k8s.io'];

interface SliceCheck extends Check {
  readonly addressType: string;
}

/** Looks into a list only when it is not too long. */
const limited =
  <C extends Check>(max: number, rule: Rule<C>): Rule<C> =>
  (v, at, c) => {
    if (Array.isArray(v) && v.length > max) c.errors.push(tooMany(at, v.length, max));
    else rule(v, at, c);
  };
const eachNamed =
  (rule: Rule): Rule =>
  (v, at, c) => {
    const names = new Set<string>();
    (Array.isArray(v) ? (v as JsonObject[]) : []).forEach((e, i) => {
      const name = str(e, 'name');
      const here = at.index(i).child('name');
      if (names.has(name)) c.errors.push(duplicate(here, name));
      names.add(name);
      rule(name, here, c);
    });
  };

const port = struct('discovery.v1.EndpointPort', {
  protocol: requiredPresent('', oneOf('SCTP', 'TCP', 'UDP')),
  appProtocol: ifPresent(qualifiedName),
});
const ports: Rule = (v, at, c) => {
  const names = new Set<string>();
  (Array.isArray(v) ? (v as JsonObject[]) : []).forEach((p, i) => {
    const name = str(p, 'name');
    const here = at.index(i).child('name');
    if (name) dnsLabel(name, here, c);
    if (names.has(name)) c.errors.push(duplicate(here, name));
    names.add(name);
    port(p, at.index(i), c);
  });
};

/** A domain name of at least two labels. */
function fqdn(address: string, at: Path, c: Check): void {
  if (address === '') {
    c.errors.push(requiredError(at));
    return;
  }
  const name = address.replace(/\.$/, '');
  const faults = formats.dns1123Subdomain(name);
  const parts = name.split('.');
  const badLabel = parts.find((part) => formats.dns1123Label(part).length > 0);
  if (faults.length > 0) c.errors.push(invalidValue(at, name, faults.join(',')));
  else if (parts.length < 2)
    c.errors.push(invalidValue(at, name, 'should be a domain with at least two segments separated by dots'));
  else if (badLabel !== undefined) c.errors.push(invalidValue(at, badLabel, formats.dns1123Label(badLabel).join(',')));
}

function address(text: string, all: Path, at: Path, c: SliceCheck): void {
  if (c.addressType === 'FQDN') fqdn(text, at, c);
  if (c.addressType !== 'IPv4' && c.addressType !== 'IPv6') return;
  const before = c.errors.length;
  if (c.addressType === 'IPv4') validateIP(text, at, c);
  else validateCanonicalIP(text, at, c);
  if (c.errors.length > before) return;
  if (`IPv${parseIP(text)?.family}` !== c.addressType)
    c.errors.push(invalidValue(all, text, `must be an ${c.addressType} address`));
  validateNonSpecialIP(text, at, c);
}

const hints: Rule = whole((o, at, c) => {
  limited(MAX.hints, eachNamed(labelValue))(o.forZones, at.child('forZones'), c);
  if (list(o, 'forZones').length <= MAX.hints)
    limited(MAX.hints, eachNamed(dnsSubdomain))(o.forNodes, at.child('forNodes'), c);
});

const endpoint = struct<SliceCheck>('discovery.v1.Endpoint', {
  addresses: (v, at, c) => {
    const all = Array.isArray(v) ? (v as string[]) : [];
    if (all.length === 0) c.errors.push(requiredError(at, 'must contain at least 1 address'));
    else maxItems(MAX.addresses)(v, at, c);
    all.forEach((text, i) => {
      address(text, at, at.index(i), c);
    });
  },
  nodeName: ifPresent(dnsSubdomain),
  deprecatedTopology: [maxItems(MAX.topology), labels],
  hostname: ifPresent(dnsLabel),
  hints: ifPresent(hints),
});

function rules(slice: KubeObject, c: Check): void {
  const addressType = str(slice, 'addressType');
  required(oneOf('FQDN', 'IPv4', 'IPv6'))(addressType, new Path('addressType'), c);
  limited(MAX.ports, ports)(slice.ports, new Path('ports'), c);
  // Endpoints that are stored already are not looked at again.
  if (c.old && equalJson(slice.endpoints, c.old.endpoints)) return;
  limited<SliceCheck>(MAX.endpoints, (_, at, sc) => {
    list(slice, 'endpoints').forEach((e, i) => {
      endpoint(e, at.index(i), sc);
    });
  })(slice.endpoints, new Path('endpoints'), { ...c, addressType });
}

/** Topology came with v1beta1. New endpoints have none; a node named in it moves to where it belongs. */
function dropTopology(slice: KubeObject, old: KubeObject | undefined): void {
  if (old && equalJson(slice.endpoints, old.endpoints)) return;
  const nodes = new Set(list(old, 'endpoints').map((e) => stringMap(e, 'deprecatedTopology')[HOSTNAME] ?? ''));
  for (const e of list(slice, 'endpoints')) {
    const node = stringMap(e, 'deprecatedTopology')[HOSTNAME];
    if (e.nodeName === undefined && node && nodes.has(node) && formats.dns1123Subdomain(node).length === 0)
      e.nodeName = node;
    delete e.deprecatedTopology;
  }
}

const endpointSlice = kind({
  group: 'discovery.k8s.io',
  kind: 'EndpointSlice',
  rules: (v, _, c) => rules(v as KubeObject, c),
  updateRules: (o, old, c) => immutable(str(o, 'addressType'), str(old, 'addressType'), new Path('addressType'), c),
  onUpdate: ['meta', 'rules', 'updateRules'],
  prepareForCreate: (_, o) => dropTopology(o, undefined),
  prepareForUpdate: (_, o, old) => dropTopology(o, old),
  warnings(_, o, old) {
    const deprecated =
      !old && str(o, 'addressType') === 'FQDN' ? ['spec.addressType: FQDN endpoints are deprecated'] : [];
    if (CONTROLLERS.includes(o.metadata.labels?.[MANAGED_BY] ?? '')) return deprecated;
    const addresses = list(o, 'endpoints').flatMap((e, i) =>
      strings(e, 'addresses').flatMap((a, j) => ipWarnings(new Path(`endpoints[${i}].addresses[${j}]`), a)),
    );
    return [...deprecated, ...addresses];
  },
});

export const strategies: GroupStrategies = { EndpointSlice: endpointSlice };
