import { catalog } from '../../machinery/scheme/catalog.js';
import type { Parameter } from './contract.js';
import { descriptions } from './descriptions.js';

const BOOLEANS = new Set([
  'allowWatchBookmarks',
  'force',
  'ignoreStoreReadErrorWithClusterBreakingPotential',
  'orphanDependents',
  'sendInitialEvents',
  'watch',
]);
const INTEGERS = new Set(['gracePeriodSeconds', 'limit', 'timeoutSeconds']);

const known = new Map<string, Parameter>();

/** A query parameter of the verbs: always the same one for a name. */
export function queryParameter(name: string): Parameter {
  const parameter = known.get(name) ?? makeQueryParameter(name);
  known.set(name, parameter);
  return parameter;
}

function makeQueryParameter(name: string): Parameter {
  const type = BOOLEANS.has(name) ? 'boolean' : INTEGERS.has(name) ? 'integer' : 'string';
  return { name, in: 'query', type, description: descriptions().parameters[name] };
}

export function pathParameter(name: 'name' | 'namespace' | 'path', kind: string): Parameter {
  const description = {
    name: `name of the ${kind}`,
    namespace: 'object name and auth scope, such as for teams and projects',
    path: 'path to the resource',
  }[name];
  return { name, in: 'path', type: 'string', description };
}

/** The query parameters that are the fields of an options kind (PodExecOptions, PodLogOptions, …). */
export function optionsParameters(kind: string): Parameter[] {
  const type = catalog().find(`io.k8s.api.core.v1.${kind}`);
  const texts = descriptions().options[kind] ?? {};
  return (type?.fields ?? [])
    .filter((f) => f.name !== 'kind' && f.name !== 'apiVersion')
    .map((f) => {
      const plain = f.node.kind === 'boolean' || f.node.kind === 'integer' ? f.node.kind : 'string';
      return { name: f.name, in: 'query', type: plain, description: texts[f.name] };
    });
}
