import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/aggregated-server.js';
import { type Cluster, startCluster } from '../support/control-plane.js';
import { applications, certificates, delivery, gateways, monitoring, scaled } from '../support/operators.js';
import type { Definition } from '../support/schemas.js';

const BIG = 262_144;
const all = [certificates, monitoring, delivery, applications, scaled, gateways].flatMap((make) => make());
const sizeOf = (d: Definition) => JSON.stringify(d).length;
const documents = (objects: readonly object[]) => objects.map((o) => JSON.stringify(o)).join('\n---\n');
const called = (name: string) => all.find((d) => d.metadata.name === name)!;

let cluster: Cluster;
const run = (args: string, input?: string) => cluster.run(args, input);
/** What kubectl says when it fails. */
async function refusal(args: string, input?: string): Promise<string> {
  const { code, stderr } = await cluster.kubectl(args.split(' '), input);
  expect(code).not.toBe(0);
  return stderr;
}

beforeAll(async () => {
  cluster = await startCluster();
}, 120_000);
afterAll(() => cluster.close());

describe('installing definitions', () => {
  it('kubectl apply takes those whose copy fits into an annotation, again and again', async () => {
    const small = all.filter((d) => sizeOf(d) < BIG);
    const made = await run('apply -f -', documents(small));
    expect(made.match(/ created$/gm)).toHaveLength(small.length);
    expect(await run('apply -f -', documents(small))).toBe(made.replaceAll(' created', ' unchanged'));
  });
  it('those that are too large for that are refused, and taken by the server-side way and by create', async () => {
    const big = all.filter((d) => sizeOf(d) > BIG);
    expect(big.length).toBe(3);
    const said = await refusal('apply -f -', JSON.stringify(big[0]));
    expect(said).toContain(
      'The CustomResourceDefinition "issuers.certs.example.io" is invalid: metadata.annotations: Too long: may not be more than 262144 bytes',
    );
    expect(await run('create -f -', JSON.stringify(big[0]))).toContain('issuers.certs.example.io created');
    const rest = documents(big.slice(1));
    for (const _ of ['first', 'again']) {
      expect((await run('apply --server-side -f -', rest)).match(/ serverside-applied$/gm)).toHaveLength(2);
    }
    expect(await run('replace -f -', JSON.stringify(big[0]))).toContain('replaced');
  });
  it('all are established, and found by discovery', async () => {
    const established = await run('wait --for=condition=Established crd --all --timeout=10s');
    expect(established.match(/ condition met$/gm)).toHaveLength(all.length);
    const resources = await run('api-resources -o wide');
    expect(resources).toMatch(
      /^certificates\s+cert,certs\s+certs.example.io\/v1\s+true\s+Certificate\s+delete,deletecollection,get,list,patch,create,update,watch\s+cert-manager$/m,
    );
    expect(resources).toMatch(/^gatewayclasses\s+gc\s+gateway.example.io\/v1\s+false\s+GatewayClass/m);
    expect(await run('api-versions')).toContain('delivery.example.io/v1\ndelivery.example.io/v1beta2\n');
  });
  it.each([
    [
      'a default of another type',
      '"default":"one"',
      'default: Invalid value: "string":  in body must be of type integer: "string"',
    ],
    [
      'a rule that does not compile',
      '"x-kubernetes-validations":[{"rule":"self.size() > 1"}]',
      "found no matching overload for 'size' applied to 'int.()'",
    ],
    [
      'a list with keys that its items need not have',
      '"x-kubernetes-list-map-keys":["a"]',
      'x-kubernetes-list-type: Required value: must be map if x-kubernetes-list-map-keys is non-empty',
    ],
  ])('is refused for %s', async (_, word, fault) => {
    const broken = JSON.stringify(called('scaledobjects.scaling.example.io'))
      .replaceAll('scaling.example.io', 'broken.example.io')
      .replace('"format":"int32","minimum":0,"default":1', word);
    const said = await refusal('create -f -', broken);
    expect(said).toContain('The CustomResourceDefinition "scaledobjects.broken.example.io" is invalid:');
    expect(said).toContain(`spec.validation.openAPIV3Schema.properties[spec].properties[replicas].`);
    expect(said).toContain(fault);
  });
});

