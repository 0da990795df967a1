import { type Certificate, parseBundle, publicKeyOf, signedBy } from './certificate.js';
import { ipBytes } from './extensions.js';
import { type Authority, issueAuthority, issueClient, issueServing, type Random, type Validity } from './issue.js';
import { generateKey, parsePrivateKey, privateKeyPem, publicKeyInfo, publicKeyPem } from './keys.js';
import { encodePem } from './pem.js';

/** Where a data directory's keys and certificates live. Paths are relative to it. */
export interface MaterialStore {
  /** Undefined when there is no such file. */
  read(name: string): string | undefined;
  /** Replaces the file as a whole, or leaves it as it was. */
  write(name: string, text: string, mode: number): void;
}

/** A certificate with its key, PEM. */
export interface PemPair {
  readonly cert: string;
  readonly key: string;
}

/** What a control plane needs to serve and to vouch for others. File names are kubeadm's. */
export interface Material {
  /** `ca.crt`, `ca.key`: signs serving and client certificates. */
  readonly ca: PemPair;
  /** `apiserver.crt`, `apiserver.key`. */
  readonly serving: PemPair;
  /** `front-proxy-ca.crt`, `front-proxy-ca.key`: vouches for whoever may name users in headers. */
  readonly frontProxyCa: PemPair;
  /** `front-proxy-client.crt`, `front-proxy-client.key`: what aggregated API servers see of us. */
  readonly frontProxyClient: PemPair;
  /** `admin.crt`, `admin.key`: user `kubernetes-admin` of group `system:masters`. */
  readonly admin: PemPair;
  /** `sa.key`, `sa.pub`: signs and verifies service-account tokens. */
  readonly serviceAccount: { readonly key: string; readonly pub: string };
  /** True when anything had to be made or made anew. */
  readonly created: boolean;
}

export interface MaterialOptions {
  /** DNS names and IP addresses the serving certificate must hold. */
  readonly hosts: readonly string[];
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly random: Random;
}

const DAY = 86_400_000;
const YEAR = 365 * DAY;
/** A leaf that ends sooner is made anew at start. */
const RENEW_BEFORE = 30 * DAY;

/**
 * Loads what is in the store, and makes what is missing, near its end, of another authority, or lacks a host. An
 * authority is only ever made when its certificate is missing. Uses node:crypto alone; keys are P-256, since all of this
 * is on the way to the first request.
 */
export function loadOrCreateMaterial(store: MaterialStore, options: MaterialOptions): Material {
  const made = { any: false };
  const { now, random } = options;
  const validity = (length: number): Validity => ({ notBefore: now - 5 * 60_000, notAfter: now + length });

  function save(name: string, pair: PemPair): PemPair {
    // The key goes first: a certificate without its key can't be told from one whose key is kept elsewhere.
    store.write(`${name}.key`, pair.key, 0o600);
    store.write(`${name}.crt`, pair.cert, 0o644);
    made.any = true;
    return pair;
  }
  function authority(
    name: string,
    commonName: string,
  ): { pair: PemPair; load: () => Authority; certificate: Certificate } {
    const [cert, key] = [store.read(`${name}.crt`), store.read(`${name}.key`)];
    if (cert !== undefined) {
      const certificate = parseBundle(cert)[0]!;
      const load = (): Authority => {
        if (key === undefined)
          throw new Error(`${name}.key is missing: ${name}.crt is here, but nothing can be signed with it`);
        return { certificate, key: parsePrivateKey(key) };
      };
      return { pair: { cert, key: key ?? '' }, load, certificate };
    }
    const fresh = issueAuthority(commonName, generateKey(), validity(10 * YEAR), random);
    const pair = save(name, { cert: encodePem('CERTIFICATE', fresh.certificate.raw), key: privateKeyPem(fresh.key) });
    return { pair, load: () => fresh, certificate: fresh.certificate };
  }
  function leaf(
    name: string,
    by: { load: () => Authority; certificate: Certificate },
    hosts: readonly string[],
    issue: (key: ReturnType<typeof generateKey>, authority: Authority, validity: Validity) => Buffer,
  ): PemPair {
    const [cert, key] = [store.read(`${name}.crt`), store.read(`${name}.key`)];
    if (cert !== undefined && key !== undefined && isGood(cert, key, by.certificate, hosts, now)) return { cert, key };
    const fresh = generateKey();
    const raw = issue(fresh, by.load(), validity(YEAR));
    return save(name, { cert: encodePem('CERTIFICATE', raw), key: privateKeyPem(fresh) });
  }
  function serviceAccount(): Material['serviceAccount'] {
    const key = store.read('sa.key');
    if (key !== undefined) return { key, pub: store.read('sa.pub') ?? publicKeyPem(parsePrivateKey(key)) };
    const fresh = generateKey();
    const pair = { key: privateKeyPem(fresh), pub: publicKeyPem(fresh) };
    store.write('sa.key', pair.key, 0o600);
    store.write('sa.pub', pair.pub, 0o644);
    made.any = true;
    return pair;
  }

  const ca = authority('ca', 'kubernetes');
  const frontProxyCa = authority('front-proxy-ca', 'front-proxy-ca');
  const client =
    (name: string, groups: readonly string[]) => (key: ReturnType<typeof generateKey>, by: Authority, v: Validity) =>
      issueClient({ name, groups }, key, by, v, random);
  return {
    ca: ca.pair,
    serving: leaf('apiserver', ca, options.hosts, (key, by, v) =>
      issueServing('kube-apiserver', options.hosts, key, by, v, random),
    ),
    frontProxyCa: frontProxyCa.pair,
    frontProxyClient: leaf('front-proxy-client', frontProxyCa, [], client('front-proxy-client', [])),
    admin: leaf('admin', ca, [], client('kubernetes-admin', ['system:masters'])),
    serviceAccount: serviceAccount(),
    created: made.any,
  };
}

/** True when a stored pair can be used as it is. What does not parse is made anew. */
function isGood(cert: string, key: string, ca: Certificate, hosts: readonly string[], now: number): boolean {
  try {
    const certificate = parseBundle(cert)[0]!;
    return (
      certificate.notBefore <= now &&
      certificate.notAfter - now > RENEW_BEFORE &&
      certificate.issuerName.equals(ca.subjectName) &&
      signedBy(certificate, publicKeyOf(ca)) &&
      publicKeyInfo(parsePrivateKey(key)).equals(certificate.publicKeyInfo) &&
      hosts.every((host) => holds(certificate, host))
    );
  } catch {
    return false;
  }
}

function holds({ names }: Certificate, host: string): boolean {
  const ip = ipBytes(host);
  return ip ? names.ips.some((one) => one.equals(ip)) : names.dns.includes(host);
}

/** An authority's pair as what signs. Throws when the key is kept elsewhere. */
export function loadAuthority(pair: PemPair): Authority {
  if (pair.key === '') throw new Error('the key of the authority is not here: nothing can be signed with it');
  return { certificate: parseBundle(pair.cert)[0]!, key: parsePrivateKey(pair.key) };
}
