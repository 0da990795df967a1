import { forbiddenField, invalidValue, notSupported, Path, required as requiredError } from '../../machinery/field.js';
import type { JsonObject, KubeObject } from '../../machinery/json.js';
import { list, num, obj, ptr, str, strings } from '../access.js';
import { kind } from '../kind.js';
import type { Strategy } from '../strategy.js';
import {
  type Check,
  cidrWarnings,
  contains,
  each,
  formats,
  invalidEach,
  newCheck,
  oneOfInOrder,
  parseCIDR,
  portNumber,
  type Rule,
  struct,
  validateCIDR,
  validateLabelSelector,
  whole,
} from '../validation/index.js';

const SPEC = new Path('spec');

interface PolicyCheck extends Check {
  /** Selectors that were stored before their values were checked stay as they are. */
  readonly lenientValues: boolean;
  /** Networks that are stored already, however they are written. */
  readonly cidrs: readonly string[];
}

const port: Rule<PolicyCheck> = whole((o, at, c) => {
  if (o.protocol !== undefined) oneOfInOrder('TCP', 'UDP', 'SCTP')(o.protocol, at.child('protocol'), c);
  const end = o.endPort === undefined ? undefined : num(o, 'endPort');
  const endPort = at.child('endPort');
  if (o.port === undefined) {
    if (end !== undefined)
      c.errors.push(invalidValue(endPort, end, 'may not be specified when `port` is not specified'));
  } else if (typeof o.port === 'string') {
    if (end !== undefined) c.errors.push(invalidValue(endPort, end, 'may not be specified when `port` is non-numeric'));
    invalidEach(c, at.child('port'), o.port, formats.portName(o.port));
  } else {
    portNumber(o.port, at.child('port'), c);
    if (end === undefined) return;
    // The value shown is that of the port.
    if (end < num(o, 'port')) c.errors.push(invalidValue(endPort, o.port, 'must be greater than or equal to `port`'));
    portNumber(end, endPort, c);
  }
});

function ipBlock(block: JsonObject, at: Path, c: PolicyCheck): void {
  const text = str(block, 'cidr');
  if (text === '') {
    c.errors.push(requiredError(at.child('cidr')));
    return;
  }
  validateCIDR(text, at.child('cidr'), c, c.cidrs);
  const outer = parseCIDR(text);
  if (!outer) return;
  strings(block, 'except').forEach((except, i) => {
    const here = at.child('except').index(i);
    validateCIDR(except, here, c, c.cidrs);
    const inner = parseCIDR(except);
    if (!inner) return;
    if (!contains(outer, inner.network) || outer.prefix >= inner.prefix)
      c.errors.push(invalidValue(here, except, 'must be a strict subset of `cidr`'));
  });
}

const peer: Rule<PolicyCheck> = whole((o, at, c) => {
  const selectors = ['podSelector', 'namespaceSelector'].filter((name) => o[name] !== undefined);
  for (const name of selectors) validateLabelSelector(obj(o, name), at.child(name), c, c.lenientValues);
  const block = ptr(o, 'ipBlock');
  if (block) ipBlock(block, at.child('ipBlock'), c);
  if (!block && selectors.length === 0) c.errors.push(requiredError(at, 'must specify a peer'));
  else if (block && selectors.length > 0)
    c.errors.push(forbiddenField(at, 'may not specify both ipBlock and another peer'));
});

const policyTypes: Rule = (v, at, c) => {
  const types = Array.isArray(v) ? v : [];
  if (types.length > 2) c.errors.push(invalidValue(at, v, 'may not specify more than two policyTypes'));
  else
    types.forEach((type, i) => {
      if (type !== 'Ingress' && type !== 'Egress')
        c.errors.push(notSupported(at.index(i), type, ['Ingress', 'Egress']));
    });
};

const spec = struct<PolicyCheck>('networking.v1.NetworkPolicySpec', {
  podSelector: (v, at, c) => validateLabelSelector((v ?? {}) as JsonObject, at, c, c.lenientValues),
  ingress: each(struct<PolicyCheck>('networking.v1.NetworkPolicyIngressRule', { ports: each(port), from: each(peer) })),
  egress: each(struct<PolicyCheck>('networking.v1.NetworkPolicyEgressRule', { ports: each(port), to: each(peer) })),
  policyTypes,
});

/** Every block of addresses in a policy, with its path. */
function blocks(policy: KubeObject | undefined): { block: JsonObject; at: Path }[] {
  const part = obj(policy, 'spec');
  const side = (rules: string, peers: string) =>
    list(part, rules).flatMap((rule, i) =>
      list(rule, peers).flatMap((p, j) => {
        const block = ptr(p, 'ipBlock');
        return block ? [{ block, at: SPEC.child(rules).index(i).child(peers).index(j).child('ipBlock') }] : [];
      }),
    );
  return [...side('ingress', 'from'), ...side('egress', 'to')];
}

function hasOddSelector(policy: KubeObject | undefined): boolean {
  const c = newCheck(() => true);
  validateLabelSelector(obj(obj(policy, 'spec'), 'podSelector'), SPEC, c);
  return c.errors.length > 0;
}

export const networkPolicy: Strategy = kind({
  group: 'networking.k8s.io',
  kind: 'NetworkPolicy',
  rules(v, _, c) {
    const cidrs = blocks(c.old).flatMap(({ block }) => [str(block, 'cidr'), ...strings(block, 'except')]);
    spec(obj(v as KubeObject, 'spec'), SPEC, { ...c, cidrs, lenientValues: hasOddSelector(c.old) });
  },
  warnings: (_, o) =>
    blocks(o).flatMap(({ block, at }) => [
      ...cidrWarnings(at.child('cidr'), str(block, 'cidr')),
      ...strings(block, 'except').flatMap((e, i) => cidrWarnings(at.child('except').index(i), e)),
    ]),
});