describe('OpenAPI', () => {
  const raw = async (path: string) => JSON.parse(await run(`get --raw ${path}`));
  const document = async (groupVersion: string) => {
    const { paths } = await raw('/openapi/v3');
    return paths[`apis/${groupVersion}`]?.serverRelativeURL as string | undefined;
  };
  it('has a document for each version of a group, with all its kinds', async () => {
    const { info, paths, components } = await raw((await document('delivery.example.io/v1'))!);
    expect(info).toEqual({ title: 'Kubernetes CRD Swagger', version: 'v0.1.0' });
    const root = '/apis/delivery.example.io/v1';
    const named = `${root}/namespaces/{namespace}/kustomizations/{name}`;
    expect(Object.keys(paths)).toEqual([
      `${root}/kustomizations`,
      `${root}/namespaces/{namespace}/kustomizations`,
      named,
      `${named}/status`,
    ]);
    expect(Object.keys(paths[named]).sort()).toEqual(['delete', 'get', 'parameters', 'patch', 'put']);
    expect(paths[named].patch).toMatchObject({
      operationId: 'patchDeliveryExampleIoV1NamespacedKustomization',
      'x-kubernetes-group-version-kind': { group: 'delivery.example.io', kind: 'Kustomization', version: 'v1' },
      parameters: expect.arrayContaining([expect.objectContaining({ name: 'fieldValidation' })]),
    });
    expect(Object.keys(paths[named].patch.requestBody.content)).toEqual([
      'application/json-patch+json',
      'application/merge-patch+json',
      'application/apply-patch+yaml',
    ]);
    const schemas = Object.keys(components.schemas).filter((name) => name.startsWith('io.example'));
    expect(schemas).toEqual(['io.example.delivery.v1.Kustomization', 'io.example.delivery.v1.KustomizationList']);
  });
  it('follows definitions the moment they change, are no longer served, and go', async () => {
    const before = await document('delivery.example.io/v1beta2');
    const crd = 'crd kustomizations.delivery.example.io';
    const other = '/spec/versions/1';
    const field = {
      op: 'add',
      path: `${other}/schema/openAPIV3Schema/properties/spec/properties/extra`,
      value: { type: 'string' },
    };
    await run(`patch ${crd} --type=json -p '${JSON.stringify([field])}'`);
    expect(await document('delivery.example.io/v1beta2')).not.toBe(before);
    expect(await run('explain kustomizations.spec.extra --api-version=delivery.example.io/v1beta2')).toContain(
      'FIELD: extra <string>',
    );
    const served = (value: boolean) =>
      run(`patch ${crd} --type=json -p '${JSON.stringify([{ op: 'replace', path: `${other}/served`, value }])}'`);
    await served(false);
    expect(await document('delivery.example.io/v1beta2')).toBeUndefined();
    await served(true);
    expect(await document('delivery.example.io/v1beta2')).toBeDefined();
    const definitions = Object.keys((await raw('/openapi/v2')).definitions);
    expect(definitions).toContain('io.example.delivery.v1beta2.Kustomization');
  });
});

describe('explain', () => {
  it('tells fields of custom resources', async () => {
    const issuerRef = await run('explain certificate.spec.issuerRef');
    expect(issuerRef).toBe(`GROUP:      certs.example.io
KIND:       Certificate
VERSION:    v1

FIELD: issuerRef <Object>


DESCRIPTION:
    Who signs the certificate.
    
FIELDS:
  group	<string>
    The group of the issuer.

  kind	<string>
    What the issuer is; an Issuer when left out.

  name	<string> -required-
    The issuer that signs.


`);
    const whole = await run('explain certificate --recursive');
    expect(whole).toContain('  metadata	<ObjectMeta>');
    expect(whole).toMatch(/^ {4}privateKey\t<Object>\n {6}algorithm\t<string>\n {6}enum: RSA, ECDSA, Ed25519$/m);
  });
  it('tells them at an older version, and deep inside the largest', async () => {
    expect(await run('explain kustomizations.spec.validation --api-version=delivery.example.io/v1beta2')).toContain(
      'VERSION:    v1beta2',
    );
    expect(await refusal('explain kustomizations.spec.validation')).toContain('field "validation" does not exist');
    const deep = 'prometheuses.spec.containers.spec.initContainers.livenessProbe.httpGet.port';
    expect(await run(`explain ${deep}`)).toContain('FIELD: port <Object>');
    const old = 'explain certificate.spec.issuerRef --output plaintext-openapiv2';
    expect(await run(old)).toMatch(/RESOURCE: issuerRef <Object>.*name\t<string> -required-/s);
  });
});

const CERTIFICATE = (name: string, issuer: string) => `
apiVersion: certs.example.io/v1
kind: Certificate
metadata: {name: ${name}, labels: {by: ${issuer}}}
spec: {secretName: ${name}-tls, dnsNames: [example.com], issuerRef: {name: ${issuer}}}
`;

