import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machinery/json.js';
import { before, row } from '../printers.suite.js';

type Case = [what: string, parts: JsonObject, cells: JsonObject, metadata?: JsonObject];
/** Only the columns named are compared. */
const check = (kind: string, cases: Case[]) =>
  describe(kind, () => {
    it.each(cases)('%s', (_, parts, cells, metadata) => {
      expect(row('', kind, parts, metadata)).toMatchObject(cells);
    });
  });

check('Service', [
  [
    'in the cluster',
    {
      spec: {
        type: 'ClusterIP',
        clusterIP: '10.0.0.1',
        clusterIPs: ['10.0.0.1'],
        ports: [{ port: 80, protocol: 'TCP' }],
      },
    },
    { Type: 'ClusterIP', 'Cluster-IP': '10.0.0.1', 'External-IP': '<none>', 'Port(s)': '80/TCP', Selector: '<none>' },
  ],
  [
    'headless, no ports',
    { spec: { type: 'ClusterIP', clusterIPs: ['None'], selector: { b: '2', a: '1' } } },
    { 'Cluster-IP': 'None', 'Port(s)': '<none>', Selector: 'a=1,b=2' },
  ],
  [
    'on ports of nodes',
    {
      spec: {
        type: 'NodePort',
        externalIPs: ['1.1.1.1', '2.2.2.2'],
        ports: [
          { port: 80, nodePort: 30080, protocol: 'TCP' },
          { port: 53, protocol: 'UDP' },
        ],
      },
    },
    { 'Cluster-IP': '<none>', 'External-IP': '1.1.1.1,2.2.2.2', 'Port(s)': '80:30080/TCP,53/UDP' },
  ],
  ['load balancer to come', { spec: { type: 'LoadBalancer' } }, { 'External-IP': '<pending>' }],
  [
    'load balancer with addresses: sorted, each once, never cut',
    {
      spec: { type: 'LoadBalancer', externalIPs: ['9.9.9.9'] },
      status: {
        loadBalancer: {
          ingress: [
            { hostname: 'long.name.of.a.load.balancer.example.com' },
            { ip: '2.2.2.2', hostname: 'x' },
            { ip: '2.2.2.2' },
            {},
          ],
        },
      },
    },
    { 'External-IP': '2.2.2.2,long.name.of.a.load.balancer.example.com,9.9.9.9' },
  ],
  [
    'load balancer without addresses of its own',
    { spec: { type: 'LoadBalancer', externalIPs: ['9.9.9.9'] } },
    { 'External-IP': '9.9.9.9' },
  ],
  ['a name elsewhere', { spec: { type: 'ExternalName', externalName: 'a.b' } }, { 'External-IP': 'a.b' }],
  ['an unknown type', { spec: { type: 'Odd' } }, { Type: 'Odd', 'External-IP': '<unknown>' }],
]);

check('Node', [
  [
    'all known',
    {
      spec: {},
      status: {
        conditions: [{ type: 'Ready', status: 'True' }],
        addresses: [
          { type: 'Hostname', address: 'h' },
          { type: 'InternalIP', address: '10.0.0.1' },
          { type: 'InternalIP', address: '10.0.0.2' },
          { type: 'ExternalIP', address: '1.2.3.4' },
        ],
        nodeInfo: {
          kubeletVersion: 'v1.36.0',
          osImage: 'OS',
          kernelVersion: '6.1',
          containerRuntimeVersion: 'containerd://2',
          architecture: 'arm64',
        },
      },
    },
    {
      Status: 'Ready',
      Roles: 'control-plane,etcd,worker',
      Version: 'v1.36.0',
      'Internal-IP': '10.0.0.1',
      'External-IP': '1.2.3.4',
      'OS-Image': 'OS',
      'Kernel-Version': '6.1 (arm64)',
      'Container-Runtime': 'containerd://2',
    },
    {
      labels: {
        'node-role.kubernetes.io/worker': '',
        'node-role.kubernetes.io/control-plane': '',
        'node-role.kubernetes.io/': '',
        'kubernetes.io/role': 'etcd',
        role: 'none',
      },
    },
  ],
  [
    'nothing known',
    { spec: { unschedulable: true } },
    {
      Status: 'Unknown,SchedulingDisabled',
      Roles: '<none>',
      Version: '',
      'Internal-IP': '<none>',
      'OS-Image': '<unknown>',
      'Kernel-Version': '<unknown>',
    },
    { labels: { 'kubernetes.io/role': '' } },
  ],
  ['not ready', { status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } }, { Status: 'NotReady' }],
]);

