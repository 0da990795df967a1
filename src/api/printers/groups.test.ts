import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../machinery/json.js';
import { printerFor } from './index.js';
import { before, NOW, object, row } from './printers.suite.js';

type Case = [what: string, parts: JsonObject, cells: JsonObject, metadata?: JsonObject];
/** Only the columns named are compared. */
const check = (group: string, kind: string, cases: Case[]) =>
  describe(`${group} ${kind}`, () => {
    it.each(cases)('%s', (_, parts, cells, metadata) => {
      expect(row(group, kind, parts, metadata)).toMatchObject(cells);
    });
  });
const condition = (type: string, status = 'True', more: JsonObject = {}): JsonObject => ({ type, status, ...more });

for (const kind of ['ValidatingAdmissionPolicyBinding', 'MutatingAdmissionPolicyBinding']) {
  check('admissionregistration.k8s.io', kind, [
    ['no parameters', { spec: { policyName: 'p' } }, { PolicyName: 'p', ParamRef: '<unset>' }],
    ['a name', { spec: { paramRef: { name: 'a', namespace: 'n' } } }, { ParamRef: 'n/a' }],
    ['a name of either scope', { spec: { paramRef: { name: 'a', selector: {} } } }, { ParamRef: '*/a' }],
    ['neither name nor selector', { spec: { paramRef: { namespace: 'n' } } }, { ParamRef: '<unset>' }],
    [
      'a selector',
      {
        spec: {
          paramRef: {
            selector: {
              matchLabels: { b: '2', a: '1' },
              matchExpressions: [
                { key: 'k', operator: 'In', values: ['x', 'y'] },
                { key: 'l', operator: 'Exists' },
              ],
            },
          },
        },
      },
      {
        ParamRef:
          '&LabelSelector{MatchLabels:map[string]string{a: 1,b: 2,},MatchExpressions:[]LabelSelectorRequirement{LabelSelectorRequirement{Key:k,Operator:In,Values:[x y],},LabelSelectorRequirement{Key:l,Operator:Exists,Values:[],},},}',
      },
    ],
  ]);
}
check('admissionregistration.k8s.io', 'ValidatingAdmissionPolicy', [
  [
    'rules',
    { spec: { validations: [{}, {}], paramKind: { apiVersion: 'a/v1', kind: 'K' } } },
    { Validations: 2, ParamKind: 'a/v1/K' },
  ],
  ['none', { spec: {} }, { Validations: 0, ParamKind: '<unset>' }],
]);
check('admissionregistration.k8s.io', 'MutatingAdmissionPolicy', [
  ['rules', { spec: { mutations: [{}] } }, { Mutations: 1 }],
]);
check('admissionregistration.k8s.io', 'MutatingWebhookConfiguration', [
  ['some', { webhooks: [{}, {}] }, { Webhooks: 2 }],
  ['none', { webhooks: null }, { Webhooks: 0 }],
]);

check('apiregistration.k8s.io', 'APIService', [
  [
    'local',
    { spec: {}, status: { conditions: [condition('Available', 'True', { reason: 'Local' })] } },
    { Service: 'Local', Available: 'True' },
  ],
  [
    'of a service that is down',
    {
      spec: { service: { namespace: 'n', name: 's' } },
      status: { conditions: [condition('Available', 'False', { reason: 'Down' })] },
    },
    { Service: 'n/s', Available: 'False (Down)' },
  ],
  ['down without a reason', { status: { conditions: [condition('Available', 'False')] } }, { Available: 'False' }],
  ['not looked at yet', { status: {} }, { Available: 'Unknown' }],
]);

