import type { GroupResource } from '../../../machinery/errors.js';
import type { KubeObject } from '../../../machinery/json.js';
import type { ObjectChange, ObjectFeed } from '../feed.js';
import * as refs from './references.js';

/** What nodes may have a relation to. */
export type VertexKind =
  | 'pod'
  | 'secret'
  | 'configmap'
  | 'serviceaccount'
  | 'pvc'
  | 'pv'
  | 'resourceclaim'
  | 'volumeattachment'
  | 'resourceslice'
  | 'podcertificaterequest';

interface PodEntry {
  readonly node: string;
  /** Keys of everything the pod refers to. */
  readonly uses: readonly string[];
}
interface VolumeEntry {
  /** Key of the bound claim. */
  readonly claim: string;
  /** Keys of the secrets that kubelets may read. */
  readonly secrets: readonly string[];
}

/**
 * Which node has to do with which object:
 *
 *     node ← pod ← secret, config map, service account, resource claim
 *     node ← pod ← claim ← persistent volume ← secret
 *     node ← volume attachment, resource slice, pod certificate request
 *
 * Instead of walking edges, the number of ways from an object to each node is kept for every object, so that a question
 * is one lookup, and a change costs what the changed object refers to.
 */
export class NodeGraph {
  /** Object key → node → number of ways. */
  readonly #ways = new Map<string, Map<string, number>>();
  readonly #pods = new Map<string, PodEntry>();
  readonly #volumes = new Map<string, VolumeEntry>();
  /** Claim key → names of the volumes that are bound to it. */
  readonly #volumesOfClaim = new Map<string, Set<string>>();
  /** Objects that name their node themselves. */
  readonly #direct = new Map<string, string>();

  /** Loads and follows what the graph is made of; a resource that is not served may be left out. */
  async follow(feed: ObjectFeed, options: { podCertificateRequests?: boolean } = {}): Promise<() => void> {
    const own = (kind: VertexKind, nodeOf: (o: KubeObject) => string) => (change: ObjectChange) =>
      this.#directChanged(kind, nodeOf, change);
    const sources: [GroupResource, (change: ObjectChange) => void][] = [
      [{ group: '', resource: 'pods' }, (c) => this.#podChanged(c)],
      [{ group: '', resource: 'persistentvolumes' }, (c) => this.#volumeChanged(c)],
      [{ group: 'storage.k8s.io', resource: 'volumeattachments' }, own('volumeattachment', refs.nodeNameOf)],
      [{ group: 'resource.k8s.io', resource: 'resourceslices' }, own('resourceslice', refs.nodeNameOf)],
    ];
    if (options.podCertificateRequests) {
      const resource = { group: 'certificates.k8s.io', resource: 'podcertificaterequests' };
      sources.push([resource, own('podcertificaterequest', refs.nodeNameOf)]);
    }
    const stops = await Promise.all(sources.map(([resource, observer]) => feed.subscribe(resource, observer)));
    return () => {
      for (const stop of stops) stop();
    };
  }

  /** Whether there is a way from the object to the node. `namespace` is '' for cluster-scoped objects. */
  related(node: string, kind: VertexKind, namespace: string, name: string): boolean {
    return (this.#ways.get(keyOf(kind, namespace, name))?.get(node) ?? 0) > 0;
  }

  #podChanged({ type, object, old }: ObjectChange): void {
    if (type === 'MODIFIED' && old && refs.grantsTheSame(old, object)) return;
    const { namespace = '', name = '' } = object.metadata;
    const key = keyOf('pod', namespace, name);
    const before = this.#pods.get(key);
    if (before) {
      this.#pods.delete(key);
      for (const used of [key, ...before.uses]) this.#count(used, before.node, -1);
    }
    const node = refs.nodeNameOf(object);
    if (type === 'DELETED' || node === '') return;
    const entry: PodEntry = { node, uses: podUses(object, namespace) };
    this.#pods.set(key, entry);
    for (const used of [key, ...entry.uses]) this.#count(used, node, 1);
  }

  #volumeChanged({ type, object }: ObjectChange): void {
    const name = object.metadata.name ?? '';
    const before = this.#volumes.get(name);
    if (before) {
      for (const [node, ways] of this.#ways.get(before.claim) ?? []) this.#throughVolume(name, before, node, -ways);
      this.#volumes.delete(name);
      const volumes = this.#volumesOfClaim.get(before.claim);
      volumes?.delete(name);
      if (volumes?.size === 0) this.#volumesOfClaim.delete(before.claim);
    }
    const claim = refs.claimRefOf(object);
    if (type === 'DELETED' || !claim) return;
    const secrets = refs.volumeSecrets(object).filter((s) => s.visible);
    const entry: VolumeEntry = {
      claim: keyOf('pvc', claim.namespace, claim.name),
      secrets: secrets.map((s) => keyOf('secret', s.namespace, s.name)),
    };
    this.#volumes.set(name, entry);
    this.#volumesOfClaim.set(entry.claim, (this.#volumesOfClaim.get(entry.claim) ?? new Set()).add(name));
    for (const [node, ways] of this.#ways.get(entry.claim) ?? []) this.#throughVolume(name, entry, node, ways);
  }

  #directChanged(kind: VertexKind, nodeOf: (o: KubeObject) => string, { type, object }: ObjectChange): void {
    const key = keyOf(kind, object.metadata.namespace ?? '', object.metadata.name ?? '');
    const before = this.#direct.get(key);
    if (before !== undefined) {
      this.#direct.delete(key);
      this.#count(key, before, -1);
    }
    const node = nodeOf(object);
    if (type === 'DELETED' || node === '') return;
    this.#direct.set(key, node);
    this.#count(key, node, 1);
  }

  /** Adds ways from an object to a node; those to a claim go on to its volumes and their secrets. */
  #count(key: string, node: string, change: number): void {
    const ways = this.#ways.get(key) ?? new Map<string, number>();
    this.#ways.set(key, ways);
    const sum = (ways.get(node) ?? 0) + change;
    if (sum > 0) ways.set(node, sum);
    else ways.delete(node);
    if (ways.size === 0) this.#ways.delete(key);
    for (const name of this.#volumesOfClaim.get(key) ?? []) {
      this.#throughVolume(name, this.#volumes.get(name)!, node, change);
    }
  }

  #throughVolume(name: string, { secrets }: VolumeEntry, node: string, change: number): void {
    this.#count(keyOf('pv', '', name), node, change);
    for (const secret of secrets) this.#count(secret, node, change);
  }
}

function keyOf(kind: VertexKind, namespace: string, name: string): string {
  return `${kind}:${namespace}/${name}`;
}

function podUses(pod: KubeObject, namespace: string): string[] {
  // A node makes mirror pods itself: they must never give it rights.
  if (refs.isMirrorPod(pod)) return [];
  const uses: string[] = [];
  const add = (kind: VertexKind, names: Iterable<string>) => {
    for (const name of names) uses.push(keyOf(kind, namespace, name));
  };
  const account = refs.specOf(pod).serviceAccountName;
  if (typeof account === 'string' && account !== '') add('serviceaccount', [account]);
  add('secret', refs.podSecrets(pod));
  add('configmap', refs.podConfigMaps(pod));
  add('pvc', refs.podClaims(pod));
  add('resourceclaim', refs.podResourceClaims(pod));
  return uses;
}
