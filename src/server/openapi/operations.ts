import type { GroupVersionKind } from '../../machinery/json.js';
import {
  type OperationFacts,
  type ResourceFacts,
  resourceCatalog,
  type SubresourceFacts,
} from '../../machinery/scheme/resources.js';
import type { Operation, Parameter, PathItem } from './contract.js';
import { optionsParameters, pathParameter, queryParameter } from './parameters.js';

/** What the paths of one resource are made from. */
export type PublishedResource = Pick<
  ResourceFacts,
  'group' | 'version' | 'plural' | 'kind' | 'namespaced' | 'verbs' | 'ops' | 'subresources' | 'patchTypes'
> & {
  /** A custom resource: it has no protobuf form, and its watches are published with its lists only. */
  readonly custom?: boolean;
};

const WATCH_EVENT = 'io.k8s.apimachinery.pkg.apis.meta.v1.WatchEvent';
const PATCH = 'io.k8s.apimachinery.pkg.apis.meta.v1.Patch';
const USE_LIST = "deprecated: use the 'watch' parameter with a list operation instead";

/** Paths of a resource with what can be done on them, as kube-apiserver publishes them. */
export function resourcePaths(resource: PublishedResource): Map<string, PathItem> {
  return new ResourcePaths(resource).build();
}

/** `/apis/apps/v1` */
export function versionPath(group: string, version: string): string {
  return group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
}

/** `AppsV1`, `RbacAuthorizationV1`: how operations of a version are named. */
export function versionId(group: string, version: string): string {
  return groupId(group) + title(version);
}

export function groupId(group: string): string {
  const name = group === '' ? 'core' : group.replace(/\.k8s\.io$/, '');
  return name.split('.').map(title).join('');
}

export function versionTag(group: string, version: string): string {
  return `${groupTag(group)}_${version}`;
}

export function groupTag(group: string): string {
  const id = groupId(group);
  return id.charAt(0).toLowerCase() + id.slice(1);
}

class ResourcePaths {
  readonly #r: PublishedResource;
  readonly #id: string;
  readonly #media: string[];
  readonly #out = new Map<string, PathItem>();

  constructor(resource: PublishedResource) {
    this.#r = resource;
    this.#id = versionId(resource.group, resource.version);
    this.#media = ['application/json', 'application/yaml'];
    if (!resource.custom) this.#media.push('application/vnd.kubernetes.protobuf');
  }

