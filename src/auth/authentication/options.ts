/**
 * The authentication flags of kube-apiserver, named as they are. A field that is absent was not given on the command line,
 * which for some is not the same as its default. Durations are milliseconds.
 */
export interface AuthenticationOptions {
  readonly anonymousAuth?: boolean;
  readonly apiAudiences?: readonly string[];
  readonly authenticationConfig?: string;
  readonly authenticationTokenWebhookCacheTtl?: number;
  readonly authenticationTokenWebhookConfigFile?: string;
  readonly authenticationTokenWebhookVersion?: string;
  readonly clientCaFile?: string;
  readonly enableBootstrapTokenAuth?: boolean;
  readonly oidcCaFile?: string;
  readonly oidcClientId?: string;
  readonly oidcGroupsClaim?: string;
  readonly oidcGroupsPrefix?: string;
  readonly oidcIssuerUrl?: string;
  readonly oidcRequiredClaim?: Readonly<Record<string, string>>;
  readonly oidcSigningAlgs?: readonly string[];
  readonly oidcUsernameClaim?: string;
  readonly oidcUsernamePrefix?: string;
  readonly requestheaderAllowedNames?: readonly string[];
  readonly requestheaderClientCaFile?: string;
  readonly requestheaderExtraHeadersPrefix?: readonly string[];
  readonly requestheaderGroupHeaders?: readonly string[];
  readonly requestheaderUidHeaders?: readonly string[];
  readonly requestheaderUsernameHeaders?: readonly string[];
  readonly serviceAccountExtendTokenExpiration?: boolean;
  readonly serviceAccountIssuer?: readonly string[];
  readonly serviceAccountJwksUri?: string;
  readonly serviceAccountKeyFile?: readonly string[];
  readonly serviceAccountLookup?: boolean;
  readonly serviceAccountMaxTokenExpiration?: number;
  readonly serviceAccountSigningEndpoint?: string;
  readonly serviceAccountSigningKeyFile?: string;
  readonly tokenAuthFile?: string;
  /** `--authorization-mode`: AlwaysAllow turns anonymous requests off. */
  readonly authorizationMode?: readonly string[];
}

const HOUR = 3_600_000;

const OIDC_FLAGS = [
  'oidcCaFile',
  'oidcClientId',
  'oidcGroupsClaim',
  'oidcGroupsPrefix',
  'oidcIssuerUrl',
  'oidcRequiredClaim',
  'oidcSigningAlgs',
  'oidcUsernameClaim',
  'oidcUsernamePrefix',
] as const satisfies readonly (keyof AuthenticationOptions)[];

/** What is wrong with the flags, in the order and the words of kube-apiserver. Files are not looked at. */
export function authenticationFlagErrors(options: AuthenticationOptions): string[] {
  return [
    ...oidcErrors(options),
    ...issuerErrors(options),
    ...serviceAccountErrors(options),
    ...requestHeaderErrors(options),
    ...tokenRequestErrors(options),
  ];
}

function oidcErrors(options: AuthenticationOptions): string[] {
  const given = OIDC_FLAGS.some((flag) => options[flag] !== undefined);
  if (options.authenticationConfig) {
    return given ? ['authentication-config file and oidc-* flags are mutually exclusive'] : [];
  }
  return given && !(options.oidcIssuerUrl && options.oidcClientId)
    ? ['oidc-issuer-url and oidc-client-id must be specified together when any oidc-* flags are set']
    : [];
}

function issuerErrors({ serviceAccountIssuer: issuers = [] }: AuthenticationOptions): string[] {
  const errors: string[] = [];
  issuers.forEach((issuer, i) => {
    const fault = issuer.includes(':') ? urlFault(issuer) : undefined;
    const quoted = JSON.stringify(issuer);
    if (fault) {
      errors.push(
        `service-account-issuer ${quoted} contained a ':' but was not a valid URL: parse ${quoted}: ${fault}`,
      );
    } else if (issuer === '') errors.push('service-account-issuer should not be an empty string');
    else if (issuers.indexOf(issuer) < i) errors.push(`service-account-issuer ${quoted} is already specified`);
  });
  if (issuers.length === 0) errors.push('service-account-issuer is a required flag');
  return errors;
}

