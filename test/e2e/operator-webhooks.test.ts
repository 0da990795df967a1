import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { caBundle, startWebhook, type TestWebhook } from '../../src/admission/webhook/webhook-server.suite.js';
import type { JsonObject } from '../../src/machinery/json.js';
import { type Cluster, startCluster } from '../support/control-plane.js';
import { certificates } from '../support/operators.js';

/* Webhooks as operators install them: behind a Service, closed when they fail, seen through kubectl. */

const SERVICE = 'controller-admission';
let cluster: Cluster;
let webhook: TestWebhook;
const run = (args: string, input?: string) => cluster.run(args, input);

interface Request {
  readonly uid: string;
  readonly operation: string;
  readonly namespace: string;
  readonly kind: object;
  readonly userInfo: { readonly username: string };
  readonly object: {
    readonly spec: Record<string, never>;
    readonly metadata: { annotations?: Record<string, string> };
  };
}
const requestOf = (review: object) => (review as { request: Request }).request;

beforeAll(async () => {
  cluster = await startCluster();
  webhook = await startWebhook((review, request) => (request.url!.startsWith('/mutate') ? mutate : validate)(review), {
    hosts: [`${SERVICE}.operators.svc`],
  });
  await run('create namespace operators');
  // Nothing routes cluster IPs here: the service is a name of this host.
  await run(`create service externalname ${SERVICE} --external-name=localhost -n operators`);
}, 120_000);
afterAll(async () => {
  await cluster.close();
  await webhook.close();
});
afterEach(() => run('delete validatingwebhookconfigurations,mutatingwebhookconfigurations --all'));

function validate(review: object): JsonObject {
  const { object } = requestOf(review);
  const snippet = object.metadata.annotations?.['nginx.example.io/snippet'];
  return snippet
    ? {
        allowed: false,
        status: { code: 400, message: `annotation snippet: ${snippet} is not allowed` },
        warnings: ['snippets are off'],
      }
    : { allowed: true, warnings: ['path / is served by other ingresses'] };
}

function mutate(review: object): JsonObject {
  const { userInfo } = requestOf(review);
  const operations = [
    { op: 'add', path: '/metadata/annotations', value: { 'certs.example.io/requested-by': userInfo.username } },
    { op: 'add', path: '/spec/privateKey', value: { algorithm: 'ECDSA' } },
  ];
  return { allowed: true, patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(operations)).toString('base64') };
}

const configuration = (kind: 'Validating' | 'Mutating', path: string, rules: object, port = webhook.port): string =>
  JSON.stringify({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: `${kind}WebhookConfiguration`,
    metadata: { name: 'controller' },
    webhooks: [
      {
        name: 'check.example.io',
        matchPolicy: 'Equivalent',
        failurePolicy: 'Fail',
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
        timeoutSeconds: 5,
        clientConfig: { caBundle, service: { namespace: 'operators', name: SERVICE, path, port } },
        rules: [{ operations: ['CREATE', 'UPDATE'], ...rules }],
      },
    ],
  });

