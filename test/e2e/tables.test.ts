import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../../src/machinery/json.js';
import { type Cluster, startCluster } from '../support/control-plane.js';

const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';
const ADMIN = { name: 'admin', groups: ['system:masters', 'system:authenticated'] };
const MAPS = '/api/v1/namespaces/default/configmaps';

interface Table extends JsonObject {
  columnDefinitions: { name: string }[] | null;
  rows: { cells: JsonValue[]; object: JsonObject | null; conditions?: JsonObject[] }[] | null;
}

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster();
  for (const name of ['a', 'b', 'c'])
    await post(MAPS, { metadata: { name, labels: { own: 'yes' } }, data: { k: name } });
}, 120_000);
afterAll(() => cluster.close());

const ask = (path: string, headers: Record<string, string> = { Accept: TABLE }, body?: object) =>
  cluster.controlPlane.inject({ method: body ? 'POST' : 'GET', path, headers, user: ADMIN, body });
async function post(path: string, body: object): Promise<void> {
  const answer = await ask(path, { 'Content-Type': 'application/json' }, body);
  if (answer.status !== 201) throw new Error(await answer.text());
}
const table = async (path: string): Promise<Table> => (await ask(path)).json<Table>();
/** The first events of a watch. */
async function events(path: string, count: number): Promise<{ type: string; object: Table }[]> {
  let text = '';
  for await (const chunk of (await ask(path)).stream) {
    text += chunk;
    const lines = text.split('\n').slice(0, -1);
    if (lines.length >= count) return lines.slice(0, count).map((line) => JSON.parse(line));
  }
  throw new Error(`the watch ended after ${text}`);
}

describe('tables of lists', () => {
  const own = `${MAPS}?labelSelector=own=yes`;
  it('hold a row for each object, with its metadata', async () => {
    const { kind, apiVersion, metadata, columnDefinitions, rows } = await table(own);
    expect([kind, apiVersion, Object.keys(metadata as JsonObject)]).toEqual([
      'Table',
      'meta.k8s.io/v1',
      ['resourceVersion'],
    ]);
    expect(columnDefinitions!.map((c) => c.name)).toEqual(['Name', 'Data', 'Age']);
    expect(rows!.map((r) => r.cells.slice(0, 2))).toEqual([
      ['a', 1],
      ['b', 1],
      ['c', 1],
    ]);
    expect(Object.keys(rows![0]!.object!)).toEqual(['kind', 'apiVersion', 'metadata']);
    expect(rows![0]!.object!.kind).toBe('PartialObjectMetadata');
  });
  it('come in pages', async () => {
    const first = await table(`${own}&limit=2`);
    const meta = first.metadata as { continue: string; remainingItemCount?: number };
    expect(first.rows).toHaveLength(2);
    const second = await table(`${own}&limit=2&continue=${encodeURIComponent(meta.continue)}`);
    expect(second.rows!.map((r) => r.cells[0])).toEqual(['c']);
    expect((second.metadata as JsonObject).continue).toBeUndefined();
  });
  it('carry what includeObject says', async () => {
    expect((await table(`${own}&includeObject=None`)).rows!.map((r) => r.object)).toEqual([null, null, null]);
    expect((await table(`${own}&includeObject=Object`)).rows![1]!.object).toMatchObject({
      kind: 'ConfigMap',
      apiVersion: 'v1',
      data: { k: 'b' },
    });
  });
  it.each(['', '/a', '?watch=1'])('refuse another includeObject: %s', async (path) => {
    const answer = await ask(`${MAPS}${path}${path.includes('?') ? '&' : '?'}includeObject=Bogus`);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      reason: 'BadRequest',
      message:
        "Unable to convert to Table as requested: includeObject: Invalid value: \"Bogus\": must be 'Metadata', 'Object', 'None', or empty",
    });
  });
  it('are the same in YAML and indented', async () => {
    const yaml = await (await ask(own, { Accept: TABLE.replace('json', 'yaml') })).text();
    expect(yaml).toContain('rows:\n- cells:\n  - a\n  - 1\n');
    const pretty = await (await ask(`${own}&pretty=1`)).text();
    expect(pretty).toContain('"rows": [\n    {\n      "cells": [\n        "a",\n        1,');
  });
  it('are told apart when there are no rows', async () => {
    const text = async (path: string, accept = TABLE) => (await ask(path, { Accept: accept })).text();
    expect(await text(`${MAPS}?labelSelector=none`)).toMatch(/"rows":\[\]\}\n$/);
    const limits = '/api/v1/namespaces/default/limitranges';
    expect(await text(limits)).toMatch(/"rows":null\}\n$/);
    expect(await text(limits, TABLE.replace('json', 'yaml'))).toMatch(/\nrows: null\n$/);
  });
  it('order flow schemas by precedence', async () => {
    const { columnDefinitions, rows } = await table('/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas');
    const at = columnDefinitions!.findIndex((c) => c.name === 'MatchingPrecedence');
    const precedences = rows!.map((r) => r.cells[at] as number);
    expect(precedences.length).toBeGreaterThan(3);
    expect(precedences).toEqual([...precedences].sort((a, b) => a - b));
  });
  it('stream: more rows than fit one write', async () => {
    const names = Array.from({ length: 300 }, (_, i) => `m${i}`);
    const data = { k: 'x' };
    for (const name of names)
      await post('/api/v1/namespaces/kube-public/configmaps', {
        metadata: { name, annotations: { a: 'y'.repeat(500) } },
        data,
      });
    const { rows } = await table('/api/v1/namespaces/kube-public/configmaps?limit=300');
    expect(new Set(rows!.map((r) => r.cells[0])).size).toBe(300);
  });
});

