import { createPublicKey, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateKey, privateKeyPem, publicKeyPem } from '../../src/auth/pki/keys.js';
import { createTokenIssuer, type TokenContent } from '../../src/auth/tokens/issuer.js';
import { keyIdOf } from '../../src/auth/tokens/keys.js';
import { type ControlPlane, startControlPlane } from '../../src/index.js';
import { type Issued, issue } from '../../src/server/transport/pki.suite.js';
import { type Ask, asking } from '../support/ask.js';

const ISSUER = 'https://issuer.example';
const HOUR = 3_600_000;

/** One request of the matrix. `what` is group/resource/subresource. */
interface Request {
  readonly verb: string;
  readonly what: string;
  readonly method: string;
  readonly path: string;
}

interface Somebody {
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly certificate?: Issued;
}

const METHODS: Readonly<Record<string, string>> = {
  get: 'GET',
  list: 'GET',
  watch: 'GET',
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
  deletecollection: 'DELETE',
};
const ON_COLLECTIONS = new Set(['list', 'watch', 'create', 'deletecollection']);

let cp: ControlPlane;
let ask: Ask;
let directory: string;
let matrix: Request[];
let cas: Record<'ca' | 'proxy' | 'foreign', Issued>;
let stored: Map<string, unknown>;
const saKey = generateKey();
const accounts = new Map<string, TokenContent>();
const logged = new Set<string>();
const pools = new Map<Issued | undefined, Pool>();

/** Every verb that discovery names, on an object that is there, on one that is not, and in all namespaces. */
async function everything(): Promise<Request[]> {
  const out: Request[] = [];
  for (const root of ['/api', '/apis']) {
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
    const user = { name: 'admin', groups: ['system:masters'] };
    const answer = await cp.inject({ path: root, headers: { accept }, user });
    // biome-ignore lint/suspicious/noExplicitAny: a discovery document
    for (const { metadata = {}, versions } of (await answer.json<any>()).items) {
      const group: string = metadata.name ?? '';
      for (const { version, resources } of versions) {
        const base = group ? `/apis/${group}/${version}` : `/api/${version}`;
        for (const r of resources) {
          const add = (verbs: readonly string[], subresource: string) => {
            const what = `${group}/${r.resource}/${subresource}`;
            const scope = r.scope === 'Namespaced' ? `${base}/namespaces/hehe` : base;
            for (const verb of verbs) {
              const query = verb === 'watch' ? '?watch=1&timeoutSeconds=1' : '';
              const method = METHODS[verb]!;
              const named = subresource !== '' || !ON_COLLECTIONS.has(verb);
              const tail = subresource && `/${subresource}`;
              const names = named ? ['/there', '/missing'] : [''];
              for (const name of names) {
                out.push({ verb, what, method, path: `${scope}/${r.resource}${name}${tail}${query}` });
              }
              if (scope !== base && (verb === 'list' || verb === 'watch')) {
                out.push({ verb, what, method, path: `${base}/${r.resource}${query}` });
              }
            }
          };
          add(r.verbs ?? [], '');
          for (const s of r.subresources ?? []) add(s.verbs, s.subresource);
        }
      }
    }
  }
  return out;
}

async function send({ method, path }: Request, { headers = {}, certificate }: Somebody) {
  let pool = pools.get(certificate);
  if (!pool) {
    const tls = certificate ? { cert: certificate.cert, key: certificate.key } : {};
    pool = new Pool(cp.url, { connections: 8, connect: { ca: cp.caCertificate, ...tls } });
    pools.set(certificate, pool);
  }
  const name = path.includes('/there') ? 'there' : 'missing';
  const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  const answer = await pool.request({
    method: method as 'GET',
    path,
    headers: { 'content-type': type, ...headers },
    ...(method !== 'GET' && { body: JSON.stringify(method === 'PUT' ? { metadata: { name } } : {}) }),
  });
  return { status: answer.statusCode, text: await answer.body.text() };
}

