import { randomBytes } from 'node:crypto';
import { tokenCache } from '../dist/auth/authentication/token-cache.js';
import { RbacAuthorizer } from '../dist/auth/authorization/rbac/authorizer.js';
import { RbacIndex } from '../dist/auth/authorization/rbac/rbac-index.js';
import { median } from './measure.mjs';

const API_GROUP = 'rbac.authorization.k8s.io';
const BINDINGS = 2000;
const CALLS = 20_000;

/** Half of the bindings are of the cluster, half of one namespace; each is of another user and another role. */
function objects() {
  const rules = (i) => [{ apiGroups: [''], resources: [`things${i}`, 'pods'], verbs: ['get', 'list'] }];
  const bindings = Array.from({ length: BINDINGS }, (_, i) => ({
    metadata: { name: `b${i}`, ...(i % 2 && { namespace: 'n' }) },
    roleRef: { apiGroup: API_GROUP, kind: 'ClusterRole', name: `r${i}` },
    subjects: [{ apiGroup: API_GROUP, kind: 'User', name: `u${i}` }],
  }));
  return {
    clusterroles: bindings.map((_, i) => ({ metadata: { name: `r${i}` }, rules: rules(i) })),
    roles: [],
    clusterrolebindings: bindings.filter((b) => !b.metadata.namespace),
    rolebindings: bindings.filter((b) => b.metadata.namespace),
  };
}

/** Median of nine rounds, in microseconds a call. */
async function microseconds(round) {
  const times = [];
  for (let i = 0; i < 9; i++) {
    const before = process.hrtime.bigint();
    await round();
    times.push(Number(process.hrtime.bigint() - before) / CALLS / 1000);
  }
  return median(times);
}

/** What it costs, in microseconds, to know a token again, and to decide with 2,000 bindings. */
export async function benchAccess() {
  const all = objects();
  const index = new RbacIndex();
  await index.follow({
    async subscribe({ resource }, observer) {
      for (const object of all[resource]) observer({ type: 'ADDED', object });
      return () => {};
    },
  });
  const authorizer = new RbacAuthorizer(index);
  const ask = (i, resource) => ({
    user: { name: `u${i}`, groups: ['system:authenticated'] },
    isResourceRequest: true,
    verb: 'get',
    group: '',
    version: 'v1',
    resource,
    subresource: '',
    namespace: 'n',
    name: 'x',
    path: '',
  });
  const decide = (resource, verdict) => () => {
    for (let i = 0; i < CALLS; i++) {
      if (authorizer.authorize(ask(i % BINDINGS, resource)).verdict !== verdict) throw new Error('decided wrongly');
    }
  };

  const user = { name: 'u', groups: [] };
  const delegate = { name: 'd', authenticateToken: async () => ({ user }) };
  const ttl = { successTtl: 60_000, failureTtl: 0, cacheErrors: false };
  const cache = tokenCache(delegate, { ...ttl, now: Date.now, random: randomBytes });
  const token = randomBytes(700).toString('base64url');
  return {
    token: await microseconds(async () => {
      for (let i = 0; i < CALLS; i++) await cache.authenticateToken(token, undefined);
    }),
    allowed: await microseconds(decide('pods', 'Allow')),
    refused: await microseconds(decide('secrets', 'NoOpinion')),
  };
}
