import { parsePrivateKey, parsePublicKeys } from '../pki/keys.js';
import { createTokenIssuer, type TokenIssuer } from '../tokens/issuer.js';
import { type VerificationKeys, verificationKeys } from '../tokens/keys.js';
import type { CaBundle } from './ca-bundle.js';
import type { FileSource } from './contract.js';
import type { AuthenticationDependencies } from './dependencies.js';
import type { AuthenticationOptions } from './options.js';

/** Keys of `--service-account-key-file`. */
export function readKeys(options: AuthenticationOptions, files: FileSource): VerificationKeys {
  return verificationKeys(
    (options.serviceAccountKeyFile ?? []).flatMap((path) => {
      const text = files.read(path);
      try {
        return parsePublicKeys(text);
      } catch (e) {
        throw new Error(`error reading public key file ${path}: ${(e as Error).message}`);
      }
    }),
  );
}

/** Signs with `--service-account-signing-key-file` for the first issuer. */
export function readIssuer(
  options: AuthenticationOptions,
  { files, clock, uuid }: AuthenticationDependencies,
): TokenIssuer {
  const path = options.serviceAccountSigningKeyFile!;
  try {
    const key = parsePrivateKey(files.read(path));
    return createTokenIssuer({ issuer: options.serviceAccountIssuer![0]!, key, now: () => clock.now(), uuid });
  } catch (e) {
    throw new Error(
      `failed to parse service-account-issuer-key-file: error reading private key file ${path}: ${(e as Error).message}`,
    );
  }
}

/** A client certificate must not be able to pass as the front proxy by being of the same authority. */
export function refuseOverlap(options: AuthenticationOptions, a: CaBundle | undefined, b: CaBundle | undefined): void {
  if (!a || !b || options.requestheaderAllowedNames?.length) return;
  const mine = a.certificates;
  if (b.certificates.some((one) => mine.some((other) => other.raw.equals(one.raw)))) {
    throw new Error(
      '--requestheader-client-ca-file and --client-ca-file contain overlapping certificates; --requestheader-allowed-names must be specified to ensure regular client certificates cannot set authenticating proxy headers for arbitrary users',
    );
  }
}