describe('certificates', () => {
  it('are defaulted, shown in columns, found by names, categories and fields', async () => {
    const both = `${CERTIFICATE('web', 'main')}---${CERTIFICATE('mail', 'other')}`;
    expect(await run('apply -f -', both)).toBe(
      'certificate.certs.example.io/web created\ncertificate.certs.example.io/mail created\n',
    );
    expect(await run('apply --server-side --force-conflicts -f -', both)).toContain('web serverside-applied');
    expect(await run('get cert web -o jsonpath={.spec.issuerRef}')).toBe('{"kind":"Issuer","name":"main"}');
    const ready = { status: { conditions: [{ type: 'Ready', status: 'True', message: 'up to date' }] } };
    await run(`patch cert web --subresource=status --type=merge -p '${JSON.stringify(ready)}'`);
    await run('wait --for=condition=Ready cert/web --timeout=5s');
    expect(await run('get certs -o wide')).toMatch(
      /^NAME +READY +SECRET +ISSUER +STATUS +AGE\nmail + mail-tls +other +\S+\nweb +True +web-tls +main +up to date +\S+\n$/,
    );
    expect(await run('get certificate')).toMatch(/^NAME +READY +SECRET +AGE\n/);
    expect(await run('get cert-manager -o name')).toBe(
      'certificate.certs.example.io/mail\ncertificate.certs.example.io/web\n',
    );
    expect(await run('get certs --field-selector spec.issuerRef.name=main -o name')).toBe(
      'certificate.certs.example.io/web\n',
    );
    expect(await run('get certs --field-selector spec.issuerRef.name!=main,spec.issuerRef.kind=Issuer -o name')).toBe(
      'certificate.certs.example.io/mail\n',
    );
    expect(await refusal('get certs --field-selector spec.secretName=x')).toContain(
      'field label not supported: spec.secretName',
    );
    expect(await run('describe cert web')).toContain('Secret Name:  web-tls');
  });
  it('that are wrong are refused with every fault', async () => {
    const wrong = CERTIFICATE('bad', 'x').replace(
      'issuerRef: {name: x}',
      'issuerRef: {kind: A}, usages: [fly], duration: soon, privateKey: {algorithm: DSA, size: -1}',
    );
    const said = await refusal('create -f -', wrong);
    expect(said.split('\n').map((l) => l.replace(/^\* /, ''))).toEqual(
      expect.arrayContaining([
        'The Certificate "bad" is invalid: ',
        'spec.issuerRef.name: Required value',
        'spec.usages[0]: Unsupported value: "fly": supported values: "signing", "server auth", "client auth"',
        'spec.duration: Invalid value: "soon": spec.duration in body should match \'^([0-9]+h)?([0-9]+m)?([0-9]+s)?$\'',
        'spec.privateKey.algorithm: Unsupported value: "DSA": supported values: "RSA", "ECDSA", "Ed25519"',
        'spec.privateKey.size: Invalid value: -1: spec.privateKey.size in body should be greater than or equal to 0',
      ]),
    );
    const unknown = CERTIFICATE('bad', 'x').replace('dnsNames', 'dnsName');
    expect(await refusal('create -f -', unknown)).toContain('strict decoding error: unknown field "spec.dnsName"');
    expect(
      await refusal(
        'create --validate=false -f -',
        CERTIFICATE('bad', 'x')
          .replace('web-tls', '')
          .replace(/secretName: \S+,/, ''),
      ),
    ).toContain('spec.secretName: Required value');
  });
  it('are watched, and go with their definition', async () => {
    const watching = cluster.kubectl([
      'get',
      'certs',
      '--watch-only',
      '--output-watch-events',
      '--request-timeout=20s',
    ]);
    await new Promise((resolve) => setTimeout(resolve, 500));
    await run('create -f -', CERTIFICATE('seen', 'main'));
    await eventually(async () =>
      expect(await run('delete crd certificates.certs.example.io --timeout=15s')).toContain(' deleted'),
    );
    const { stdout } = await watching;
    for (const name of ['mail', 'seen', 'web']) expect(stdout).toMatch(new RegExp(`^DELETED +${name} `, 'm'));
    expect(await refusal('get certs')).toContain('the server could not find the requested resource');
    await run('apply -f -', JSON.stringify(called('certificates.certs.example.io')));
    await run('wait --for=condition=Established crd/certificates.certs.example.io --timeout=10s');
    expect(await run('get certificates.certs.example.io')).toBe('');
  });
});

