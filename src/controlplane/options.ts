import type { AuthenticationOptions } from '../auth/authentication/options.js';
import type { AuthorizationOptions } from '../auth/authorization/authorization.js';

/** What a control plane is made of. Everything has a default that makes a complete one on loopback, in memory. */
export interface ControlPlaneOptions {
  /** Where state, keys and certificates live; left out: nothing outlives the process. */
  readonly dataDir?: string;
  /** `lmdb` needs `dataDir`, and is the default with it. */
  readonly storageBackend?: 'memory' | 'lmdb';
  /** Address to listen on. Default 127.0.0.1. */
  readonly host?: string;
  /** 0: a free one, the default. */
  readonly port?: number;
  /** Address that clients in the cluster reach this server at. Default: the one it listens on. */
  readonly advertiseAddress?: string;
  /** Further DNS names and addresses of the serving certificate that is made. */
  readonly certificateHosts?: readonly string[];
  /** PEM files to serve with, instead of a certificate of the own authority. */
  readonly tlsCertFile?: string;
  readonly tlsPrivateKeyFile?: string;
  readonly tlsMinVersion?: string;
  readonly tlsCipherSuites?: readonly string[];
  readonly disableHttp2?: boolean;
  /** Authentication flags. What is left out is filled in from the own keys and certificates. */
  readonly authentication?: AuthenticationOptions;
  /** Authorization flags. Default modes: Node, RBAC. */
  readonly authorization?: Partial<AuthorizationOptions>;
  readonly enableAdmissionPlugins?: readonly string[];
  readonly disableAdmissionPlugins?: readonly string[];
  readonly runtimeConfig?: Readonly<Record<string, string>>;
  readonly featureGates?: Readonly<Record<string, string>>;
  /** CIDRs, the first decides the primary address family. Default 10.0.0.0/24. */
  readonly serviceClusterIpRanges?: readonly string[];
  readonly kubernetesServiceNodePort?: number;
  readonly eventTtlSeconds?: number;
  readonly requestTimeoutMs?: number;
  /** Seconds that a watch without timeoutSeconds lives at least. */
  readonly minRequestTimeoutSeconds?: number;
  /** Told about what an administrator should know. Default: warnings and errors go to standard error. */
  readonly log?: (level: 'info' | 'warning' | 'error', message: string) => void;
}
