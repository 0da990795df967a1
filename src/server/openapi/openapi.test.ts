import { describe, expect, it } from 'vitest';
import { isJsonObject, type JsonObject, type JsonValue } from '../../machinery/json.js';
import { builtinSource } from '../discovery/builtin.suite.js';
import { notFoundRoute } from '../discovery/not-found.js';
import { haveRecordings, replay, routesHandler } from '../recorded.suite.js';
import { inject } from '../transport/inject.js';
import { builtinDocuments } from './builtin.js';
import { type OpenApiPart, refTo } from './contract.js';
import { resourcePaths } from './operations.js';
import { openApiRoute } from './route.js';

const V2_PROTOBUF = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';
const V3_PROTOBUF = 'application/com.github.proto-openapi.spec.v3.v1.0+protobuf';

function server(more: () => readonly OpenApiPart[] = () => []) {
  const sources = [builtinDocuments(builtinSource(), '1.2.3'), { parts: more }];
  const route = openApiRoute({ sources, version: 'v1.36.0', now: () => 0 });
  const routes = [route, notFoundRoute(() => false)];
  const get = (path: string, headers: Record<string, string> = {}) => inject(routesHandler(routes), { path, headers });
  const json = async (path: string) => (await (await get(path)).json()) as JsonObject;
  return { get, json, routes };
}

function at(value: JsonValue | undefined, ...path: string[]): JsonValue | undefined {
  return path.reduce<JsonValue | undefined>((v, key) => (isJsonObject(v) ? v[key] : undefined), value);
}

/** Every local reference of a document. */
function references(v: JsonValue | undefined, out = new Set<string>()): Set<string> {
  if (Array.isArray(v)) for (const e of v) references(e, out);
  else if (isJsonObject(v)) {
    for (const [k, e] of Object.entries(v)) {
      if (k === '$ref' && typeof e === 'string') out.add(e);
      else references(e, out);
    }
  }
  return out;
}

describe.runIf(haveRecordings)('answers as recorded', () => {
  it('for every document', async () => {
    const compared = await replay('discovery', server().routes, (name) => name.startsWith('openapi'));
    expect(compared.length).toBeGreaterThan(40);
    // Hashes of documents are nobody's but ours.
    const plain = (text: string) => text.replace(/hash=[0-9A-F]{128}/g, 'hash=<hash>');
    for (const { name, recorded, given } of compared) expect(plain(given), name).toBe(plain(recorded));
  });
});

