import { duplicate, invalidValue, notSupported, Path, required as requiredError } from '../../machinery/field.js';
import { equalJson, isJsonObject, type JsonObject, type JsonValue, type KubeObject } from '../../machinery/json.js';
import { list, num, obj, ptr, str, stringMap, strings } from '../access.js';
import { nonNegativeQuantity } from '../core/pod/resources.js';
import { DEPRECATED_LABELS, nodeSelectorTermWarnings } from '../core/pod/warnings.js';
import { csiDriverName } from '../core/volume-sources.js';
import { kind } from '../kind.js';
import type { Strategy } from '../strategy.js';
import {
  type Check,
  dnsSubdomain,
  formats,
  goForm,
  ifPresent,
  immutable,
  invalidEach,
  newCheck,
  nonNegative,
  oneOf,
  type Rule,
  requiredPresent,
  satisfies,
  struct,
  validateLabelSelector,
  whole,
} from '../validation/index.js';

const GROUP = 'storage.k8s.io';
const SPEC = new Path('spec');
const spec = (o: KubeObject) => obj(o, 'spec');

// CSIDriver ---------------------------------------------------------------------------------------------------------

const TEN_MINUTES = 600;
const LONGEST = 2 ** 32;

const tokenRequests: Rule = (v, at, c) => {
  const audiences = new Set<string>();
  (Array.isArray(v) ? (v as JsonObject[]) : []).forEach((request, i) => {
    const audience = str(request, 'audience');
    if (audiences.has(audience)) {
      c.errors.push(duplicate(at.index(i).child('audience'), audience));
      return;
    }
    audiences.add(audience);
    const seconds = request.expirationSeconds;
    if (seconds === undefined) return;
    const fault = (text: string) =>
      c.errors.push(
        invalidValue(at.index(i).child('expirationSeconds'), seconds, `may not specify a duration ${text}`),
      );
    if (num(request, 'expirationSeconds') < TEN_MINUTES) fault('less than 10 minutes');
    if (num(request, 'expirationSeconds') > LONGEST) fault('larger than 2^32 seconds');
  });
};

/** A pointer that defaulting fills while its feature is on. */
const presentWith =
  (gate: string): Rule =>
  (v, at, c) => {
    if (v === undefined && c.gate(gate)) c.errors.push(requiredError(at));
  };

const driverSpec = struct('storage.v1.CSIDriverSpec', {
  // Reported under this name, which no field has.
  $attach: whole((o, at, c) => requiredPresent('')(o.attachRequired, at.child('attachedRequired'), c)),
  podInfoOnMount: requiredPresent(''),
  storageCapacity: requiredPresent(''),
  fsGroupPolicy: ifPresent(oneOf('File', 'None', 'ReadWriteOnceWithFSType')),
  tokenRequests,
  volumeLifecycleModes: (v, at, c) => {
    for (const mode of Array.isArray(v) ? v : [])
      if (mode !== 'Persistent' && mode !== 'Ephemeral')
        c.errors.push(notSupported(at, mode, ['Persistent', 'Ephemeral']));
  },
  seLinuxMount: presentWith('SELinuxMountReadWriteOncePod'),
  nodeAllocatableUpdatePeriodSeconds: ifPresent(
    satisfies((n) => n >= 10, 'must be greater than or equal to 10 seconds'),
  ),
  $tokens: whole((o, at, c) => {
    if (o.serviceAccountTokenInSecrets === undefined || list(o, 'tokenRequests').length > 0) return;
    const text = 'serviceAccountTokenInSecrets is set but no tokenRequests are specified';
    c.errors.push(invalidValue(at.child('serviceAccountTokenInSecrets'), o.serviceAccountTokenInSecrets, text));
  }),
  preventPodSchedulingIfMissing: presentWith('VolumeLimitScaling'),
});

const TOKENS_IN_SECRETS =
  'spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes';

export const csiDriver: Strategy = kind({
  group: GROUP,
  kind: 'CSIDriver',
  rules: (v, _, c) => driverSpec(spec(v as KubeObject), SPEC, c),
  updateRules(o, old, c) {
    immutable(spec(o).attachRequired, spec(old).attachRequired, SPEC.child('attachedRequired'), c);
    immutable(spec(o).volumeLifecycleModes, spec(old).volumeLifecycleModes, SPEC.child('volumeLifecycleModes'), c);
  },
  warnings(ctx, o, old) {
    const requests = list(spec(o), 'tokenRequests');
    const changed = !old || !equalJson(requests, list(spec(old), 'tokenRequests'));
    const asks = requests.length > 0 && spec(o).serviceAccountTokenInSecrets === undefined;
    return ctx.gate('CSIServiceAccountTokenSecrets') && changed && asks ? [TOKENS_IN_SECRETS] : [];
  },
});

