import type { AuthenticationOptions } from '../auth/authentication/options.js';
import type { ControlPlaneOptions } from '../controlplane/options.js';
import {
  admissionPlugins,
  allowedLabels,
  checkEgress,
  checkPortSharing,
  checkVersions,
  reconcilesEndpoints,
} from './flag-checks.js';
import { DISPOSITIONS } from './flag-dispositions.js';
import { makeLog } from './log.js';
import { FlagError, type FlagValue } from './pflag.js';

export interface MappedOptions {
  readonly options: ControlPlaneOptions;
  readonly warnings: readonly string[];
}

type Values = ReadonlyMap<string, FlagValue>;

const AUTHENTICATION_FLAGS: readonly string[] = [
  'anonymous-auth',
  'api-audiences',
  'authentication-config',
  'authentication-token-webhook-cache-ttl',
  'authentication-token-webhook-config-file',
  'authentication-token-webhook-version',
  'client-ca-file',
  'enable-bootstrap-token-auth',
  'oidc-ca-file',
  'oidc-client-id',
  'oidc-groups-claim',
  'oidc-groups-prefix',
  'oidc-issuer-url',
  'oidc-required-claim',
  'oidc-signing-algs',
  'oidc-username-claim',
  'oidc-username-prefix',
  'requestheader-allowed-names',
  'requestheader-client-ca-file',
  'requestheader-extra-headers-prefix',
  'requestheader-group-headers',
  'requestheader-uid-headers',
  'requestheader-username-headers',
  'service-account-extend-token-expiration',
  'service-account-issuer',
  'service-account-jwks-uri',
  'service-account-key-file',
  'service-account-lookup',
  'service-account-max-token-expiration',
  'service-account-signing-endpoint',
  'service-account-signing-key-file',
  'token-auth-file',
];

/** Flags that make no sense without etcd. */
const ETCD_FLAGS = ['etcd-servers', 'etcd-cafile', 'etcd-certfile', 'etcd-keyfile', 'etcd-servers-overrides'];

/**
 * kube-apiserver's flags as options of a control plane.
 *
 * @throws FlagError for a flag that is refused, by its name
 */