describe('releases', () => {
  const release = (spec: string) => `
apiVersion: delivery.example.io/v2
kind: HelmRelease
metadata: {name: app}
spec: {interval: 5m, ${spec}}
`;
  const CHART = 'chart: {spec: {chart: nginx, sourceRef: {kind: GitRepository, name: src}}}';
  it('have fields that exclude each other', async () => {
    const wrong = `${CHART}, chartRef: {kind: HelmChart, name: c}, kubeConfig: {}`;
    const said = await refusal('apply -f -', release(wrong));
    expect(said).toContain('spec: Invalid value: either chart or chartRef must be set');
    expect(said).toContain('spec.kubeConfig: Invalid value: one of configMapRef and secretRef is needed');
  });
  it('keep what is said to stay, and any values', async () => {
    const values = 'values: {deep: {er: [1, {x: z}], big: 9007199254740993}}';
    await run('apply -f -', release(`${CHART}, releaseName: one, ${values}`));
    expect(await run('get hr app -o jsonpath={.spec.values}')).toBe(
      '{"deep":{"big":9007199254740993,"er":[1,{"x":"z"}]}}',
    );
    expect(await run('get hr app -o jsonpath={.spec.chart.spec.version}')).toBe('*');
    const said = await refusal('apply -f -', release(`${CHART}, releaseName: two, ${values}`));
    expect(said).toBe(
      'The HelmRelease "app" is invalid: spec.releaseName: Invalid value: "two": the name of a release stays\n',
    );
    // Without a rule over the whole, a key is taken out of a free-form value like any other.
    expect(await run('apply -f -', release(`${CHART}, releaseName: one, values: {deep: {}}`))).toContain('configured');
    expect(await run('get hr app -o jsonpath={.spec.values}')).toBe('{"deep":{}}');
  });
  it('an older version warns, and shows the same objects', async () => {
    const old = `
apiVersion: delivery.example.io/v1beta2
kind: Kustomization
metadata: {name: infra}
spec: {interval: 10m, prune: true, validation: client, sourceRef: {kind: Bucket, name: b}}
`;
    const { stdout, stderr } = await cluster.kubectl(['apply', '-f', '-'], old);
    expect(stdout).toBe('kustomization.delivery.example.io/infra created\n');
    expect(stderr).toBe(
      'Warning: delivery.example.io/v1beta2 Kustomization is deprecated; use delivery.example.io/v1 Kustomization\n',
    );
    // What only the older version knows does not survive in a store of the newer one.
    expect(await run('get ks infra -o jsonpath={.apiVersion}{.spec.validation}{.spec.prune}')).toBe(
      'delivery.example.io/v1true',
    );
    expect(await run('get kustomizations.v1beta2.delivery.example.io -o name')).toBe(
      'kustomization.delivery.example.io/infra\n',
    );
  });
});

