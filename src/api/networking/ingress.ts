import { invalidValue, notSupported, Path, required as requiredError } from '../../machinery/field.js';
import type { JsonObject, KubeObject } from '../../machinery/json.js';
import { list, num, obj, ptr, str } from '../access.js';
import { kind } from '../kind.js';
import type { Strategy } from '../strategy.js';
import {
  type Check,
  dns1035Label,
  dnsLabel,
  dnsSubdomain,
  each,
  format,
  formats,
  ifPresent,
  ifSet,
  invalidEach,
  ipWarnings,
  newCheck,
  parseIP,
  pathSegment,
  portName,
  portNumber,
  type Rule,
  required,
  struct,
  validateIP,
  whole,
} from '../validation/index.js';

const SPEC = new Path('spec');
const STATUS = new Path('status');
const CLASS_ANNOTATION = 'kubernetes.io/ingress.class';

interface IngressCheck extends Check {
  readonly oddSecretName: boolean;
  /** Rules for wildcard hosts were not looked into once. */
  readonly oddWildcardRule: boolean;
  /** RFC 1123 names of services, which may start with a digit. */
  readonly relaxedServiceName: boolean;
}

/** A reference within the namespace: core.v1.TypedLocalObjectReference, networking.v1.IngressClassParametersReference. */
export const typedReference = (type: string) =>
  struct(type, {
    apiGroup: ifPresent(dnsSubdomain),
    kind: required(pathSegment),
    name: required(pathSegment),
  });
const resourceBackend = typedReference('core.v1.TypedLocalObjectReference');

function serviceBackend(service: JsonObject, backend: Path, c: IngressCheck): void {
  const at = backend.child('service');
  required(c.relaxedServiceName ? dnsLabel : dns1035Label)(str(service, 'name'), at.child('name'), c);
  const port = obj(service, 'port');
  const name = str(port, 'name');
  const number = num(port, 'number');
  if (name && number) c.errors.push(invalidValue(backend, '', 'cannot set both port name & port number'));
  else if (name) portName(name, at.child('port', 'name'), c);
  else if (number) portNumber(number, at.child('port', 'number'), c);
  else c.errors.push(requiredError(backend, 'port name or number is required'));
}

const backend: Rule<IngressCheck> = whole((o, at, c) => {
  const service = ptr(o, 'service');
  if (o.resource !== undefined && service)
    c.errors.push(invalidValue(at, '', 'cannot set both resource and service backends'));
  else if (o.resource !== undefined) resourceBackend(o.resource, at.child('resource'), c);
  else if (service) serviceBackend(service, at, c);
  else c.errors.push(invalidValue(at, '', 'resource or service backend is required'));
});

const SEQUENCES = ['//', '/./', '/../', '%2f', '%2F'];
const SUFFIXES = ['/..', '/.'];
const PATH_TYPES = ['Exact', 'ImplementationSpecific', 'Prefix'];

const httpPath: Rule<IngressCheck> = whole((o, at, c) => {
  const type = o.pathType;
  if (type === undefined) {
    c.errors.push(requiredError(at.child('pathType'), 'pathType must be specified'));
    return;
  }
  const path = str(o, 'path');
  const fault = (text: string) => c.errors.push(invalidValue(at.child('path'), path, text));
  const literal = type === 'Exact' || type === 'Prefix';
  if (!PATH_TYPES.includes(String(type))) c.errors.push(notSupported(at.child('pathType'), type, PATH_TYPES));
  else if (!path.startsWith('/') && (literal || path !== '')) fault('must be an absolute path');
  if (literal) {
    for (const s of SEQUENCES) if (path.includes(s)) fault(`must not contain '${s}'`);
    for (const s of SUFFIXES) if (path.endsWith(s)) fault(`cannot end with '${s}'`);
  }
  backend(o.backend, at.child('backend'), c);
});
const http = ifPresent(
  struct<IngressCheck>('networking.v1.HTTPIngressRuleValue', { paths: [required(), each(httpPath)] }),
);

/** A name, or one whose first label is `*`. */
const hostName = format((host) =>
  host.includes('*') ? formats.wildcardDns1123Subdomain(host) : formats.dns1123Subdomain(host),
);
const notAnAddress = (v: string, at: Path, c: Check): void => {
  if (parseIP(v)) c.errors.push(invalidValue(at, v, 'must be a DNS name, not an IP address'));
};