export function apiserverOptions(values: Values): MappedOptions {
  const warnings = checkDispositions(values);
  const get = <T extends FlagValue>(name: string): T | undefined => values.get(name) as T | undefined;
  const backend = storageBackend(values, warnings);
  const authentication = pick(values, AUTHENTICATION_FLAGS) as AuthenticationOptions;
  const certificate = { cert: get<string>('tls-cert-file'), key: get<string>('tls-private-key-file') };
  if ((certificate.cert === undefined) !== (certificate.key === undefined)) {
    throw new FlagError('--tls-cert-file and --tls-private-key-file must be given together');
  }
  const host = get<string>('external-hostname');
  checkVersions(get<string[]>('emulated-version'), get<string[]>('min-compatibility-version'));
  checkEgress(get('egress-selector-config-file'));
  checkPortSharing(get('permit-port-sharing'), process.versions.node);
  const plugins = admissionPlugins(get<string[]>('admission-control'), {
    enable: get<string[]>('enable-admission-plugins'),
    disable: get<string[]>('disable-admission-plugins'),
  });
  return {
    warnings,
    options: {
      dataDir: get('data-dir'),
      storageBackend: backend,
      encryptionConfigFile: get('encryption-provider-config'),
      encryptionConfigReload: get('encryption-provider-config-automatic-reload'),
      host: get<string>('bind-address') ?? '0.0.0.0',
      port: port(get<number>('secure-port') ?? 6443),
      advertiseAddress: get('advertise-address'),
      externalHostname: host,
      certificateHosts: host ? [host] : [],
      tlsCertFile: certificate.cert,
      tlsPrivateKeyFile: certificate.key,
      tlsSniCertKey: get<string[]>('tls-sni-cert-key'),
      tlsMinVersion: get('tls-min-version'),
      tlsCipherSuites: get<string[]>('tls-cipher-suites'),
      tlsCurvePreferences: get<string[]>('tls-curve-preferences'),
      certDir: get('cert-dir'),
      disableHttp2: get('disable-http2-serving'),
      http2MaxStreams: get('http2-max-streams-per-connection'),
      permitPortSharing: get('permit-port-sharing'),
      corsAllowedOrigins: get<string[]>('cors-allowed-origins'),
      hstsDirectives: get<string[]>('strict-transport-security-directives'),
      goawayChance: get('goaway-chance'),
      authentication,
      authorization: {
        ...(get('authorization-config') ? { modes: [] } : {}),
        ...(get<string[]>('authorization-mode') ? { modes: get<string[]>('authorization-mode')! } : {}),
        configFile: get('authorization-config'),
        policyFile: get('authorization-policy-file'),
        webhookConfigFile: get('authorization-webhook-config-file'),
        webhookVersion: get<string>('authorization-webhook-version') ?? 'v1beta1',
        webhookAuthorizedTtl: get<number>('authorization-webhook-cache-authorized-ttl') ?? 300_000,
        webhookUnauthorizedTtl: get<number>('authorization-webhook-cache-unauthorized-ttl') ?? 30_000,
        given: new Set([...values.keys()].map((name) => `--${name}`)),
      },
      enableAdmissionPlugins: plugins.enable,
      disableAdmissionPlugins: plugins.disable,
      admissionConfigFile: get('admission-control-config-file'),
      runtimeConfig: get('runtime-config'),
      featureGates: featureGates(get<Record<string, string>>('feature-gates')),
      serviceClusterIpRanges: get<string>('service-cluster-ip-range')?.split(','),
      serviceNodePortRange: get('service-node-port-range'),
      kubernetesServiceNodePort: get('kubernetes-service-node-port'),
      eventTtlSeconds: seconds(get<number>('event-ttl')),
      requestTimeoutMs: get('request-timeout'),
      minRequestTimeoutSeconds: get('min-request-timeout'),
      priorityAndFairness: get('enable-priority-and-fairness'),
      maxRequestsInflight: get('max-requests-inflight'),
      maxMutatingRequestsInflight: get('max-mutating-requests-inflight'),
      shutdownDelayMs: get('shutdown-delay-duration'),
      shutdownSendRetryAfter: get('shutdown-send-retry-after'),
      livezGraceMs: atLeastZero('livez-grace-period', get('livez-grace-period')),
      allowPrivileged: get<boolean>('allow-privileged') ?? false,
      maxConnectionBytesPerSecond: atLeastZero('max-connection-bytes-per-sec', get('max-connection-bytes-per-sec')),
      garbageCollection: get('enable-garbage-collector'),
      reconcileEndpoints: reconcilesEndpoints(get('endpoint-reconciler-type')),
      deleteCollectionWorkers: workers(get('delete-collection-workers')),
      metrics: {
        disabled: get<string[]>('disabled-metrics'),
        allowedLabels: allowedLabels(get('allow-metric-labels'), get('allow-metric-labels-manifest')),
      },
      log: makeLog({
        format: get('logging-format'),
        verbosity: verbosity(get('v')),
        now: Date.now,
        write: (line) => process.stderr.write(line),
      }),
      controllers: get<string[]>('controllers'),
      audit: auditOptions(values),
      kubelet: {
        certificateAuthority: get('kubelet-certificate-authority'),
        clientCertificate: get('kubelet-client-certificate'),
        clientKey: get('kubelet-client-key'),
        preferredAddressTypes: get<string[]>('kubelet-preferred-address-types'),
        timeoutMs: get('kubelet-timeout'),
      },
      proxyClientCertFile: get('proxy-client-cert-file'),
      proxyClientKeyFile: get('proxy-client-key-file'),
      aggregatorRouting: get('enable-aggregator-routing'),
      aggregatorRejectRedirects: get('aggregator-reject-forwarding-redirect'),
      defaultNotReadyTolerationSeconds: get('default-not-ready-toleration-seconds'),
      defaultUnreachableTolerationSeconds: get('default-unreachable-toleration-seconds'),
    },
  };
}