check('certificates.k8s.io', 'CertificateSigningRequest', [
  [
    'pending',
    { spec: { signerName: 'a.b/c', username: 'u', expirationSeconds: 7200 }, status: {} },
    { SignerName: 'a.b/c', Requestor: 'u', RequestedDuration: '120m', Condition: 'Pending' },
  ],
  ['no duration', { spec: { expirationSeconds: null } }, { SignerName: '<none>', RequestedDuration: '<none>' }],
  ['issued', { status: { conditions: [condition('Approved')], certificate: 'x' } }, { Condition: 'Approved,Issued' }],
  [
    'denied, approved and failed',
    { status: { conditions: [condition('Failed'), condition('Approved'), condition('Denied')] } },
    { Condition: 'Denied,Failed' },
  ],
  ['failed before anybody looked', { status: { conditions: [condition('Failed')] } }, { Condition: 'Pending,Failed' }],
]);
check('certificates.k8s.io', 'PodCertificateRequest', [
  [
    'issued',
    {
      spec: {
        podName: 'p',
        serviceAccountName: 's',
        nodeName: 'n',
        signerName: 'a.b/c',
        unverifiedUserAnnotations: { 'a/b': 'c' },
      },
      status: { conditions: [condition('Suggested'), condition('Issued')] },
    },
    {
      PodName: 'p',
      ServiceAccountName: 's',
      NodeName: 'n',
      SignerName: 'a.b/c',
      State: 'Issued',
      UnverifiedUserAnnotations: 'a/b=c',
    },
  ],
  ['pending', { spec: {} }, { State: 'Pending', UnverifiedUserAnnotations: '<none>' }],
]);
check('certificates.k8s.io', 'ClusterTrustBundle', [
  ['of a signer', { spec: { signerName: 'a.b/c' } }, { SignerName: 'a.b/c' }],
  ['of nobody', { spec: {} }, { SignerName: '<none>' }],
]);

check('coordination.k8s.io', 'Lease', [
  ['held', { spec: { holderIdentity: 'me' } }, { Holder: 'me' }],
  ['free', { spec: {} }, { Holder: '' }],
]);
check('coordination.k8s.io', 'LeaseCandidate', [
  [
    'versions',
    { spec: { leaseName: 'l', binaryVersion: '1.36', emulationVersion: '1.35' } },
    { LeaseName: 'l', BinaryVersion: '1.36', EmulationVersion: '1.35' },
  ],
]);

const endpoint = (...addresses: string[]): JsonObject => ({ addresses });
check('discovery.k8s.io', 'EndpointSlice', [
  [
    'three fit',
    {
      addressType: 'IPv4',
      ports: [{ port: 80 }, { port: null, name: 'web' }, {}],
      endpoints: [endpoint('1.1.1.1'), endpoint('2.2.2.2', '3.3.3.3')],
    },
    { AddressType: 'IPv4', Ports: '80,web,*', Endpoints: '1.1.1.1,2.2.2.2,3.3.3.3' },
  ],
  [
    'the rest is counted',
    { ports: [1, 2, 3, 4].map((port) => ({ port })), endpoints: [endpoint('a', 'b'), endpoint('c', 'd', 'e')] },
    { Ports: '1,2,3 + 1 more...', Endpoints: 'a,b,c + 2 more...' },
  ],
  ['none', { ports: null, endpoints: [endpoint()] }, { Ports: '<unset>', Endpoints: '<unset>' }],
  ['a port without number and name', { ports: [{ name: '' }] }, { Ports: '<unset>' }],
]);

check('flowcontrol.apiserver.k8s.io', 'FlowSchema', [
  [
    'in force',
    {
      spec: {
        priorityLevelConfiguration: { name: 'pl' },
        matchingPrecedence: 7,
        distinguisherMethod: { type: 'ByUser' },
      },
      status: { conditions: [condition('Dangling', 'False')] },
    },
    { PriorityLevel: 'pl', MatchingPrecedence: 7, DistinguisherMethod: 'ByUser', MissingPL: 'False' },
  ],
  ['not looked at yet', { spec: {} }, { DistinguisherMethod: '<none>', MissingPL: '?' }],
]);
check('flowcontrol.apiserver.k8s.io', 'PriorityLevelConfiguration', [
  [
    'queues',
    {
      spec: {
        type: 'Limited',
        limited: {
          nominalConcurrencyShares: 5,
          limitResponse: { queuing: { queues: 64, handSize: 6, queueLengthLimit: 50 } },
        },
      },
    },
    { Type: 'Limited', NominalConcurrencyShares: 5, Queues: 64, HandSize: 6, QueueLengthLimit: 50 },
  ],
  [
    'rejects',
    { spec: { type: 'Limited', limited: { nominalConcurrencyShares: 0, limitResponse: { type: 'Reject' } } } },
    { NominalConcurrencyShares: 0, Queues: '<none>', HandSize: '<none>', QueueLengthLimit: '<none>' },
  ],
  [
    'exempt',
    { spec: { type: 'Exempt', exempt: { nominalConcurrencyShares: 3 } } },
    { NominalConcurrencyShares: '<none>' },
  ],
]);
it('flow schemas go by precedence, then by name', () => {
  const compare = printerFor('flowcontrol.apiserver.k8s.io', 'FlowSchema')!.compare!;
  const schema = (name: string, matchingPrecedence: number) => object(name, { spec: { matchingPrecedence } });
  const sorted = [schema('b', 10), schema('z', 1), schema('a', 10), schema('B', 10)].sort(compare);
  expect(sorted.map((o) => o.metadata.name)).toEqual(['z', 'B', 'a', 'b']);
  expect(printerFor('flowcontrol.apiserver.k8s.io', 'PriorityLevelConfiguration')!.compare).toBeUndefined();
});