const BETA_CLASS = { annotations: { 'volume.beta.kubernetes.io/storage-class': 'old' } };
check('PersistentVolume', [
  [
    'bound',
    {
      spec: {
        capacity: { storage: '5Gi' },
        accessModes: ['ReadWriteOncePod', 'ReadWriteMany', 'ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteOnce', 'Odd'],
        persistentVolumeReclaimPolicy: 'Retain',
        claimRef: { namespace: 'a', name: 'b' },
        storageClassName: 'fast',
        volumeAttributesClassName: 'gold',
        volumeMode: 'Block',
      },
      status: { phase: 'Bound', reason: 'why' },
    },
    {
      Capacity: '5Gi',
      'Access Modes': 'RWO,ROX,RWX,RWOP',
      'Reclaim Policy': 'Retain',
      Status: 'Bound',
      Claim: 'a/b',
      StorageClass: 'fast',
      VolumeAttributesClass: 'gold',
      Reason: 'why',
      VolumeMode: 'Block',
    },
  ],
  [
    'with as little as can be, being deleted',
    { spec: {}, status: { phase: 'Available' } },
    { Capacity: '0', Status: 'Terminating', Claim: '', VolumeAttributesClass: '<unset>', VolumeMode: '<unset>' },
    { deletionTimestamp: before(1) },
  ],
  ['class in the old place', { spec: { storageClassName: 'new' } }, { StorageClass: 'old' }, BETA_CLASS],
]);

check('PersistentVolumeClaim', [
  [
    'bound',
    {
      spec: { volumeName: 'pv', accessModes: ['ReadWriteOnce'], storageClassName: 'fast', volumeMode: 'Filesystem' },
      status: { phase: 'Bound', accessModes: ['ReadWriteMany'], capacity: { storage: '5Gi' } },
    },
    {
      Status: 'Bound',
      Volume: 'pv',
      Capacity: '5Gi',
      'Access Modes': 'RWX',
      StorageClass: 'fast',
      VolumeMode: 'Filesystem',
    },
  ],
  [
    'not bound: what it asks for does not count',
    {
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      status: { phase: 'Pending' },
    },
    { Status: 'Pending', Capacity: '', 'Access Modes': '', StorageClass: '', VolumeAttributesClass: '<unset>' },
  ],
  ['bound by name alone', { spec: { volumeName: 'pv' } }, { Capacity: '0', 'Access Modes': '' }],
  ['being deleted', { status: { phase: 'Bound' } }, { Status: 'Terminating' }, { deletionTimestamp: before(1) }],
  [
    'class in the old place, empty',
    { spec: { storageClassName: 'new' } },
    { StorageClass: '' },
    {
      annotations: { 'volume.beta.kubernetes.io/storage-class': '' },
    },
  ],
]);

const involved = { involvedObject: { kind: 'Pod', name: 'p', fieldPath: 'spec.containers{c}' } };
check('Event', [
  [
    'of the older API',
    {
      ...involved,
      firstTimestamp: before(600),
      lastTimestamp: before(60),
      count: 5,
      type: 'Warning',
      reason: 'BackOff',
      message: ' text\n',
      source: { component: 'kubelet', host: 'n1' },
    },
    {
      'Last Seen': '60s',
      'First Seen': '10m',
      Type: 'Warning',
      Reason: 'BackOff',
      Object: 'pod/p',
      Subobject: 'spec.containers{c}',
      Source: 'kubelet, n1',
      Message: 'text',
      Count: 5,
    },
  ],
  [
    'of the newer API, alone',
    { ...involved, eventTime: '2025-12-31T23:59:30.500000Z', reportingComponent: 'a.b/c', reportingInstance: 'i' },
    { 'Last Seen': '29s', 'First Seen': '29s', Source: 'a.b/c, i', Count: 1 },
  ],
  [
    'of the newer API, a series',
    { ...involved, eventTime: before(90), series: { count: 7, lastObservedTime: before(3) }, count: 2 },
    { 'Last Seen': '3s', 'First Seen': '90s', Count: 7 },
  ],
  [
    'a series that was never seen',
    { lastTimestamp: before(5), series: { count: 0, lastObservedTime: null } },
    { 'Last Seen': '<unknown>', Count: 0 },
  ],
  [
    'hardly anything',
    { involvedObject: { kind: 'Node' }, lastTimestamp: null, count: 0 },
    { 'Last Seen': '<unknown>', 'First Seen': '<unknown>', Object: 'node', Source: '', Count: 1 },
  ],
  ['a host without a component', { source: { host: 'n1' } }, { Source: ', n1' }],
]);

