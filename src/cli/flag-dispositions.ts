/**
 * What becomes of each kube-apiserver flag that is not simply implemented. `warn`: accepted, the text says why it makes
 * no difference here. `refuse`: the server does not start, as going on without it would be another server than asked for.
 */
export type Disposition = { readonly warn: string } | { readonly refuse: string };

/** What is not the same as upstream in flags that are implemented. */
export const NOTES: Readonly<Record<string, string>> = {
  'allow-metric-labels': 'other values are counted as `unexpected`',
  'cert-dir': 'left out, the certificate is kept in the data directory',
  'delete-collection-workers': 'eight unless it is given',
  'egress-selector-config-file': 'connections are made directly: every proxyProtocol must be Direct',
  'emulated-version': '1.36 alone',
  'encryption-provider-config': 'kms is refused',
  'endpoint-reconciler-type': 'lease and master-count mean the same: one server writes its own endpoint',
  'etcd-cafile': 'refused unless another backend is chosen by name',
  'etcd-certfile': 'refused unless another backend is chosen by name',
  'etcd-keyfile': 'refused unless another backend is chosen by name',
  'etcd-servers': 'refused unless another backend is chosen by name',
  'etcd-servers-overrides': 'refused unless another backend is chosen by name',
  'logging-format': 'text or json',
  'min-compatibility-version': '1.35 or 1.36',
  'permit-port-sharing': 'from Node.js 22.12 and 23.1 on',
  'storage-backend': 'lmdb or memory',
  'tls-curve-preferences': 'as far as OpenSSL knows them',
  v: 'from 1 on information is written, too',
};

const logging = { warn: 'there is one log, it goes to standard error, and each line at once' };
const etcdOnly = { warn: 'only etcd has it; the embedded store needs no tuning' };
const profiling = { warn: 'there are no Go profiles here; use the profiler of Node.js (--inspect, --prof)' };
const emulation = { warn: 'this server speaks one version of Kubernetes' };
const peers = { refuse: 'several servers behind one address are not supported with an embedded store' };

export const DISPOSITIONS: Readonly<Record<string, Disposition>> = {
  'emulation-forward-compatible': emulation,
  'runtime-config-emulation-forward-compatible': emulation,
  'shutdown-watch-termination-grace-period': { warn: 'watches end at once, with a clean end of stream' },
  'storage-initialization-timeout': etcdOnly,
  'etcd-compaction-interval': etcdOnly,
  'etcd-count-metric-poll-period': etcdOnly,
  'etcd-db-metric-poll-interval': etcdOnly,
  'etcd-healthcheck-timeout': etcdOnly,
  'etcd-readycheck-timeout': etcdOnly,
  'etcd-prefix': etcdOnly,
  'lease-reuse-duration-seconds': etcdOnly,
  'service-account-signing-endpoint': { refuse: 'tokens are signed here, with --service-account-signing-key-file' },
  'storage-media-type': { warn: 'objects are kept as JSON, which is what most clients read' },
  'watch-cache': { warn: 'reads are always served from the watch cache' },
  'watch-cache-sizes': { warn: 'the watch cache sizes itself' },
  'permit-address-sharing': { warn: 'addresses are always shared with connections that are closing' },
  'contention-profiling': profiling,
  'debug-socket-path': profiling,
  profiling,
  'show-hidden-metrics-for-version': { warn: 'no metrics are hidden' },
  'log-flush-frequency': logging,
  'log-json-info-buffer-size': logging,
  'log-json-split-stream': logging,
  'log-text-info-buffer-size': logging,
  'log-text-split-stream': logging,
  vmodule: logging,
  'tracing-config-file': { refuse: 'spans are not exported' },
  'coordinated-leadership-lease-duration': { warn: 'coordinated leader election is off, as by default' },
  'coordinated-leadership-renew-deadline': { warn: 'coordinated leader election is off, as by default' },
  'coordinated-leadership-retry-period': { warn: 'coordinated leader election is off, as by default' },
  'enable-logs-handler': { warn: '/logs is not served' },
  'peer-advertise-ip': peers,
  'peer-advertise-port': peers,
  'peer-ca-file': peers,
};