/** Why Go's net/url would not parse a text; it takes much more than URL does. */
function urlFault(text: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(text)) return 'net/url: invalid control character in URL';
  if (text.startsWith(':')) return 'missing protocol scheme';
  if (!/^[A-Za-z][A-Za-z0-9+.-]*:/.test(text) && text.split('/')[0]!.includes(':')) {
    return 'first path segment in URL cannot contain colon';
  }
  const port = /^[^/]*:\/\/(?:[^/?#]*@)?(?:\[[^\]]*\]|[^/?#:]*):([^/?#]*)/.exec(text)?.[1];
  if (port !== undefined && !/^\d*$/.test(port)) return `invalid port ":${port}" after host`;
  const wrong = /%(?![0-9A-Fa-f]{2}).{0,2}/.exec(text)?.[0];
  return wrong === undefined ? undefined : `invalid URL escape ${JSON.stringify(wrong)}`;
}

function serviceAccountErrors(options: AuthenticationOptions): string[] {
  const errors: string[] = [];
  if (options.serviceAccountSigningEndpoint) errors.push('--service-account-signing-endpoint is not supported');
  if (!options.serviceAccountKeyFile?.length) {
    errors.push('either `--service-account-key-file` or `--service-account-signing-endpoint` must be set');
  }
  const jwks = options.serviceAccountJwksUri;
  if (jwks) {
    const fault = urlFault(jwks);
    if (fault) errors.push(`service-account-jwks-uri must be a valid URL: parse ${JSON.stringify(jwks)}: ${fault}`);
    else if (!/^https:/i.test(jwks)) {
      errors.push(`service-account-jwks-uri requires https scheme, parsed as: ${jwks}`);
    }
  }
  const max = options.serviceAccountMaxTokenExpiration ?? 0;
  if (max !== 0 && (max < HOUR || max > 2 ** 32 * 1000)) {
    errors.push('the service-account-max-token-expiration must be between 1 hour and 2^32 seconds');
  }
  return errors;
}

function requestHeaderErrors(options: AuthenticationOptions): string[] {
  const errors: string[] = [];
  const lists = [
    ['requestheader-username-headers', options.requestheaderUsernameHeaders],
    ['requestheader-group-headers', options.requestheaderGroupHeaders],
    ['requestheader-extra-headers-prefix', options.requestheaderExtraHeadersPrefix],
    ['requestheader-allowed-names', options.requestheaderAllowedNames],
    ['requestheader-uid-headers', options.requestheaderUidHeaders],
  ] as const;
  for (const [flag, values] of lists) {
    if (values?.some((value) => value.trim() === '')) errors.push(`empty value in ${JSON.stringify(flag)}`);
  }
  const uids = options.requestheaderUidHeaders ?? [];
  if (uids.length > 0 && !hasFolded(uids, 'X-Remote-Uid')) {
    errors.push(
      '--requestheader-uid-headers is set without specifying the standard X-Remote-Uid header - API aggregation will not work',
    );
  }
  return errors;
}

function tokenRequestErrors(options: AuthenticationOptions): string[] {
  const [issuer] = options.serviceAccountIssuer ?? [];
  const key = options.serviceAccountSigningKeyFile;
  if (!key && !issuer && !options.apiAudiences?.length) {
    return ['--service-account-signing-key-file and --service-account-issuer are required flags'];
  }
  if (key && issuer) return [];
  return [
    '--service-account-signing-key-file, --service-account-issuer, and --api-audiences should be specified together',
  ];
}

/** What is allowed, but probably not meant. */
export function authenticationFlagWarnings(options: AuthenticationOptions): string[] {
  const warnings: string[] = [];
  const standard = [
    ['username-headers', options.requestheaderUsernameHeaders, 'X-Remote-User header'],
    ['group-headers', options.requestheaderGroupHeaders, 'X-Remote-Group header'],
    ['extra-headers-prefix', options.requestheaderExtraHeadersPrefix, 'X-Remote-Extra- header prefix'],
  ] as const;
  for (const [flag, values, name] of standard) {
    if (values?.length && !hasFolded(values, name.split(' ')[0]!)) {
      warnings.push(
        `--requestheader-${flag} is set without specifying the standard ${name} - API aggregation will not work`,
      );
    }
  }
  const max = options.serviceAccountMaxTokenExpiration ?? 0;
  if (max > 0 && options.serviceAccountExtendTokenExpiration !== false) {
    const [warn, extended] = [3607, 31_536_000];
    const set = `${max / 1000}s`;
    if (max < warn * 1000) {
      warnings.push(
        `service-account-extend-token-expiration is true, in order to correctly trigger safe transition logic, service-account-max-token-expiration must be set longer than ${warn} seconds (currently ${set})`,
      );
    }
    if (max < extended * 1000) {
      warnings.push(
        `service-account-extend-token-expiration is true, enabling tokens valid up to ${extended} seconds, which is longer than service-account-max-token-expiration set to ${set}`,
      );
    }
  }
  return warnings;
}

const hasFolded = (values: readonly string[], name: string): boolean =>
  values.some((value) => value.toLowerCase() === name.toLowerCase());
