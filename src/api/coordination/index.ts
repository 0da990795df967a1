import { forbiddenField, invalidValue, notSupported, Path, required as requiredError } from '../../machinery/field.js';
import type { JsonObject, KubeObject } from '../../machinery/json.js';
import { obj, str } from '../access.js';
import type { GroupStrategies } from '../index.js';
import { kind } from '../kind.js';
import {
  type Check,
  formats,
  ifPresent,
  immutable,
  invalidEach,
  nonNegative,
  positive,
  type Rule,
  required,
  struct,
  whole,
} from '../validation/index.js';
import { isZeroVersion, lessThan, parseSemVer, type SemVer } from './semver.js';

const GROUP = 'coordination.k8s.io';
const SPEC = new Path('spec');
const OLDEST = 'OldestEmulationVersion';

/** How a leader is chosen: a known way, or one with a domain. Reported one level too deep. */
const electionStrategy: Rule = (v, at, c) => {
  const name = String(v);
  const here = at.child('strategy');
  if (name.includes('/')) invalidEach(c, here, name, formats.qualifiedName(name));
  else if (name !== OLDEST) c.errors.push(notSupported(here, name, [OLDEST]));
};

const leaseSpec = struct('coordination.v1.LeaseSpec', {
  leaseDurationSeconds: ifPresent(positive),
  leaseTransitions: ifPresent(nonNegative),
  strategy: ifPresent(electionStrategy),
  $holder: whole((o, at, c) => {
    if (str(o, 'preferredHolder') !== '' && str(o, 'strategy') === '')
      c.errors.push(forbiddenField(at.child('preferredHolder'), 'may only be specified if `strategy` is defined'));
  }),
});

const lease = kind({
  group: GROUP,
  kind: 'Lease',
  standardFinalizers: false,
  rules: (v, _, c) => leaseSpec(obj(v as KubeObject, 'spec'), SPEC, c),
});

function version(spec: JsonObject, field: string, at: Path, c: Check): SemVer | undefined {
  const text = str(spec, field);
  const parsed = parseSemVer(text);
  if (text && !parsed) c.errors.push(invalidValue(at.child(field), text, 'must be a valid semantic version'));
  return parsed;
}

const ZERO: SemVer = { numbers: [0, 0, 0], pre: [] };

const candidateSpec = struct('coordination.v1beta1.LeaseCandidateSpec', {
  leaseName: required(),
  $versions: whole((o, at, c) => {
    const emulation = version(o, 'emulationVersion', at, c) ?? ZERO;
    const binaryAt = at.child('binaryVersion');
    if (str(o, 'binaryVersion') === '') c.errors.push(requiredError(binaryAt));
    const binary = version(o, 'binaryVersion', at, c) ?? ZERO;
    if (str(o, 'binaryVersion') && str(o, 'emulationVersion') && lessThan(binary, emulation))
      c.errors.push(
        invalidValue(binaryAt, str(o, 'binaryVersion'), 'must be greater than or equal to `emulationVersion`'),
      );
    const strategy = str(o, 'strategy');
    if (strategy === '') c.errors.push(requiredError(at.child('strategy')));
    else if (strategy === OLDEST && isZeroVersion(emulation))
      c.errors.push(requiredError(at.child('emulationVersion'), `must be specified when \`strategy\` is '${OLDEST}'`));
    if (strategy) electionStrategy(strategy, at.child('strategy'), c);
  }),
});

const leaseCandidate = kind({
  group: GROUP,
  kind: 'LeaseCandidate',
  name: formats.configMapKey,
  standardFinalizers: false,
  rules: (v, _, c) => candidateSpec(obj(v as KubeObject, 'spec'), SPEC, c),
  updateRules: (o, old, c) =>
    immutable(str(obj(o, 'spec'), 'leaseName'), str(obj(old, 'spec'), 'leaseName'), SPEC.child('leaseName'), c),
  strategy: { selectableFields: (o) => ({ 'spec.leaseName': str(obj(o, 'spec'), 'leaseName') }) },
});

export const strategies: GroupStrategies = { Lease: lease, LeaseCandidate: leaseCandidate };
