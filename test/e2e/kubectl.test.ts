import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../support/control-plane.js';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster();
}, 120_000);
afterAll(() => cluster.close());
const run = (args: string, input?: string) => cluster.run(args, input);

const DEPLOYMENT = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      volumes: [{name: data, emptyDir: {}}, {name: config, configMap: {name: settings}}]
      containers:
      - name: web
        image: nginx:1.27
        ports: [{containerPort: 80}]
        readinessProbe: {httpGet: {path: /, port: 80}}
        volumeMounts: [{name: data, mountPath: /data}]
`;

/** Manifests of the shapes that people really apply. */
const SHAPES: Record<string, string> = {
  StatefulSet: `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: postgres:17, volumeMounts: [{name: data, mountPath: /var/lib}]}]}
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
`,
  Ingress: `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  rules: [{host: example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]
`,
  NetworkPolicy: `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny}
spec: {podSelector: {}, policyTypes: [Ingress]}
`,
  HorizontalPodAutoscaler: `
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 1
  maxReplicas: 5
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}]
`,
  PodDisruptionBudget: `
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}
`,
  CronJob: `
apiVersion: batch/v1
kind: CronJob
metadata: {name: tick}
spec:
  schedule: "*/5 * * * *"
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: busybox}]}}}}
`,
  Role: `
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader}
rules: [{apiGroups: [""], resources: [pods], verbs: [get, list]}]
`,
  RoleBinding: `
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: User, apiGroup: rbac.authorization.k8s.io, name: jane}]
`,
  Secret: 'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: b}\n',
  PersistentVolumeClaim: `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: claim}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