/** Sends all of the matrix; says what was not answered as it should be. */
async function unexpected(
  who: Somebody,
  isExpected: (answer: { status: number; text: string }, request: Request) => boolean,
): Promise<string[]> {
  const out: string[] = [];
  const waiting = [...matrix];
  const texts = new Map<string, string>();
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (let next = waiting.pop(); next; next = waiting.pop()) {
        const answer = await send(next, who);
        if (!isExpected(answer, next)) out.push(`${next.method} ${next.path}: ${answer.status} ${answer.text}`);
        if (answer.status === 403) texts.set(`${next.method} ${next.path}`, answer.text);
      }
    }),
  );
  // What is there and what is not are refused in the same words.
  for (const [key, text] of texts) {
    const other = key.includes('/there') ? texts.get(key.replace('/there', '/missing')) : undefined;
    if (other !== undefined && other.replaceAll('missing', 'there') !== text)
      out.push(`${key} tells: ${text} ${other}`);
  }
  return out;
}

const is = (status: number) => (answer: { status: number }) => answer.status === status;

function token(account: string, over: Partial<TokenContent> = {}, key: KeyObject = saKey, issuer = ISSUER, ago = 0) {
  const content = { ...accounts.get(account)!, audiences: [ISSUER], expiresIn: 600, ...over };
  return createTokenIssuer({ issuer, key, now: () => Date.now() - ago, uuid: () => 'jti' }).issue(content).token;
}
const bearer = (value: string): Somebody => ({ headers: { authorization: `Bearer ${value}` } });

/** The token with other content under the signature that it had. */
function forged(good: string, head: object | undefined, change: (claims: Record<string, unknown>) => void): string {
  const [first = '', body = '', tail = ''] = good.split('.');
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString());
  change(claims);
  return [head ? encode(head) : first, encode(claims), head ? '' : tail].join('.');
}

async function makeObjects(): Promise<void> {
  for (const namespace of ['hehe', 'other']) {
    await ask('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
    for (const name of ['boi', 'there']) {
      const { body } = await ask('POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name } });
      const { uid } = body.metadata as { uid: string };
      const content = { namespace, serviceAccount: { name, uid }, audiences: [ISSUER], expiresIn: 600 };
      accounts.set(`${namespace}/${name}`, content);
    }
  }
  const pod = { containers: [{ name: 'c', image: 'i' }], nodeName: 'there' };
  const volume = { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/x' } };
  const claim = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
  const objects: [string, object][] = [
    ['/api/v1/namespaces', {}],
    ['/api/v1/nodes', {}],
    ['/api/v1/namespaces/hehe/secrets', { stringData: { a: 'b' } }],
    ['/api/v1/namespaces/hehe/configmaps', {}],
    ['/api/v1/namespaces/hehe/pods', { spec: pod }],
    ['/api/v1/namespaces/hehe/persistentvolumeclaims', { spec: claim }],
    ['/api/v1/persistentvolumes', { spec: volume }],
    ['/apis/coordination.k8s.io/v1/namespaces/hehe/leases', {}],
    ['/apis/rbac.authorization.k8s.io/v1/clusterroles', { rules: [] }],
    ['/apis/rbac.authorization.k8s.io/v1/namespaces/hehe/roles', { rules: [] }],
  ];
  stored = new Map();
  for (const [path, more] of objects) {
    const { code, body } = await ask('POST', path, { metadata: { name: 'there' }, ...more });
    expect([path, code]).toEqual([path, 201]);
    stored.set(`${path}/there`, body);
  }
  const subjects = [{ kind: 'ServiceAccount', namespace: 'other', name: 'boi' }];
  await ask('POST', '/apis/rbac.authorization.k8s.io/v1/namespaces/other/rolebindings', {
    metadata: { name: 'admin' },
    subjects,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
  });
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'porthole-refusals-'));
  const file = (name: string, text: string) => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };
  const [ca, proxy, foreign] = await Promise.all(
    ['CN=ca', 'CN=proxy-ca', 'CN=ca'].map((name) => issue(name, undefined, [], true)),
  );
  cas = { ca: ca!, proxy: proxy!, foreign: foreign! };
  cp = await startControlPlane({
    log: (_, text) => logged.add(text),
    controllers: [],
    disableAdmissionPlugins: ['ServiceAccount'],
    enableAdmissionPlugins: ['NodeRestriction'],
    authentication: {
      clientCaFile: file('ca.crt', ca!.cert),
      requestheaderClientCaFile: file('proxy.crt', proxy!.cert),
      requestheaderAllowedNames: ['front-proxy'],
      requestheaderUsernameHeaders: ['X-Remote-User'],
      requestheaderGroupHeaders: ['X-Remote-Group'],
      serviceAccountIssuer: [ISSUER],
      serviceAccountKeyFile: [file('sa.pub', publicKeyPem(saKey))],
      serviceAccountSigningKeyFile: file('sa.key', privateKeyPem(saKey)),
    },
  });
  ask = asking(() => cp);
  await makeObjects();
  matrix = await everything();
}, 120_000);
afterAll(async () => {
  await Promise.all([...pools.values()].map((pool) => pool.destroy()));
  await cp.close();
  rmSync(directory, { recursive: true, force: true });
});

