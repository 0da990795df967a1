// Replays the recorded cases about nodes and roles: every request is judged by the authorizers and, where it is a write
// of a node, by NodeRestriction, on a store that follows the recorded writes. What the real server refused must be
// refused in the same words, and nothing else may be.
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { AdmissionAttributes, Operation } from '../../../admission/contract.js';
import { NodeRestriction } from '../../../admission/plugins/node-restriction.js';
import { StatusError } from '../../../machinery/errors.js';
import { cloneJson, isJsonObject, type JsonObject, type JsonValue, type KubeObject } from '../../../machinery/json.js';
import { requestInfo } from '../../../server/request-info.js';
import type { Attributes, Authorizer, UserInfo } from '../../contract.js';
import { type AccessReviewKind, reviewAccess, reviewRules } from '../access-review.js';
import { privilegedGroup } from '../builtin.js';
import { forbiddenError } from '../forbidden.js';
import { MemoryFeed } from '../memory-feed.suite.js';
import { RbacAuthorizer } from '../rbac/authorizer.js';
import { defaultPolicy } from '../rbac/bootstrap-policy.js';
import { EscalationGuard, type RbacResource } from '../rbac/escalation.js';
import { RbacIndex } from '../rbac/rbac-index.js';
import type { BindingObject, RoleObject } from '../rbac/rule.js';
import { unionAuthorizer, unionRules } from '../union.js';
import { NodeAuthorizer } from './authorizer.js';
import { NodeGraph } from './graph.js';

const TWIN = resolve(import.meta.dirname, '../../../../../shared/twin');

interface Step {
  method: string;
  path: string;
  as?: string;
  id?: string;
  query?: Record<string, string>;
  headers?: Record<string, string | string[]>;
  body?: JsonValue;
  quiet?: boolean;
  headerOnly?: boolean;
  project?: string;
  during?: Step[];
}
interface Case {
  name: string;
  ns?: boolean | string;
  steps: Step[];
}
interface Answer {
  c: number;
  b?: JsonObject;
}
interface Context {
  vars: Record<string, string>;
  raw: Record<string, unknown>;
}

const PEOPLE: Record<string, UserInfo> = {
  admin: { name: 'admin', uid: 'admin-uid', groups: ['system:masters', 'system:authenticated'] },
  alice: { name: 'alice', uid: 'alice-uid', groups: ['dev', 'system:authenticated'] },
  bob: { name: 'bob', uid: 'bob-uid', groups: ['system:authenticated'] },
  anonymous: { name: 'system:anonymous', groups: ['system:unauthenticated'] },
};
const REVIEWS: Record<string, AccessReviewKind> = {
  subjectaccessreviews: 'SubjectAccessReview',
  localsubjectaccessreviews: 'LocalSubjectAccessReview',
  selfsubjectaccessreviews: 'SelfSubjectAccessReview',
};

class World {
  readonly feed = new MemoryFeed();
  readonly #graph = new NodeGraph();
  readonly #index = new RbacIndex();
  #authorizer!: Authorizer;
  #rules!: ReturnType<typeof unionRules>;
  #restriction!: NodeRestriction;
  #guard!: EscalationGuard;
  #uid = 0;

  async start(): Promise<void> {
    for (const { resource, object } of defaultPolicy()) {
      this.feed.put({ group: 'rbac.authorization.k8s.io', resource }, object);
    }
    await this.#graph.follow(this.feed);
    await this.#index.follow(this.feed);
    const node = new NodeAuthorizer(this.#graph);
    const rbac = new RbacAuthorizer(this.#index);
    this.#authorizer = unionAuthorizer([privilegedGroup, node, rbac]);
    this.#rules = unionRules([node, rbac]);
    this.#guard = new EscalationGuard(this.#index, this.#authorizer);
    this.#restriction = new NodeRestriction({
      objects: this.feed,
      authorizer: this.#authorizer,
      gate: (name) => name === 'ServiceAccountNodeAudienceRestriction',
    });
  }

  /** The status and body as far as they are ours to tell; undefined: not refused here. */
  async judge(step: Step, golden: Answer | undefined, context: Context): Promise<StatusError | JsonObject | undefined> {
    const attributes = attributesOf(step);
    const decision = await this.#authorizer.authorize(attributes);
    if (decision.verdict !== 'Allow') return forbiddenError(attributes, decision.reason);
    const body = isJsonObject(step.body) ? (step.body as unknown as KubeObject) : undefined;
    try {
      const review = await this.#review(attributes, body);
      if (review) return review;
      await this.#admit(attributes, step, body, golden);
    } catch (e) {
      if (e instanceof StatusError) return e;
      throw e;
    }
    const done = golden ? golden.c < 300 : true;
    if (done && step.query?.dryRun === undefined) this.#write(attributes, step, body, context);
    return undefined;
  }