function checkDispositions(values: Values): string[] {
  const warnings: string[] = [];
  for (const name of values.keys()) {
    const fate = DISPOSITIONS[name];
    if (!fate) continue;
    if ('refuse' in fate) throw new FlagError(`--${name} is not supported: ${fate.refuse}`);
    warnings.push(`--${name} has no effect: ${fate.warn}`);
  }
  return warnings;
}

/** etcd is never replaced by something else in silence: somebody's cluster may be in it. */
function storageBackend(values: Values, warnings: string[]): 'memory' | 'lmdb' | undefined {
  const backend = values.get('storage-backend') as string | undefined;
  const etcd = ETCD_FLAGS.filter((name) => values.has(name));
  if (backend === 'etcd3' || (backend === undefined && etcd.length > 0)) {
    const flag = backend ? '--storage-backend=etcd3' : `--${etcd[0]}`;
    throw new FlagError(`${flag} is not supported yet: choose --storage-backend=lmdb with --data-dir, or memory`);
  }
  if (backend !== undefined && backend !== 'memory' && backend !== 'lmdb') {
    throw new FlagError(`--storage-backend ${JSON.stringify(backend)} is unknown: memory, lmdb or etcd3`);
  }
  if (backend === undefined && !values.has('data-dir')) {
    warnings.push('nothing outlives the process: choose --data-dir to keep it, or say --storage-backend=memory');
  }
  for (const name of etcd) warnings.push(`--${name} has no effect: --storage-backend=${backend} needs no etcd`);
  return backend;
}

/** kebab-case flags to camelCase fields, as far as they were given. */
function pick(values: Values, names: readonly string[], prefix = ''): Record<string, FlagValue> {
  const out: Record<string, FlagValue> = {};
  for (const name of names) {
    const value = values.get(prefix + name);
    if (value !== undefined) out[name.replace(/-(.)/g, (_, c: string) => c.toUpperCase())] = value;
  }
  return out;
}

const AUDIT_BACKEND = [
  'mode',
  'batch-buffer-size',
  'batch-max-size',
  'batch-max-wait',
  'batch-throttle-enable',
  'batch-throttle-qps',
  'batch-throttle-burst',
  'truncate-enabled',
  'truncate-max-batch-size',
  'truncate-max-event-size',
  'version',
];

function auditOptions(values: Values): ControlPlaneOptions['audit'] {
  return {
    policyFile: values.get('audit-policy-file') as string | undefined,
    log: pick(values, [...AUDIT_BACKEND, 'path', 'maxage', 'maxbackup', 'maxsize', 'compress', 'format'], 'audit-log-'),
    webhook: pick(values, [...AUDIT_BACKEND, 'config-file', 'initial-backoff'], 'audit-webhook-'),
  };
}

/** `kube:Name=true` means the same as `Name=true`: there is one component here. */
function featureGates(given: Record<string, string> | undefined): Record<string, string> | undefined {
  return given && Object.fromEntries(Object.entries(given).map(([k, v]) => [k.replace(/^kube:/, ''), v]));
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms / 1000);
}

function atLeastZero(name: string, value: number | undefined): number | undefined {
  if (value !== undefined && value < 0) throw new FlagError(`--${name} can not be a negative value`);
  return value;
}

function workers(count: number | undefined): number | undefined {
  if (count !== undefined && count < 1) throw new FlagError('--delete-collection-workers must be at least 1');
  return count;
}

function verbosity(text = '0'): number {
  if (!/^\d{1,9}$/.test(text)) {
    throw new FlagError(
      `invalid argument ${JSON.stringify(text)} for "-v, --v" flag: strconv.ParseInt: invalid syntax`,
    );
  }
  return Number(text);
}

function port(value: number): number {
  if (value < 0 || value > 65535) throw new FlagError(`--secure-port ${value} must be between 0 and 65535`);
  return value;
}
