import { fieldErrorsMessage } from '../../../machinery/field.js';
import { SUPPORTED_ALGORITHMS } from '../../tokens/jwt.js';
import type { FileSource, Log, TokenAuthenticator } from '../contract.js';
import type { HttpConnector } from '../http.js';
import type { AuthenticationOptions } from '../options.js';
import { tokenUnionFailFast } from '../union.js';
import { type JwtAuthenticator, jwtAuthenticator } from './authenticator.js';
import type {
  AnonymousConfiguration,
  AuthenticationConfiguration,
  JwtAuthenticatorConfiguration,
} from './configuration.js';
import type { ExpressionCompiler, JwtExpressions } from './expressions.js';
import { unsupportedAlgorithm, validateAuthenticationConfiguration } from './validation.js';

export interface ConfiguredJwtDependencies {
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly files: FileSource;
  readonly connect: HttpConnector;
  readonly log: Log;
  /** Absent: configurations that hold CEL are refused. */
  readonly compiler?: ExpressionCompiler;
}

/** The JWT authenticators of `--authentication-config`, or of the `--oidc-*` flags. */
export interface ConfiguredJwt {
  readonly authenticator: TokenAuthenticator;
  /** Of the file; it stays what it was at start. */
  readonly anonymous: AnonymousConfiguration | undefined;
  close(): void;
}

/**
 * Reads, validates and starts them; discovery goes on in the background. Throws an Error with every fault. A changed file
 * takes effect when it is valid and all its providers were found; until then, and otherwise, the old one stays.
 * `changed` is called when it did.
 */
export async function configuredJwt(
  options: AuthenticationOptions,
  deps: ConfiguredJwtDependencies,
  changed: () => void,
): Promise<ConfiguredJwt> {
  const path = options.authenticationConfig;
  const disallowed = options.serviceAccountIssuer ?? [];
  const algorithms = path ? SUPPORTED_ALGORITHMS : (options.oidcSigningAlgs ?? ['RS256']);
  const wrong = unsupportedAlgorithm(algorithms, SUPPORTED_ALGORITHMS);
  if (wrong) throw new Error(wrong);

  const start = (
    jwt: readonly JwtAuthenticatorConfiguration[],
    expressions: readonly JwtExpressions[],
  ): readonly JwtAuthenticator[] =>
    jwt.map((configuration, i) =>
      jwtAuthenticator({ configuration, expressions: expressions[i]!, algorithms, ...deps }),
    );

  let text = '';
  let configuration: AuthenticationConfiguration;
  if (path) {
    text = deps.files.read(path).toString('utf8');
    configuration = await parse(path, text);
  } else configuration = { jwt: flagConfiguration(options, deps.files) };
  let current = start(configuration.jwt, validated(configuration, disallowed, deps.compiler));
  for (const one of current) void one.initialize();

  async function reload(): Promise<void> {
    const fresh = deps.files.read(path!).toString('utf8');
    if (fresh === text) return;
    text = fresh;
    const next = await parse(path!, fresh);
    const expressions = validated(next, disallowed, deps.compiler);
    if (JSON.stringify(next.anonymous) !== JSON.stringify(configuration.anonymous)) {
      throw new Error('anonymous: Forbidden: changed from initial configuration file');
    }
    const started = start(next.jwt, expressions);
    const fault = await healthy(started, deps.sleep, () => text === fresh);
    if (fault !== undefined) {
      for (const one of started) one.close();
      throw new Error(fault);
    }
    const old = current;
    current = started;
    changed();
    deps.log('info', 'reloaded authentication config');
    await deps.sleep(DRAIN);
    for (const one of old) one.close();
  }
  const stop = path
    ? deps.files.watch(path, () => {
        reload().catch((e: Error) => deps.log('error', `failed to reload authentication config ${path}: ${e.message}`));
      })
    : () => {};
  return {
    authenticator: {
      name: 'oidc',
      authenticateToken: (token, audiences) => tokenUnionFailFast(current).authenticateToken(token, audiences),
    },
    anonymous: configuration.anonymous,
    close() {
      stop();
      for (const one of current) one.close();
    },
  };
}

/** Look-ups that began with the old configuration get this long to finish. */
const DRAIN = 60_000;
const ATTEMPTS = 6;
const PAUSE = 10_000;

/** Waits until every provider is found: a minute at most, or until there is a newer file. Gives what is missing. */
async function healthy(
  authenticators: readonly JwtAuthenticator[],
  sleep: (ms: number) => Promise<void>,
  stillWanted: () => boolean,
): Promise<string | undefined> {
  for (let attempt = 1; ; attempt++) {
    await Promise.all(authenticators.map((one) => one.initialize()));
    const faults = authenticators.flatMap((one) => one.fault ?? []);
    if (faults.length === 0) return undefined;
    if (attempt >= ATTEMPTS || !stillWanted()) return faults.join(', ');
    await sleep(PAUSE);
  }
}

async function parse(path: string, text: string): Promise<AuthenticationConfiguration> {
  const { parseAuthenticationConfiguration } = await import('./configuration.js');
  try {
    return parseAuthenticationConfiguration(text);
  } catch (e) {
    throw new Error(
      `failed to load authentication configuration from file ${JSON.stringify(path)}: ${(e as Error).message}`,
    );
  }
}

function validated(
  configuration: AuthenticationConfiguration,
  disallowed: readonly string[],
  compiler: ExpressionCompiler | undefined,
): readonly JwtExpressions[] {
  const { errors, expressions } = validateAuthenticationConfiguration(configuration, disallowed, compiler);
  if (errors.length > 0) throw new Error(`invalid authentication configuration: ${fieldErrorsMessage(errors)}`);
  return expressions;
}

/** The one authenticator that the flags describe. */
function flagConfiguration(options: AuthenticationOptions, files: FileSource): JwtAuthenticatorConfiguration[] {
  const { oidcIssuerUrl: url, oidcClientId: audience, oidcUsernameClaim: claim = 'sub' } = options;
  if (!url || !audience) return [];
  return [
    {
      issuer: {
        url,
        audiences: [audience],
        ...(options.oidcCaFile && { certificateAuthority: files.read(options.oidcCaFile).toString('utf8') }),
      },
      claimMappings: {
        username: { claim, prefix: usernamePrefix(options, url, claim) },
        ...(options.oidcGroupsClaim && {
          groups: { claim: options.oidcGroupsClaim, prefix: options.oidcGroupsPrefix ?? '' },
        }),
      },
      claimValidationRules: Object.entries(options.oidcRequiredClaim ?? {}).map(([name, requiredValue]) => ({
        claim: name,
        requiredValue,
      })),
    },
  ];
}

/** Names other than e-mail addresses are prefixed with the issuer unless told otherwise; `-` means no prefix at all. */
function usernamePrefix(
  { oidcUsernamePrefix: prefix = '' }: AuthenticationOptions,
  url: string,
  claim: string,
): string {
  if (prefix === '-') return '';
  return prefix === '' && claim !== 'email' ? `${url}#` : prefix;
}