  async #review(attributes: Attributes, body: KubeObject | undefined): Promise<JsonObject | undefined> {
    if (attributes.group !== 'authorization.k8s.io' || attributes.verb !== 'create' || !body) return undefined;
    const review = { ...body, metadata: body.metadata ?? {} };
    if (attributes.user.name === 'system:node:') return undefined;
    if (attributes.resource === 'selfsubjectrulesreviews') return reviewRules(review, attributes.user, this.#rules);
    const kind = REVIEWS[attributes.resource]!;
    return reviewAccess(kind, review, { user: attributes.user, namespace: attributes.namespace }, this.#authorizer);
  }

  async #admit(a: Attributes, step: Step, body: KubeObject | undefined, golden: Answer | undefined): Promise<void> {
    if (a.verb === 'deletecollection') {
      for (const item of this.#selected(a, step))
        await this.#restriction.admit(admission(a, 'DELETE', '', undefined, item));
      return;
    }
    const operations: Record<string, Operation> = {
      create: 'CREATE',
      update: 'UPDATE',
      patch: 'UPDATE',
      delete: 'DELETE',
    };
    const operation = operations[a.verb];
    if (!operation) return;
    const resource = { group: a.group, resource: a.resource };
    const own = a.subresource === '' || a.subresource === 'status' || a.subresource === 'ephemeralcontainers';
    const old = own && operation !== 'CREATE' ? this.feed.get(resource, scopeOf(a), a.name) : undefined;
    if (operation !== 'CREATE' && own && !old && !isApply(step)) return; // not found, whoever asks
    const object = operation === 'DELETE' ? undefined : old ? changed(old, step) : body;
    const creates = operation === 'CREATE' || !old;
    const full = object && { ...object, metadata: { ...object.metadata } };
    const name = a.name || (full?.metadata?.name ?? '');
    // Requests that fail before admission, and reads of objects that do not exist.
    if (golden && golden.c >= 400 && !isOurs(golden)) return;
    if (a.group === 'rbac.authorization.k8s.io' && full && own) {
      const request = { user: a.user, resource: a.resource as RbacResource, namespace: a.namespace, name: a.name };
      if (a.resource.endsWith('roles')) await this.#guard.confirmRole(request, full as RoleObject, old as RoleObject);
      else await this.#guard.confirmBinding(request, full as BindingObject, old as BindingObject);
    }
    const kind = operation === 'DELETE' ? 'DELETE' : creates ? 'CREATE' : 'UPDATE';
    const stored = creates && operation !== 'DELETE' ? undefined : old;
    await this.#restriction.admit(admission(a, kind, name, full as KubeObject | undefined, stored));
  }

  #selected(a: Attributes, step: Step): KubeObject[] {
    const label = step.query?.labelSelector?.split('=');
    const node = /spec\.nodeName=([^,]+)/.exec(step.query?.fieldSelector ?? '')?.[1];
    return this.feed.list({ group: a.group, resource: a.resource }).filter((o) => {
      if ((o.metadata.namespace ?? '') !== a.namespace) return false;
      if (label && o.metadata.labels?.[label[0]!] !== label[1]) return false;
      return !node || (o.spec as JsonObject).nodeName === node;
    });
  }

  #write(a: Attributes, step: Step, body: KubeObject | undefined, context: Context): void {
    const resource = { group: a.group, resource: a.resource };
    const old = a.name ? this.feed.get(resource, scopeOf(a), a.name) : undefined;
    if (a.verb === 'create' && body) {
      const binds = a.resource === 'bindings' || a.subresource === 'binding';
      if (binds) this.#bind(a, body);
      else if (a.subresource === '') this.#store(resource, a.namespace, body, context, step);
    } else if (a.verb === 'update' || a.verb === 'patch') {
      if (old) this.#replace(resource, stored(changed(old, step), old, a.subresource), old);
      else if (isApply(step) && body)
        this.#store(resource, a.namespace, { ...body, metadata: { ...body.metadata, name: a.name } }, context, step);
    } else if (a.verb === 'delete' && old) this.#remove(resource, old, step);
    else if (a.verb === 'deletecollection') for (const o of this.#selected(a, step)) this.#remove(resource, o, step);
  }

