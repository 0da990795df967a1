/**
 * What becomes of each kube-apiserver flag that is not simply implemented. `warn`: accepted, the text says why it makes
 * no difference here. `refuse`: the server does not start, as going on without it would be another server than asked for.
 */
export type Disposition = { readonly warn: string } | { readonly refuse: string };

const logging = { warn: 'log output is not configurable; it goes to standard error' };
const etcdOnly = { warn: 'only etcd has it; the embedded store needs no tuning' };
const profiling = { warn: 'there are no Go profiles here; use the profiler of Node.js (--inspect, --prof)' };
const emulation = { refuse: 'this server speaks one version of Kubernetes' };
const peers = { refuse: 'several servers behind one address are not supported with an embedded store' };
const metricsTuning = { warn: 'all metrics are served with all their labels' };

export const DISPOSITIONS: Readonly<Record<string, Disposition>> = {
  'cors-allowed-origins': { refuse: 'CORS headers are not served' },
  'emulated-version': emulation,
  'emulation-forward-compatible': emulation,
  'min-compatibility-version': emulation,
  'runtime-config-emulation-forward-compatible': emulation,
  'goaway-chance': { warn: 'connections are not rebalanced; there is one server' },
  'livez-grace-period': { warn: 'livez passes as soon as the server serves' },
  'shutdown-send-retry-after': { warn: 'requests in flight are drained; new connections are refused' },
  'shutdown-watch-termination-grace-period': { warn: 'watches end at once, with a clean end of stream' },
  'storage-initialization-timeout': etcdOnly,
  'strict-transport-security-directives': { warn: 'the API is no web site; the header is not sent' },
  'delete-collection-workers': { warn: 'eight are used' },
  'enable-garbage-collector': { warn: 'finalizers for garbage collection are always kept' },
  'encryption-provider-config': { refuse: 'encryption at rest is not supported; encrypt the file system' },
  'encryption-provider-config-automatic-reload': { refuse: 'encryption at rest is not supported' },
  'etcd-compaction-interval': etcdOnly,
  'etcd-count-metric-poll-period': etcdOnly,
  'etcd-db-metric-poll-interval': etcdOnly,
  'etcd-healthcheck-timeout': etcdOnly,
  'etcd-readycheck-timeout': etcdOnly,
  'etcd-prefix': etcdOnly,
  'lease-reuse-duration-seconds': etcdOnly,
  'storage-media-type': { warn: 'objects are kept as JSON, which is what most clients read' },
  'watch-cache': { warn: 'reads are always served from the watch cache' },
  'watch-cache-sizes': { warn: 'the watch cache sizes itself' },
  'http2-max-streams-per-connection': { warn: 'connections take 100 streams at once' },
  'permit-address-sharing': { warn: 'addresses are bound as Node.js does' },
  'permit-port-sharing': { warn: 'ports are bound as Node.js does' },
  'tls-curve-preferences': { warn: 'the preferences of OpenSSL are used' },
  'contention-profiling': profiling,
  'debug-socket-path': profiling,
  profiling,
  'egress-selector-config-file': { refuse: 'connections to nodes and webhooks are made directly' },
  'admission-control': { refuse: 'removed from Kubernetes; use --enable-admission-plugins' },
  'allow-metric-labels': metricsTuning,
  'allow-metric-labels-manifest': metricsTuning,
  'disabled-metrics': metricsTuning,
  'show-hidden-metrics-for-version': metricsTuning,
  'log-flush-frequency': logging,
  'log-json-info-buffer-size': logging,
  'log-json-split-stream': logging,
  'log-text-info-buffer-size': logging,
  'log-text-split-stream': logging,
  'logging-format': logging,
  v: logging,
  vmodule: logging,
  'tracing-config-file': { refuse: 'spans are not exported' },
  'allow-privileged': { warn: 'privileged containers are judged by Pod Security admission' },
  'coordinated-leadership-lease-duration': { warn: 'coordinated leader election is off, as by default' },
  'coordinated-leadership-renew-deadline': { warn: 'coordinated leader election is off, as by default' },
  'coordinated-leadership-retry-period': { warn: 'coordinated leader election is off, as by default' },
  'enable-logs-handler': { warn: '/logs is not served' },
  'endpoint-reconciler-type': { warn: 'one server writes its own endpoint' },
  'max-connection-bytes-per-sec': { warn: 'user connections are not throttled' },
  'peer-advertise-ip': peers,
  'peer-advertise-port': peers,
  'peer-ca-file': peers,
};