it('the matrix is whole, and its objects can be reached by who may', async () => {
  expect(matrix.length).toBeGreaterThan(1000);
  for (const verb of Object.keys(METHODS)) expect(matrix.some((r) => r.verb === verb)).toBe(true);
  for (const what of ['/pods/exec', '/pods/log', '/nodes/proxy', '/serviceaccounts/token', 'apps/deployments/scale']) {
    expect(matrix.some((r) => r.what === what)).toBe(true);
  }
  const good = bearer(token('other/boi'));
  const request = { verb: 'list', what: '/secrets/', method: 'GET', path: '/api/v1/namespaces/other/secrets' };
  expect((await send(request, good)).status).toBe(200);
  const front = await issue('CN=front-proxy', cas.proxy);
  const headers = { 'x-remote-user': 'root', 'x-remote-group': 'system:masters' };
  expect((await send({ ...request, path: '/api/v1/secrets' }, { certificate: front, headers })).status).toBe(200);
});

describe('nobody gets in with', () => {
  const cases: [string, () => Somebody | Promise<Somebody>][] = [
    ['an expired token', () => bearer(token('other/boi', {}, saKey, ISSUER, HOUR))],
    ['a token that is not yet valid', () => bearer(token('other/boi', {}, saKey, ISSUER, -HOUR))],
    ['a token for another audience', () => bearer(token('other/boi', { audiences: ['vault'] }))],
    ['a token of another issuer', () => bearer(token('other/boi', {}, saKey, 'https://elsewhere.example'))],
    ['a token by another key', () => bearer(token('other/boi', {}, generateKey()))],
    [
      'a tampered token',
      () => bearer(forged(token('other/boi'), undefined, (c) => Object.assign(c, { sub: 'system:admin' }))),
    ],
    [
      'a token without a signature',
      () => bearer(forged(token('other/boi'), { alg: 'none', kid: keyIdOf(createPublicKey(saKey)) }, () => {})),
    ],
    [
      'a certificate of another authority of the same name',
      async () => ({ certificate: await issue('O=system:masters, CN=admin', cas.foreign) }),
    ],
    [
      'a certificate of the authority of front proxies',
      async () => ({ certificate: await issue('O=system:masters, CN=admin', cas.proxy) }),
    ],
    [
      'a front proxy that is not on the list',
      async () => ({
        certificate: await issue('CN=somebody', cas.proxy),
        headers: { 'x-remote-user': 'root', 'x-remote-group': 'system:masters' },
      }),
    ],
  ];
  it.each(cases)(
    '%s',
    async (_, who) => {
      const body = /"message":\s*"Unauthorized"/;
      expect(await unexpected(await who(), ({ status, text }) => status === 401 && body.test(text))).toEqual([]);
    },
    60_000,
  );
});