  #store(
    resource: { group: string; resource: string },
    namespace: string,
    body: KubeObject,
    context: Context,
    step: Step,
  ) {
    const uid = `uid-${++this.#uid}`;
    const name = body.metadata?.name ?? `${body.metadata?.generateName}x`;
    const metadata = { ...body.metadata, ...(namespace ? { namespace } : {}), name, uid };
    const object: KubeObject = { ...body, metadata };
    if (resource.resource === 'configmaps' || resource.resource === 'secrets') return;
    // A new node is not ready: another plugin taints it.
    if (resource.resource === 'nodes') {
      object.spec = { ...(object.spec as JsonObject), taints: [{ key: 'node.kubernetes.io/not-ready' }] };
    }
    this.feed.put(resource, object);
    if (step.id) context.raw[step.id] = object;
  }

  #bind({ namespace, name }: Attributes, body: KubeObject): void {
    const pod = this.feed.get({ group: '', resource: 'pods' }, namespace, name || body.metadata.name!);
    if (!pod) return;
    const spec = { ...(pod.spec as JsonObject), nodeName: (body.target as JsonObject).name };
    this.feed.put({ group: '', resource: 'pods' }, { ...pod, spec });
  }

  #replace(resource: { group: string; resource: string }, object: KubeObject, old: KubeObject): void {
    const { finalizers } = object.metadata;
    if (old.metadata.deletionTimestamp && !finalizers?.length) {
      this.feed.remove(resource, old.metadata.namespace ?? '', old.metadata.name!);
    } else this.feed.put(resource, object);
  }

  #remove(resource: { group: string; resource: string }, object: KubeObject, step: Step): void {
    const graceful = resource.resource === 'pods' && (object.spec as JsonObject).nodeName;
    const options = isJsonObject(step.body) ? step.body : {};
    const now = step.query?.gracePeriodSeconds === '0' || options.gracePeriodSeconds === 0;
    const { namespace = '', name = '', finalizers } = object.metadata;
    if (finalizers?.length || (graceful && !now)) {
      this.feed.put(resource, { ...object, metadata: { ...object.metadata, deletionTimestamp: 'now' } });
    } else this.feed.remove(resource, namespace, name);
  }
}

/** What a PUT or patch makes of an object, as far as these cases need it. */
function changed(old: KubeObject, step: Step): KubeObject {
  if (step.method === 'PUT') {
    const body = step.body as unknown as KubeObject;
    const { uid, namespace } = old.metadata;
    return { ...body, metadata: { ...body.metadata, uid, namespace } };
  }
  if (!Array.isArray(step.body)) return mergePatch(old, step.body ?? {}) as KubeObject;
  const object = cloneJson(old);
  for (const { op, path, value } of step.body as { op: string; path: string; value?: JsonValue }[]) {
    const keys = path.split('/').slice(1);
    const last = keys.pop()!;
    let at = object as JsonObject;
    for (const key of keys) at = at[key] as JsonObject;
    if (op === 'remove') delete at[last];
    else if (last === '-') (at as unknown as JsonValue[]).push(value!);
    else at[last] = value;
  }
  return object;
}

/** What of it is kept: a subresource writes its own part only. */
function stored(object: KubeObject, old: KubeObject, subresource: string): KubeObject {
  if (subresource !== 'status') return { ...object, status: old.status };
  const { labels, annotations } = old.kind === 'Pod' ? object.metadata : old.metadata;
  return { ...old, status: object.status, metadata: { ...old.metadata, labels, annotations } };
}

function admission(
  a: Attributes,
  operation: Operation,
  name: string,
  object: KubeObject | undefined,
  oldObject: KubeObject | undefined,
): AdmissionAttributes {
  const { group, version, resource, subresource, namespace, user } = a;
  return {
    operation,
    kind: { group, version, kind: String(object?.kind ?? oldObject?.kind ?? '') },
    resource: { group, version, resource },
    subresource,
    namespace,
    name,
    object,
    oldObject,
    options: undefined,
    dryRun: false,
    user,
    namespaced: namespace !== '',
    warn: () => {},
    annotate: () => {},
    signal: () => new AbortController().signal,
  };
}

/** A namespace is named as its own namespace by requests. */
function scopeOf({ resource, namespace }: Attributes): string {
  return resource === 'namespaces' ? '' : namespace;
}

function isApply(step: Step): boolean {
  return step.headers?.['Content-Type'] === 'application/apply-patch+yaml';
}

function mergePatch(target: JsonValue | undefined, change: JsonValue): JsonValue {
  if (!isJsonObject(change)) return change;
  const out: JsonObject = isJsonObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(change)) {
    if (value === null) delete out[key];
    else if (key === 'ephemeralContainers')
      out[key] = [...((out[key] as JsonValue[]) ?? []), ...(value as JsonValue[])];
    else out[key] = mergePatch(out[key], value!);
  }
  return out;
}

function attributesOf(step: Step): Attributes {
  const query = new URLSearchParams(step.query);
  const [path, inline] = step.path.split('?') as [string, string | undefined];
  for (const [k, v] of new URLSearchParams(inline)) query.append(k, v);
  const info = requestInfo(step.method, decodeURIComponent(path), query);
  let user = PEOPLE[step.as ?? 'admin']!;
  const name = step.headers?.['Impersonate-User'];
  if (typeof name === 'string') {
    const asked = step.headers?.['Impersonate-Group'] ?? [];
    user = { name, groups: [...(Array.isArray(asked) ? asked : [asked]), 'system:authenticated'] };
  }
  return {
    ...info,
    user,
    // On the old watch paths selectors do not count for authorization.
    fieldSelector: path.includes('/watch/') ? '' : (query.get('fieldSelector') ?? ''),
  };
}

