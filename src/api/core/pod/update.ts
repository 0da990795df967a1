import { sentEmpties, withSentEmpties } from '../../../machinery/codec/typed/sent-empty.js';
import { forbiddenField, invalidValue, Path, required } from '../../../machinery/field.js';
import { cloneJson, equalJson, type JsonObject, type JsonValue, type KubeObject } from '../../../machinery/json.js';
import { list, num, obj, ptr, str, stringMap } from '../../access.js';
import { type Check, each, formats, goDiff, goForm, sortedMap } from '../../validation/index.js';
import { toleration } from '../scheduling.js';
import { APPARMOR, MIRROR, validatePodAnnotations } from './annotations.js';
import type { PodCheck } from './check.js';
import { imageSpace } from './containers.js';
import { leniencyOf } from './leniency.js';

const MAX_INT32 = 2 ** 31 - 1;
const SPEC = new Path('spec');
const UPDATABLE = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
].join(',');

/** Annotations that were the interface before fields may not change either. */
export function annotationUpdates(obj_: KubeObject, old: KubeObject, c: Check): void {
  const at = new Path('metadata.annotations');
  const before = old.metadata.annotations ?? {};
  const after = obj_.metadata.annotations ?? {};
  const fault = (key: string, verb: string) => {
    if (key.startsWith(APPARMOR)) c.errors.push(forbiddenField(at.key(key), `may not ${verb} AppArmor annotations`));
    if (key === MIRROR) c.errors.push(forbiddenField(at.key(key), `may not ${verb} mirror pod annotation`));
  };
  for (const key of Object.keys(before).sort()) if (after[key] !== before[key]) fault(key, 'remove or update');
  for (const key of Object.keys(after).sort()) if (before[key] === undefined) fault(key, 'add');
  validatePodAnnotations(obj_.metadata, obj(obj_, 'spec'), at, c, leniencyOf(obj(old, 'spec'), old.metadata));
}

/** False when containers came or went, after which nothing else can be compared. */
function sameContainers(spec: JsonObject, old: JsonObject, field: string, c: Check): boolean {
  const containers = list(spec, field);
  const at = SPEC.child(field);
  if (containers.length !== list(old, field).length) {
    c.errors.push(forbiddenField(at, 'pod updates may not add or remove containers'));
    return false;
  }
  containers.forEach((container, i) => {
    if (str(container, 'image') === '') c.errors.push(required(at.index(i).child('image')));
    imageSpace(container, at.index(i), c as PodCheck);
  });
  return true;
}

/** The deadline may be set once and then only come nearer. False ends the comparison. */
function deadline(spec: JsonObject, old: JsonObject, c: Check): boolean {
  const at = SPEC.child('activeDeadlineSeconds');
  const before = old.activeDeadlineSeconds;
  const after = spec.activeDeadlineSeconds;
  if (after === undefined) {
    if (before !== undefined)
      c.errors.push(invalidValue(at, undefined, 'must not update from a positive integer to nil value'));
    return true;
  }
  const seconds = Number(after);
  if (seconds < 0 || seconds > MAX_INT32) {
    c.errors.push(invalidValue(at, seconds, formats.rangeError(0, MAX_INT32)));
    return false;
  }
  if (before !== undefined && Number(before) < seconds) {
    c.errors.push(invalidValue(at, seconds, 'must be less than or equal to previous value'));
    return false;
  }
  return true;
}

const TOLERATION = ['key', 'operator', 'value', 'effect'];
const withoutSeconds = (t: JsonObject): string => JSON.stringify(TOLERATION.map((name) => str(t, name)));
function tolerations(spec: JsonObject, old: JsonObject, c: Check): void {
  const after = list(spec, 'tolerations');
  const found = new Set(after.map(withoutSeconds));
  const kept = list(old, 'tolerations').every((t) => found.has(withoutSeconds(t)));
  const at = SPEC.child('tolerations');
  if (!kept) c.errors.push(forbiddenField(at, 'existing toleration can not be modified except its tolerationSeconds'));
  else each(toleration)(after, at, c);
}

function schedulingGates(spec: JsonObject, old: JsonObject, c: Check): void {
  const before = new Set(list(old, 'schedulingGates').map((g) => str(g, 'name')));
  list(spec, 'schedulingGates').forEach((gate, i) => {
    const name = str(gate, 'name');
    if (!before.has(name))
      c.errors.push(
        forbiddenField(
          SPEC.child('schedulingGates').index(i).child('name'),
          `only deletion is allowed, but found new scheduling gate '${name}'`,
        ),
      );
  });
}