describe('tables of one object', () => {
  it('have its resourceVersion', async () => {
    const { metadata, rows } = await table(`${MAPS}/a`);
    const object = rows![0]!.object as { metadata: { resourceVersion: string } };
    expect(metadata).toEqual({ resourceVersion: object.metadata.resourceVersion });
  });
  it('are refused for kinds that are never read', async () => {
    const review = { spec: { resourceAttributes: { resource: 'pods', verb: 'get' } } };
    const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
    const headers = { 'Content-Type': 'application/json', Accept: TABLE };
    expect((await ask(path, headers, review)).status).toBe(406);
    const either = await ask(path, { ...headers, Accept: `${TABLE},application/json` }, review);
    expect([either.status, (await either.json<JsonObject>()).kind]).toEqual([201, 'SelfSubjectAccessReview']);
  });
  it('errors stay errors', async () => {
    expect(await (await ask(`${MAPS}/none`)).json()).toMatchObject({ kind: 'Status', code: 404 });
  });
});

describe('tables of a watch', () => {
  it('say their columns once', async () => {
    const [first, second] = await events(`${MAPS}?watch=1&labelSelector=own=yes`, 2);
    expect([first!.type, first!.object.kind, first!.object.columnDefinitions?.length]).toEqual(['ADDED', 'Table', 3]);
    expect([second!.type, second!.object.columnDefinitions]).toEqual(['ADDED', null]);
    expect(second!.object.rows![0]!.cells.slice(0, 2)).toEqual(['b', 1]);
  });
  it('end the initial events with a bookmark, whatever rows carry', async () => {
    const query =
      'watch=1&labelSelector=own=yes&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
    const all = await events(`${MAPS}?${query}&includeObject=None`, 4);
    expect(all.map((e) => [e.type, e.object.rows![0]!.object === null])).toEqual([
      ['ADDED', true],
      ['ADDED', true],
      ['ADDED', true],
      ['BOOKMARK', false],
    ]);
    const [row] = all[3]!.object.rows!;
    expect(row!.cells).toEqual(['', 0, '<unknown>']);
    expect(row!.object).toMatchObject({ metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } });
  });
});

describe('kubectl get', () => {
  const lines = async (args: string): Promise<string[][]> =>
    (await cluster.run(args))
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ {2,}/));
  it('shows built-in kinds, wide and narrow', async () => {
    await cluster.run(
      'apply -f -',
      `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: nginx}]}}
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: fast, annotations: {storageclass.kubernetes.io/is-default-class: 'true'}}
provisioner: example.com/p
`,
    );
    expect((await lines('get deployments'))[0]).toEqual(['NAME', 'READY', 'UP-TO-DATE', 'AVAILABLE', 'AGE']);
    const [head, deployment] = await lines('get deployments -o wide');
    expect(head!.slice(5)).toEqual(['CONTAINERS', 'IMAGES', 'SELECTOR']);
    expect([deployment![0], deployment![1], ...deployment!.slice(5)]).toEqual(['web', '0/2', 'c', 'nginx', 'app=web']);
    const [, storageClass] = await lines('get storageclasses');
    expect(storageClass!.slice(0, 5)).toEqual(['fast (default)', 'example.com/p', 'Delete', 'Immediate', 'false']);
    expect((await lines('get namespaces default'))[1]!.slice(0, 2)).toEqual(['default', 'Active']);
  });
  it('says when there is nothing', async () => {
    for (const kind of ['pods', 'limitranges']) {
      const { code, stdout, stderr } = await cluster.kubectl(['get', kind]);
      expect([code, stdout, stderr]).toEqual([0, '', 'No resources found in default namespace.\n']);
    }
  });
});