const rule: Rule<IngressCheck> = whole((o, at, c) => {
  const host = str(o, 'host');
  if (host) {
    notAnAddress(host, at.child('host'), c);
    hostName(host, at.child('host'), c);
  }
  if (!(host.includes('*') && c.oddWildcardRule)) http(o.http, at.child('http'), c);
});

const spec = struct<IngressCheck>('networking.v1.IngressSpec', {
  $some: whole((o, at, c) => {
    if (list(o, 'rules').length === 0 && o.defaultBackend === undefined)
      c.errors.push(invalidValue(at, o.rules, 'either `defaultBackend` or `rules` must be specified'));
  }),
  defaultBackend: ifPresent(backend),
  rules: each(rule),
  tls: each(
    struct<IngressCheck>('networking.v1.IngressTLS', {
      hosts: each(hostName),
      secretName: ifSet((v, at, c) => {
        if (!c.oddSecretName) dnsSubdomain(v, at, c);
      }),
    }),
  ),
  ingressClassName: ifPresent(dnsSubdomain),
});

const backendsOf = (ingress: KubeObject | undefined): JsonObject[] => {
  const part = obj(ingress, 'spec');
  const paths = list(part, 'rules').flatMap((r) => list(ptr(r, 'http'), 'paths'));
  return [obj(part, 'defaultBackend'), ...paths.map((p) => obj(p, 'backend'))];
};

/** What the stored object got away with. */
function leniency(c: Check): Omit<IngressCheck, keyof Check> {
  const old = obj(c.old, 'spec');
  const strict = { oddSecretName: false, oddWildcardRule: false, relaxedServiceName: false };
  const secret = (name: string) => name !== '' && formats.dns1123Subdomain(name).length > 0;
  const oddRule = (r: JsonObject) => {
    const trial: IngressCheck = { ...newCheck(c.gate), ...strict };
    http(r.http, SPEC, trial);
    return str(r, 'host').includes('*') && trial.errors.length > 0;
  };
  const digitFirst = (name: string) => formats.dns1123Label(name).length === 0 && formats.dns1035Label(name).length > 0;
  return {
    oddSecretName: list(old, 'tls').some((t) => secret(str(t, 'secretName'))),
    oddWildcardRule: list(old, 'rules').some(oddRule),
    relaxedServiceName:
      c.gate('RelaxedServiceNameValidation') ||
      backendsOf(c.old).some((b) => digitFirst(str(ptr(b, 'service'), 'name'))),
  };
}

function classAnnotation(ingress: KubeObject, c: Check): void {
  const annotation = ingress.metadata.annotations?.[CLASS_ANNOTATION];
  const name = obj(ingress, 'spec').ingressClassName;
  if (annotation === undefined || name === undefined || annotation === name) return;
  const at = new Path('annotations').child(CLASS_ANNOTATION);
  c.errors.push(invalidValue(at, annotation, 'must match `ingressClassName` when both are specified'));
}

const points = (ingress: KubeObject | undefined): JsonObject[] =>
  list(obj(obj(ingress, 'status'), 'loadBalancer'), 'ingress');
const POINTS = STATUS.child('loadBalancer', 'ingress');

function status(ingress: KubeObject, old: KubeObject, c: Check): void {
  const stored = points(old).map((p) => str(p, 'ip'));
  points(ingress).forEach((point, i) => {
    const ip = str(point, 'ip');
    if (ip) validateIP(ip, POINTS.index(i).child('ip'), c, stored);
    const host = str(point, 'hostname');
    const at = POINTS.index(i).child('hostname');
    if (!host) return;
    invalidEach(c, at, host, formats.dns1123Subdomain(host));
    notAnAddress(host, at, c);
  });
}

export const ingress: Strategy = kind({
  group: 'networking.k8s.io',
  kind: 'Ingress',
  rules(v, _, c) {
    const o = v as KubeObject;
    spec(obj(o, 'spec'), SPEC, { ...c, ...leniency(c) });
    if (!c.old) classAnnotation(o, c);
  },
  onUpdate: ['change', 'meta', 'rules'],
  warnings(_, o, old) {
    const deprecated =
      !old && o.metadata.annotations?.[CLASS_ANNOTATION] !== undefined && obj(o, 'spec').ingressClassName === undefined;
    return deprecated
      ? [`annotation "${CLASS_ANNOTATION}" is deprecated, please use 'spec.ingressClassName' instead`]
      : [];
  },
  subresources: {
    status: {
      rules: status,
      // The path of the field itself is left out.
      warnings: (_, o) => points(o).flatMap((p, i) => (p.ip ? ipWarnings(POINTS.index(i), str(p, 'ip')) : [])),
    },
  },
});