describe('routes', () => {
  const route = (spec: string, name = 'bad') => `
apiVersion: gateway.example.io/v1
kind: HTTPRoute
metadata: {name: ${name}}
spec: {parentRefs: [{name: gw}], hostnames: [a.example, b.example], ${spec}}
`;
  it('are defaulted to the bottom of lists, and shown at both versions', async () => {
    expect(await run('apply -f -', route('rules: [{backendRefs: [{name: svc, port: 80}]}]', 'web'))).toContain(
      'created',
    );
    const shown = JSON.parse(await run('get httproutes.v1beta1.gateway.example.io web -o json'));
    expect(shown.apiVersion).toBe('gateway.example.io/v1beta1');
    expect(shown.spec.rules).toEqual([
      {
        matches: [{ path: { type: 'PathPrefix', value: '/' } }],
        backendRefs: [{ group: '', kind: 'Service', name: 'svc', port: 80, weight: 1 }],
      },
    ]);
    expect(await run('get httproute')).toMatch(/^NAME +HOSTNAMES +AGE\nweb +\["a.example","b.example"\] +\S+\n$/);
  });
  it.each([
    [
      'a path that is none',
      'rules: [{matches: [{path: {value: x}}]}]',
      'spec.rules[0].matches[0].path.value: Invalid value: value must be an absolute path',
    ],
    [
      'a bad character in a path',
      'rules: [{matches: [{path: {value: "/ü"}}]}]',
      'spec.rules[0].matches[0].path: Invalid value: value must be a path',
    ],
    [
      'a backend without its port',
      'rules: [{backendRefs: [{name: svc}]}]',
      'spec.rules[0].backendRefs[0]: Invalid value: Must have port for Service reference',
    ],
    [
      'a reason of its own',
      'rules: [{backendRefs: [{name: a, kind: B}], filters: [{type: RequestRedirect, requestRedirect: {}}]}]',
      'spec.rules[0]: Forbidden: RequestRedirect filter must not be used together with backendRefs',
    ],
    [
      'repeated keys',
      'rules: [{matches: [{headers: [{name: a, value: b}, {name: a, value: c}]}]}]',
      'spec.rules[0].matches[0].headers[1]: Duplicate value: {"name":"a"}',
    ],
    [
      'names used twice',
      'rules: [{name: a}, {name: a}]',
      'spec.rules: Invalid value: Rule name must be unique within the route',
    ],
    [
      'durations in the wrong order',
      'rules: [{timeouts: {request: 1s, backendRequest: 2s}}]',
      'spec.rules[0].timeouts: Invalid value: backendRequest timeout cannot be longer than request timeout',
    ],
    ['no rules', 'rules: []', 'spec.rules: Invalid value: 0: spec.rules in body should have at least 1 items'],
  ])('are refused for %s', async (_, spec, fault) => {
    expect(await refusal('create -f -', route(spec))).toContain(fault);
  });
  it('apply owns atomic lists as a whole', async () => {
    const headers = (list: string) =>
      `apiVersion: gateway.example.io/v1\nkind: HTTPRoute\nmetadata: {name: keyed}\nspec: {parentRefs: [{name: gw}], rules: [{name: r, filters: [{type: RequestHeaderModifier, requestHeaderModifier: {set: ${list}}}]}]}\n`;
    await run('apply --server-side --field-manager=a -f -', headers('[{name: x, value: "1"}]'));
    const said = await refusal('apply --server-side --field-manager=b -f -', headers('[{name: x, value: "2"}]'));
    expect(said).toContain('conflicts with "a":\n- .spec.parentRefs\n- .spec.rules\n');
  });
  it('classes keep their controller', async () => {
    const gatewayClass = (name: string) =>
      `apiVersion: gateway.example.io/v1\nkind: GatewayClass\nmetadata: {name: c}\nspec: {controllerName: example.com/${name}}\n`;
    await run('apply -f -', gatewayClass('one'));
    expect(await refusal('apply -f -', gatewayClass('two'))).toContain(
      'spec.controllerName: Invalid value: "example.com/two": Value is immutable',
    );
    expect(await run('get gateway-api')).toMatch(
      /^NAME +CONTROLLER +ACCEPTED +AGE\ngatewayclass.gateway.example.io\/c +example.com\/one/,
    );
  });
});

