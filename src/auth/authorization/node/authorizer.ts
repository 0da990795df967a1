import { goQuote } from '../../../machinery/go-format.js';
import type { KubeObject } from '../../../machinery/json.js';
import { readCatalogFile } from '../../../machinery/scheme/catalog.js';
import type { Attributes, Authorizer, Decision, UserInfo } from '../../contract.js';
import { NO_RULES, type RuleResolver, type UserRules } from '../contract.js';
import { CompiledRole, resourceKeys } from '../rbac/compiled-role.js';
import type { PolicyRule, RoleObject } from '../rbac/rule.js';
import { selectsExactly } from '../selectors.js';
import type { NodeGraph, VertexKind } from './graph.js';
import { nodeIdentity } from './identity.js';

/** A refusal's reason, or true. */
type Answer = true | string;
type Rule = (node: string, attributes: Attributes) => Answer;

/**
 * Rights of kubelets (Node authorization, KEP 279 and 4601): what belongs to the node or to pods on it, and a fixed set
 * of rules for the rest. Writes are narrowed further by the NodeRestriction admission plugin. Never denies: a role may
 * give a node more.
 */
export class NodeAuthorizer implements Authorizer, RuleResolver {
  readonly name = 'Node';
  readonly #graph: NodeGraph;
  readonly #rules: CompiledRole;
  readonly #special: Map<string, Rule>;

  constructor(graph: NodeGraph, options: { rules?: readonly PolicyRule[]; podCertificateRequests?: boolean } = {}) {
    this.#graph = graph;
    this.#rules = new CompiledRole(options.rules ?? nodeRules());
    this.#special = new Map<string, Rule>([
      ['/secrets', (n, a) => this.#readNamespaced(n, 'secret', a)],
      ['/configmaps', (n, a) => this.#readNamespaced(n, 'configmap', a)],
      ['/persistentvolumeclaims', (n, a) => this.#claim(n, a)],
      ['/persistentvolumes', (n, a) => this.#get(n, 'pv', a)],
      ['/serviceaccounts', (n, a) => this.#serviceAccount(n, a)],
      ['/nodes', ownNode],
      ['/pods', (n, a) => this.#pod(n, a)],
      ['resource.k8s.io/resourceclaims', (n, a) => this.#get(n, 'resourceclaim', a)],
      ['resource.k8s.io/resourceslices', (n, a) => this.#resourceSlice(n, a)],
      ['storage.k8s.io/volumeattachments', (n, a) => this.#get(n, 'volumeattachment', a)],
      ['storage.k8s.io/csinodes', ownCsiNode],
      ['coordination.k8s.io/leases', ownLease],
    ]);
    if (options.podCertificateRequests) {
      this.#special.set('certificates.k8s.io/podcertificaterequests', (n, a) => this.#certificateRequest(n, a));
    }
  }

  authorize(attributes: Attributes): Decision {
    const node = nodeIdentity(attributes.user);
    if (node === undefined) return NO_OPINION;
    if (node === '') return this.#noOpinion(`unknown node for user ${goQuote(attributes.user.name)}`);
    if (attributes.isResourceRequest) {
      const special = this.#special.get(`${attributes.group}/${attributes.resource}`);
      if (special) {
        const answer = special(node, attributes);
        return answer === true ? this.#allow(node) : this.#noOpinion(answer);
      }
    }
    const rule = this.#rules.find(attributes, resourceKeys(attributes));
    return rule ? this.#allow(node, rule) : NO_OPINION;
  }

  rulesFor(user: UserInfo): UserRules {
    if (nodeIdentity(user) === undefined) return NO_RULES;
    return { ...NO_RULES, incomplete: true, errors: ['node authorizer does not support user rule resolution'] };
  }

  #allow(node: string, rule?: PolicyRule): Decision {
    return { verdict: 'Allow', reason: '', by: this.name, evidence: rule ? { node, rule } : { node } };
  }

  #noOpinion(reason: string): Decision {
    return { verdict: 'NoOpinion', reason, by: this.name };
  }

  #related(node: string, kind: VertexKind, { namespace, name }: Attributes): Answer {
    if (name === '') return 'No Object name found';
    if (this.#graph.related(node, kind, namespace, name)) return true;
    return `no relationship found between node '${node}' and this object`;
  }

  #get(node: string, kind: VertexKind, attributes: Attributes): Answer {
    if (attributes.verb !== 'get') return 'can only get individual resources of this type';
    if (attributes.subresource) return 'cannot get subresource';
    return this.#related(node, kind, attributes);
  }

  #readNamespaced(node: string, kind: VertexKind, attributes: Attributes): Answer {
    if (!READS.has(attributes.verb)) return 'can only read resources of this type';
    if (attributes.subresource) return 'cannot read subresource';
    if (!attributes.namespace) return 'can only read namespaced object of this type';
    return this.#related(node, kind, attributes);
  }

  #claim(node: string, attributes: Attributes): Answer {
    if (attributes.subresource !== 'status') return this.#get(node, 'pvc', attributes);
    if (attributes.verb !== 'update' && attributes.verb !== 'patch') return 'can only get/update/patch this type';
    return this.#related(node, 'pvc', attributes);
  }

  #serviceAccount(node: string, attributes: Attributes): Answer {
    const { verb, subresource, name } = attributes;
    if (verb === 'get' && subresource === '') return this.#get(node, 'serviceaccount', attributes);
    if (verb !== 'create' || name === '') return 'can only create tokens for individual service accounts';
    if (subresource !== 'token') return 'can only create token subresource of serviceaccount';
    return this.#related(node, 'serviceaccount', attributes);
  }

  #pod(node: string, attributes: Attributes): Answer {
    const { verb, subresource } = attributes;
    switch (subresource) {
      case '':
        if (verb === 'get') return this.#get(node, 'pod', attributes);
        if (verb === 'list' || verb === 'watch') {
          if (selectsExactly(attributes, 'spec.nodeName', node)) return true;
          if (attributes.name) return this.#related(node, 'pod', attributes);
          return 'can only list/watch pods with spec.nodeName field selector';
        }
        return verb === 'create' || verb === 'delete' ? true : '';
      case 'status':
        return verb === 'update' || verb === 'patch' ? true : '';
      case 'eviction':
        return verb === 'create' ? true : '';
      default:
        return '';
    }
  }

