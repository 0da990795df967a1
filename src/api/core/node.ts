import {
  duplicate,
  FieldError,
  forbiddenField,
  invalidValue,
  Path,
  required as requiredError,
} from '../../machinery/field.js';
import type { JsonObject, KubeObject } from '../../machinery/json.js';
import { bool, list, obj, ptr, str, strings } from '../access.js';
import { kind } from '../kind.js';
import type { Strategy } from '../strategy.js';
import {
  type Check,
  cidrWarnings,
  configMapKey,
  dnsLabel,
  dnsSubdomain,
  formats,
  goForm,
  ifPresent,
  parseCIDR,
  requiredWith,
  struct,
  validateCIDR,
  validateLabelName,
  whole,
} from '../validation/index.js';
import { validateAmount } from './pod/resources.js';
import { taintEffect } from './scheduling.js';

const SPEC = new Path('spec');
/** Where the real server reports faults of taints, which is not where they are. */
const TAINTS = new Path('metadata.taints');

function taints(all: readonly JsonObject[], at: Path, c: Check): void {
  const seen = new Set<string>();
  all.forEach((taint, i) => {
    const here = at.index(i);
    validateLabelName(str(taint, 'key'), here.child('key'), c);
    const faults = formats.labelValue(str(taint, 'value'));
    if (faults.length > 0) c.errors.push(invalidValue(here.child('value'), str(taint, 'value'), faults.join(';')));
    taintEffect(str(taint, 'effect'), here.child('effect'), c);
    const key = `${str(taint, 'effect')} ${str(taint, 'key')}`;
    if (seen.has(key)) {
      const fault = duplicate(here, goForm('core.v1.Taint', taint));
      c.errors.push(
        new FieldError(fault.type, fault.field, `${fault.text}: taints must be unique by key and effect pair`),
      );
    }
    seen.add(key);
  });
}

function amounts(node: KubeObject, c: Check): void {
  for (const field of ['capacity', 'allocatable']) {
    const all = obj(obj(node, 'status'), field);
    for (const name of Object.keys(all).sort())
      validateAmount(name, all[name], new Path('status').child(field, name), c);
  }
}

function podCIDRs(node: KubeObject, c: Check): void {
  const cidrs = strings(obj(node, 'spec'), 'podCIDRs');
  const at = SPEC.child('podCIDRs');
  cidrs.forEach((cidr, i) => {
    validateCIDR(cidr, at.index(i), c);
  });
  if (cidrs.length < 2) return;
  const families = cidrs.map((cidr) => parseCIDR(cidr)?.ip.family);
  const oneEach = new Set(families).size === 2 && !families.includes(undefined);
  if (!oneEach || cidrs.length > 2)
    c.errors.push(invalidValue(at, cidrs, 'may specify no more than one CIDR for each IP family'));
}

/** Dynamic kubelet configuration is gone; its fields are still checked. */
const configMapTail = struct('core.v1.ConfigMapNodeConfigSource', {
  namespace: requiredWith('namespace must be set', dnsLabel),
  name: requiredWith('name must be set', dnsSubdomain),
  kubeletConfigKey: requiredWith('kubeletConfigKey must be set', configMapKey),
});
function configSource(inStatus: boolean) {
  return ifPresent<Check>((v, at, c) => {
    const source = v as JsonObject;
    const map = ptr(source, 'configMap');
    if (!map) {
      c.errors.push(
        invalidValue(at, goForm('core.v1.NodeConfigSource', source), 'exactly one reference subfield must be non-nil'),
      );
      return;
    }
    for (const field of ['uid', 'resourceVersion']) {
      const here = at.child('configMap', field);
      if (inStatus && str(map, field) === '') c.errors.push(requiredError(here, `${field} must be set in status`));
      if (!inStatus && str(map, field) !== '') c.errors.push(forbiddenField(here, `${field} must not be set in spec`));
    }
    configMapTail(map, at.child('configMap'), c);
  });
}
const statusConfig = struct('core.v1.NodeConfigStatus', {
  assigned: configSource(true),
  active: configSource(true),
  lastKnownGood: configSource(true),
});
const configRules = struct('core.v1.Node', {
  spec: struct('core.v1.NodeSpec', { configSource: configSource(false) }),
  status: struct('core.v1.NodeStatus', {
    $config: whole((o, at, c) => {
      if (o.config !== undefined) statusConfig(o.config, at.child('config'), c);
    }),
  }),
});

function change(node: KubeObject, old: KubeObject, c: Check): void {
  amounts(node, c);
  const seen = new Set<string>();
  list(obj(node, 'status'), 'addresses').forEach((address, i) => {
    const key = JSON.stringify([str(address, 'type'), str(address, 'address')]);
    if (seen.has(key))
      c.errors.push(duplicate(new Path('status.addresses').index(i), goForm('core.v1.NodeAddress', address)));
    seen.add(key);
  });
  const spec = obj(node, 'spec');
  const before = obj(old, 'spec');
  const onlyOnce = (field: string, shown: string) =>
    c.errors.push(forbiddenField(SPEC.child(field), `node updates may not change ${shown} except from "" to valid`));
  const cidrs = strings(spec, 'podCIDRs');
  const oldCIDRs = strings(before, 'podCIDRs');
  if (oldCIDRs.length > 0) {
    if (oldCIDRs.length !== cidrs.length) onlyOnce('podCIDRs', 'podCIDR');
    else for (let i = 0; i < cidrs.length; i++) if (cidrs[i] !== oldCIDRs[i]) onlyOnce('podCIDRs', 'podCIDR');
  }
  if (str(before, 'providerID') && str(before, 'providerID') !== str(spec, 'providerID'))
    onlyOnce('providerID', 'providerID');
  configRules(node, new Path(), c);
  taints(list(spec, 'taints'), TAINTS, c);
  if (str(spec, 'externalID') !== str(before, 'externalID'))
    c.errors.push(forbiddenField(SPEC.child('externalID'), 'may not be updated'));
}

function warnings(node: KubeObject): string[] {
  const spec = obj(node, 'spec');
  const out: string[] = [];
  if (spec.configSource !== undefined)
    out.push(
      `${SPEC.child('configSource')}: the feature is no longer supported, this field is ignored and will be removed in a future release`,
    );
  if (str(spec, 'externalID'))
    out.push(`${SPEC.child('externalID')}: this field is deprecated, and is unused by Kubernetes`);
  strings(spec, 'podCIDRs').forEach((cidr, i) => {
    out.push(...cidrWarnings(SPEC.child('podCIDRs').index(i), cidr));
  });
  return out;
}

export const node: Strategy = kind({
  group: '',
  kind: 'Node',
  rules(v, _, c) {
    const o = v as KubeObject;
    taints(list(obj(o, 'spec'), 'taints'), TAINTS, c);
    amounts(o, c);
    podCIDRs(o, c);
  },
  updateRules: change,
  onUpdate: ['meta', 'rules', 'change', 'updateRules'],
  keepsStatusOnCreate: true,
  warnings: (_, o) => warnings(o),
  prepareForCreate(_, o) {
    const spec = ptr(o, 'spec');
    if (spec) delete spec.configSource;
  },
  subresources: {
    status: {
      rules: change,
      prepare(_, o, old) {
        const status = ptr(o, 'status');
        if (status && obj(old, 'status').config === undefined) delete status.config;
      },
    },
  },
  strategy: {
    selectableFields: (o) => ({ 'spec.unschedulable': String(bool(obj(o, 'spec'), 'unschedulable')) }),
  },
});
