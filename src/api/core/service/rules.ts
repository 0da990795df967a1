import { duplicate, forbiddenField, invalidValue, notSupported, Path, required } from '../../../machinery/field.js';
import type { JsonObject, KubeObject } from '../../../machinery/json.js';
import { list, num, obj, ptr, str, strings } from '../../access.js';
import {
  type Check,
  dnsLabel,
  dnsSubdomain,
  formats,
  goForm,
  ifPresent,
  invalidEach,
  labels,
  oneOf,
  parseIP,
  portNumber,
  portNumberOrName,
  qualifiedName,
  type Rule,
  required as requiredRule,
  struct,
  validateCIDR,
  validateIP,
} from '../../validation/index.js';
import { PROTOCOLS } from '../pod/containers.js';
import { isExternallyAccessible, isHeadless, needsHealthCheckPort, specOf, typeOf } from './fields.js';

const SPEC = new Path('spec');
const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];
const TOPOLOGY_HINTS = 'service.kubernetes.io/topology-aware-hints';
const TOPOLOGY_MODE = 'service.kubernetes.io/topology-mode';
const SOURCE_RANGES = 'service.beta.kubernetes.io/load-balancer-source-ranges';
const DAY = 86400;

/** Addresses that make no sense as an endpoint: unspecified, loopback, link-local. */
export function validateNonSpecialIP(text: string, at: Path, c: Check): void {
  const ip = parseIP(text);
  const fault = (message: string) => c.errors.push(invalidValue(at, text, message));
  if (!ip) {
    fault('must be a valid IP address');
    return;
  }
  const b = ip.bytes;
  const v4 = ip.family === 4;
  const zeroBut = (n: number) => b.subarray(0, b.length - 1).every((x) => x === 0) && b[b.length - 1] === n;
  if (zeroBut(0)) fault(`may not be unspecified (${text})`);
  if (v4 ? b[0] === 127 : zeroBut(1)) fault('may not be in the loopback range (127.0.0.0/8, ::1/128)');
  if (v4 ? b[0] === 169 && b[1] === 254 : b[0] === 0xfe && (b[1]! & 0xc0) === 0x80)
    fault('may not be in the link-local range (169.254.0.0/16, fe80::/10)');
  if (v4 ? b[0] === 224 && b[1] === 0 && b[2] === 0 : b[0] === 0xff && (b[1]! & 0x0f) === 0x02)
    fault('may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)');
}

function externalName(spec: JsonObject, c: Check): void {
  const set = (field: string) =>
    c.errors.push(forbiddenField(SPEC.child(field), 'may not be set for ExternalName services'));
  if (strings(spec, 'clusterIPs').length > 0) set('clusterIPs');
  if (strings(spec, 'ipFamilies').length > 0) set('ipFamilies');
  if (spec.ipFamilyPolicy !== undefined) set('ipFamilyPolicy');
  const cname = str(spec, 'externalName').replace(/\.$/, '');
  if (cname) dnsSubdomain(cname, SPEC.child('externalName'), c);
  else c.errors.push(required(SPEC.child('externalName')));
}

const portTail = struct('core.v1.ServicePort', {
  port: portNumber,
  protocol: requiredRule(PROTOCOLS),
  targetPort: portNumberOrName,
  appProtocol: ifPresent(qualifiedName),
});

function ports(spec: JsonObject, c: Check): void {
  const all = list(spec, 'ports');
  const names = new Set<string>();
  all.forEach((port, i) => {
    const here = SPEC.child('ports').index(i);
    const name = str(port, 'name');
    if (name === '') {
      if (all.length > 1) c.errors.push(required(here.child('name')));
    } else {
      dnsLabel(name, here.child('name'), c);
      if (names.has(name)) c.errors.push(duplicate(here.child('name'), name));
      names.add(name);
    }
    portTail(port, here, c);
  });
}

