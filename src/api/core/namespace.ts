import { invalidValue, Path } from '../../machinery/field.js';
import type { JsonObject, KubeObject } from '../../machinery/json.js';
import { obj, str, strings } from '../access.js';
import { keepForStatus, kind } from '../kind.js';
import type { Strategy } from '../strategy.js';
import { type Check, formats, invalidEach, validateStandardFinalizer } from '../validation/index.js';

/** By which selectors of namespaces find one. */
const NAME_LABEL = 'kubernetes.io/metadata.name';
const FINALIZERS = new Path('spec.finalizers');

function finalizer(name: string, at: Path, c: Check): void {
  invalidEach(c, at, name, formats.qualifiedName(name));
  validateStandardFinalizer(name, at, c);
}

function phaseRules(namespace: KubeObject, c: Check): void {
  const phase = str(obj(namespace, 'status'), 'phase');
  const fault = (text: string) => c.errors.push(invalidValue(new Path('status.Phase'), phase, text));
  if (!namespace.metadata.deletionTimestamp) {
    if (phase !== 'Active') fault("may only be 'Active' if `deletionTimestamp` is empty");
  } else if (phase !== 'Terminating') fault("may only be 'Terminating' if `deletionTimestamp` is not empty");
}

/** A namespace is held by `spec.finalizers`, which `finalize` alone changes, beside the finalizers of its metadata. */
export const namespace: Strategy = kind({
  group: '',
  kind: 'Namespace',
  rules: (v, _, c) => {
    for (const name of strings(obj(v as KubeObject, 'spec'), 'finalizers')) finalizer(name, FINALIZERS, c);
  },
  onUpdate: ['meta', 'rules', 'change'],
  prepareForCreate(_, o) {
    o.status = { phase: 'Active' };
    const spec: JsonObject = { ...obj(o, 'spec') };
    const finalizers = strings(spec, 'finalizers');
    if (!finalizers.includes('kubernetes')) spec.finalizers = [...finalizers, 'kubernetes'];
    o.spec = spec;
  },
  prepareForUpdate(_, o, old) {
    const finalizers = obj(old, 'spec').finalizers;
    const spec: JsonObject = { ...obj(o, 'spec') };
    if (finalizers === undefined) delete spec.finalizers;
    else spec.finalizers = finalizers;
    o.spec = spec;
  },
  subresources: {
    status: { rules: (o, _, c) => phaseRules(o, c) },
    finalize: {
      prepare: (_, o, old) => keepForStatus(o, old),
      rules(o, _, c) {
        strings(obj(o, 'spec'), 'finalizers').forEach((name, i) => {
          finalizer(name, FINALIZERS.index(i), c);
        });
      },
    },
  },
  strategy: {
    // Names may have been made up to here.
    canonicalize(o) {
      o.metadata.labels = { ...o.metadata.labels, [NAME_LABEL]: o.metadata.name ?? '' };
    },
    selectableFields: (o) => ({ 'status.phase': str(obj(o, 'status'), 'phase') }),
    holdsDeletion: (o) => strings(obj(o, 'spec'), 'finalizers').length > 0,
    beginDeletion(o) {
      // There is no grace: a namespace goes when its finalizers are gone.
      delete o.metadata.deletionGracePeriodSeconds;
      o.status = { ...obj(o, 'status'), phase: 'Terminating' };
    },
  },
});
