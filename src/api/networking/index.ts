import { forbiddenField, invalidValue, Path, required as requiredError } from '../../machinery/field.js';
import type { KubeObject } from '../../machinery/json.js';
import { obj, strings } from '../access.js';
import type { GroupStrategies } from '../index.js';
import { kind } from '../kind.js';
import {
  type Check,
  dnsLabel,
  dnsSubdomain,
  domainPrefixedPath,
  goForm,
  ifPresent,
  ifSet,
  immutable,
  maxBytes,
  newCheck,
  oneOf,
  parseCIDR,
  pathSegment,
  required,
  requiredPresent,
  struct,
  validateCanonicalCIDR,
  validateCanonicalIP,
  whole,
} from '../validation/index.js';
import { ingress, typedReference } from './ingress.js';
import { networkPolicy } from './network-policy.js';

const GROUP = 'networking.k8s.io';
const SPEC = new Path('spec');
const spec = (o: KubeObject) => obj(o, 'spec');

const scope = struct('networking.v1.IngressClassParametersReference', {
  scope: requiredPresent('', oneOf('Cluster', 'Namespace')),
  $namespace: whole((o, at, c) => {
    const here = at.child('namespace');
    if (o.scope === 'Namespace') {
      if (o.namespace === undefined) c.errors.push(requiredError(here, "`parameters.scope` is set to 'Namespace'"));
      else dnsLabel(o.namespace, here, c);
    } else if (o.scope === 'Cluster' && o.namespace !== undefined)
      c.errors.push(forbiddenField(here, "`parameters.scope` is set to 'Cluster'"));
  }),
});

const ingressClass = kind({
  group: GROUP,
  kind: 'IngressClass',
  rules: struct('networking.v1.IngressClass', {
    spec: struct('networking.v1.IngressClassSpec', {
      controller: [maxBytes(250), domainPrefixedPath],
      parameters: ifPresent(typedReference('networking.v1.IngressClassParametersReference'), scope),
    }),
  }),
  updateRules: (o, old, c) => immutable(spec(o).controller, spec(old).controller, SPEC.child('controller'), c),
  onUpdate: ['change', 'updateRules', 'meta', 'rules'],
});

/** Names of IPAddress objects are the addresses. */
function addressName(name: string): string[] {
  const c = newCheck(() => true);
  validateCanonicalIP(name, SPEC, c);
  return c.errors.map((e) => e.text.replace(/^Invalid value: "(?:[^"\\]|\\.)*": /, ''));
}

const ipAddress = kind({
  group: GROUP,
  kind: 'IPAddress',
  name: addressName,
  rules: struct('networking.v1.IPAddress', {
    spec: struct('networking.v1.IPAddressSpec', {
      parentRef: requiredPresent(
        '',
        struct('networking.v1.ParentReference', {
          group: ifSet(dnsSubdomain),
          resource: required(pathSegment),
          name: required(pathSegment),
          namespace: ifSet(pathSegment),
        }),
      ),
    }),
  }),
  updateRules: (o, old, c) =>
    immutable(spec(o).parentRef, spec(old).parentRef, SPEC.child('parentRef'), c, 'networking.v1.ParentReference'),
  onUpdate: ['meta', 'rules', 'change', 'updateRules'],
});

const CIDRS = SPEC.child('cidrs');

function serviceNetworks(o: KubeObject, c: Check): void {
  const cidrs = strings(spec(o), 'cidrs');
  if (cidrs.length === 0) c.errors.push(requiredError(CIDRS, 'at least one CIDR required'));
  else if (cidrs.length > 2)
    c.errors.push(
      invalidValue(CIDRS, goForm('networking.v1.ServiceCIDRSpec', spec(o)), 'may only hold up to 2 values'),
    );
  else {
    cidrs.forEach((cidr, i) => {
      validateCanonicalCIDR(cidr, CIDRS.index(i), c);
    });
    const [first, second] = cidrs.map((cidr) => parseCIDR(cidr)?.ip.family);
    if (cidrs.length === 2 && first !== undefined && first === second)
      c.errors.push(
        invalidValue(
          CIDRS,
          cidrs,
          'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64',
        ),
      );
  }
}

/** A second family may be added, nothing else. */
function networksChange(o: KubeObject, oldObject: KubeObject, c: Check): void {
  const cidrs = strings(spec(o), 'cidrs');
  const old = strings(spec(oldObject), 'cidrs');
  const same = (i: number) => immutable(cidrs[i], old[i], CIDRS.index(i), c);
  if (old.length === cidrs.length) for (let i = 0; i < old.length; i++) same(i);
  else if (old.length === 1 && cidrs.length === 2) {
    same(0);
    serviceNetworks(o, c);
  } else c.errors.push(invalidValue(CIDRS, cidrs.length > 0 ? cidrs : undefined, 'field is immutable'));
}

const serviceCIDR = kind({
  group: GROUP,
  kind: 'ServiceCIDR',
  prepareForCreate(ctx, o) {
    if (ctx.gate('ServiceCIDRStatusFieldWiping')) delete o.status;
  },
  prepareForUpdate(ctx, o, old) {
    if (ctx.gate('ServiceCIDRStatusFieldWiping')) o.status = old.status;
  },
  rules: (v, _, c) => serviceNetworks(v as KubeObject, c),
  updateRules: networksChange,
  onUpdate: ['change', 'updateRules'],
});

export const strategies: GroupStrategies = {
  Ingress: ingress,
  IngressClass: ingressClass,
  IPAddress: ipAddress,
  NetworkPolicy: networkPolicy,
  ServiceCIDR: serviceCIDR,
};
