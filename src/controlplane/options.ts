import type { AuthenticationOptions } from '../auth/authentication/options.js';
import type { AuthorizationOptions } from '../auth/authorization/authorization.js';
import type { AuditLogOptions, AuditWebhookOptions } from '../server/audit/options.js';
import type { MetricsOptions } from '../server/metrics/registry.js';

/** What a control plane is made of. Everything has a default that makes a complete one on loopback, in memory. */
export interface ControlPlaneOptions {
  /** Where state, keys and certificates live; left out: nothing outlives the process. */
  readonly dataDir?: string;
  /** `lmdb` needs `dataDir`, and is the default with it. */
  readonly storageBackend?: 'memory' | 'lmdb';
  /** EncryptionConfiguration (apiserver.config.k8s.io/v1): which resources are encrypted in the store, and how. */
  readonly encryptionConfigFile?: string;
  /** Looks at that file every minute. */
  readonly encryptionConfigReload?: boolean;
  /** Address to listen on. Default 127.0.0.1. */
  readonly host?: string;
  /** 0: a free one, the default. */
  readonly port?: number;
  /** Address that clients in the cluster reach this server at. Default: the one it listens on. */
  readonly advertiseAddress?: string;
  /** Host, or host:port, that documents name for clients outside. Default: the advertised address. */
  readonly externalHostname?: string;
  /** Further DNS names and addresses of the serving certificate that is made. */
  readonly certificateHosts?: readonly string[];
  /** PEM files to serve with, instead of a certificate of the own authority. */
  readonly tlsCertFile?: string;
  readonly tlsPrivateKeyFile?: string;
  /** `cert,key` or `cert,key:name,name` as --tls-sni-cert-key. */
  readonly tlsSniCertKey?: readonly string[];
  readonly tlsMinVersion?: string;
  readonly tlsCipherSuites?: readonly string[];
  /** Numbers of Go's crypto/tls CurveIDs. */
  readonly tlsCurvePreferences?: readonly string[];
  readonly disableHttp2?: boolean;
  /** Streams that one HTTP/2 connection may have at a time. Default 100. */
  readonly http2MaxStreams?: number;
  /** Where `apiserver.crt` and `apiserver.key` are, or are written to, when `tlsCertFile` is left out. */
  readonly certDir?: string;
  /** Other processes may listen on the same port. */
  readonly permitPortSharing?: boolean;
  /** Regular expressions of the origins of pages that may ask; none by default. */
  readonly corsAllowedOrigins?: readonly string[];
  /** Parts of the Strict-Transport-Security header, which is not sent by default. */
  readonly hstsDirectives?: readonly string[];
  /** Share of HTTP/2 requests whose connection is asked to close, up to 0.02. Default 0. */
  readonly goawayChance?: number;
  /** Authentication flags. What is left out is filled in from the own keys and certificates. */
  readonly authentication?: AuthenticationOptions;
  /** Authorization flags. Default modes: Node, RBAC. */
  readonly authorization?: Partial<AuthorizationOptions>;
  readonly enableAdmissionPlugins?: readonly string[];
  readonly disableAdmissionPlugins?: readonly string[];
  /** AdmissionConfiguration (apiserver.config.k8s.io/v1): YAML with what plugins are told. */
  readonly admissionConfigFile?: string;
  readonly runtimeConfig?: Readonly<Record<string, string>>;
  readonly featureGates?: Readonly<Record<string, string>>;
  /** Names and values of the flags that it was started with, for /flagz; left out: there is no such page. */
  readonly flags?: Readonly<Record<string, string>>;
  /** CIDRs, the first decides the primary address family. Default 10.0.0.0/24. */
  readonly serviceClusterIpRanges?: readonly string[];
  /** `30000-32767`, the default. */
  readonly serviceNodePortRange?: string;
  readonly kubernetesServiceNodePort?: number;
  readonly eventTtlSeconds?: number;
  readonly requestTimeoutMs?: number;
  /** Seconds that a watch without timeoutSeconds lives at least. */
  readonly minRequestTimeoutSeconds?: number;
  /** False: plain limits on requests in flight instead of priority and fairness. */
  readonly priorityAndFairness?: boolean;
  readonly maxRequestsInflight?: number;
  readonly maxMutatingRequestsInflight?: number;
  /** How long the server goes on as before when it was told to stop. */
  readonly shutdownDelayMs?: number;
  /** After that it goes on listening, and sends new requests elsewhere, until those under way are answered. */
  readonly shutdownSendRetryAfter?: boolean;
  /** How long livez passes while the server is still starting. Default 0. */
  readonly livezGraceMs?: number;
  /** False: no privileged containers. Default true. */
  readonly allowPrivileged?: boolean;
  /** Whether this server writes its address to the endpoints of the kubernetes service. Default true. */
  readonly reconcileEndpoints?: boolean;
  /** Objects that one deletecollection works on at a time. Default 8. */
  readonly deleteCollectionWorkers?: number;
  readonly metrics?: MetricsOptions;
  /** How fast bytes of exec, attach and port-forward go each way. Default 0: as fast as they can. */
  readonly maxConnectionBytesPerSecond?: number;
  /** False: nobody collects garbage, so that deletions set no finalizers for it. Default true. */
  readonly garbageCollection?: boolean;
  /** Loops to run in this process: names, `*` for all, `-name` to leave one out. Default: all. */
  readonly controllers?: readonly string[];
  readonly audit?: {
    readonly policyFile?: string;
    readonly log: Partial<AuditLogOptions>;
    readonly webhook: Partial<AuditWebhookOptions>;
  };
  /** How kubelets are reached for logs, exec and port-forward. */
  readonly kubelet?: {
    readonly certificateAuthority?: string;
    readonly clientCertificate?: string;
    readonly clientKey?: string;
    readonly preferredAddressTypes?: readonly string[];
    /** How long opening a connection may take. Default 30 s. */
    readonly timeoutMs?: number;
    /** Proxies may lead to loopback and link-local addresses, which kube-apiserver forbids: for tests on one host. */
    readonly allowLocalAddresses?: boolean;
  };
  /** What aggregated API servers see of this one. */
  readonly proxyClientCertFile?: string;
  readonly proxyClientKeyFile?: string;
  /** False: aggregated API servers are reached at their Service's cluster address instead of its endpoints. */
  readonly aggregatorRouting?: boolean;
  /** False: redirects of aggregated API servers are passed on. Default: true, they are errors. */
  readonly aggregatorRejectRedirects?: boolean;
  readonly defaultNotReadyTolerationSeconds?: number;
  readonly defaultUnreachableTolerationSeconds?: number;
  /** Told about what an administrator should know. Default: warnings and errors go to standard error. */
  readonly log?: (level: 'info' | 'warning' | 'error', message: string) => void;
}