describe('what is scaled', () => {
  it('kubectl scale sets the replicas of a custom resource', async () => {
    const so = `
apiVersion: scaling.example.io/v1alpha1
kind: ScaledObject
metadata: {name: worker}
spec: {scaleTargetRef: {name: worker}, minReplicaCount: 0, triggers: [{type: cron, metadata: {start: "0 6 * * *"}}]}
`;
    await run('apply -f -', so);
    expect(await run('scale so worker --replicas=5 --current-replicas=1')).toBe(
      'scaledobject.scaling.example.io/worker scaled\n',
    );
    expect(await run('get so worker')).toMatch(/^NAME +TARGET +MIN +MAX +AGE\nworker +worker +0 +100 +\S+\n$/);
    expect(await run('get so worker -o jsonpath={.spec.replicas}')).toBe('5');
    expect(await refusal('scale so worker --replicas=2 --current-replicas=9')).toContain(
      'Expected replicas to be 9, was 5',
    );
    expect(await refusal('scale so worker --replicas=-3')).toContain(
      'The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0',
    );
    expect(await refusal('scale httproute web --replicas=2')).toContain(
      'httproutes.gateway.example.io "web" not found',
    );
    const scale = JSON.parse(await run('get so worker --subresource=scale -o json'));
    expect(scale).toMatchObject({ kind: 'Scale', apiVersion: 'autoscaling/v1', spec: { replicas: 5 } });
  });
  it('a Prometheus with a pod template in full', async () => {
    const prometheus = (image: string) => `
apiVersion: monitoring.example.io/v1
kind: Prometheus
metadata: {name: main}
spec:
  replicas: 2
  containers: [{spec: {containers: [{name: p, image: ${image}, ports: [{containerPort: 9090}], resources: {limits: {cpu: 1, memory: 1Gi}}}]}}]
  volumes: [{name: v, emptyDir: {sizeLimit: 1Gi}}]
`;
    expect(await run('apply -f -', prometheus('p:1'))).toContain('created');
    expect(await run('get prom main -o jsonpath={.spec.containers[0].spec.containers[0].ports[0].protocol}')).toBe(
      'TCP',
    );
    const { code, stdout } = await cluster.kubectl(['diff', '-f', '-'], prometheus('p:2'));
    expect(code).toBe(1);
    expect(stdout).toContain('p:2');
    await run('scale prometheus main --replicas=3');
    expect(await run('get prom')).toMatch(/^NAME +RETENTION +DESIRED +AGE\nmain +24h +2 +\S+\n$/);
    const bad = prometheus('p:1').replace('cpu: 1,', 'cpu: fast,').replace('containerPort: 9090', 'hostPort: 1');
    const said = await refusal('apply -f -', bad);
    expect(said).toContain('spec.containers[0].spec.containers[0].ports[0].containerPort: Required value');
    expect(said).toContain(
      'spec.containers[0].spec.containers[0].resources.limits.cpu: Invalid value: "fast": spec.containers[0].spec.containers[0].resources.limits.cpu in body should match',
    );
    expect(await run('get monitoring-stack -o name')).toBe('prometheus.monitoring.example.io/main\n');
  });
  it('apply owns items of lists by their keys', async () => {
    const args = (list: string) =>
      `apiVersion: monitoring.example.io/v1\nkind: Prometheus\nmetadata: {name: keyed}\nspec: {additionalArgs: ${list}}\n`;
    const apply = (manager: string) => `apply --server-side --field-manager=${manager} -f -`;
    await run(apply('a'), args('[{name: x, value: "1"}, {name: shared}]'));
    await run(apply('b'), args('[{name: z, value: "2"}, {name: shared}]'));
    const said = await refusal(apply('b'), args('[{name: x, value: "2"}]'));
    expect(said).toContain('conflict with "a": .spec.additionalArgs[name="x"].value');
    await run(apply('a'), args('[]'));
    expect(await run('get prom keyed -o jsonpath={.spec.additionalArgs[*].name}')).toBe('z shared');
  });
  it('Applications, whose status is written like everything else', async () => {
    const app = `
apiVersion: apps.example.io/v1alpha1
kind: Application
metadata: {name: shop, finalizers: [resources-finalizer.apps.example.io]}
spec: {project: default, destination: {namespace: shop, server: https://x}, source: {repoURL: https://git, helm: {valuesObject: {a: {b: 1}}}}}
status: {sync: {status: Synced}, health: {status: Healthy}}
`;
    expect(await run('create -f -', app)).toContain('created');
    expect(await run('get app')).toMatch(/^NAME +SYNC STATUS +HEALTH STATUS\nshop +Synced +Healthy\n$/);
    expect(await run('delete app shop --wait=false')).toContain('deleted');
    await run(`patch app shop --type=json -p '[{"op":"remove","path":"/metadata/finalizers"}]'`);
    await run('wait app shop --for=delete --timeout=5s');
  });
});

describe('loops and custom resources', () => {
  it('dependents go with their owner, quotas count them, and namespaces take them along', async () => {
    const inside = (object: string) => object.replace('metadata: {', 'metadata: {namespace: shop, ');
    await run('create namespace shop');
    await run('create quota certs -n shop --hard=count/certificates.certs.example.io=2');
    await run('apply -f -', inside(CERTIFICATE('owner', 'main')));
    const uid = await run('get cert owner -n shop -o jsonpath={.metadata.uid}');
    const owned = `
apiVersion: v1
kind: ConfigMap
metadata: {name: owned, namespace: shop, ownerReferences: [{apiVersion: certs.example.io/v1, kind: Certificate, name: owner, uid: ${uid}}]}
`;
    await run('create -f -', owned);
    await run('apply -f -', inside(CERTIFICATE('second', 'main')));
    expect(await refusal('create -f -', inside(CERTIFICATE('third', 'main')))).toContain(
      'certificates.certs.example.io "third" is forbidden: exceeded quota: certs, requested: count/certificates.certs.example.io=1, used: count/certificates.certs.example.io=2, limited: count/certificates.certs.example.io=2',
    );
    await run('delete cert owner -n shop');
    await run('wait configmap/owned -n shop --for=delete --timeout=15s');
    await run('delete namespace shop --timeout=20s');
    expect(await run('get certs -A -o name')).toBe('');
  });
});