/** The same port of the service, or of the nodes, twice for one protocol. */
function repeatedPorts(spec: JsonObject, c: Check): void {
  const all = list(spec, 'ports');
  const twice = (field: string, found: (port: JsonObject, i: number) => void) => {
    const seen = new Set<string>();
    all.forEach((port, i) => {
      if (field === 'nodePort' && num(port, 'nodePort') === 0) return;
      const key = `${str(port, 'protocol')}/${num(port, field)}`;
      if (seen.has(key)) found(port, i);
      seen.add(key);
    });
  };
  twice('nodePort', (port, i) =>
    c.errors.push(duplicate(SPEC.child('ports').index(i).child('nodePort'), num(port, 'nodePort'))),
  );
  twice('port', ({ protocol, port }, i) =>
    c.errors.push(duplicate(SPEC.child('ports').index(i), goForm('core.v1.ServicePort', { protocol, port }))),
  );
}

function sessionAffinity(spec: JsonObject, c: Check): void {
  const affinity = str(spec, 'sessionAffinity');
  requiredRule(oneOf('ClientIP', 'None'))(affinity, SPEC.child('sessionAffinity'), c);
  const config = ptr(spec, 'sessionAffinityConfig');
  const at = SPEC.child('sessionAffinityConfig');
  if (affinity === 'None' && config) c.errors.push(forbiddenField(at, 'must not be set when session affinity is None'));
  if (affinity !== 'ClientIP') return;
  const missing = (where: Path) => c.errors.push(required(where, 'when session affinity type is ClientIP'));
  const clientIP = ptr(config, 'clientIP');
  const timeout = clientIP?.timeoutSeconds;
  if (!config) missing(at);
  else if (!clientIP) missing(at.child('clientIP'));
  else if (timeout === undefined) missing(at.child('clientIP', 'timeoutSeconds'));
  else if (Number(timeout) <= 0 || Number(timeout) > DAY)
    c.errors.push(
      invalidValue(at.child('clientIP', 'timeoutSeconds'), timeout, `must be greater than 0 and less than ${DAY}`),
    );
}

const FAMILIES = ['IPv4', 'IPv6'];

/** Cluster addresses and their families agree with each other. */
export function clusterIPRules(service: KubeObject, c: Check): void {
  if (typeOf(service) === 'ExternalName') return;
  const spec = specOf(service);
  const ip = str(spec, 'clusterIP');
  const ips = strings(spec, 'clusterIPs');
  const at = SPEC.child('clusterIPs');
  const fault = (text: string) => c.errors.push(invalidValue(at, ips, text));
  if (ip) {
    if (ips.length === 0) c.errors.push(required(at));
    else if (ips[0] !== ip) fault('first value must match `clusterIP`');
  } else if (ips.length > 0) fault('must be empty when `clusterIP` is not specified');

  const families = strings(spec, 'ipFamilies');
  families.forEach((family, i) => {
    const here = SPEC.child('ipFamilies').index(i);
    if (!FAMILIES.includes(family)) c.errors.push(notSupported(here, family, FAMILIES));
    if (families.indexOf(family) < i) c.errors.push(duplicate(here, family));
  });
  if (spec.ipFamilyPolicy !== undefined)
    oneOf('PreferDualStack', 'RequireDualStack', 'SingleStack')(spec.ipFamilyPolicy, SPEC.child('ipFamilyPolicy'), c);

  const stored = strings(specOf(c.old), 'clusterIPs');
  const before = c.errors.length;
  ips.forEach((value, i) => {
    if (i === 0 && value === 'None') {
      if (ips.length > 1) fault("'None' must be the first and only value");
    } else validateIP(value, at.index(i), c, stored);
  });
  const bad = c.errors.length > before;
  if (ips.length > 2) fault('may only hold up to 2 values');
  if (bad) return;
  const family = (text: string) => parseIP(text)?.family;
  if (ips.length > 1 && new Set(ips.map(family)).size < 2) fault('may specify no more than one IP for each IP family');
  if (isHeadless(service)) return;
  ips.slice(0, families.length).forEach((value, i) => {
    const wanted = families[i];
    const is = family(value) === 6 ? 'IPv6' : 'IPv4';
    if (FAMILIES.includes(wanted!) && wanted !== is)
      c.errors.push(
        invalidValue(at.index(i), value, `expected an ${wanted} value as indicated by \`ipFamilies[${i}]\``),
      );
  });
}

