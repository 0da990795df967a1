import { constants } from 'node:crypto';
import {
  createSecureContext,
  type TlsOptions as NodeTlsOptions,
  type SecureContext,
  type SecureContextOptions,
  type SecureVersion,
} from 'node:tls';
import type { KeyPair, ServingCertificates, TlsOptions } from './contract.js';

/** Suite names of Go's crypto/tls, as `--tls-cipher-suites` writes them, and what OpenSSL calls them. */
const CIPHERS: Record<string, string> = {
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 'ECDHE-ECDSA-AES128-GCM-SHA256',
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 'ECDHE-RSA-AES128-GCM-SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 'ECDHE-ECDSA-AES256-GCM-SHA384',
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 'ECDHE-RSA-AES256-GCM-SHA384',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-ECDSA-CHACHA20-POLY1305',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-RSA-CHACHA20-POLY1305',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305: 'ECDHE-ECDSA-CHACHA20-POLY1305',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305: 'ECDHE-RSA-CHACHA20-POLY1305',
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: 'ECDHE-ECDSA-AES128-SHA',
  TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA: 'ECDHE-ECDSA-AES256-SHA',
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: 'ECDHE-RSA-AES128-SHA',
  TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: 'ECDHE-RSA-AES256-SHA',
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256: 'ECDHE-ECDSA-AES128-SHA256',
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256: 'ECDHE-RSA-AES128-SHA256',
  TLS_RSA_WITH_AES_128_GCM_SHA256: 'AES128-GCM-SHA256',
  TLS_RSA_WITH_AES_256_GCM_SHA384: 'AES256-GCM-SHA384',
  TLS_RSA_WITH_AES_128_CBC_SHA: 'AES128-SHA',
  TLS_RSA_WITH_AES_256_CBC_SHA: 'AES256-SHA',
  TLS_RSA_WITH_AES_128_CBC_SHA256: 'AES128-SHA256',
};
const TLS13_SUITES = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];
const VERSIONS: Record<string, SecureVersion> = { VersionTLS12: 'TLSv1.2', VersionTLS13: 'TLSv1.3' };

/** The part of the TLS set-up that a reload of certificates does not touch. */
export interface TlsPolicy {
  readonly minVersion: SecureVersion;
  readonly ciphers: string | undefined;
  /** As OpenSSL lists groups; undefined: its own preference. */
  readonly curves: string | undefined;
  readonly alpn: readonly string[];
}

/** Throws an Error that names the version or suite which is not supported. */
export function tlsPolicy(options: TlsOptions): TlsPolicy {
  const version = options.minVersion || 'VersionTLS12';
  const minVersion = Object.hasOwn(VERSIONS, version) ? VERSIONS[version] : undefined;
  if (!minVersion) throw new Error(`unsupported tls version: ${version}`);
  let ciphers: string | undefined;
  if (options.cipherSuites?.length) {
    const names = options.cipherSuites.filter((suite) => !TLS13_SUITES.includes(suite)).map(opensslName);
    // OpenSSL would turn TLS 1.3 off when a list of ciphers leaves its suites out; Go always offers them.
    ciphers = [...TLS13_SUITES, ...new Set(names)].join(':');
  }
  const curves = options.curves?.length ? curveList(options.curves) : undefined;
  return { minVersion, ciphers, curves, alpn: options.http2 === false ? ['http/1.1'] : ['h2', 'http/1.1'] };
}

/** Go's CurveIDs (TLS Supported Groups) by their numbers, in the order of Go's own preference. */
const CURVES: ReadonlyMap<string, string> = new Map([
  ['4588', 'X25519MLKEM768'],
  ['4587', 'SecP256r1MLKEM768'],
  ['4589', 'SecP384r1MLKEM1024'],
  ['29', 'X25519'],
  ['23', 'P-256'],
  ['24', 'P-384'],
  ['25', 'P-521'],
]);

function curveList(ids: readonly string[]): string {
  for (const id of ids) if (!CURVES.has(id)) throw new Error(`unsupported curve ID: ${id}`);
  const list = [...CURVES].flatMap(([id, name]) => (ids.includes(id) ? [name] : [])).join(':');
  try {
    createSecureContext({ ecdhCurve: list });
  } catch (cause) {
    throw new Error(`curves ${list} are not all known to this version of OpenSSL`, { cause });
  }
  return list;
}

function opensslName(suite: string): string {
  const name = Object.hasOwn(CIPHERS, suite) ? CIPHERS[suite] : undefined;
  if (!name) throw new Error(`Cipher suite ${suite} not supported or doesn't exist`);
  return name;
}

/** Certificates in use: the default one and those chosen by SNI. */
export interface CertificateSet {
  readonly options: SecureContextOptions;
  contextFor(serverName: string): SecureContext | undefined;
}

/** Loads certificates; throws what OpenSSL says about them when they can't be used. */
export function loadCertificates(policy: TlsPolicy, certificates: ServingCertificates): CertificateSet {
  // With `ca` unset Node would load its own list of public roots at every start, for nothing.
  const ca = certificates.clientCa ?? [];
  const make = (pair: KeyPair): SecureContextOptions => ({
    cert: pair.cert,
    key: pair.key,
    ca,
    minVersion: policy.minVersion,
    ciphers: policy.ciphers,
    ecdhCurve: policy.curves,
    honorCipherOrder: true,
    // A session resumed from a ticket remembers the client's certificate without its intermediates: it could not be
    // verified any more.
    secureOptions: constants.SSL_OP_NO_TICKET,
  });
  const byName = (certificates.sni ?? []).map((pair) => ({
    names: pair.names.map((name) => name.toLowerCase()),
    context: createSecureContext(make(pair)),
  }));
  const options = make(certificates);
  createSecureContext(options);
  return {
    options,
    contextFor(serverName) {
      const name = serverName.toLowerCase();
      return byName.find((entry) => entry.names.some((pattern) => matchesName(pattern, name)))?.context;
    },
  };
}

/** A wildcard stands for exactly one label (RFC 6125). */
function matchesName(pattern: string, name: string): boolean {
  if (!pattern.startsWith('*.')) return pattern === name;
  const dot = name.indexOf('.');
  return dot > 0 && name.slice(dot) === pattern.slice(1);
}

/** Options of a `tls.Server` for this policy; certificates come from `current()` at each handshake. */
export function serverOptions(policy: TlsPolicy, current: () => CertificateSet): NodeTlsOptions {
  return {
    ...current().options,
    ALPNProtocols: [...policy.alpn],
    // Any certificate is let in: whether it is trusted is for the authenticators, and other credentials may do.
    requestCert: true,
    rejectUnauthorized: false,
    SNICallback: (name, done) => done(null, current().contextFor(name)),
  };
}
