import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import 'reflect-metadata';
import { Pkcs10CertificateRequestGenerator } from '@peculiar/x509';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, type Result, startCluster } from '../support/control-plane.js';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster();
}, 120_000);
afterAll(() => cluster.close());
const run = (args: string, input?: string) => cluster.run(args, input);

type Credentials = { token: string } | { certificate: string; key: string };

/** kubectl with nothing but these credentials. */
function as(name: string, credentials: Credentials): (args: string) => Promise<Result> {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const user =
    'token' in credentials
      ? { token: credentials.token }
      : {
          'client-certificate-data': base64(credentials.certificate),
          'client-key-data': base64(credentials.key),
        };
  const { url, caCertificate } = cluster.controlPlane;
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: url, 'certificate-authority-data': base64(caCertificate) } }],
    users: [{ name, user }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: name } }],
    'current-context': 'c',
  };
  const file = join(cluster.directory, `${name}.json`);
  writeFileSync(file, JSON.stringify(config));
  return (args) => cluster.kubectl(['--kubeconfig', file, ...args.split(' ')]);
}

async function requestFor(name: string): Promise<{ request: string; key: string }> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const csr = await Pkcs10CertificateRequestGenerator.create({ name, keys, signingAlgorithm: algorithm });
  const key = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  return { request: csr.toString('pem'), key: `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n` };
}

const signingRequest = (name: string, request: string): string =>
  JSON.stringify({
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name },
    spec: {
      request: Buffer.from(request).toString('base64'),
      signerName: 'kubernetes.io/kube-apiserver-client',
      usages: ['client auth'],
    },
  });

describe('a person with a certificate', () => {
  let jane: (args: string) => Promise<Result>;

  it('asks for it, and has it when somebody approves', async () => {
    const { request, key } = await requestFor('CN=jane, O=devs');
    await run('create -f -', signingRequest('jane', request));
    expect(await run('get csr jane')).toMatch(
      /kubernetes.io\/kube-apiserver-client\s+kubernetes-admin\s+<none>\s+Pending/,
    );
    expect(await run('certificate approve jane')).toContain('approved');
    let certificate = '';
    for (let i = 0; i < 100 && certificate === ''; i++) {
      certificate = await run('get csr jane -o jsonpath={.status.certificate}');
    }
    expect(await run('get csr jane')).toContain('Approved,Issued');
    jane = as('jane', { certificate: Buffer.from(certificate, 'base64').toString(), key });
    expect((await jane('auth whoami')).stdout).toMatch(/Username\s+jane\nGroups\s+\[devs system:authenticated\]/);
  });

  it('may do what she is bound to, at once, and nothing else', async () => {
    const forbidden = 'User "jane" cannot list resource "pods" in API group "" in the namespace "default"';
    expect((await jane('get pods')).stderr).toContain(forbidden);
    expect(await jane('auth can-i list pods')).toMatchObject({ code: 1, stdout: 'no\n' });
    await run('create role reader --verb=get,list --resource=pods,pods/log');
    await run('create rolebinding devs-read --role=reader --group=devs');
    expect(await jane('get pods')).toMatchObject({ code: 0, stderr: 'No resources found in default namespace.\n' });
    expect(await jane('auth can-i list pods')).toMatchObject({ code: 0, stdout: 'yes\n' });
    expect((await jane('auth can-i --list')).stdout).toMatch(/pods\/log\s+\[\]\s+\[\]\s+\[get list\]/);
    expect((await jane('get pods -n kube-system')).stderr).toContain('in the namespace "kube-system"');
    expect((await jane('delete pod x')).stderr).toContain('cannot delete resource "pods"');
    expect((await jane('get pods --as=kubernetes-admin')).stderr).toContain(
      'cannot impersonate-on:user-info:list resource "pods"',
    );
    expect((await jane('create rolebinding me --clusterrole=cluster-admin --user=jane')).stderr).toContain('forbidden');
    await run('delete rolebinding devs-read');
    expect((await jane('get pods')).stderr).toContain(forbidden);
  });

  it('gives nobody more than she has', async () => {
    await run('create role granter --verb=create --resource=roles,rolebindings');
    await run('create rolebinding granter --role=granter --user=jane');
    expect((await jane('create role more --verb=get --resource=secrets')).stderr).toContain(
      'user "jane" (groups=["devs" "system:authenticated"]) is attempting to grant RBAC permissions not currently held',
    );
    expect((await jane('create rolebinding more --clusterrole=admin --user=jane')).stderr).toContain(
      'is attempting to grant RBAC permissions not currently held',
    );
  });
});