describe('OpenAPI', () => {
  it('has every schema that it refers to, in both versions', async () => {
    const { json } = server();
    const index = (await json('/openapi/v3')).paths as Record<string, { serverRelativeURL: string }>;
    expect(Object.keys(index)).toContain('apis/apps/v1');
    const ids = new Set<string>();
    for (const { serverRelativeURL } of Object.values(index)) {
      const document = await json(serverRelativeURL);
      for (const ref of references(document)) {
        expect(at(document, ...ref.slice(2).split('/')), ref).toBeDefined();
      }
      for (const item of Object.values(document.paths as Record<string, JsonObject>)) {
        for (const [method, op] of Object.entries(item)) {
          if (method === 'parameters') continue;
          const id = String(at(op, 'operationId'));
          expect(ids.has(id), id).toBe(false);
          ids.add(id);
        }
      }
    }
    const v2 = await json('/openapi/v2');
    for (const ref of references(v2)) {
      const [where, ...name] = ref.slice(2).split('/');
      expect(at(v2, where!, name.join('/')), ref).toBeDefined();
    }
    expect(ids).toContain('listCoreV1PodForAllNamespaces');
    expect(ids).toContain('connectCoreV1PostNamespacedPodExec');
    expect(ids).toContain('deleteRbacAuthorizationV1CollectionNamespacedRole');
    expect(ids).toContain('watchAppsV1NamespacedDeploymentList');
  });

  it('publishes what merging needs', async () => {
    const { json } = server();
    const schemas = at(await json('/openapi/v3/api/v1'), 'components', 'schemas') as JsonObject;
    const of = (type: string, field: string) => at(schemas, `io.k8s.api.core.v1.${type}`, 'properties', field);
    expect(of('PodSpec', 'containers')).toMatchObject({
      type: 'array',
      items: { allOf: [{ $ref: '#/components/schemas/io.k8s.api.core.v1.Container' }], default: {} },
      'x-kubernetes-list-map-keys': ['name'],
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-patch-merge-key': 'name',
      'x-kubernetes-patch-strategy': 'merge',
    });
    expect(of('PodSpec', 'nodeSelector')).toMatchObject({
      type: 'object',
      additionalProperties: { type: 'string', default: '' },
      'x-kubernetes-map-type': 'atomic',
    });
    expect(of('Container', 'imagePullPolicy')).toMatchObject({ enum: ['Always', 'IfNotPresent', 'Never'] });
    expect(of('ContainerPort', 'containerPort')).toMatchObject({ type: 'integer', format: 'int32', default: 0 });
    const pod = at(schemas, 'io.k8s.api.core.v1.Pod');
    expect(at(pod, 'x-kubernetes-group-version-kind')).toEqual([{ group: '', kind: 'Pod', version: 'v1' }]);
  });

  it('keeps what the older version has no word for out of it', async () => {
    const v2 = await server().json('/openapi/v2');
    for (const [name, definition] of Object.entries(v2.definitions as JsonObject)) {
      for (const [field, schema] of Object.entries((at(definition, 'properties') ?? {}) as JsonObject)) {
        for (const word of ['default', 'allOf', 'oneOf']) expect(at(schema, word), `${name} ${field}`).toBeUndefined();
      }
    }
    const get = at(v2, 'paths', '/api/v1/namespaces/{namespace}/pods', 'get');
    expect(at(get, 'produces')).toContain('application/json;stream=watch');
    expect(at(get, 'x-kubernetes-action')).toBe('list');
  });

  it('sends the client to the document as it is now, and lets it keep that', async () => {
    let parts: readonly OpenApiPart[] = [];
    const { get, json } = server(() => parts);
    const url = String(at(await json('/openapi/v3'), 'paths', 'version', 'serverRelativeURL'));
    const fresh = await get(url);
    expect(fresh.headers).toMatchObject({
      'cache-control': 'public, immutable',
      expires: 'Fri, 01 Jan 1971 00:00:00 GMT',
      vary: 'Accept',
      etag: `"${url.split('=')[1]}"`,
    });
    expect((await get('/openapi/v3/version')).headers['cache-control']).toBe('no-cache, private');
    const old = await get('/openapi/v3/version?hash=OLD');
    expect([old.status, old.headers.location]).toEqual([301, url]);
    const kept = await get('/openapi/v3/version', { 'if-none-match': `${fresh.headers.etag}` });
    expect([kept.status, await kept.text()]).toEqual([304, '']);
    const before = (await get('/openapi/v2')).headers.etag;
    parts = [{ key: 'apis/example.com/v1', revision: '1', paths: () => new Map() }];
    expect((await get('/openapi/v2')).headers.etag).not.toBe(before);
    expect(at(await json('/openapi/v3'), 'paths', 'version', 'serverRelativeURL')).toBe(url);
  });

  it('takes in documents of custom resources', async () => {
    const type = 'com.example.v1.Thing';
    const operation = { req: type, resp: { 200: type }, gvk: 'example.com/v1/Thing' };
    const part: OpenApiPart = {
      key: 'apis/example.com/v1',
      revision: '1',
      paths: () =>
        resourcePaths({
          group: 'example.com',
          version: 'v1',
          plural: 'things',
          kind: 'Thing',
          namespaced: true,
          verbs: ['get', 'watch'],
          ops: { item: { get: operation }, collection: { post: operation } },
          custom: true,
        }),
      schema: (name, dialect) =>
        name === type
          ? {
              type: 'object',
              properties: { metadata: { $ref: refTo('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta', dialect) } },
            }
          : undefined,
    };
    const { json } = server(() => [part]);
    const v3 = await json('/openapi/v3/apis/example.com/v1');
    expect(Object.keys(v3.paths as JsonObject)).toEqual([
      '/apis/example.com/v1/namespaces/{namespace}/things',
      '/apis/example.com/v1/namespaces/{namespace}/things/{name}',
    ]);
    const get = at(v3, 'paths', '/apis/example.com/v1/namespaces/{namespace}/things/{name}', 'get');
    expect(get).toMatchObject({ operationId: 'readExampleComV1NamespacedThing', tags: ['exampleCom_v1'] });
    expect(Object.keys(at(get, 'responses', '200', 'content') as JsonObject)).toEqual([
      'application/json',
      'application/yaml',
    ]);
    expect(at(v3, 'components', 'schemas', 'io.k8s.apimachinery.pkg.apis.meta.v1.OwnerReference')).toBeDefined();
    expect(at(await json('/openapi/v2'), 'definitions', type, 'type')).toBe('object');
  });

  it('reports a document that cannot be made, and makes it when it can', async () => {
    let broken = true;
    const part: OpenApiPart = {
      key: 'apis/example.com/v1',
      revision: '1',
      paths() {
        if (broken) throw new Error('no');
        return new Map();
      },
    };
    const { get } = server(() => [part]);
    expect((await get('/openapi/v3/apis/example.com/v1')).status).toBe(500);
    broken = false;
    expect((await get('/openapi/v3/apis/example.com/v1')).status).toBe(200);
  });

  it.each([
    ['/openapi/v3/', '', 404],
    ['/openapi/v3/nothing', '', 404],
    ['/openapi/v3/toString', '', 404],
    ['/openapi/v3/apis/apps/v1/', '', 404],
    ['/openapi/v2/', '', 404],
    ['/openapi/v3/version', 'text/html', 406],
    ['/openapi/v2', 'application/yaml', 406],
    ['/openapi/v2', V3_PROTOBUF, 406],
    ['/openapi/v2', 'constructor', 406],
    ['/openapi/v3/version', `${V3_PROTOBUF};q=0.1, text/html`, 200],
  ])('%s accepting "%s" is a %i', async (path, accept, status) => {
    expect((await server().get(path, accept ? { accept } : {})).status).toBe(status);
  });
});

