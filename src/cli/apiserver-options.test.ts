import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readCatalogFile } from '../machinery/scheme/catalog.js';
import { apiserverFlags } from './apiserver-flags.js';
import { apiserverOptions } from './apiserver-options.js';
import { checkPortSharing } from './flag-checks.js';
import { DISPOSITIONS, NOTES } from './flag-dispositions.js';
import { durationText, flagValues } from './flag-values.js';
import { makeLog } from './log.js';
import { parseFlags } from './pflag.js';

const specs = apiserverFlags();
const parse = (...argv: string[]) => parseFlags(argv, specs).values;
const map = (...argv: string[]) => apiserverOptions(parse('--storage-backend=memory', ...argv));
const options = (...argv: string[]) => map(...argv).options;

const directory = mkdtempSync(join(tmpdir(), 'porthole-flags-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

it('knows a fate of nothing but flags', () => {
  const names = new Set((JSON.parse(readCatalogFile('flags.json')) as string[][]).map((row) => row[1]!.slice(2)));
  const told = [...Object.keys(DISPOSITIONS), ...Object.keys(NOTES)];
  expect(told.filter((name) => !names.has(name))).toEqual([]);
  expect(Object.keys(NOTES).filter((name) => DISPOSITIONS[name])).toEqual([]);
});

describe('flags that become options', () => {
  it.each<[string[], object]>([
    [[], { allowPrivileged: false, reconcileEndpoints: true, controllers: undefined, port: 6443, host: '0.0.0.0' }],
    [['--allow-privileged'], { allowPrivileged: true }],
    [['--cors-allowed-origins=^a$,^b$'], { corsAllowedOrigins: ['^a$', '^b$'] }],
    [['--strict-transport-security-directives=max-age=1,preload'], { hstsDirectives: ['max-age=1', 'preload'] }],
    [['--goaway-chance=0.01'], { goawayChance: 0.01 }],
    [['--livez-grace-period=10s'], { livezGraceMs: 10_000 }],
    [['--shutdown-send-retry-after'], { shutdownSendRetryAfter: true }],
    [['--http2-max-streams-per-connection=7'], { http2MaxStreams: 7 }],
    [['--tls-curve-preferences=29,23'], { tlsCurvePreferences: ['29', '23'] }],
    [['--cert-dir=/x'], { certDir: '/x' }],
    [['--permit-port-sharing=false'], { permitPortSharing: false }],
    [['--endpoint-reconciler-type=none'], { reconcileEndpoints: false }],
    [['--endpoint-reconciler-type=master-count'], { reconcileEndpoints: true }],
    [['--enable-garbage-collector=false'], { garbageCollection: false }],
    [['--max-connection-bytes-per-sec=1000'], { maxConnectionBytesPerSecond: 1000 }],
    [
      ['--encryption-provider-config=f', '--encryption-provider-config-automatic-reload'],
      { encryptionConfigFile: 'f', encryptionConfigReload: true },
    ],
    [['--delete-collection-workers=3'], { deleteCollectionWorkers: 3 }],
    [['--disabled-metrics=a,b'], { metrics: { disabled: ['a', 'b'], allowedLabels: {} } }],
    [
      ['--allow-metric-labels=m,l=x,y', '--allow-metric-labels=m,k=z'],
      { metrics: { disabled: undefined, allowedLabels: { 'm,l': ['x', 'y'], 'm,k': ['z'] } } },
    ],
    [['--emulated-version=kube=1.36', '--min-compatibility-version=1.35'], {}],
  ])('%j', (argv, expected) => {
    expect(options(...argv)).toMatchObject(expected);
  });

  // What the options do is tested where it is done.
  const audit = (prefix: string, rest: string[]) =>
    [
      ...['mode=batch', 'batch-buffer-size=2', 'batch-max-size=3', 'batch-max-wait=4s', 'batch-throttle-enable'],
      ...['batch-throttle-qps=5', 'batch-throttle-burst=6', 'truncate-enabled', 'truncate-max-batch-size=7'],
      ...['truncate-max-event-size=8', 'version=audit.k8s.io/v1', ...rest],
    ].map((flag) => `--audit-${prefix}-${flag}`);
  const batch = {
    mode: 'batch',
    batchBufferSize: 2,
    batchMaxSize: 3,
    batchMaxWait: 4000,
    batchThrottleEnable: true,
    batchThrottleQps: 5,
    batchThrottleBurst: 6,
    truncateEnabled: true,
    truncateMaxBatchSize: 7,
    truncateMaxEventSize: 8,
    version: 'audit.k8s.io/v1',
  };
  it.each<[string[], object]>([
    [['--external-hostname=h'], { certificateHosts: ['h'], externalHostname: 'h' }],
    [['--min-request-timeout=9'], { minRequestTimeoutSeconds: 9 }],
    [['--request-timeout=9s'], { requestTimeoutMs: 9000 }],
    [['--shutdown-delay-duration=9s'], { shutdownDelayMs: 9000 }],
    [['--disable-http2-serving'], { disableHttp2: true }],
    [
      ['--tls-cipher-suites=A,B', '--tls-min-version=VersionTLS13'],
      { tlsCipherSuites: ['A', 'B'], tlsMinVersion: 'VersionTLS13' },
    ],
    [['--tls-sni-cert-key=a,b:c,d', '--tls-sni-cert-key=e,f'], { tlsSniCertKey: ['a,b:c,d', 'e,f'] }],
    [['--audit-policy-file=p'], { audit: { policyFile: 'p', log: {}, webhook: {} } }],
    [
      audit('log', ['path=x', 'maxage=1', 'maxbackup=2', 'maxsize=3', 'compress', 'format=legacy']),
      {
        audit: { log: { ...batch, path: 'x', maxage: 1, maxbackup: 2, maxsize: 3, compress: true, format: 'legacy' } },
      },
    ],
    [
      audit('webhook', ['config-file=x', 'initial-backoff=1s']),
      { audit: { webhook: { ...batch, configFile: 'x', initialBackoff: 1000 } } },
    ],
    [['--authentication-token-webhook-cache-ttl=3s'], { authentication: { authenticationTokenWebhookCacheTtl: 3000 } }],
    [
      ['--service-account-extend-token-expiration=false'],
      { authentication: { serviceAccountExtendTokenExpiration: false } },
    ],
    [
      [
        '--authorization-webhook-cache-authorized-ttl=1s',
        '--authorization-webhook-cache-unauthorized-ttl=2s',
        '--authorization-webhook-version=v1',
      ],
      { authorization: { webhookAuthorizedTtl: 1000, webhookUnauthorizedTtl: 2000, webhookVersion: 'v1' } },
    ],
    [['--admission-control-config-file=f'], { admissionConfigFile: 'f' }],
    [
      ['--default-not-ready-toleration-seconds=1', '--default-unreachable-toleration-seconds=2'],
      { defaultNotReadyTolerationSeconds: 1, defaultUnreachableTolerationSeconds: 2 },
    ],
    [
      ['--aggregator-reject-forwarding-redirect=false', '--enable-aggregator-routing=false'],
      { aggregatorRejectRedirects: false, aggregatorRouting: false },
    ],
    [
      [
        '--kubelet-certificate-authority=a',
        '--kubelet-client-certificate=b',
        '--kubelet-client-key=c',
        '--kubelet-preferred-address-types=Hostname',
        '--kubelet-timeout=2s',
      ],
      {
        kubelet: {
          certificateAuthority: 'a',
          clientCertificate: 'b',
          clientKey: 'c',
          preferredAddressTypes: ['Hostname'],
          timeoutMs: 2000,
        },
      },
    ],
    [
      ['--proxy-client-cert-file=a', '--proxy-client-key-file=b'],
      { proxyClientCertFile: 'a', proxyClientKeyFile: 'b' },
    ],
    [
      [
        '--service-cluster-ip-range=10.0.0.0/24,fd00::/108',
        '--service-node-port-range=1-2',
        '--kubernetes-service-node-port=1',
      ],
      {
        serviceClusterIpRanges: ['10.0.0.0/24', 'fd00::/108'],
        serviceNodePortRange: '1-2',
        kubernetesServiceNodePort: 1,
      },
    ],
    [['--feature-gates=kube:A=true,B=false'], { featureGates: { A: 'true', B: 'false' } }],
    [['--event-ttl=90s'], { eventTtlSeconds: 90 }],
  ])('%j too', (argv, expected) => {
    expect(options(...argv)).toMatchObject(expected);
  });

  it('takes exactly the plugins of --admission-control', () => {
    const { enableAdmissionPlugins, disableAdmissionPlugins } = options(
      '--admission-control=NamespaceLifecycle,AlwaysDeny',
    );
    expect(enableAdmissionPlugins).toEqual(['NamespaceLifecycle', 'AlwaysDeny']);
    expect(disableAdmissionPlugins).toContain('PodSecurity');
    expect(disableAdmissionPlugins).not.toContain('NamespaceLifecycle');
  });

  it('reads labels of metrics from a file, where the flag comes first', () => {
    const path = file('labels.yaml', 'm,l: x\nm,k: "1,2"\n');
    const { metrics } = options(`--allow-metric-labels-manifest=${path}`, '--allow-metric-labels=m,l=y');
    expect(metrics?.allowedLabels).toEqual({ 'm,l': ['y'], 'm,k': ['1', '2'] });
  });

  it('lets egress be direct', () => {
    const path = file(
      'direct.yaml',
      'apiVersion: apiserver.k8s.io/v1beta1\nkind: EgressSelectorConfiguration\negressSelections:\n- name: cluster\n  connection:\n    proxyProtocol: Direct\n',
    );
    expect(() => options(`--egress-selector-config-file=${path}`)).not.toThrow();
  });
});

describe('flags that are refused by their names', () => {
  const konnectivity = file(
    'proxy.yaml',
    'apiVersion: apiserver.k8s.io/v1beta1\nkind: EgressSelectorConfiguration\negressSelections:\n- name: cluster\n  connection:\n    proxyProtocol: GRPC\n    transport: {uds: {udsName: /x}}\n',
  );
  it.each<[string[], string]>([
    [['--emulated-version=1.35'], '--emulated-version 1.35 is not supported: this server speaks Kubernetes 1.36'],
    [['--min-compatibility-version=kube=1.30'], '--min-compatibility-version kube=1.30 is not supported'],
    [['--endpoint-reconciler-type=x'], '--endpoint-reconciler-type "x" is unknown'],
    [['--delete-collection-workers=0'], '--delete-collection-workers must be at least 1'],
    [['--livez-grace-period=-1s'], '--livez-grace-period can not be a negative value'],
    [['--max-connection-bytes-per-sec=-1'], '--max-connection-bytes-per-sec can not be a negative value'],
    [['--service-account-signing-endpoint=@x'], '--service-account-signing-endpoint is not supported'],
    [['--logging-format=xml'], '--logging-format "xml" is not supported: text or json'],
    [['--v=high'], 'invalid argument "high" for "-v, --v" flag'],
    [['--admission-control=AlwaysAdmit', '--enable-admission-plugins=AlwaysDeny'], 'mutually exclusive'],
    [['--admission-control=AlwaysAdmit', '--disable-admission-plugins=AlwaysDeny'], 'mutually exclusive'],
    [
      [`--egress-selector-config-file=${konnectivity}`],
      'proxyProtocol "GRPC" of cluster is not supported: only Direct',
    ],
    [[`--egress-selector-config-file=${file('none.yaml', 'a: b')}`], "Object 'Kind' is missing"],
    [['--egress-selector-config-file=/nowhere'], '--egress-selector-config-file: ENOENT'],
    [['--allow-metric-labels-manifest=/nowhere'], '--allow-metric-labels-manifest: ENOENT'],
    [[`--allow-metric-labels-manifest=${file('list.yaml', '[1]')}`], 'expected metric,label: "value,value"'],
    [['--tracing-config-file=x'], '--tracing-config-file is not supported: spans are not exported'],
    [['--peer-ca-file=x'], '--peer-ca-file is not supported'],
    [['--tls-cert-file=x'], '--tls-cert-file and --tls-private-key-file must be given together'],
    [['--secure-port=70000'], '--secure-port 70000 must be between 0 and 65535'],
    [['--storage-backend=etcd3'], '--storage-backend=etcd3 is not supported yet'],
  ])('%j', (argv, message) => {
    expect(() => options(...argv)).toThrow(message);
  });

  it('port sharing where Node.js has none', () => {
    for (const version of ['20.19.0', '22.11.0', '23.0.0']) {
      expect(() => checkPortSharing(true, version)).toThrow(
        `--permit-port-sharing is not supported by Node.js ${version}`,
      );
      expect(() => checkPortSharing(false, version)).not.toThrow();
    }
    for (const version of ['22.12.0', '23.1.0', '24.0.0']) expect(() => checkPortSharing(true, version)).not.toThrow();
  });

  it('etcd is replaced by nothing in silence', () => {
    expect(() => apiserverOptions(parse('--etcd-servers=http://x'))).toThrow('--etcd-servers is not supported yet');
  });
});

it('warns of flags without an effect', () => {
  expect(map('--watch-cache=false', '--vmodule=a=1', '--etcd-servers=http://x').warnings).toEqual([
    '--watch-cache has no effect: reads are always served from the watch cache',
    '--vmodule has no effect: there is one log, it goes to standard error, and each line at once',
    '--etcd-servers has no effect: --storage-backend=memory needs no etcd',
  ]);
  expect(map('--v=2', '--goaway-chance=0.01').warnings).toEqual([]);
});

it('warns when nobody said where to keep things', () => {
  expect(apiserverOptions(parse()).warnings).toEqual([expect.stringContaining('nothing outlives the process')]);
  expect(apiserverOptions(parse('--data-dir=/d')).warnings).toEqual([]);
});

describe('the values of flags', () => {
  it('are what was given, or the default', () => {
    const values = flagValues(
      specs,
      parse(
        '--v=4',
        '--secure-port=1',
        '--feature-gates=B=true,A=false',
        '--authorization-mode=Node,RBAC',
        '--event-ttl=90m',
      ),
    );
    expect(values).toMatchObject({
      v: '4',
      'secure-port': '1',
      'feature-gates': 'A=false,B=true',
      'authorization-mode': '[Node,RBAC]',
      'event-ttl': '1h30m0s',
      'request-timeout': '1m0s',
      'storage-media-type': 'application/vnd.kubernetes.protobuf',
      'audit-log-path': '',
      'advertise-address': '<nil>',
      'enable-logs-handler': 'false',
      'cors-allowed-origins': '[]',
    });
  });
  it.each([
    [0, '0s'],
    [250, '250ms'],
    [0.5, '500µs'],
    [1500, '1.5s'],
    [60_000, '1m0s'],
    [3_600_000, '1h0m0s'],
    [-90_000, '-1m30s'],
  ])('%d ms are %s', (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });
});

describe('the log', () => {
  const lines: string[] = [];
  const log = (settings: object) => makeLog({ now: () => 1500, write: (line) => lines.push(line), ...settings });
  it('is text or JSON, and tells more when asked to', () => {
    log({})('info', 'a');
    log({})('error', 'b');
    log({ verbosity: 1 })('info', 'c');
    log({ format: 'json' })('warning', 'd"');
    expect(lines).toEqual([
      'porthole: error: b\n',
      'porthole: info: c\n',
      '{"ts":1500,"level":"warning","msg":"d\\""}\n',
    ]);
  });
});

it('--version needs no value', () => {
  expect(parse('--version', '--v=1').get('version')).toBe('true');
  expect(parse('--version=raw').get('version')).toBe('raw');
});