check('internal.apiserver.k8s.io', 'StorageVersion', [
  [
    'several servers',
    {
      status: {
        commonEncodingVersion: 'v1',
        storageVersions: ['a', 'b', 'c', 'd'].map((apiServerID) => ({ apiServerID, encodingVersion: 'v1' })),
      },
    },
    { CommonEncodingVersion: 'v1', StorageVersions: 'a=v1,b=v1,c=v1 + 1 more...' },
  ],
  ['none', { status: {} }, { CommonEncodingVersion: '<unset>', StorageVersions: '<unset>' }],
]);

const rules = (...hosts: string[]): JsonObject[] => hosts.map((host) => ({ host }));
check('networking.k8s.io', 'Ingress', [
  [
    'all',
    {
      spec: { ingressClassName: 'c', rules: rules('a', 'b'), tls: [{}] },
      status: { loadBalancer: { ingress: [{ ip: '2.2.2.2' }, { hostname: 'h' }] } },
    },
    { Class: 'c', Hosts: 'a,b', Address: '2.2.2.2,h', Ports: '80, 443' },
  ],
  ['none', { spec: { rules: rules('') } }, { Class: '<none>', Hosts: '*', Address: '', Ports: '80' }],
  ['three hosts', { spec: { rules: rules('a', '', 'b', 'c') } }, { Hosts: 'a,b,c' }],
  ['more rules', { spec: { rules: rules('a', 'b', 'c', '', 'd') } }, { Hosts: 'a,b,c + 2 more...' }],
]);
check('networking.k8s.io', 'IngressClass', [
  [
    'the default, with parameters',
    { spec: { controller: 'a.b/c', parameters: { apiGroup: 'k.io', kind: 'P', name: 'p' } } },
    { Name: 'x (default)', Controller: 'a.b/c', Parameters: 'P.k.io/p' },
    { annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } },
  ],
  [
    'parameters of the core group',
    { spec: { parameters: { kind: 'ConfigMap', name: 'p' } } },
    { Parameters: 'ConfigMap/p' },
  ],
  [
    'none',
    { spec: {} },
    { Parameters: '<none>' },
    { annotations: { 'ingressclass.kubernetes.io/is-default-class': 'yes' } },
  ],
]);
check('networking.k8s.io', 'IPAddress', [
  [
    'of a service',
    { spec: { parentRef: { resource: 'services', namespace: 'n', name: 's' } } },
    { ParentRef: 'services/n/s' },
  ],
  [
    'of something else',
    { spec: { parentRef: { group: 'A.b', resource: 'Things', name: 't' } } },
    { ParentRef: 'things.a.b/t' },
  ],
  ['of nothing', { spec: {} }, { ParentRef: '<none>' }],
]);
it('IPAddress has a cell without a column', () => {
  expect(printerFor('networking.k8s.io', 'IPAddress')!.cells(object('x'), Date.parse(NOW))).toEqual([
    'x',
    '<none>',
    '5m',
  ]);
});
check('networking.k8s.io', 'NetworkPolicy', [
  ['some pods', { spec: { podSelector: { matchLabels: { a: 'b' } } } }, { 'Pod-Selector': 'a=b' }],
  ['all pods', { spec: { podSelector: {} } }, { 'Pod-Selector': '<none>' }],
]);
check('networking.k8s.io', 'ServiceCIDR', [
  ['two', { spec: { cidrs: ['10.0.0.0/8', 'fd00::/64'] } }, { CIDRs: '10.0.0.0/8,fd00::/64' }],
]);

check('node.k8s.io', 'RuntimeClass', [['handler', { handler: 'h' }, { Handler: 'h' }]]);

