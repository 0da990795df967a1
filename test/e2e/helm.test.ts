import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, type Result, startCluster } from '../support/control-plane.js';
import { helmPath } from '../support/kubectl.js';
import { scaled } from '../support/operators.js';

/** A chart as operators are shipped: definitions, a hook, rights, a workload, and an object of the defined kind. */
const TEMPLATES: Record<string, string> = {
  'access.yaml': `
apiVersion: v1
kind: ServiceAccount
metadata: {name: {{ .Release.Name }}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: {{ .Release.Name }}}
rules: [{apiGroups: [scaling.example.io], resources: ["*"], verbs: ["*"]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: {{ .Release.Name }}}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {{ .Release.Name }}}
subjects: [{kind: ServiceAccount, name: {{ .Release.Name }}, namespace: {{ .Release.Namespace }}}]
`,
  'workload.yaml': `
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}, labels: {version: {{ .Chart.AppVersion | quote }}}}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec: {serviceAccountName: {{ .Release.Name }}, containers: [{name: manager, image: "operator:{{ .Chart.AppVersion }}", ports: [{containerPort: 9443}]}]}
{{- if .Values.service }}
---
apiVersion: v1
kind: Service
metadata: {name: {{ .Release.Name }}}
spec: {selector: {app: {{ .Release.Name }}}, ports: [{port: 443, targetPort: 9443}]}
{{- end }}
`,
  'hook.yaml': `
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-hook, annotations: {helm.sh/hook: "pre-install,pre-upgrade", helm.sh/hook-delete-policy: before-hook-creation}}
data: {revision: "{{ .Release.Revision }}"}
`,
  'default.yaml': `
{{- if .Capabilities.APIVersions.Has "scaling.example.io/v1alpha1/ScaledObject" }}
apiVersion: scaling.example.io/v1alpha1
kind: ScaledObject
metadata: {name: {{ .Release.Name }}}
spec: {scaleTargetRef: {name: {{ .Release.Name }}}, maxReplicaCount: {{ .Values.max }}, triggers: [{type: cpu, metadata: {value: "50"}}]}
{{- end }}
`,
};

let cluster: Cluster;
let binary: string;
let chart: string;
const run = (args: string) => cluster.run(args);

beforeAll(async () => {
  [cluster, binary] = await Promise.all([startCluster(), helmPath()]);
  chart = join(cluster.directory, 'chart');
  for (const part of ['templates', 'crds']) mkdirSync(join(chart, part), { recursive: true });
  writeFileSync(join(chart, 'Chart.yaml'), 'apiVersion: v2\nname: operator\nversion: 1.0.0\nappVersion: "1.2"\n');
  writeFileSync(join(chart, 'values.yaml'), 'replicas: 1\nservice: true\nmax: 5\n');
  writeFileSync(join(chart, 'crds', 'definition.yaml'), JSON.stringify(scaled()[0]));
  for (const [name, template] of Object.entries(TEMPLATES)) writeFileSync(join(chart, 'templates', name), template);
}, 120_000);
afterAll(() => cluster.close());

function tryHelm(args: string): Promise<Result> {
  const env = { ...process.env, HOME: cluster.directory, KUBECONFIG: join(cluster.directory, 'kubeconfig') };
  return new Promise((resolve) => {
    execFile(binary, args.split(' '), { env, timeout: 30_000 }, (error, stdout, stderr) => {
      resolve({ code: error ? 1 : 0, stdout, stderr });
    });
  });
}
async function helm(args: string): Promise<string> {
  const { code, stdout, stderr } = await tryHelm(args);
  if (code !== 0) throw new Error(`helm ${args}: ${stderr || stdout}`);
  return stdout;
}

describe('a release', () => {
  it('is installed with its definitions, and an object of theirs', async () => {
    expect(await helm(`install op ${chart} --dry-run=server -n operators`)).toContain('STATUS: pending-install');
    expect(await helm(`install op ${chart} -n operators --create-namespace`)).toContain('STATUS: deployed');
    expect(await helm('list -n operators -o json')).toContain('"app_version":"1.2"');
    expect(await run('get deployment/op service/op serviceaccount/op -n operators -o name')).toBe(
      'deployment.apps/op\nservice/op\nserviceaccount/op\n',
    );
    expect(await run('get so op -n operators -o jsonpath={.spec.maxReplicaCount}{.spec.replicas}')).toBe('51');
    expect(
      await run('auth can-i update scaledobjects.scaling.example.io -A --as=system:serviceaccount:operators:op'),
    ).toBe('yes\n');
    expect(await run('get configmap op-hook -n operators -o jsonpath={.data.revision}')).toBe('1');
  });
  it('is changed, rolled back, and shows what it was', async () => {
    await helm(`upgrade op ${chart} -n operators --set replicas=3,service=false,max=9`);
    expect(await run('get deployment op -n operators -o jsonpath={.spec.replicas}')).toBe('3');
    expect(await run('get so op -n operators -o jsonpath={.spec.maxReplicaCount}')).toBe('9');
    expect((await cluster.kubectl(['get', 'service', 'op', '-n', 'operators'])).code).toBe(1);
    expect(await helm('get values op -n operators')).toContain('replicas: 3');
    await helm('rollback op 1 -n operators');
    expect(await run('get deployment op -n operators -o jsonpath={.spec.replicas}')).toBe('1');
    expect(await run('get service op -n operators -o name')).toBe('service/op\n');
    expect((await helm('history op -n operators')).match(/^\d/gm)).toHaveLength(3);
  });
  it('that the server refuses fails with its words', async () => {
    const { code, stderr } = await tryHelm(`upgrade op ${chart} -n operators --set replicas=-1,max=many`);
    expect(code).toBe(1);
    expect(stderr).toContain(
      'Deployment.apps "op" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    );
    expect(stderr).toContain('Kind=ScaledObject): .spec.maxReplicaCount: expected numeric (int or float), got string');
    expect(await run('get deployment op -n operators -o jsonpath={.spec.replicas}')).toBe('1');
  });
  it('is uninstalled, but for its definitions', async () => {
    expect(await helm('uninstall op -n operators')).toBe('release "op" uninstalled\n');
    expect(await run('get deployment,service,so -n operators -o name')).toBe('');
    expect(await run('get crd -o name')).toContain('scaledobjects.scaling.example.io');
  });
});
