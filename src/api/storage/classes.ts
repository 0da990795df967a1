import {
  duplicate,
  forbiddenField,
  invalidValue,
  Path,
  required as requiredError,
  tooLong,
} from '../../machinery/field.js';
import { equalJson, isJsonObject, type JsonObject, type KubeObject } from '../../machinery/json.js';
import { list, str, stringMap, strings } from '../access.js';
import { DEPRECATED_LABELS } from '../core/pod/warnings.js';
import { kind } from '../kind.js';
import type { Strategy } from '../strategy.js';
import {
  type Check,
  formats,
  ifPresent,
  ifSet,
  immutable,
  invalidEach,
  oneOf,
  type Rule,
  required,
  requiredPresent,
  sortedMap,
  struct,
  validateLabelName,
} from '../validation/index.js';

const GROUP = 'storage.k8s.io';
const MAX_PARAMETERS = 512;
const MAX_SIZE = 256 * 1024;

/** The name of a driver: of any case, but qualified. */
const driver: Rule = required((v, at, c) => {
  const name = String(v).toLowerCase();
  invalidEach(c, at, name, formats.qualifiedName(name));
});

/** What is passed on to the driver. */
const parameters: Rule = (v, at, c) => {
  const entries = Object.entries((isJsonObject(v) ? v : {}) as Record<string, string>);
  if (entries.length > MAX_PARAMETERS) {
    c.errors.push(tooLong(at, MAX_PARAMETERS));
    return;
  }
  if (entries.some(([key]) => key === '')) c.errors.push(invalidValue(at, '', 'field can not be empty.'));
  const size = entries.reduce((sum, [k, e]) => sum + formats.byteLength(k) + formats.byteLength(e), 0);
  if (size > MAX_SIZE) c.errors.push(tooLong(at, MAX_SIZE));
};

/** Checks a term and gives its labels with the values that they may have. */
function topologyTerm(term: JsonObject, at: Path, c: Check): Record<string, string[]> {
  const labels: Record<string, string[]> = Object.create(null);
  list(term, 'matchLabelExpressions').forEach((requirement, i) => {
    const here = at.child('matchLabelExpressions').index(i);
    const key = str(requirement, 'key');
    const values = strings(requirement, 'values');
    if (values.length === 0) c.errors.push(requiredError(here.child('values')));
    values.forEach((value, j) => {
      if (values.indexOf(value) < j) c.errors.push(duplicate(here.child('values').index(j), value));
    });
    validateLabelName(key, here.child('key'), c);
    if (key in labels) c.errors.push(duplicate(here.child('key'), key));
    labels[key] = [...new Set(values)].sort();
  });
  return labels;
}

/** Terms that repeat each other give an error a pair; nobody reads more of them than this. */
const MAX_REPETITIONS = 10_000;

const topologies: Rule = (v, at, c) => {
  const terms = Array.isArray(v) ? (v as JsonObject[]) : [];
  // An empty term counts as a repetition of as many others as there are terms.
  const known = new Map([['[]', terms.length]]);
  let left = MAX_REPETITIONS;
  terms.forEach((term, i) => {
    const labels = topologyTerm(term, at.index(i), c);
    const key = JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
    const times = known.get(key) ?? 0;
    for (let n = 0; n < times && left > 0; n++, left--) {
      c.errors.push(duplicate(at.index(i).child('matchLabelExpressions'), ''));
    }
    known.set(key, times + 1);
  });
};

export const storageClass: Strategy = kind({
  group: GROUP,
  kind: 'StorageClass',
  rules: struct('storage.v1.StorageClass', {
    provisioner: driver,
    parameters,
    reclaimPolicy: ifSet(oneOf('Delete', 'Retain')),
    volumeBindingMode: requiredPresent('', oneOf('Immediate', 'WaitForFirstConsumer')),
    allowedTopologies: ifPresent(topologies),
  }),
  updateRules(o, old, c) {
    immutable(sortedMap(o.parameters), old.parameters, new Path('parameters'), c);
    for (const name of ['provisioner', 'reclaimPolicy', 'volumeBindingMode'])
      immutable(o[name], old[name], new Path(name), c);
  },
  onUpdate: ['meta', 'rules', 'change', 'updateRules'],
  warnings: (_, o) =>
    list(o, 'allowedTopologies').flatMap((term, i) =>
      list(term, 'matchLabelExpressions').flatMap((r, j) => {
        const text = DEPRECATED_LABELS[str(r, 'key')];
        return text ? [`allowedTopologies[${i}].matchLabelExpressions[${j}].key: ${text}`] : [];
      }),
    ),
});

export const volumeAttributesClass: Strategy = kind({
  group: GROUP,
  kind: 'VolumeAttributesClass',
  rules: struct('storage.v1.VolumeAttributesClass', {
    driverName: driver,
    parameters: [
      parameters,
      (v, at, c) => {
        if (!isJsonObject(v) || Object.keys(v).length === 0)
          c.errors.push(requiredError(at, 'must contain at least one key/value pair'));
      },
    ],
  }),
  updateRules(o: KubeObject, old: KubeObject, c: Check) {
    const same = {
      driverName: str(o, 'driverName') === str(old, 'driverName'),
      parameters: equalJson(stringMap(o, 'parameters'), stringMap(old, 'parameters')),
    };
    for (const [name, ok] of Object.entries(same))
      if (!ok) c.errors.push(forbiddenField(name, `updates to ${name} are forbidden.`));
  },
  onUpdate: ['change', 'updateRules', 'meta', 'rules'],
});