/** Answers whose words are those of this folder or of NodeRestriction. */
function isOurs({ c, b }: Answer): boolean {
  const message = String(b?.message ?? '');
  if (message.includes('.authorization.k8s.io "" is invalid') || message === 'no namespace on request') return true;
  if (c === 404) return /^pod "/.test(message) || /^(cluster)?rolebindings\..*missing"/.test(message);
  // A PUT or apply that creates is authorized once more, as a create, by the registry.
  return c === 403 && !message.includes('cannot impersonate');
}

const suites = existsSync(`${TWIN}/golden/nodes.open.jsonl.gz`) ? ['nodes', 'authz'] : [];
/** What needs tokens, impersonation rights or the whole server. */
const SKIPPED =
  /^(unauthenticated|impersonation granted|token review|bootstrap token|self subject review|service account token)/;

describe.runIf(suites.length > 0)('as the real server answered', async () => {
  for (const suite of suites) {
    const text = gunzipSync(readFileSync(`${TWIN}/golden/${suite}.open.jsonl.gz`)).toString('utf8');
    const recorded = new Map<string, Answer[]>();
    for (const line of text.split('\n').filter(Boolean)) {
      const { n, a } = JSON.parse(line) as { n: string; a: Answer[] };
      recorded.set(n, a);
    }
    const load = async <T>(path: string) => (await import(pathToFileURL(`${TWIN}/${path}`).href)) as T;
    const cases = [...(await load<{ default(): Iterable<Case> }>(`suites/${suite}.mjs`)).default()];
    const { slug, fill } = await load<{ slug(s: string, n: string): string; fill<T>(v: T, c: unknown): T }>(
      'lib/runner.mjs',
    );
    const wanted = cases.filter((c) => recorded.has(c.name) && !SKIPPED.test(c.name));
    it.each(wanted.map((c) => [c.name, c] as const))(`${suite}: %s`, async (name, c) => {
      const id = slug(suite, name);
      const vars = { id, ns: c.ns === undefined || c.ns === true ? id : c.ns || 'default' };
      const context: Context = { vars, raw: {} };
      const lookup = { vars, raw: new Proxy(context.raw, { get: (raw, key) => ({ body: raw[key as string] }) }) };
      const world = new World();
      await world.start();
      world.feed.put({ group: '', resource: 'namespaces' }, { metadata: { name: vars.ns } });
      const answers = recorded.get(name)!;
      let slot = 0;
      const run = async (step: Step): Promise<void> => {
        const golden = step.quiet ? undefined : answers[slot++];
        const mine = slot - 1;
        for (const inner of step.during ?? []) await run(inner);
        if (step.as?.startsWith('token:')) return;
        const filled = fill(step, lookup);
        const result = await world.judge(filled, golden, context);
        if (!golden) return;
        const where = `step ${mine} ${filled.method} ${filled.path} ${JSON.stringify(filled.query ?? {})}`;
        if (result instanceof StatusError) {
          expect(golden.c, `${where}: ${result.message}`).toBe(result.code);
          if (golden.b?.message !== undefined) {
            const plain = (s: unknown) => String(s).replace(/uid-\d+|<uid:\d+>/g, '<uid>');
            expect(plain(golden.b.message), where).toBe(plain(result.message));
            if (!step.project) expect(golden.b.details ?? null, where).toEqual(plainJson(result.toStatus().details));
          }
        } else {
          const creates = step.method !== 'POST' && `${golden.b?.message}`.includes('cannot create resource');
          expect(isOurs(golden) && !creates, `${where}: allowed, but ${golden.b?.message}`).toBe(false);
          if (result && golden.b?.status !== undefined && golden.c === 201) {
            const status = (s: JsonValue | undefined) => {
              const copy = JSON.parse(JSON.stringify(s)) as Record<string, JsonValue[]>;
              for (const k of ['resourceRules', 'nonResourceRules']) {
                copy[k]?.sort((a, b) => (sorted(a) < sorted(b) ? -1 : 1));
              }
              return copy;
            };
            expect(status(result.status), where).toEqual(status(golden.b.status));
          }
        }
      };
      for (const step of c.steps) await run(step);
    });
  }
});

const plainJson = (v: unknown): unknown => JSON.parse(JSON.stringify(v ?? null));

function sorted(v: JsonValue): string {
  return JSON.stringify(v, (_, x) =>
    isJsonObject(x) ? Object.fromEntries(Object.entries(x).sort(([a], [b]) => (a < b ? -1 : 1))) : x,
  );
}
