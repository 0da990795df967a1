import { forbiddenField, invalidValue, Path } from '../../../machinery/field.js';
import type { KubeObject } from '../../../machinery/json.js';
import { list, num, obj, str, strings } from '../../access.js';
import { kind } from '../../kind.js';
import type { Strategy } from '../../strategy.js';
import { type Check, cidrWarnings, ipWarnings } from '../../validation/index.js';
import {
  dropTypeDependent,
  dropUnusedTrafficPolicy,
  isHeadless,
  needsHealthCheckPort,
  specOf,
  typeOf,
} from './fields.js';
import { loadBalancerClass, loadBalancerStatusRules, serviceRules, statusOf } from './rules.js';

const SPEC = new Path('spec');

/** Primary addresses and families stay; a second one comes and goes with the family policy. */
function stack(service: KubeObject, old: KubeObject, field: 'clusterIPs' | 'ipFamilies', noun: string, c: Check): void {
  const spec = specOf(service);
  const before = strings(specOf(old), field);
  const after = strings(spec, field);
  const at = SPEC.child(field);
  const shown = spec[field];
  const fault = (i: number, text: string) => c.errors.push(invalidValue(at.index(i), shown, text));
  if (before.length === after.length) {
    before.forEach((value, i) => {
      if (value !== after[i]) fault(field === 'clusterIPs' ? i : 0, 'may not change once set');
    });
    return;
  }
  if (before.length > after.length && strings(spec, 'clusterIPs').length === 0)
    fault(0, `primary ${noun} can not be unset`);
  if (before.length > 0 && after.length > 0 && before[0] !== after[0])
    c.errors.push(invalidValue(at.index(0), spec.clusterIPs, 'may not change once set'));
  if (before.length > after.length && after.length === 1 && spec.ipFamilyPolicy !== 'SingleStack')
    c.errors.push(
      invalidValue(
        SPEC.child('ipFamilyPolicy'),
        spec.ipFamilyPolicy,
        `must be set to 'SingleStack' when releasing the secondary ${noun}`,
      ),
    );
}

function updateRules(service: KubeObject, old: KubeObject, c: Check): void {
  if (typeOf(service) !== 'ExternalName' && typeOf(old) !== 'ExternalName') {
    if (!(isHeadless(service) && isHeadless(old))) stack(service, old, 'clusterIPs', 'clusterIP', c);
    if (!isHeadless(service) && !isHeadless(old)) stack(service, old, 'ipFamilies', 'ipFamily', c);
  }
  const lbClass = specOf(service).loadBalancerClass;
  if (typeOf(service) === 'LoadBalancer' && typeOf(old) === 'LoadBalancer' && lbClass !== specOf(old).loadBalancerClass)
    c.errors.push(invalidValue(SPEC.child('loadBalancerClass'), lbClass, 'may not change once set'));
  loadBalancerClass(service, c);
  const health = (s: KubeObject) => num(specOf(s), 'healthCheckNodePort');
  if (needsHealthCheckPort(service) && needsHealthCheckPort(old) && health(service) !== health(old))
    c.errors.push(forbiddenField(SPEC.child('healthCheckNodePort'), 'field is immutable'));
}

function warnings(service: KubeObject): string[] {
  const spec = specOf(service);
  const out: string[] = [];
  if (service.metadata.annotations?.['service.kubernetes.io/topology-aware-hints'] !== undefined)
    out.push(
      'annotation service.kubernetes.io/topology-aware-hints is deprecated, please use service.kubernetes.io/topology-mode instead',
    );
  const externalIPs = strings(spec, 'externalIPs');
  const headless = typeOf(service) === 'ClusterIP' && str(spec, 'clusterIP') === 'None';
  const external = typeOf(service) === 'ExternalName';
  if (str(spec, 'clusterIP') !== '' && !headless)
    strings(spec, 'clusterIPs').forEach((ip, i) => {
      out.push(...ipWarnings(SPEC.child('clusterIPs').index(i), ip));
    });
  if (headless) {
    if (str(spec, 'loadBalancerIP')) out.push('spec.loadBalancerIP is ignored for headless services');
    if (externalIPs.length > 0) out.push('spec.externalIPs is ignored for headless services');
    if (str(spec, 'sessionAffinity') !== 'None') out.push('spec.SessionAffinity is ignored for headless services');
  }
  externalIPs.forEach((ip, i) => {
    out.push(...ipWarnings(SPEC.child('externalIPs').index(i), ip));
  });
  if (externalIPs.length > 0 && !headless && !external)
    out.push('spec.externalIPs is deprecated and may no longer be implemented in some clusters');
  if (str(spec, 'loadBalancerIP')) out.push(...ipWarnings(SPEC.child('loadBalancerIP'), str(spec, 'loadBalancerIP')));
  strings(spec, 'loadBalancerSourceRanges').forEach((range, i) => {
    out.push(...cidrWarnings(SPEC.child('loadBalancerSourceRanges').index(i), range));
  });
  if (external && externalIPs.length > 0) out.push('spec.externalIPs is ignored when spec.type is "ExternalName"');
  if (!external && str(spec, 'externalName'))
    out.push('spec.externalName is ignored when spec.type is not "ExternalName"');
  if (spec.trafficDistribution === 'PreferClose')
    out.push('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"');
  return out;
}

/** Services without addresses and node ports, which `allocatingService` adds. */
export const service: Strategy = kind({
  group: '',
  kind: 'Service',
  rules: serviceRules,
  updateRules,
  onUpdate: ['change', 'updateRules', 'meta', 'rules'],
  prepareForUpdate: (_, service, old) => dropTypeDependent(service, old),
  warnings: (_, service) => warnings(service),
  subresources: {
    status: {
      rules(service, old, c) {
        const stored = list(statusOf(old), 'ingress').map((i) => str(i, 'ip'));
        const at = new Path('status.loadBalancer');
        loadBalancerStatusRules(statusOf(service), at, typeOf(service) === 'LoadBalancer', c, stored);
      },
      warnings: (_, service) =>
        list(statusOf(service), 'ingress').flatMap((i, n) =>
          str(i, 'ip') ? ipWarnings(new Path('status.loadBalancer.ingress').index(n).child('ip'), str(i, 'ip')) : [],
        ),
    },
  },
  strategy: {
    canonicalize: dropUnusedTrafficPolicy,
    selectableFields: (service) => ({
      'spec.clusterIP': str(obj(service, 'spec'), 'clusterIP'),
      'spec.type': typeOf(service),
    }),
  },
});
