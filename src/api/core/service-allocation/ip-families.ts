import { type FieldError, invalidValue, Path } from '../../../machinery/field.js';
import { equalJson, type JsonObject, type KubeObject } from '../../../machinery/json.js';
import { str, strings } from '../../access.js';
import { newCheck } from '../../validation/index.js';
import { needsClusterIP, specOf } from '../service/fields.js';
import { clusterIPRules } from '../service/rules.js';
import { type Family, readAddress } from './address-range.js';
import { invalidService, unchangedPreference } from './cluster-ips.js';

const SPEC = new Path('spec');
const POLICY = SPEC.child('ipFamilyPolicy');
const SINGLE = 'SingleStack';
const REQUIRE = 'RequireDualStack';

/**
 * Fills in `ipFamilyPolicy` and `ipFamilies` of a service as the families of the cluster allow. What is unset follows
 * from what is set: on a change also from what is stored. Does nothing for ExternalName.
 *
 * @param configured families of the cluster, the primary one first
 * @throws 422
 */
export function fillFamilies(
  service: KubeObject,
  old: KubeObject | undefined,
  configured: readonly Family[],
  gate: (name: string) => boolean,
): void {
  if (!needsClusterIP(service)) return;
  if (old && unchangedPreference(service, old)) return;
  service.spec ??= {};
  const spec = service.spec as JsonObject;
  const selectorless = Object.keys(specOf(service).selector ?? {}).length === 0;
  const open = str(spec, 'clusterIP') === 'None' && selectorless;
  spec.ipFamilyPolicy ??= (old && specOf(old).ipFamilyPolicy) ?? (open ? REQUIRE : SINGLE);
  const check = newCheck(gate, old);
  clusterIPRules(service, check);
  refuse(service, check.errors);

  const errors = old ? reductions(spec, specOf(old)) : [];
  errors.push(...tooMany(spec), ...inferFamilies(spec, configured));
  refuse(service, errors);

  const families = () => strings(spec, 'ipFamilies') as Family[];
  if (open) {
    // Whoever writes the endpoints of such a service decides, so both families are fine on any cluster.
    if (families().length === 0) spec.ipFamilies = [configured[0]!];
    if (families().length === 1 && spec.ipFamilyPolicy !== SINGLE)
      spec.ipFamilies = [families()[0]!, other(families()[0]!)];
    return;
  }
  refuse(service, notConfigured(spec, configured));
  if (families().length === 0) spec.ipFamilies = [configured[0]!];
  if (spec.ipFamilyPolicy !== SINGLE && families().length === 1 && configured.length === 2)
    spec.ipFamilies = [families()[0]!, other(families()[0]!)];
}

function refuse(service: KubeObject, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalidService(service, errors);
}

const other = (family: Family): Family => (family === 'IPv4' ? 'IPv6' : 'IPv4');

/** SingleStack drops the second address and family that were left as they were; otherwise they can't just go. */
function reductions(spec: JsonObject, before: JsonObject): FieldError[] {
  const errors: FieldError[] = [];
  for (const [field, noun] of [
    ['clusterIPs', 'cluster IP'],
    ['ipFamilies', 'IP family'],
  ] as const) {
    const now = strings(spec, field);
    const was = strings(before, field);
    if (spec.ipFamilyPolicy === SINGLE) {
      if (now.length > 1 && equalJson(now, was)) spec[field] = now.slice(0, 1);
    } else if (now.length > 0 && now.length < was.length)
      errors.push(invalidValue(POLICY, spec.ipFamilyPolicy, `must be '${SINGLE}' to release the secondary ${noun}`));
  }
  return errors;
}

function tooMany(spec: JsonObject): FieldError[] {
  if (spec.ipFamilyPolicy !== SINGLE) return [];
  const fault = (noun: string) =>
    invalidValue(POLICY, SINGLE, `must be '${REQUIRE}' or 'PreferDualStack' when multiple ${noun} are specified`);
  return [
    ...(strings(spec, 'clusterIPs').length === 2 ? [fault('cluster IPs')] : []),
    ...(strings(spec, 'ipFamilies').length === 2 ? [fault('IP families')] : []),
  ];
}

/** Addresses that came without their family say it themselves. */
function inferFamilies(spec: JsonObject, configured: readonly Family[]): FieldError[] {
  const errors: FieldError[] = [];
  const addresses = strings(spec, 'clusterIPs');
  for (const [i, ip] of addresses.entries()) {
    if (ip === 'None') break;
    const families = strings(spec, 'ipFamilies');
    if (i < families.length) continue;
    const family = readAddress(ip)?.family;
    if (family && configured.includes(family)) spec.ipFamilies = [...families, family];
    else
      errors.push(
        invalidValue(
          SPEC.child('clusterIPs').index(i),
          addresses,
          `${family ?? 'unknown'} is not configured on this cluster`,
        ),
      );
  }
  return errors;
}

function notConfigured(spec: JsonObject, configured: readonly Family[]): FieldError[] {
  const errors: FieldError[] = [];
  if (spec.ipFamilyPolicy === REQUIRE && configured.length < 2)
    errors.push(invalidValue(POLICY, REQUIRE, 'this cluster is not configured for dual-stack services'));
  for (const [i, family] of strings(spec, 'ipFamilies').entries()) {
    if (!configured.includes(family as Family))
      errors.push(invalidValue(SPEC.child('ipFamilies').index(i), family, 'not configured on this cluster'));
  }
  return errors;
}