it('a request for a certificate that is denied gets none', async () => {
  const { request } = await requestFor('CN=eve');
  await run('create -f -', signingRequest('eve', request));
  expect(await run('certificate deny eve')).toContain('denied');
  expect(await run('get csr eve')).toMatch(/Denied\n/);
  expect(await run('get csr eve -o jsonpath={.status.certificate}')).toBe('');
  expect((await cluster.kubectl(['certificate', 'approve', 'eve'])).stderr).toContain('Denied');
});

describe('a service account', () => {
  let robot: (args: string) => Promise<Result>;

  it('has tokens that name it', async () => {
    await run('create namespace hehe');
    await run('create serviceaccount boi -n hehe');
    const token = (await run('create token boi -n hehe --duration=10m')).trim();
    expect(token.split('.')).toHaveLength(3);
    robot = as('boi', { token });
    expect((await robot('auth whoami')).stdout).toMatch(
      /Username\s+system:serviceaccount:hehe:boi\n.*\nGroups\s+\[system:serviceaccounts system:serviceaccounts:hehe system:authenticated\]/,
    );
    expect((await robot('get configmaps -n hehe')).stderr).toContain(
      'User "system:serviceaccount:hehe:boi" cannot list',
    );
  });

  it.each([
    ['ServiceAccount', '--serviceaccount=hehe:boi'],
    ['User', '--user=system:serviceaccount:hehe:boi'],
    ['Group', '--group=system:serviceaccounts:hehe'],
  ])('is meant by a subject of kind %s', async (_, subject) => {
    await run('create role c -n hehe --verb=list --resource=configmaps');
    await run(`create rolebinding c -n hehe --role=c ${subject}`);
    expect(await robot('get configmaps -n hehe -o name')).toMatchObject({ code: 0 });
    expect((await robot('get secrets -n hehe')).code).toBe(1);
    await run('delete rolebinding c -n hehe');
    expect((await robot('get configmaps -n hehe -o name')).code).toBe(1);
    await run('delete role c -n hehe');
  });

  it('is nobody any more when it is gone', async () => {
    await run('delete serviceaccount boi -n hehe');
    expect((await robot('auth whoami')).stderr).toContain('Unauthorized');
    expect((await cluster.kubectl(['create', 'token', 'boi', '-n', 'hehe'])).stderr).toContain(
      'serviceaccounts "boi" not found',
    );
  });
});

describe('somebody without rights', () => {
  it('is told so, whatever is there', async () => {
    const nobody = as('nobody', { token: 'wrong' });
    expect((await nobody('get pods')).stderr).toContain('You must be logged in to the server (Unauthorized)');
    const here = await cluster.kubectl(['get', 'secret', 'there', '--as=mallory']);
    await run('create secret generic there --from-literal=a=b');
    const there = await cluster.kubectl(['get', 'secret', 'there', '--as=mallory']);
    expect(there).toEqual(here);
    expect(there.stderr).toContain('User "mallory" cannot get resource "secrets"');
  });
  it('as the administrator sees by impersonation', async () => {
    expect(await run('auth whoami --as=jane --as-group=devs -o jsonpath={.status.userInfo.groups}')).toBe(
      '["devs","system:authenticated"]',
    );
    const denied = await cluster.kubectl(['auth', 'can-i', 'create', 'pods', '--as=mallory', '-n', 'kube-system']);
    expect(denied).toMatchObject({ code: 1, stdout: 'no\n' });
    const anonymous = await cluster.kubectl(['auth', 'whoami', '--as=system:anonymous']);
    expect(anonymous.stderr).toContain('you do not have permission to call it');
  });
});