  build(): Map<string, PathItem> {
    const { group, version, plural, namespaced, verbs, ops } = this.#r;
    const root = versionPath(group, version);
    const base = namespaced ? `${root}/namespaces/{namespace}/${plural}` : `${root}/${plural}`;
    const scope = namespaced ? 'Namespaced' : '';
    const here = namespaced ? [pathParameter('namespace', '')] : [];
    const named = [...here, pathParameter('name', this.#r.kind)];
    if (namespaced && ops.collection?.get) {
      this.#add(`${root}/${plural}`, [], { get: this.#list(ops.collection.get, '', 'ForAllNamespaces') });
    }
    this.#add(base, here, this.#collection(ops.collection ?? {}, scope));
    this.#add(`${base}/{name}`, named, this.#item(ops.item ?? {}, scope));
    for (const sub of this.#r.subresources ?? []) this.#subresource(`${base}/{name}/${sub.name}`, sub, scope, named);
    if (verbs.includes('watch') && !this.#r.custom) {
      if (namespaced) this.#watch(`${root}/watch/${plural}`, [], '', 'List', 'ForAllNamespaces');
      const watched = base.replace(root, `${root}/watch`);
      this.#watch(watched, here, scope, 'List', '');
      this.#watch(`${watched}/{name}`, named, scope, '', '');
    }
    return this.#out;
  }

  #collection(ops: Record<string, OperationFacts>, scope: string): Record<string, Operation> {
    const { kind } = this.#r;
    const out: Record<string, Operation> = {};
    if (ops.get) out.get = this.#list(ops.get, scope, '');
    if (ops.post) {
      out.post = this.#operation(ops.post, {
        id: `create${this.#id}${scope}${kind}`,
        description: `create${article(kind)}${kind}`,
        action: 'post',
        query: 'q1',
      });
    }
    if (ops.delete) {
      out.delete = this.#operation(ops.delete, {
        id: `delete${this.#id}Collection${scope}${kind}`,
        description: `delete collection of ${kind}`,
        action: 'deletecollection',
      });
    }
    return out;
  }

  #list(facts: OperationFacts, scope: string, suffix: string): Operation {
    const { kind } = this.#r;
    const list = this.#operation(facts, {
      id: `list${this.#id}${scope}${kind}${suffix}`,
      description: `${this.#r.custom ? 'list' : 'list or watch'} objects of kind ${kind}`,
      action: 'list',
      query: 'q0',
    });
    return { ...list, produces: this.#listMedia() };
  }

  /** Lists are watches as well. */
  #listMedia(): string[] {
    if (this.#r.custom) return this.#media;
    return [...this.#media, ...this.#media.filter((m) => m !== 'application/yaml').map((m) => `${m};stream=watch`)];
  }

  #item(ops: Record<string, OperationFacts>, scope: string, sub = ''): Record<string, Operation> {
    const { kind } = this.#r;
    const what = `${scope}${kind}${title(sub)}`;
    const of = sub ? `${sub} of ` : '';
    const out: Record<string, Operation> = {};
    const add = (method: string, verb: string, text: string, action = method) => {
      const facts = ops[method];
      if (facts) out[method] = this.#operation(facts, { id: `${verb}${this.#id}${what}`, description: text, action });
    };
    add('get', 'read', `read ${of}the specified ${kind}`);
    add('put', 'replace', `replace ${of}the specified ${kind}`);
    add('patch', 'patch', `partially update ${of}the specified ${kind}`);
    add('delete', 'delete', `delete${article(kind)}${kind}`);
    if (sub && ops.post) {
      out.post = this.#operation(ops.post, {
        id: `create${this.#id}${what}`,
        description: `create ${sub} of${article(kind)}${kind}`,
        action: 'post',
        query: 'q1',
      });
    }
    return out;
  }

  #subresource(path: string, sub: SubresourceFacts, scope: string, named: Parameter[]): void {
    if (!sub.kind.endsWith('Options')) {
      const extra = sub.name === 'log' ? optionsParameters('PodLogOptions') : [];
      const ops = Object.entries(this.#item(sub.ops, scope, sub.name)).map(([method, op]) => {
        const produces = sub.name === 'log' ? ['text/plain', ...this.#media] : op.produces;
        return [method, { ...op, produces, parameters: merged(op.parameters, extra) }];
      });
      this.#add(path, named, Object.fromEntries(ops) as Record<string, Operation>);
      return;
    }
    this.#add(path, named, this.#connect(sub, scope, ''));
    if (sub.name === 'proxy') {
      const parameters = [...named, pathParameter('path', '')];
      this.#add(`${path}/{path}`, parameters, this.#connect(sub, scope, 'WithPath'));
    }
  }

  /** Connections are what they are whatever the method. */
  #connect(sub: SubresourceFacts, scope: string, suffix: string): Record<string, Operation> {
    const { kind } = this.#r;
    const what = `${scope}${kind}${title(sub.name)}${suffix}`;
    const ops: Record<string, Operation> = {};
    for (const [method, facts] of Object.entries(sub.ops)) {
      ops[method] = {
        id: `connect${this.#id}${title(method)}${what}`,
        tag: this.#tag(),
        description: `connect ${method.toUpperCase()} requests to ${sub.name} of ${kind}`,
        action: 'connect',
        gvk: kindOf(facts),
        parameters: optionsParameters(sub.kind),
        responses: { 200: 'string' },
        produces: ['*/*'],
      };
    }
    return ops;
  }

  #watch(path: string, parameters: Parameter[], scope: string, list: string, suffix: string): void {
    const { kind } = this.#r;
    const individual = list
      ? `watch individual changes to a list of ${kind}. ${USE_LIST}.`
      : `watch changes to an object of kind ${kind}. ${USE_LIST}, filtered to a single item with the 'fieldSelector' parameter.`;
    const get: Operation = {
      id: `watch${this.#id}${scope}${kind}${list}${suffix}`,
      tag: this.#tag(),
      description: individual,
      action: list ? 'watchlist' : 'watch',
      gvk: { group: this.#r.group, version: this.#r.version, kind },
      parameters: [...querySet('q0'), queryParameter('pretty')],
      responses: { 200: WATCH_EVENT },
      produces: this.#listMedia(),
    };
    this.#add(path, parameters, { get });
  }

  #operation(
    facts: OperationFacts,
    named: { id: string; description: string; action: string; query?: string },
  ): Operation {
    const query = facts.query ?? named.query;
    const patch = named.action === 'patch';
    const types = (facts.patchTypes ?? this.#r.patchTypes ?? []).map((t) => `application/${t}`);
    const body = patch ? PATCH : facts.req;
    const media = patch ? types : this.#r.custom ? this.#media : ['*/*'];
    const required = named.action !== 'delete' && named.action !== 'deletecollection';
    return {
      id: named.id,
      tag: this.#tag(),
      description: named.description,
      action: named.action,
      gvk: kindOf(facts),
      parameters: [...(query ? querySet(query) : []), queryParameter('pretty')],
      body: body ? { type: body, required, media } : undefined,
      responses: facts.resp ?? {},
      produces: this.#media,
    };
  }

  #tag(): string {
    return versionTag(this.#r.group, this.#r.version);
  }

  #add(path: string, parameters: readonly Parameter[], operations: Record<string, Operation>): void {
    const entries = Object.entries(operations);
    if (entries.length === 0) return;
    const complete = entries.map(([method, op]) => [method, { ...op, parameters: merged(parameters, op.parameters) }]);
    this.#out.set(path, Object.fromEntries(complete) as PathItem);
  }
}

function querySet(set: string | readonly string[]): Parameter[] {
  const names = typeof set === 'string' ? (resourceCatalog().querySets[set] ?? []) : set;
  return names.map(queryParameter);
}

/** Both lists, each name once. */
function merged(a: readonly Parameter[], b: readonly Parameter[]): Parameter[] {
  const names = new Set(a.map((p) => p.name));
  return [...a, ...b.filter((p) => !names.has(p.name))];
}

function kindOf(facts: OperationFacts): GroupVersionKind | undefined {
  const parts = facts.gvk?.split('/');
  return parts && { group: parts[0]!, version: parts[1]!, kind: parts[2]! };
}

function title(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Plurals have no article. */
function article(noun: string): string {
  if (noun.endsWith('s') && !noun.endsWith('ss')) return ' ';
  return /^[AEIOU]/i.test(noun) ? ' an ' : ' a ';
}