describe('a validating webhook on Ingresses', () => {
  const RULES = { apiGroups: ['networking.k8s.io'], apiVersions: ['v1'], resources: ['ingresses'] };
  const ingress = (annotations = '') => `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, annotations: {${annotations}}}
spec:
  ingressClassName: nginx
  rules: [{host: a.example, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]
`;
  it('lets pass, warns, and refuses with its own words', async () => {
    const resources = await run('api-resources');
    for (const kind of ['Validating', 'Mutating']) {
      const row = `^${kind.toLowerCase()}webhookconfigurations +admissionregistration.k8s.io/v1 +false +${kind}WebhookConfiguration$`;
      expect(resources).toMatch(new RegExp(row, 'm'));
    }
    await run('apply -f -', configuration('Validating', '/networking/v1/ingresses', RULES));
    expect(await run('get validatingwebhookconfigurations')).toMatch(/^NAME +WEBHOOKS +AGE\ncontroller +1 +\S+\n$/);
    const passed = await cluster.kubectl(['apply', '-f', '-'], ingress());
    expect(passed).toMatchObject({
      code: 0,
      stdout: 'ingress.networking.k8s.io/web created\n',
      stderr: 'Warning: path / is served by other ingresses\n',
    });
    const refused = await cluster.kubectl(['apply', '-f', '-'], ingress('nginx.example.io/snippet: "x"'));
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(
      'admission webhook "check.example.io" denied the request: annotation snippet: x is not allowed',
    );
    expect(refused.stderr).toContain('Warning: snippets are off');
    for (const args of [
      'apply --server-side --force-conflicts -f -',
      'apply --server-side --dry-run=server --force-conflicts -f -',
    ]) {
      const { code, stderr } = await cluster.kubectl(args.split(' '), ingress('nginx.example.io/snippet: "x"'));
      expect([code, stderr]).toEqual([1, expect.stringContaining('denied the request')]);
    }
    expect(await run('get ingress web -o jsonpath={.metadata.annotations}')).not.toContain('snippet"');
    expect(requestOf(webhook.reviews.at(-1)!)).toMatchObject({
      operation: 'UPDATE',
      namespace: 'default',
      kind: { group: 'networking.k8s.io', version: 'v1', kind: 'Ingress' },
      userInfo: { username: 'kubernetes-admin' },
    });
    await run('delete ingress web');
  });
  it('that is not there closes the door, until its configuration goes', async () => {
    await run('apply -f -', configuration('Validating', '/networking/v1/ingresses', RULES, 1));
    const { code, stderr } = await cluster.kubectl(['apply', '-f', '-'], ingress());
    expect(code).toBe(1);
    expect(stderr).toContain(
      `Error from server (InternalError): error when creating "STDIN": Internal error occurred: failed calling webhook "check.example.io": failed to call webhook: Post "https://${SERVICE}.operators.svc:1/networking/v1/ingresses?timeout=5s": dial tcp 127.0.0.1:1: connect: connection refused`,
    );
    await run('delete validatingwebhookconfiguration controller');
    expect(await run('apply -f -', ingress())).toContain('created');
  });
  it('whose service is gone closes it, too', async () => {
    const gone = configuration('Validating', '/', RULES).replaceAll(SERVICE, 'nobody');
    await run('apply -f -', gone);
    const { stderr } = await cluster.kubectl(['annotate', 'ingress', 'web', 'a=b'], '');
    expect(stderr).toContain(
      'failed calling webhook "check.example.io": failed to call webhook: Post "https://nobody.operators.svc',
    );
    expect(stderr).toContain('service "nobody" not found');
  });
});

describe('a mutating webhook on custom resources', () => {
  it('fills in what its kind knows, under its own conversion and defaults', async () => {
    const [definition] = certificates();
    await run('apply -f -', JSON.stringify(definition));
    await run('wait --for=condition=Established crd --all --timeout=10s');
    const rules = { apiGroups: ['certs.example.io'], apiVersions: ['*'], resources: ['certificates'] };
    await run('apply -f -', configuration('Mutating', '/mutate', rules));
    const certificate = `
apiVersion: certs.example.io/v1
kind: Certificate
metadata: {name: web}
spec: {secretName: s, issuerRef: {name: i}}
`;
    expect(await run('apply --server-side -f -', certificate)).toContain('serverside-applied');
    const { metadata, spec } = JSON.parse(await run('get certificate web -o json --show-managed-fields'));
    expect(metadata.annotations).toEqual({ 'certs.example.io/requested-by': 'kubernetes-admin' });
    // What the webhook added is defaulted like everything else.
    expect(spec.privateKey).toEqual({ algorithm: 'ECDSA', rotationPolicy: 'Always' });
    expect(metadata.managedFields.map((m: { manager: string }) => m.manager)).toContain('kubectl');
    expect(await run('apply --server-side -f -', certificate)).toContain('serverside-applied');
    expect(webhook.reviews.length).toBeGreaterThan(1);
  });
});
