import { num, obj, ptr, stringMap } from '../../api/access.js';
import { nameIsDnsSubdomain, newCheck, validateObjectMeta } from '../../api/validation/index.js';
import { pathOf, type ReplicasPaths } from '../../machinery/apply/scale.js';
import { badRequest, invalid } from '../../machinery/errors.js';
import { invalidValue } from '../../machinery/field.js';
import { apiVersionOf, type KubeObject } from '../../machinery/json.js';
import { resourceCatalog } from '../../machinery/scheme/resources.js';
import { labelSelectorOf, selectorFromLabels } from '../../machinery/selectors/label-selector.js';
import type { Environment } from '../context.js';
import type { EndpointSource } from '../served.js';
import { replicasOf, type ScaleAccess, type ScaleValues, scaleEndpoint } from './scale.js';

/** Built-in kinds have `spec.replicas` and `status.replicas`, and a selector as an object or (old ones) a map. */
const access = (paths: ReplicasPaths, env: Environment): ScaleAccess => ({
  paths,
  read: valuesOf,
  readToChange: valuesOf,
  check: (scale) => checkScale(scale, env),
  write(object, replicas) {
    object.spec = { ...obj(object, 'spec'), replicas };
  },
});

function valuesOf(object: KubeObject): ScaleValues {
  return {
    replicas: num(obj(object, 'spec'), 'replicas'),
    current: num(obj(object, 'status'), 'replicas'),
    selector: selectorText(object),
  };
}

function checkScale(scale: KubeObject, env: Environment): void {
  const check = newCheck((name) => env.gate(name));
  validateObjectMeta(scale.metadata, { namespaced: true, name: nameIsDnsSubdomain, standardFinalizers: true }, check);
  const replicas = replicasOf(scale);
  if (replicas < 0) check.errors.push(invalidValue('spec.replicas', replicas, 'must be greater than or equal to 0'));
  if (check.errors.length > 0)
    throw invalid({ group: 'autoscaling', kind: 'Scale' }, scale.metadata.name ?? '', check.errors);
}

function selectorText(object: KubeObject): string {
  const spec = obj(object, 'spec');
  if (object.kind === 'ReplicationController') return selectorFromLabels(stringMap(spec, 'selector')).toString();
  try {
    return labelSelectorOf(ptr(spec, 'selector')).toString();
  } catch (e) {
    throw badRequest((e as Error).message);
  }
}

/** `scale` of a built-in kind. */
export function builtinScale({ facts, sub, version, kind, printer }: EndpointSource, env: Environment) {
  if (!kind || !sub) throw new Error(`${facts.plural} has nothing to scale`);
  const served = resourceCatalog().resources.filter((r) => r.group === facts.group && r.plural === facts.plural);
  return scaleEndpoint({
    kind,
    env,
    version,
    resource: { group: facts.group, resource: facts.plural },
    apiVersion: apiVersionOf(facts),
    verbs: sub.verbs,
    printer,
    access: access(Object.fromEntries(served.map((r) => [apiVersionOf(r), pathOf('spec.replicas')])), env),
  });
}