/** The parts of a protobuf message: [field number, bytes or number]. */
function fields(message: Buffer): [number, Buffer | number][] {
  const out: [number, Buffer | number][] = [];
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const b = message[at++]!;
      value += (b & 0x7f) * factor;
      if (b < 0x80) return value;
    }
  };
  while (at < message.length) {
    const tag = varint();
    const wire = tag & 7;
    if (wire === 0) out.push([tag >> 3, varint()]);
    else if (wire === 1) {
      out.push([tag >> 3, message.readDoubleLE(at)]);
      at += 8;
    } else if (wire === 2) {
      const length = varint();
      if (at + length > message.length) throw new Error('cut');
      out.push([tag >> 3, message.subarray(at, at + length)]);
      at += length;
    } else throw new Error(`wire type ${wire}`);
  }
  return out;
}
const all = (m: Buffer, n: number): Buffer[] =>
  fields(m).flatMap(([k, v]) => (k === n && typeof v !== 'number' ? [v] : []));
const one = (m: Buffer, ...path: number[]): Buffer => path.reduce((b, n) => all(b, n)[0]!, m);
const entry = (m: Buffer, n: number, name: string): Buffer =>
  one(all(m, n).find((e) => one(e, 1).toString() === name)!, 2);

describe('protobuf form', () => {
  it('of Swagger 2.0', async () => {
    const answer = await server().get('/openapi/v2', { accept: V2_PROTOBUF });
    expect(answer.headers['content-type']).toBe(V2_PROTOBUF.replace('@', '.'));
    const document = await answer.body();
    expect(one(document, 1).toString()).toBe('2.0');
    expect(one(document, 2, 1).toString()).toBe('Kubernetes');
    const definitions = one(document, 9);
    expect(all(definitions, 1).length).toBe(
      Object.keys((await server().json('/openapi/v2')).definitions as object).length,
    );
    const container = entry(definitions, 1, 'io.k8s.api.core.v1.Container');
    expect(one(container, 22, 1).toString()).toBe('object');
    expect(all(container, 19).map(String)).toEqual(['name']);
    const ports = entry(one(container, 25), 1, 'ports');
    expect(one(ports, 23, 1, 1).toString()).toBe('#/definitions/io.k8s.api.core.v1.ContainerPort');
    expect(one(entry(ports, 31, 'x-kubernetes-list-map-keys'), 2).toString()).toBe('- containerPort\n- protocol\n');
    const get = one(entry(one(document, 8), 2, '/api/v1/namespaces/{namespace}/pods/{name}'), 2);
    expect(one(get, 5).toString()).toBe('readCoreV1NamespacedPod');
    expect(one(entry(one(get, 9), 1, '200'), 1, 2, 1, 1).toString()).toBe('#/definitions/io.k8s.api.core.v1.Pod');
  });

  it('of OpenAPI 3.0', async () => {
    const answer = await server().get('/openapi/v3/apis/apps/v1', { accept: V3_PROTOBUF });
    const document = await answer.body();
    expect([answer.headers['content-type'], one(document, 1).toString()]).toEqual([V3_PROTOBUF, '3.0.0']);
    const spec = one(entry(one(document, 5, 1), 1, 'io.k8s.api.apps.v1.DeploymentSpec'), 1);
    const template = one(entry(one(spec, 31), 1, 'template'), 1);
    expect(one(template, 26, 2, 1).toString()).toBe('#/components/schemas/io.k8s.api.core.v1.PodTemplateSpec');
    expect(one(entry(one(document, 4), 1, '/apis/apps/v1/deployments'), 4, 5).toString()).toBe(
      'listAppsV1DeploymentForAllNamespaces',
    );
  });
});
