import { invalidValue, notSupported, type Path, required as requiredError } from '../../../machinery/field.js';
import type { JsonObject } from '../../../machinery/json.js';
import { ptr, str } from '../../access.js';
import {
  configMapKey,
  dnsSubdomain,
  formats,
  ifPresent,
  ifSet,
  invalidEach,
  type Rule,
  required,
  struct,
  unreservedPath,
  whole,
} from '../../validation/index.js';
import type { PodCheck } from './check.js';
import { quantity } from './resources.js';

const envName: Rule = (v, at, c) => {
  const name = v as string;
  const relaxed = c.gate('RelaxedEnvironmentVariableValidation');
  invalidEach(c, at, name, relaxed ? formats.relaxedEnvVarName(name) : formats.envVarName(name));
};

/** Paths of the downward API without a subscript, and those that take one. */
const FIELD_LABELS = new Set([
  'metadata.name',
  'metadata.namespace',
  'metadata.annotations',
  'metadata.labels',
  'metadata.uid',
  'spec.nodeName',
  'spec.restartPolicy',
  'spec.serviceAccountName',
  'spec.schedulerName',
  'status.phase',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
]);
const SUBSCRIPTED = /^(metadata\.(?:annotations|labels))\['(.*)'\]$/s;

/** core.v1.ObjectFieldSelector that may name one of these fields of the pod. */
export function fieldSelector(allowed: readonly string[]): Rule {
  return (v, at, c) => {
    const selector = v as JsonObject;
    const version = str(selector, 'apiVersion');
    const path = str(selector, 'fieldPath');
    if (version === '') c.errors.push(requiredError(at.child('apiVersion')));
    else if (path === '') c.errors.push(requiredError(at.child('fieldPath')));
    else {
      const subscript = SUBSCRIPTED.exec(path);
      const wrong =
        version !== 'v1'
          ? `unsupported pod version: ${version}`
          : !subscript && path !== 'spec.host' && !FIELD_LABELS.has(path)
            ? `field label not supported: ${path}`
            : undefined;
      if (wrong) c.errors.push(invalidValue(at.child('fieldPath'), path, `error converting fieldPath: ${wrong}`));
      else if (subscript) {
        const key = subscript[2]!;
        const checked = subscript[1] === 'metadata.annotations' ? key.toLowerCase() : key;
        invalidEach(c, at, checked, formats.qualifiedName(checked));
      } else if (!allowed.includes(path)) c.errors.push(notSupported(at.child('fieldPath'), path, [...allowed].sort()));
    }
  };
}

const RESOURCES = ['cpu', 'ephemeral-storage', 'memory'].flatMap((r) => [`limits.${r}`, `requests.${r}`]).sort();
const BYTES = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei'];

function divisor(resource: string, selector: JsonObject, at: Path, c: PodCheck): void {
  const q = quantity(selector.divisor);
  if (q.isZero()) return;
  const name = resource.slice(resource.indexOf('.') + 1);
  const bytes = BYTES.join(', ');
  const [values, text] =
    name === 'cpu'
      ? [['1m', '1'], '1m and 1 are supported with the cpu resource']
      : name === 'memory'
        ? [BYTES, `${bytes} are supported with the memory resource`]
        : name === 'ephemeral-storage'
          ? [BYTES, `${bytes} are supported with the local ephemeral storage resource`]
          : /^(limits|requests)\.hugepages-/.test(resource)
            ? [BYTES, `${bytes} are supported with the hugepages resource`]
            : [undefined, ''];
  if (values && !values.includes(q.toString()))
    c.errors.push(invalidValue(at.child('divisor'), resource, `only divisor's values ${text}`));
}

/** core.v1.ResourceFieldSelector; in a volume it must say which container. */
export function resourceSelector(inVolume: boolean): Rule<PodCheck> {
  return (v, at, c) => {
    const selector = v as JsonObject;
    const resource = str(selector, 'resource');
    if (inVolume && str(selector, 'containerName') === '') c.errors.push(requiredError(at.child('containerName')));
    else if (resource === '') c.errors.push(requiredError(at.child('resource')));
    else if (!RESOURCES.includes(resource) && !/^(limits|requests)\.hugepages-/.test(resource))
      c.errors.push(notSupported(at.child('resource'), resource, RESOURCES));
    divisor(resource, selector, at, c);
  };
}

const keyRules = { name: dnsSubdomain, key: required(configMapKey) };
const sources: Readonly<Record<string, Rule<PodCheck>>> = {
  fieldRef: fieldSelector([
    'metadata.name',
    'metadata.namespace',
    'metadata.uid',
    'spec.nodeName',
    'spec.serviceAccountName',
    'status.hostIP',
    'status.hostIPs',
    'status.podIP',
    'status.podIPs',
  ]),
  resourceFieldRef: resourceSelector(false),
  configMapKeyRef: struct('core.v1.ConfigMapKeySelector', keyRules),
  secretKeyRef: struct('core.v1.SecretKeySelector', keyRules),
  fileKeyRef: struct<PodCheck>('core.v1.FileKeySelector', {
    key: required((v, at, c) => invalidEach(c, at, v, formats.relaxedEnvVarName(v as string))),
    volumeName: required(),
    path: required(unreservedPath),
  }),
};

/** core.v1.EnvVar. */
export const envVar = struct<PodCheck>('core.v1.EnvVar', {
  name: required(envName),
  $valueFrom: whole((o, at, c) => {
    const from = ptr(o, 'valueFrom');
    if (!from) return;
    const here = at.child('valueFrom');
    const set = Object.keys(sources).filter((name) => from[name] !== undefined);
    for (const name of set) sources[name]!(from[name], here.child(name), c);
    if (set.length === 0) c.errors.push(invalidValue(here, '', `must specify one of: ${SOURCES}`));
    else if (str(o, 'value') !== '')
      c.errors.push(invalidValue(here, '', 'may not be specified when `value` is not empty'));
    else if (set.length > 1)
      c.errors.push(invalidValue(here, '', 'may not have more than one field specified at a time'));
  }),
});
const SOURCES = '`fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`';

const named = struct('core.v1.ConfigMapEnvSource', { name: required(dnsSubdomain) });
const envFromSource = struct<PodCheck>('core.v1.EnvFromSource', {
  prefix: ifSet(envName),
  configMapRef: ifPresent(named),
  secretRef: ifPresent(named),
});

/** A list of core.v1.EnvFromSource; what is wrong with the union is reported at the list. */
export const envFrom: Rule<PodCheck> = (v, at, c) => {
  if (!Array.isArray(v)) return;
  v.forEach((e, i) => {
    envFromSource(e, at.index(i), c);
    const n = ['configMapRef', 'secretRef'].filter((name) => (e as JsonObject)[name] !== undefined).length;
    if (n === 0) c.errors.push(invalidValue(at, '', 'must specify one of: `configMapRef` or `secretRef`'));
    else if (n > 1) c.errors.push(invalidValue(at, '', 'may not have more than one field specified at a time'));
  });
};