function externalIPs(spec: JsonObject, c: Check): void {
  const stored = strings(specOf(c.old), 'externalIPs');
  strings(spec, 'externalIPs').forEach((ip, i) => {
    const at = SPEC.child('externalIPs').index(i);
    const before = c.errors.length;
    validateIP(ip, at, c, stored);
    if (c.errors.length === before) validateNonSpecialIP(ip, at, c);
  });
}

/** Who may reach a load balancer; once an annotation, now a field. Both take blanks around the networks. */
function sourceRanges(service: KubeObject, c: Check): void {
  const ranges = strings(specOf(service), 'loadBalancerSourceRanges');
  const annotation = service.metadata.annotations?.[SOURCE_RANGES];
  const onlyFor = (at: Path) => {
    if (typeOf(service) !== 'LoadBalancer')
      c.errors.push(forbiddenField(at, "may only be used when `type` is 'LoadBalancer'"));
  };
  if (ranges.length > 0) {
    const at = SPEC.child('LoadBalancerSourceRanges');
    const stored = strings(specOf(c.old), 'loadBalancerSourceRanges').map((s) => s.trim());
    onlyFor(at);
    ranges.forEach((range, i) => {
      validateCIDR(range.trim(), at.index(i), c, stored);
    });
  } else if (annotation !== undefined) {
    const at = new Path('metadata.annotations').key(SOURCE_RANGES);
    const stored = c.old?.metadata.annotations?.[SOURCE_RANGES]?.split(',').map((s) => s.trim());
    onlyFor(at);
    if (annotation.trim() !== '') for (const range of annotation.split(',')) validateCIDR(range.trim(), at, c, stored);
  }
}

function trafficPolicies(service: KubeObject, c: Check): void {
  const spec = specOf(service);
  const external = str(spec, 'externalTrafficPolicy');
  const at = SPEC.child('externalTrafficPolicy');
  if (!isExternallyAccessible(service)) {
    if (external) c.errors.push(invalidValue(at, external, 'may only be set for externally-accessible services'));
  } else requiredRule(oneOf('Cluster', 'Local'))(external, at, c);

  // One that is missing was allocated before this, where there is an allocator.
  const health = num(spec, 'healthCheckNodePort');
  const healthPath = SPEC.child('healthCheckNodePort');
  if (health !== 0) {
    if (needsHealthCheckPort(service)) portNumber(health, healthPath, c);
    else
      c.errors.push(
        invalidValue(
          healthPath,
          health,
          "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
        ),
      );
  }
  const internal = spec.internalTrafficPolicy;
  if (internal === undefined) {
    if (['ClusterIP', 'LoadBalancer', 'NodePort'].includes(typeOf(service)))
      c.errors.push(required(SPEC.child('internalTrafficPolicy')));
  } else oneOf('Cluster', 'Local')(internal, SPEC.child('internalTrafficPolicy'), c);
  const distribution = spec.trafficDistribution;
  const known = ['PreferClose', 'PreferSameZone', 'PreferSameNode'];
  if (distribution !== undefined && !known.includes(distribution as string))
    c.errors.push(notSupported(SPEC.child('trafficDistribution'), distribution, known));
}

export function loadBalancerClass(service: KubeObject, c: Check): void {
  const value = specOf(service).loadBalancerClass;
  if (value === undefined) return;
  const at = SPEC.child('loadBalancerClass');
  if (typeOf(service) === 'LoadBalancer') invalidEach(c, at, value, formats.qualifiedName(value as string));
  else c.errors.push(forbiddenField(at, "may only be used when `type` is 'LoadBalancer'"));
}