/** What everybody who is somebody may ask about himself. */
const OWN = new Set([
  'authentication.k8s.io/selfsubjectreviews/',
  'authorization.k8s.io/selfsubjectaccessreviews/',
  'authorization.k8s.io/selfsubjectrulesreviews/',
]);
const forbiddenButOwn = (answer: { status: number }, { what }: Request) =>
  answer.status === 403 || (OWN.has(what) && answer.status !== 401);

describe('nothing is given to', () => {
  const jane = () => issue('CN=jane', cas.ca);
  const root = { 'x-remote-user': 'root', 'x-remote-group': 'system:masters' };

  it('nobody, though headers speak of a front proxy', async () => {
    expect(await unexpected({ headers: root }, is(403))).toEqual([]);
  }, 60_000);

  it.each<[string, Somebody['headers']]>([
    ['a user without rights', {}],
    ['one who adds headers of a front proxy', root],
  ])(
    '%s',
    async (_, headers = {}) => {
      expect(await unexpected({ certificate: await jane(), headers }, forbiddenButOwn)).toEqual([]);
    },
    60_000,
  );

  it('a service account that rules another namespace', async () => {
    expect(await unexpected(bearer(token('other/boi')), forbiddenButOwn)).toEqual([]);
  }, 60_000);

  it.each<[string, Record<string, string>]>([
    ['a user', { 'impersonate-user': 'root' }],
    ['a group', { 'impersonate-user': 'jane', 'impersonate-group': 'system:masters' }],
    ['a service account', { 'impersonate-user': 'system:serviceaccount:other:boi' }],
    ['a node', { 'impersonate-user': 'system:node:there' }],
    ['a uid', { 'impersonate-user': 'jane', 'impersonate-uid': '1' }],
    ['an extra', { 'impersonate-user': 'jane', 'impersonate-extra-scopes': 'all' }],
  ])(
    'who impersonates %s without the right',
    async (_, headers) => {
      expect(await unexpected({ certificate: await jane(), headers }, is(403))).toEqual([]);
    },
    60_000,
  );

  it('a node that has no pods', async () => {
    const certificate = await issue('O=system:nodes, CN=system:node:stranger', cas.ca);
    const answers = await unexpected({ certificate }, ({ status }, { what, verb, method }) => {
      if (status === 403) return true;
      const may = OWN.has(what) || NODES_MAY.get(what)?.split(' ').includes(verb);
      return may === true && status !== 401 && (method === 'GET' || method === 'POST' || status >= 400);
    });
    expect(answers).toEqual([]);
  }, 60_000);
});

/** Documented rights of every node, whatever runs on it. Admission narrows the writes to what is its own. */
const NODES_MAY = new Map([
  ['/services/', 'get list watch'],
  ['/endpoints/', 'get'],
  ['/nodes/', 'update patch'],
  ['/nodes/status', 'update patch'],
  ['/pods/', 'delete'],
  ['/pods/status', 'update patch'],
  ['/pods/eviction', 'create'],
  ['/events/', 'create update patch'],
  ['events.k8s.io/events/', 'create update patch'],
  ['authentication.k8s.io/tokenreviews/', 'create'],
  ['authorization.k8s.io/subjectaccessreviews/', 'create'],
  ['authorization.k8s.io/localsubjectaccessreviews/', 'create'],
  ['certificates.k8s.io/certificatesigningrequests/', 'create get list watch'],
  ['certificates.k8s.io/clustertrustbundles/', 'get list watch'],
  ['node.k8s.io/runtimeclasses/', 'get list watch'],
  ['storage.k8s.io/csidrivers/', 'get list watch'],
]);

it('and nothing has changed by all this, nor is a token in the log', async () => {
  await send(matrix[0]!, bearer(token('other/boi', {}, saKey, ISSUER, HOUR)));
  expect([...logged]).toContainEqual(expect.stringContaining('service account token has expired'));
  expect([...logged].filter((text) => text.includes('eyJ'))).toEqual([]);
  for (const [path, before] of stored) expect((await ask('GET', path)).body).toEqual(before);
});