  #resourceSlice(node: string, attributes: Attributes): Answer {
    if (attributes.subresource) return 'cannot authorize ResourceSlice subresources';
    switch (attributes.verb) {
      case 'create': // the plugin looks at the new object
        return true;
      case 'get':
      case 'update':
      case 'patch':
      case 'delete':
        return this.#related(node, 'resourceslice', attributes);
      case 'watch':
      case 'list':
      case 'deletecollection':
        if (selectsExactly(attributes, 'spec.nodeName', node)) return true;
        return 'can only list/watch/deletecollection resourceslices with nodeName field selector';
      default:
        return 'only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update, patch, delete, deletecollection';
    }
  }

  #certificateRequest(node: string, attributes: Attributes): Answer {
    if (attributes.subresource) return 'nodes may not access the status subresource of PodCertificateRequests';
    switch (attributes.verb) {
      case 'create':
        return true;
      case 'get':
        return this.#related(node, 'podcertificaterequest', attributes);
      case 'list':
      case 'watch':
        if (selectsExactly(attributes, 'spec.nodeName', node)) return true;
        return 'can only list/watch podcertificaterequests with nodeName field selector';
      default:
        return '';
    }
  }
}

const READS = new Set(['get', 'list', 'watch']);
const WRITES_OF_OWN = new Set(['get', 'create', 'update', 'patch', 'delete']);
const NODE_LEASES = 'kube-node-lease';
const NO_OPINION: Decision = { verdict: 'NoOpinion', reason: '', by: 'Node' };

function ownNode(node: string, { verb, subresource, name }: Attributes): Answer {
  const writes = verb === 'update' || verb === 'patch';
  if (subresource === 'status') return writes ? true : '';
  if (subresource !== '') return '';
  if (writes || verb === 'create') return true;
  if (!READS.has(verb)) return '';
  // By name and not by the graph: a kubelet looks for its object before it creates it.
  if (name === node) return true;
  if (name === '') return `node '${node}' cannot read all nodes, only its own Node object`;
  return `node '${node}' cannot read '${name}', only its own Node object`;
}

function ownLease(node: string, { verb, namespace, name }: Attributes): Answer {
  if (!WRITES_OF_OWN.has(verb)) return 'can only get, create, update, patch, or delete a node lease';
  if (namespace !== NODE_LEASES) return `can only access leases in the "${NODE_LEASES}" system namespace`;
  if (verb === 'create' || name === node) return true;
  return 'can only access node lease with the same name as the requesting node';
}

function ownCsiNode(node: string, { verb, subresource, name }: Attributes): Answer {
  if (!WRITES_OF_OWN.has(verb)) return 'can only get, create, update, patch, or delete a CSINode';
  if (subresource) return 'cannot authorize CSINode subresources';
  if (verb === 'create' || name === node) return true;
  return 'can only access CSINode with the same name as the requesting node';
}

/** Rules that hold for every node whatever runs on it: those of the ClusterRole system:node. */
export function nodeRules(): readonly PolicyRule[] {
  const all = JSON.parse(readCatalogFile('bootstrap.json')) as { path: string; object: KubeObject }[];
  const role = all.find((o) => o.path.endsWith('/clusterroles') && o.object.metadata.name === 'system:node');
  return (role?.object as RoleObject | undefined)?.rules ?? [];
}