/** core.v1.Service. */
export const serviceRules: Rule = (v, _, c) => {
  const service = v as KubeObject;
  const spec = specOf(service);
  const type = typeOf(service);
  const annotations = service.metadata.annotations ?? {};
  const [hints, mode] = [annotations[TOPOLOGY_HINTS], annotations[TOPOLOGY_MODE]];
  if (hints !== undefined && mode !== undefined && hints !== mode)
    c.errors.push(
      invalidValue(
        new Path('metadata.annotations').key(TOPOLOGY_MODE),
        mode,
        `must match annotations[${TOPOLOGY_HINTS}] when both are specified`,
      ),
    );
  if (list(spec, 'ports').length === 0 && !isHeadless(service) && type !== 'ExternalName')
    c.errors.push(required(SPEC.child('ports')));
  if (['LoadBalancer', 'NodePort'].includes(type) && isHeadless(service))
    c.errors.push(
      invalidValue(SPEC.child('clusterIPs').index(0), 'None', `may not be set to 'None' for ${type} services`),
    );
  if (type === 'ExternalName') externalName(spec, c);
  ports(spec, c);
  labels(spec.selector, SPEC.child('selector'), c);
  sessionAffinity(spec, c);
  clusterIPRules(service, c);
  externalIPs(spec, c);
  requiredRule(oneOf(...TYPES))(type, SPEC.child('type'), c);
  if (type === 'ClusterIP')
    list(spec, 'ports').forEach((port, i) => {
      if (num(port, 'nodePort') !== 0)
        c.errors.push(
          forbiddenField(SPEC.child('ports').index(i).child('nodePort'), "may not be used when `type` is 'ClusterIP'"),
        );
    });
  repeatedPorts(spec, c);
  sourceRanges(service, c);
  if (spec.allocateLoadBalancerNodePorts !== undefined && type !== 'LoadBalancer')
    c.errors.push(
      forbiddenField(SPEC.child('allocateLoadBalancerNodePorts'), "may only be used when `type` is 'LoadBalancer'"),
    );
  if (type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts === undefined)
    c.errors.push(required('allocateLoadBalancerNodePorts'));
  loadBalancerClass(service, c);
  trafficPolicies(service, c);
};

/** Where a load balancer can be reached. */
export function loadBalancerStatusRules(
  status: JsonObject,
  at: Path,
  isLoadBalancer: boolean,
  c: Check,
  stored: readonly string[] = [],
): void {
  const ingress = list(status, 'ingress');
  const here = at.child('ingress');
  if (!isLoadBalancer && ingress.length > 0 && !c.gate('AllowServiceLBStatusOnNonLB')) {
    c.errors.push(forbiddenField(here, "may only be used when `spec.type` is 'LoadBalancer'"));
    return;
  }
  ingress.forEach((one, i) => {
    const ip = str(one, 'ip');
    const hostname = str(one, 'hostname');
    if (ip) validateIP(ip, here.index(i).child('ip'), c, stored);
    const mode = here.index(i).child('ipMode');
    if (one.ipMode === undefined) {
      if (ip) c.errors.push(required(mode, 'must be specified when `ip` is set'));
    } else if (!ip) c.errors.push(forbiddenField(mode, 'may not be specified when `ip` is not set'));
    else oneOf('Proxy', 'VIP')(one.ipMode, mode, c);
    if (hostname) {
      dnsSubdomain(hostname, here.index(i).child('hostname'), c);
      if (parseIP(hostname))
        c.errors.push(invalidValue(here.index(i).child('hostname'), hostname, 'must be a DNS name, not an IP address'));
    }
  });
}
export const statusOf = (service: KubeObject | undefined): JsonObject => obj(obj(service, 'status'), 'loadBalancer');