`,
};

describe('finding one’s way', () => {
  it('lists what is there', async () => {
    const resources = await run('api-resources');
    for (const kind of ['Pod', 'Deployment', 'ValidatingWebhookConfiguration', 'CustomResourceDefinition']) {
      expect(resources).toMatch(new RegExp(`\\b${kind}\\b`));
    }
    expect(await run('api-versions')).toContain('apps/v1\n');
    expect(await run('get --raw /readyz')).toBe('ok');
    expect(JSON.parse(await run('get --raw /version')).minor).toBe('36');
    expect(await run('get namespaces -o name')).toBe(
      'namespace/default\nnamespace/kube-node-lease\nnamespace/kube-public\nnamespace/kube-system\n',
    );
    expect(await run('get service kubernetes -o jsonpath={.spec.clusterIP}')).toBe('10.0.0.1');
  });
  it('explains fields', async () => {
    expect(await run('explain pod.spec.containers')).toMatch(/FIELD: containers <\[\]Container>/);
    expect(await run('explain deployment --recursive')).toContain('maxSurge');
  });
  it('says who somebody is and what they may do', async () => {
    expect(await run('auth whoami -o jsonpath={.status.userInfo.username}')).toBe('kubernetes-admin');
    const denied = await cluster.kubectl(['auth', 'can-i', 'list', 'pods', '--as', 'jane']);
    expect(denied).toMatchObject({ code: 1, stdout: 'no\n' });
  });
});

describe('a workload’s life', () => {
  it('create, get, describe, label, annotate, patch, replace, delete', async () => {
    expect(await run('create -f -', DEPLOYMENT)).toBe('deployment.apps/web created\n');
    expect(await run('get deployment web -o wide')).toMatch(/web\s+0\/2\s+0\s+0\s+\d+s\s+web\s+nginx:1.27\s+app=web/);
    expect(await run('get deployment web -o jsonpath={.spec.progressDeadlineSeconds}')).toBe('600');
    expect(await run('describe deployment web')).toContain(
      'RollingUpdateStrategy:  25% max unavailable, 25% max surge',
    );
    await run('label deployment web tier=front');
    await run('annotate deployment web note=x');
    expect(await run('get deployments -l tier=front -o name')).toBe('deployment.apps/web\n');
    await run(
      `patch deployment web -p '{"spec":{"template":{"spec":{"containers":[{"name":"web","image":"nginx:1.28"}]}}}}'`,
    );
    await run(`patch deployment web --type=json -p '[{"op":"replace","path":"/spec/replicas","value":3}]'`);
    await run('scale deployment web --replicas=4');
    const now = JSON.parse(await run('get deployment web -o json'));
    expect(now.spec).toMatchObject({ replicas: 4, template: { spec: { containers: [{ image: 'nginx:1.28' }] } } });
    expect(now.metadata.generation).toBe(5); // annotations count, too: rollouts are steered by them
    expect(now.spec.template.spec.containers).toHaveLength(1);
    await run('replace -f -', DEPLOYMENT);
    expect(await run('get deployment web -o jsonpath={.spec.replicas}')).toBe('2');
    await run('delete deployment web');
    const gone = await cluster.kubectl(['get', 'deployment', 'web']);
    expect(gone.stderr).toContain('Error from server (NotFound): deployments.apps "web" not found');
  });

  it('apply, apply again, apply a change, diff, and take a field away', async () => {
    expect(await run('apply -f -', DEPLOYMENT)).toBe('deployment.apps/web created\n');
    expect(await run('apply -f -', DEPLOYMENT)).toBe('deployment.apps/web unchanged\n');
    const changed = DEPLOYMENT.replace('replicas: 2', 'replicas: 5').replace(
      ', {name: config, configMap: {name: settings}}',
      '',
    );
    const diff = await cluster.kubectl(['diff', '-f', '-'], changed);
    expect(diff).toMatchObject({ code: 1 });
    expect(diff.stdout).toContain('+  replicas: 5');
    expect(await run('apply -f -', changed)).toBe('deployment.apps/web configured\n');
    const volumes = await run('get deployment web -o jsonpath={.spec.template.spec.volumes[*].name}');
    expect(volumes).toBe('data');
    await run('delete deployment web --cascade=foreground');
  });

  it('server-side apply: owners, conflicts, force', async () => {
    expect(await run('apply --server-side -f -', DEPLOYMENT)).toBe('deployment.apps/web serverside-applied\n');
    const other = DEPLOYMENT.replace('replicas: 2', 'replicas: 7');
    const conflict = await cluster.kubectl(['apply', '--server-side', '--field-manager=other', '-f', '-'], other);
    expect(conflict.code).not.toBe(0);
    expect(conflict.stderr).toContain('conflict with "kubectl"');
    expect(conflict.stderr).toContain('.spec.replicas');
    await run('apply --server-side --field-manager=other --force-conflicts -f -', other);
    const fields = await run(
      'get deployment web --show-managed-fields -o jsonpath={.metadata.managedFields[*].manager}',
    );
    expect(fields.split(' ').sort()).toEqual(['kubectl', 'other']);
    await run('delete deployment web');
  });

  it.each(Object.entries(SHAPES))('%s, client-side and server-side', async (kind, manifest) => {
    expect(await run('apply -f -', manifest)).toMatch(/ created\n$/);
    const version = () => run(`get ${kind} -o jsonpath={.items[-1:].metadata.resourceVersion}`);
    const before = await version();
    // kubectl always sends something for claims, budgets and secrets; what changes nothing must write nothing.
    expect(await run('apply -f -', manifest)).toMatch(/ (unchanged|configured)\n$/);
    if (!['StatefulSet', 'Secret'].includes(kind)) expect(await version()).toBe(before);
    // The claim templates are one atomic list, whose defaults the manifest leaves out.
    const force = kind === 'StatefulSet' ? ' --force-conflicts' : '';
    expect(await run(`apply --server-side${force} -f -`, manifest)).toMatch(/ serverside-applied\n$/);
    expect(await run(`get ${kind}`)).toMatch(/^NAME\b/);
    expect(await run(`describe ${kind}`)).toMatch(/^Name:/);
    await run('delete -f -', manifest);
  });

  it('dry run stores nothing', async () => {
    expect(await run('create --dry-run=server -f -', DEPLOYMENT)).toContain('created (server dry run)');
    expect((await cluster.kubectl(['get', 'deployment', 'web'])).code).toBe(1);
  });
});

describe('refusals', () => {
  it('an invalid object, with every cause', async () => {
    const bad = DEPLOYMENT.replace('image: nginx:1.27', 'image: ""').replace(
      'matchLabels: {app: web}',
      'matchLabels: {app: x}',
    );
    const { code, stderr } = await cluster.kubectl(['create', '-f', '-'], bad);
    expect(code).toBe(1);
    expect(stderr).toContain('spec.template.spec.containers[0].image: Required value');
    expect(stderr).toContain('`selector` does not match template `labels`');
  });
  it('an unknown field, when asked to be strict', async () => {
    const { stderr } = await cluster.kubectl(['create', '-f', '-'], DEPLOYMENT.replace('replicas', 'replicass'));
    expect(stderr).toContain('strict decoding error: unknown field "spec.replicass"');
  });
  it('whoever has no right', async () => {
    const { stderr } = await cluster.kubectl(['get', 'secrets', '--as=jane', '--as-group=dev']);
    expect(stderr).toContain('User "jane" cannot list resource "secrets" in API group "" in the namespace "default"');
  });
  it('the system namespaces’ deletion', async () => {
    const { stderr } = await cluster.kubectl(['delete', 'namespace', 'kube-system']);
    expect(stderr).toContain('namespaces "kube-system" is forbidden: this namespace may not be deleted');
  });
});

describe('what loops do', () => {
  it('a namespace gets its service account and the authority, and goes with all its content', async () => {
    await run('create namespace full');
    await run('wait --for=create serviceaccount/default -n full --timeout=10s');
    await run('wait --for=create configmap/kube-root-ca.crt -n full --timeout=10s');
    await run('create configmap x -n full --from-literal=a=b');
    await run('delete namespace full --timeout=20s');
    expect((await cluster.kubectl(['get', 'namespace', 'full'])).code).toBe(1);
  });
  it('says what still blocks a namespace', async () => {
    await run('create namespace stuck');
    const held =
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: held, namespace: stuck, finalizers: [example.com/hold]}\n';
    await run('create -f -', held);
    await run('delete namespace stuck --wait=false');
    await run('wait namespace stuck --for=condition=NamespaceFinalizersRemaining --timeout=10s');
    const why = await run('get namespace stuck -o jsonpath={.status.conditions[*].message}');
    expect(why).toContain('example.com/hold in 1 resource instances');
    await run(`patch configmap held -n stuck --type=merge -p '{"metadata":{"finalizers":null}}'`);
    await run('wait namespace stuck --for=delete --timeout=15s');
  });
  it('dependents go with their owner, or are left behind when asked', async () => {
    await run('create configmap owner');
    const uid = await run('get configmap owner -o jsonpath={.metadata.uid}');
    const child = (name: string) => `
apiVersion: v1
kind: ConfigMap
metadata:
  name: ${name}
  ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: owner, uid: ${uid}, blockOwnerDeletion: true}]
`;
    await run('create -f -', child('kept'));
    await run('delete configmap owner --cascade=orphan');
    expect(await run('get configmap kept -o jsonpath={.metadata.ownerReferences}')).toBe('');
    await run('create configmap owner2');
    const uid2 = await run('get configmap owner2 -o jsonpath={.metadata.uid}');
    await run('create -f -', child('gone').replace(uid, uid2).replace('name: owner,', 'name: owner2,'));
    await run('delete configmap owner2 --cascade=foreground --timeout=15s');
    await run('wait configmap gone --for=delete --timeout=10s');
  });
});

describe('watching', () => {
  it('get --watch shows changes as they come', async () => {
    const watching = cluster.kubectl([
      'get',
      'configmap',
      '--watch-only',
      '--request-timeout=4s',
      '-l',
      'watched=yes',
      '-o',
      'name',
    ]);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await run('create -f -', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: seen, labels: {watched: "yes"}}\n');
    expect((await watching).stdout).toContain('configmap/seen');
  });
});
