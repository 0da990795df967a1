import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../support/control-plane.js';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster();
}, 120_000);
afterAll(() => cluster.close());
const run = (args: string, input?: string) => cluster.run(args, input);
const refused = async (args: string): Promise<string> => {
  const { code, stderr } = await cluster.kubectl(args.split(' '));
  expect(code).not.toBe(0);
  return stderr;
};

describe('what people type', () => {
  beforeAll(async () => {
    await run('create deployment web --image=nginx:1 --replicas=2');
  });

  it('run, expose, autoscale, and create of most kinds', async () => {
    expect(await run('run once --image=busybox --restart=Never --env=A=b --labels=app=once -- echo hi')).toBe(
      'pod/once created\n',
    );
    expect(await run("get pod once -o jsonpath='{.spec.containers[0].args}'")).toBe('\'["echo","hi"]\'');
    expect(await run('expose deployment web --port=80 --target-port=8080')).toBe('service/web exposed\n');
    expect(await run('get service web -o jsonpath={.spec.clusterIP}')).toMatch(/^10\.0\.0\.\d+$/);
    expect(await run('autoscale deployment web --min=1 --max=3 --cpu-percent=50')).toContain('autoscaled');
    const created = [
      'configmap c --from-literal=a=b',
      'secret generic s --from-literal=a=b',
      'job j --image=busybox -- true',
      'cronjob cj --image=busybox --schedule=*/5',
      'quota q --hard=pods=50',
      'serviceaccount robot',
      'poddisruptionbudget budget --selector=app=web --min-available=1',
      'priorityclass high --value=1000',
      'role reader --verb=get --resource=pods,pods/log',
      'clusterrole viewer --verb=list --resource=nodes',
      'rolebinding read --role=reader --serviceaccount=default:robot',
      'clusterrolebinding view --clusterrole=viewer --group=staff',
      'ingress front --rule=example.com/*=web:80',
      'service nodeport np --tcp=80',
      'service externalname ext --external-name=example.com',
      'namespace shop',
    ];
    for (const args of created) {
      const wellFormed = args.startsWith('cronjob')
        ? ['create', ...args.split(' ').slice(0, 3), '--schedule=*/5 * * * *']
        : ['create', ...args.split(' ')];
      const { code, stderr } = await cluster.kubectl(wellFormed);
      expect(code, `${args}: ${stderr}`).toBe(0);
    }
    await run('create job now --from=cronjob/cj');
    expect(await run('get job now -o jsonpath={.metadata.annotations}')).toContain('manual');
    expect(await refused('create namespace shop')).toBe(
      'Error from server (AlreadyExists): namespaces "shop" already exists\n',
    );
    expect(await refused('create quota q2 --hard=pods=-1')).toContain('must be greater than or equal to 0');
  });

  it('set, edit, and patches of the status', async () => {
    await run('set image deployment/web nginx=nginx:2');
    await run('set env deployment/web MODE=fast');
    await run('set resources deployment/web --requests=cpu=100m --limits=memory=1Gi');
    await run('set serviceaccount deployment web robot');
    const editor = join(cluster.directory, 'editor');
    writeFileSync(editor, '#!/bin/sh\nsed -i "s/replicas: 2/replicas: 3/" "$1"\n');
    chmodSync(editor, 0o755);
    process.env.KUBE_EDITOR = editor;
    try {
      expect(await run('edit deployment web')).toBe('deployment.apps/web edited\n');
    } finally {
      delete process.env.KUBE_EDITOR;
    }
    const { spec } = JSON.parse(await run('get deployment web -o json'));
    expect(spec.replicas).toBe(3);
    expect(spec.template.spec).toMatchObject({
      serviceAccountName: 'robot',
      containers: [
        {
          image: 'nginx:2',
          env: [{ name: 'MODE', value: 'fast' }],
          resources: { requests: { cpu: '100m' }, limits: { memory: '1Gi' } },
        },
      ],
    });
    await run(
      `patch deployment web --subresource=status --type=merge -p '{"status":{"readyReplicas":1,"replicas":1}}'`,
    );
    expect(await run('get deployment web -o jsonpath={.status.readyReplicas}')).toBe('1');
    expect(await refused('patch deployment web -p {"spec":{"selector":{"matchLabels":{"app":"x"}}}}')).toContain(
      'field is immutable',
    );
  });

  it('wait for what is, what comes and what goes', async () => {
    const condition = '{"status":{"conditions":[{"type":"Available","status":"True"}]}}';
    const waiting = run('wait deployment/web --for=condition=Available --timeout=20s');
    await run(`patch deployment web --subresource=status --type=merge -p '${condition}'`);
    expect(await waiting).toBe('deployment.apps/web condition met\n');
    expect(await run("wait deployment/web --for=jsonpath='{.spec.replicas}'=3".replaceAll("'", ''))).toContain(
      'condition met',
    );
    const going = run('wait pod/once --for=delete --timeout=20s');
    await run('delete pod once --now --wait=false');
    await run('delete pod once --force --grace-period=0 --ignore-not-found');
    await going;
    expect(await refused('wait deployment/web --for=condition=Progressing --timeout=1s')).toContain('timed out');
  });

  it('rollout history, undo and restart, as a deployment controller leaves its replica sets', async () => {
    const { metadata, spec } = JSON.parse(await run('get deployment web -o json'));
    for (const [revision, image] of [
      ['1', 'nginx:1'],
      ['2', 'nginx:2'],
    ]) {
      const labels = { app: 'web', 'pod-template-hash': `h${revision}` };
      const template = structuredClone(spec.template);
      template.metadata.labels = labels;
      template.spec.containers[0].image = image;
      const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid: metadata.uid, controller: true };
      await run(
        'create -f -',
        JSON.stringify({
          apiVersion: 'apps/v1',
          kind: 'ReplicaSet',
          metadata: {
            name: `web-h${revision}`,
            labels,
            annotations: { 'deployment.kubernetes.io/revision': revision },
            ownerReferences: [owner],
          },
          spec: { replicas: 0, selector: { matchLabels: labels }, template },
        }),
      );
    }
    await run('annotate deployment web deployment.kubernetes.io/revision=2');
    expect(await run('rollout history deployment/web')).toMatch(/^1 .*\n2 /m);
    expect(await run('rollout undo deployment/web')).toBe('deployment.apps/web rolled back\n');
    const image = 'get deployment web -o jsonpath={.spec.template.spec.containers[0].image}';
    expect(await run(image)).toBe('nginx:1');
    expect(await run('rollout undo deployment/web --to-revision=2')).toContain('rolled back');
    expect(await run(image)).toBe('nginx:2');
    await run('rollout restart deployment/web');
    expect(await run('get deployment web -o jsonpath={.spec.template.metadata.annotations}')).toContain('restartedAt');
    expect(await run('rollout pause deployment/web')).toContain('paused');
    expect(await run('rollout resume deployment/web')).toContain('resumed');
    expect(await refused('rollout undo deployment/web --to-revision=9')).toContain('unable to find specified revision');
  });

  it('nodes: taint, cordon, label, drain', async () => {
    await run('create -f -', '{"apiVersion":"v1","kind":"Node","metadata":{"name":"n1"}}');
    await run('taint node n1 only=gpu:NoSchedule');
    expect(await run('cordon n1')).toBe('node/n1 cordoned\n');
    await run('label node n1 node-role.kubernetes.io/worker=');
    expect(await run('get nodes')).toMatch(/n1\s+Unknown,SchedulingDisabled\s+worker/);
    await run('run busy --image=i --overrides={"spec":{"nodeName":"n1"}}');
    expect(await refused('drain n1 --timeout=5s')).toContain('cannot delete Pods that declare no controller');
    const draining = run('drain n1 --force --timeout=20s --grace-period=0');
    await draining;
    expect(await refused('get pod busy')).toContain('pods "busy" not found');
    expect(await run('uncordon n1')).toBe('node/n1 uncordoned\n');
    expect(await refused('taint node n1 only=gpu:Sometimes')).toContain('invalid taint effect: Sometimes');
  });

  it('pods that run nowhere have no logs and run nothing; debug adds a container', async () => {
    await run('run idle --image=i');
    expect(await run('logs idle')).toBe('');
    expect(await refused('exec idle -- ls')).toContain('does not have a host assigned');
    await run('debug idle --image=busybox --container=peek --attach=false');
    expect(await run('get pod idle -o jsonpath={.spec.ephemeralContainers[0].name}')).toBe('peek');
  });

  it('get in every form, and what happened', async () => {
    expect(await run('get all')).toContain('deployment.apps/web');
    expect(await run('get deployment,service -l app=web -o name')).toBe('deployment.apps/web\nservice/web\n');
    expect(await run('get pods --sort-by=.metadata.name -o custom-columns=N:.metadata.name')).toContain('idle');
    expect(await run('get deployment web -o yaml --show-managed-fields')).toContain('managedFields:');
    expect(await run('get --raw /api/v1/namespaces/default/services/web')).toContain('"kind":"Service"');
    expect(await run('get namespaces --chunk-size=1 -o name')).toContain('namespace/shop');
    expect((await cluster.kubectl(['events'])).stderr).toContain('No events found');
    expect(await run('describe service web')).toMatch(/TargetPort:\s+8080\/TCP/);
    expect(await run('cluster-info')).toContain('Kubernetes control plane');
  });
});