check('policy', 'PodDisruptionBudget', [
  [
    'a number',
    { spec: { minAvailable: 0 }, status: { disruptionsAllowed: 2 } },
    { 'Min Available': '0', 'Max Unavailable': 'N/A', 'Allowed Disruptions': 2 },
  ],
  [
    'a share',
    { spec: { maxUnavailable: '25%' } },
    { 'Min Available': 'N/A', 'Max Unavailable': '25%', 'Allowed Disruptions': 0 },
  ],
]);

for (const kind of ['RoleBinding', 'ClusterRoleBinding']) {
  check('rbac.authorization.k8s.io', kind, [
    [
      'all sorts of subjects',
      {
        roleRef: { kind: 'ClusterRole', name: 'r' },
        subjects: [
          { kind: 'User', name: 'u1' },
          { kind: 'Group', name: 'g' },
          { kind: 'User', name: 'u2' },
          { kind: 'ServiceAccount', namespace: 'n', name: 's' },
          { kind: 'ServiceAccount', name: 't' },
          { kind: 'Robot', name: 'r' },
        ],
      },
      { Role: 'ClusterRole/r', Users: 'u1, u2', Groups: 'g', ServiceAccounts: 'n/s, /t' },
    ],
    [
      'nobody',
      { roleRef: { kind: 'Role', name: 'r' } },
      { Role: 'Role/r', Users: '', Groups: '', ServiceAccounts: '' },
    ],
  ]);
}

check('resource.k8s.io', 'ResourceClaim', [
  ['pending', { status: {} }, { State: 'pending' }],
  ['allocated', { status: { allocation: {} } }, { State: 'allocated' }],
  ['in use', { status: { allocation: {}, reservedFor: [{}] } }, { State: 'allocated,reserved' }],
  ['reserved without allocation', { status: { reservedFor: [{}] } }, { State: 'pending' }],
  ['deleted', {}, { State: 'deleted' }, { deletionTimestamp: before(1) }],
  [
    'deleted in use',
    { status: { allocation: {}, reservedFor: [{}] } },
    { State: 'deleted,allocated,reserved' },
    { deletionTimestamp: before(1) },
  ],
]);
check('resource.k8s.io', 'ResourceSlice', [
  ['of a node', { spec: { nodeName: 'n', driver: 'd', pool: { name: 'p' } } }, { Node: 'n', Driver: 'd', Pool: 'p' }],
  ['of all nodes', { spec: { allNodes: true } }, { Node: '', Driver: '', Pool: '' }],
]);
check('resource.k8s.io', 'DeviceTaintRule', [
  [
    'in force',
    { spec: { taint: { key: 'k', value: 'v', effect: 'NoExecute', timeAdded: before(90) } } },
    { Key: 'k', Value: 'v', Effect: 'NoExecute', TimeAdded: '90s' },
  ],
  ['no time', { spec: { taint: {} } }, { Key: '', TimeAdded: '' }],
]);
const pool = (total: number, available: number, more: JsonObject = {}): JsonObject => ({
  totalDevices: total,
  availableDevices: available,
  ...more,
});
check('resource.k8s.io', 'ResourcePoolStatusRequest', [
  [
    'waiting',
    { spec: { driver: 'd' } },
    {
      Driver: 'd',
      Total: '-',
      Available: '-',
      Allocated: '-',
      Unavailable: '-',
      Errors: '-',
      Pools: 0,
      Status: 'Pending',
      Completed: '<none>',
    },
  ],
  [
    'complete',
    {
      status: {
        poolCount: 2,
        pools: [pool(4, 1, { allocatedDevices: 2, unavailableDevices: 1 }), pool(2, 2, { validationError: 'bad' })],
        conditions: [condition('Complete', 'True', { lastTransitionTime: before(30) })],
      },
    },
    {
      Total: '6',
      Available: '3',
      Allocated: '2',
      Unavailable: '1',
      Errors: '1',
      Pools: 2,
      Status: 'Complete',
      Completed: '30s',
    },
  ],
  [
    'cut short',
    { status: { poolCount: 3, pools: [pool(1, 1)], conditions: [condition('Complete')] } },
    { Status: 'Complete (1/3 pools)', Completed: '<unknown>' },
  ],
  [
    'failed',
    { status: { poolCount: 1, pools: [pool(1, 1)], conditions: [condition('Failed')] } },
    { Total: '-', Errors: '-', Pools: 1, Status: 'Failed', Completed: '<none>' },
  ],
  [
    'on its way',
    { status: { pools: [pool(1, 0)], conditions: [condition('Complete', 'False')] } },
    { Total: '1', Available: '0', Status: 'Pending' },
  ],
]);