const required_ = 'requiredDuringSchedulingIgnoredDuringExecution';

/** Whether each old requirement is still there, in its place. */
function onlyAdds(term: JsonObject, old: JsonObject): boolean {
  const empty = (t: JsonObject) => list(t, 'matchExpressions').length + list(t, 'matchFields').length === 0;
  if (empty(old) && !empty(term)) return false;
  return ['matchExpressions', 'matchFields'].every((field) => {
    const before = list(old, field);
    return before.length === 0 || equalJson(list(term, field).slice(0, before.length), before);
  });
}

/** While a pod is held back, where it may run can be narrowed (KEP-3838). What may change is put back in `munged`. */
function narrowing(munged: JsonObject, old: JsonObject, c: Check): void {
  const before = stringMap(old, 'nodeSelector');
  const after = stringMap(munged, 'nodeSelector');
  if (Object.keys(before).some((key) => after[key] !== before[key]))
    c.errors.push(
      invalidValue(
        SPEC.child('nodeSelector'),
        sortedMap(after),
        'only additions to spec.nodeSelector are allowed (no mutations or deletions)',
      ),
    );
  put(munged, 'nodeSelector', old.nodeSelector);

  const affinity = ptr(munged, 'affinity');
  const oldNodes = ptr(obj(old, 'affinity'), 'nodeAffinity');
  const nodes = ptr(affinity, 'nodeAffinity');
  if (equalJson(nodes, oldNodes)) return;
  const at = SPEC.child('affinity', 'nodeAffinity', required_, 'nodeSelectorTerms');
  const oldTerms = list(obj(oldNodes, required_), 'nodeSelectorTerms');
  const terms = list(obj(nodes, required_), 'nodeSelectorTerms');
  if (oldTerms.length > 0 && oldTerms.length !== terms.length)
    c.errors.push(
      invalidValue(
        at,
        terms.length > 0 ? goForm('core.v1.NodeSelectorTerm', terms) : undefined,
        'no additions/deletions to non-empty NodeSelectorTerms list are allowed',
      ),
    );
  else
    oldTerms.forEach((term, i) => {
      if (!onlyAdds(terms[i]!, term))
        c.errors.push(
          invalidValue(
            at.index(i),
            goForm('core.v1.NodeSelectorTerm', terms[i]),
            'only additions are allowed (no mutations or deletions)',
          ),
        );
    });
  const rest: JsonObject = { ...affinity };
  put(rest, 'nodeAffinity', oldNodes);
  const wasUnset = old.affinity === undefined && rest.podAffinity === undefined && rest.podAntiAffinity === undefined;
  put(munged, 'affinity', wasUnset ? undefined : rest);
}

function put(holder: JsonObject, field: string, value: JsonObject[string]): void {
  if (value === undefined) delete holder[field];
  else holder[field] = value;
}

/** What may change in a pod that exists. */
export function podUpdateRules(pod: KubeObject, oldPod: KubeObject, c: Check): void {
  annotationUpdates(pod, oldPod, c);
  const spec = obj(pod, 'spec');
  const old = obj(oldPod, 'spec');
  if (!sameContainers(spec, old, 'containers', c) || !sameContainers(spec, old, 'initContainers', c)) return;
  if (!deadline(spec, old, c)) return;
  tolerations(spec, old, c);
  schedulingGates(spec, old, c);
  if (equalJson(spec, old)) return;

  const munged = cloneJson(spec);
  for (const field of ['containers', 'initContainers'])
    list(munged, field).forEach((container, i) => {
      put(container, 'image', list(old, field)[i]!.image);
    });
  for (const field of ['activeDeadlineSeconds', 'schedulingGates', 'tolerations']) put(munged, field, old[field]);
  if (num(old, 'terminationGracePeriodSeconds') < 0 && spec.terminationGracePeriodSeconds === 1)
    put(munged, 'terminationGracePeriodSeconds', old.terminationGracePeriodSeconds);
  if (list(old, 'schedulingGates').length > 0) narrowing(munged, old, c);
  const asSent = (form: JsonValue) => withSentEmpties(form, SPEC.text, sentEmpties(pod));
  if (!equalJson(munged, old))
    c.errors.push(
      forbiddenField(
        SPEC,
        `pod updates may not change fields other than ${UPDATABLE}\n${goDiff('core.v1.PodSpec', old, munged, asSent)}`,
      ),
    );
}