const ips = (...addresses: string[]): JsonObject[] => addresses.map((ip) => ({ ip }));
check('Endpoints', [
  ['none', {}, { Endpoints: '<none>' }],
  ['a subset without addresses', { subsets: [{ ports: [{ port: 80 }] }] }, { Endpoints: '' }],
  [
    'three fit',
    { subsets: [{ addresses: ips('1.1.1.1', 'fd00::1'), ports: [{ port: 80 }] }, { addresses: ips('2.2.2.2') }] },
    { Endpoints: '1.1.1.1:80,[fd00::1]:80,2.2.2.2' },
  ],
  [
    'ports by ports, then addresses; the rest is counted',
    { subsets: [{ addresses: ips('1.1.1.1', '2.2.2.2', '3.3.3.3'), ports: [{ port: 80 }, { port: 81 }] }] },
    { Endpoints: '1.1.1.1:80,2.2.2.2:80,3.3.3.3:80 + 3 more...' },
  ],
  [
    'those that are not ready do not count',
    { subsets: [{ notReadyAddresses: ips('1.1.1.1'), ports: [{ port: 80 }] }] },
    { Endpoints: '' },
  ],
]);

check('ResourceQuota', [
  [
    'requests and limits',
    {
      status: {
        hard: {
          pods: '10',
          'limits.cpu': '4',
          cpu: '2',
          'limits.memory': '1Gi',
          'requests.storage': '1Ti',
          limits: '1',
        },
        used: { cpu: '500m', 'limits.cpu': '1' },
      },
    },
    {
      Request: 'cpu: 500m/2, limits: 0/1, pods: 0/10, requests.storage: 0/1Ti',
      Limit: 'limits.cpu: 1/4, limits.memory: 0/1Gi',
    },
  ],
  ['not counted yet', { spec: { hard: { pods: '1' } } }, { Request: '', Limit: '' }],
]);

check('ReplicationController', [
  [
    'wide',
    {
      spec: {
        replicas: 3,
        selector: { app: 'x' },
        template: { spec: { containers: [{ name: 'a', image: 'i:1' }, { name: 'b' }] } },
      },
      status: { replicas: 2, readyReplicas: 1 },
    },
    { Desired: 3, Current: 2, Ready: 1, Containers: 'a,b', Images: 'i:1,', Selector: 'app=x' },
  ],
  ['without template', { spec: {} }, { Desired: 0, Containers: '', Images: '', Selector: '<none>' }],
]);

check('ComponentStatus', [
  [
    'healthy',
    { conditions: [{ type: 'Other' }, { type: 'Healthy', status: 'True', message: 'ok' }] },
    { Status: 'Healthy', Message: 'ok', Error: '' },
  ],
  [
    'not healthy',
    { conditions: [{ type: 'Healthy', status: 'Unknown', error: 'down' }] },
    { Status: 'Unhealthy', Message: '', Error: 'down' },
  ],
  ['nothing known', { conditions: [] }, { Status: 'Unknown', Message: '', Error: '' }],
]);

check('ConfigMap', [
  ['text and bytes', { data: { a: '1', b: '2' }, binaryData: { c: '' } }, { Data: 3 }],
  ['empty', { data: null }, { Data: 0 }],
]);
check('Secret', [['by type', { type: 'Opaque', data: { a: 'YQ==' } }, { Type: 'Opaque', Data: 1 }]]);
check('Namespace', [['phase', { status: { phase: 'Terminating' } }, { Status: 'Terminating' }]]);
check('PodTemplate', [
  [
    'labels of the template',
    { template: { metadata: { labels: { z: '1', a: '' } }, spec: { containers: [{ name: 'c', image: 'i' }] } } },
    { Containers: 'c', Images: 'i', 'Pod Labels': 'a=,z=1' },
  ],
  ['no labels', { template: {} }, { Containers: '', 'Pod Labels': '<none>' }],
]);