check('scheduling.k8s.io', 'PriorityClass', [
  [
    'default',
    { value: 1000, globalDefault: true, preemptionPolicy: 'Never' },
    { Value: 1000, 'Global-Default': true, PreemptionPolicy: 'Never' },
  ],
  ['negative', { value: -5 }, { Value: -5, 'Global-Default': false, PreemptionPolicy: '' }],
]);
check('scheduling.k8s.io', 'PodGroup', [
  [
    'scheduled',
    {
      spec: { schedulingPolicy: { gang: { minCount: 2 } }, podGroupTemplateRef: { workload: { workloadName: 'w' } } },
      status: { conditions: [condition('PodGroupScheduled')] },
    },
    { Policy: 'Gang', Workload: 'w', Status: 'Scheduled' },
  ],
  ['new', { spec: { schedulingPolicy: { basic: {} } } }, { Policy: 'Basic', Workload: '<none>', Status: 'Pending' }],
  ['no room', { status: { conditions: [condition('PodGroupScheduled', 'False')] } }, { Status: 'Unschedulable' }],
  [
    'disrupted',
    {
      status: {
        conditions: [condition('PodGroupScheduled'), condition('DisruptionTarget', 'True', { reason: 'Preempted' })],
      },
    },
    { Status: 'Preempted' },
  ],
]);

check('storage.k8s.io', 'CSIDriver', [
  [
    'all',
    {
      spec: {
        attachRequired: false,
        podInfoOnMount: true,
        storageCapacity: true,
        requiresRepublish: true,
        tokenRequests: [{ audience: 'a' }, { audience: '' }],
        volumeLifecycleModes: ['Persistent', 'Ephemeral'],
      },
    },
    {
      AttachRequired: false,
      PodInfoOnMount: true,
      StorageCapacity: true,
      TokenRequests: 'a,',
      RequiresRepublish: true,
      Modes: 'Persistent,Ephemeral',
    },
  ],
  ['none', { spec: {} }, { AttachRequired: true, PodInfoOnMount: false, TokenRequests: '<unset>', Modes: '<none>' }],
]);
check('storage.k8s.io', 'CSINode', [['drivers', { spec: { drivers: [{}, {}] } }, { Drivers: 2 }]]);
check('storage.k8s.io', 'StorageClass', [
  [
    'the default',
    {
      provisioner: 'p',
      reclaimPolicy: 'Retain',
      volumeBindingMode: 'WaitForFirstConsumer',
      allowVolumeExpansion: true,
    },
    {
      Name: 'x (default)',
      Provisioner: 'p',
      ReclaimPolicy: 'Retain',
      VolumeBindingMode: 'WaitForFirstConsumer',
      AllowVolumeExpansion: true,
    },
    { annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
  ],
  [
    'the default, said the old way',
    {},
    { Name: 'x (default)' },
    { annotations: { 'storageclass.beta.kubernetes.io/is-default-class': 'true' } },
  ],
  [
    'nothing said',
    {},
    { ReclaimPolicy: 'Delete', VolumeBindingMode: 'Immediate', AllowVolumeExpansion: false },
    { annotations: { 'storageclass.kubernetes.io/is-default-class': 'false' } },
  ],
]);
check('storage.k8s.io', 'VolumeAttachment', [
  [
    'attached',
    { spec: { attacher: 'a', nodeName: 'n', source: { persistentVolumeName: 'pv' } }, status: { attached: true } },
    { Attacher: 'a', PV: 'pv', Node: 'n', Attached: true },
  ],
  ['of an inline volume', { spec: { source: {} } }, { PV: '', Attached: false }],
]);
check('storage.k8s.io', 'VolumeAttributesClass', [['driver', { driverName: 'd' }, { DriverName: 'd' }]]);

check('storagemigration.k8s.io', 'StorageVersionMigration', [
  [
    'running',
    { spec: { resource: { group: 'apps', resource: 'deployments' } }, status: { conditions: [condition('Running')] } },
    { Resource: 'deployments.apps', Status: 'Running' },
  ],
  [
    'the last that holds',
    {
      spec: { resource: { resource: 'pods' } },
      status: {
        conditions: [condition('Running'), condition('Succeeded'), condition('Failed', 'False'), condition('Odd')],
      },
    },
    { Resource: 'pods', Status: 'Succeeded' },
  ],
  ['new', { spec: {} }, { Status: 'Unknown' }],
]);
