import { FieldError, forbiddenField, invalidValue, Path } from '../../../machinery/field.js';
import { cloneJson, equalJson, type JsonObject, type KubeObject } from '../../../machinery/json.js';
import { list, obj, ptr, str } from '../../access.js';
import type { Check } from '../../validation/index.js';
import { MIRROR } from './annotations.js';
import { isSidecar } from './containers.js';
import { computeQos, qosOf } from './qos.js';

// In-place resize (KEP-1287): the resize subresource changes cpu and memory of containers, and nothing else.

const SPEC = new Path('spec');

/** Takes resources and resize policies from the client's pod and all the rest from the stored one. */
export function prepareResize(pod: KubeObject, old: KubeObject, gate: (name: string) => boolean): void {
  const spec = obj(pod, 'spec');
  const oldSpec = obj(old, 'spec');
  const same = (field: string) => {
    const a = list(spec, field);
    const b = list(oldSpec, field);
    return a.length === b.length && a.every((c, i) => str(c, 'name') === str(b[i], 'name'));
  };
  if (list(spec, 'containers').length !== list(oldSpec, 'containers').length) return;
  if (list(spec, 'initContainers').length !== list(oldSpec, 'initContainers').length) return;
  const next: JsonObject = cloneJson(oldSpec);
  for (const field of ['containers', 'initContainers']) {
    if (spec[field] === undefined) continue;
    next[field] = same(field)
      ? list(oldSpec, field).map((container, i) => {
          const { resources, resizePolicy } = list(spec, field)[i]!;
          const merged: JsonObject = { ...cloneJson(container), resources, resizePolicy };
          for (const key of ['resources', 'resizePolicy']) if (merged[key] === undefined) delete merged[key];
          return merged;
        })
      : spec[field];
  }
  if (gate('InPlacePodLevelResourcesVerticalScaling')) {
    if (spec.resources === undefined) delete next.resources;
    else next.resources = spec.resources;
  }
  pod.spec = next;
  if (old.status !== undefined) pod.status = cloneJson(old.status);
}

function removed(after: JsonObject, before: JsonObject): boolean {
  return Object.keys(before).some((name) => after[name] === undefined);
}

function containerResize(after: JsonObject, before: JsonObject, at: Path, c: Check): void {
  for (const side of ['requests', 'limits'])
    if (removed(obj(after, side), obj(before, side)))
      c.errors.push(forbiddenField(at.child(side), `resource ${side} cannot be removed`));
}

/** A container with the cpu and memory it had before. */
function withOldAmounts(container: JsonObject, old: JsonObject): JsonObject {
  const out: JsonObject = { ...container };
  const resources: JsonObject = { ...obj(container, 'resources') };
  for (const side of ['requests', 'limits']) {
    const before = obj(obj(old, 'resources'), side);
    if (obj(old, 'resources')[side] === undefined) {
      delete resources[side];
      continue;
    }
    const { cpu: _c, memory: _m, ...rest } = obj(resources, side);
    resources[side] = {
      ...rest,
      ...(before.cpu === undefined ? {} : { cpu: before.cpu }),
      ...(before.memory === undefined ? {} : { memory: before.memory }),
    };
  }
  if (Object.keys(resources).length > 0) out.resources = resources;
  else delete out.resources;
  return out;
}

/** Faults of the whole stand alone, without a path. */
const WHOLE = (text: string) => new FieldError('FieldValueForbidden', '', `Forbidden: ${text}`);

function hasPodResources(pod: KubeObject): boolean {
  const own = obj(obj(pod, 'spec'), 'resources');
  return Object.keys(obj(own, 'requests')).length + Object.keys(obj(own, 'limits')).length > 0;
}

/** Reasons why a pod can't be resized at all; they replace every other fault. */
export function unresizable(pod: KubeObject, old: KubeObject, gate: (name: string) => boolean): FieldError | undefined {
  if ((hasPodResources(old) || hasPodResources(pod)) && !gate('InPlacePodLevelResourcesVerticalScaling'))
    return WHOLE('pods with pod-level resources cannot be resized');
  if (Object.hasOwn(old.metadata.annotations ?? {}, MIRROR)) return WHOLE('static pods cannot be resized');
  if (str(obj(obj(old, 'spec'), 'os'), 'name') === 'windows') return WHOLE('windows pods cannot be resized');
  return undefined;
}

export function resizeRules(pod: KubeObject, old: KubeObject, c: Check): void {
  const podLevel = c.gate('PodLevelResources');
  const spec = obj(pod, 'spec');
  const oldSpec = obj(old, 'spec');
  const qos = computeQos(pod, podLevel);
  if (qosOf(old, podLevel) !== qos)
    c.errors.push(
      invalidValue(SPEC, str(obj(pod, 'status'), 'qosClass'), 'Pod QOS Class may not change as a result of resizing'),
    );
  const running = list(obj(old, 'status'), 'containerStatuses').find(
    (s) => obj(obj(s, 'state'), 'running') && ptr(obj(s, 'state'), 'running'),
  );
  if (running && running.resources === undefined)
    c.errors.push(forbiddenField(SPEC, 'Pod running on node without support for resize'));

  const before = c.errors.length;
  const munged: JsonObject = { ...spec };
  for (const [field, text] of [
    ['initContainers', 'only cpu and memory resources for sidecar containers are mutable'],
    ['containers', 'only cpu and memory resources are mutable'],
  ] as const) {
    const olds = list(oldSpec, field);
    const news = list(spec, field);
    if (news.length !== olds.length) continue;
    munged[field] = news.map((container, i) => {
      const was = olds[i]!;
      const fixed = field === 'initContainers' && !isSidecar(was) && !c.gate('InPlacePodVerticalScalingInitContainers');
      if (!fixed)
        containerResize(
          obj(container, 'resources'),
          obj(was, 'resources'),
          SPEC.child(field).index(i).child('resources'),
          c,
        );
      const same = fixed ? container : withOldAmounts(container, was);
      if (!equalJson(same, was))
        c.errors.push(forbiddenField(SPEC, fixed ? 'resources for non-sidecar init containers are immutable' : text));
      return same;
    });
    if (spec[field] === undefined) delete munged[field];
  }
  if (c.errors.length > before) return;
  if (c.gate('InPlacePodLevelResourcesVerticalScaling') && oldSpec.resources !== undefined)
    munged.resources = oldSpec.resources;
  if (!equalJson(munged, oldSpec)) c.errors.push(forbiddenField(SPEC, 'only cpu and memory resources are mutable'));
}