// CSINode -----------------------------------------------------------------------------------------------------------

const nodeDriver = struct('storage.v1.CSINodeDriver', {
  name: csiDriverName,
  nodeID: (v, at, c) => {
    if (v === '') c.errors.push(requiredError(at));
    else if (formats.byteLength(String(v)) > 256) c.errors.push(invalidValue(at, v, 'must be 256 characters or less'));
  },
  allocatable: struct('storage.v1.VolumeNodeResources', { count: ifPresent(nonNegative) }),
});

function nodeDrivers(o: KubeObject, c: Check): void {
  const names = new Set<string>();
  list(spec(o), 'drivers').forEach((driver, i) => {
    const at = SPEC.child('drivers').index(i);
    const name = str(driver, 'name');
    nodeDriver(driver, at, c);
    if (names.has(name)) c.errors.push(duplicate(at.child('name'), name));
    names.add(name);
    const keys = new Set<string>();
    for (const key of strings(driver, 'topologyKeys')) {
      if (key === '') c.errors.push(requiredError(at));
      if (keys.has(key)) c.errors.push(duplicate(at, key));
      keys.add(key);
      invalidEach(c, at, key, formats.qualifiedName(key));
    }
  });
}

/** A driver that stays on the node stays as it was, but for how many volumes it can take. */
function nodeDriversChange(o: KubeObject, old: KubeObject, c: Check): void {
  const fixed = (driver: JsonObject): JsonValue | undefined => {
    const { allocatable: _, ...rest } = driver;
    return c.gate('MutableCSINodeAllocatableCount') ? rest : driver;
  };
  for (const was of list(spec(old), 'drivers'))
    for (const now of list(spec(o), 'drivers'))
      if (str(was, 'name') === str(now, 'name') && !equalJson(fixed(now), fixed(was)))
        c.errors.push(
          invalidValue(SPEC.child('drivers'), goForm('storage.v1.CSINodeDriver', fixed(now)), 'field is immutable'),
        );
}

export const csiNode: Strategy = kind({
  group: GROUP,
  kind: 'CSINode',
  rules: (v, _, c) => nodeDrivers(v as KubeObject, c),
  updateRules: nodeDriversChange,
  onUpdate: ['meta', 'rules', 'updateRules'],
});

// CSIStorageCapacity ------------------------------------------------------------------------------------------------

function hasOddTopology(capacity: KubeObject | undefined): boolean {
  const c = newCheck(() => true);
  validateLabelSelector(obj(capacity, 'nodeTopology'), SPEC, c);
  return c.errors.length > 0;
}

export const csiStorageCapacity: Strategy = kind({
  group: GROUP,
  kind: 'CSIStorageCapacity',
  rules: struct('storage.v1.CSIStorageCapacity', {
    nodeTopology: (v, at, c) => {
      if (isJsonObject(v)) validateLabelSelector(v, at, c, hasOddTopology(c.old));
    },
    storageClassName: dnsSubdomain,
    capacity: ifPresent(nonNegativeQuantity),
  }),
  updateRules(o, old, c) {
    immutable(
      o.nodeTopology,
      old.nodeTopology,
      new Path('nodeTopology'),
      c,
      'io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector',
    );
    immutable(str(o, 'storageClassName'), str(old, 'storageClassName'), new Path('storageClassName'), c);
  },
  onUpdate: ['meta', 'rules', 'change', 'updateRules'],
  warnings(_, o) {
    const topology = ptr(o, 'nodeTopology');
    if (!topology) return [];
    const labels = Object.keys(stringMap(topology, 'matchLabels')).sort();
    return [
      ...nodeSelectorTermWarnings(topology, new Path('nodeTopology')),
      ...labels.flatMap((key) =>
        DEPRECATED_LABELS[key] ? [`nodeTopology.matchLabels.${key}: ${DEPRECATED_LABELS[key]}`] : [],
      ),
    ];
  },
});
