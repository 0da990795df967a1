// The texts and patterns of upstream's apimachinery validation: each function returns what is wrong, nothing when all is well.
// RFC 1123 and RFC 1035 names, qualified names, label values, environment names, ports, HTTP headers.

const DNS1123_LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const DNS1123_SUBDOMAIN = `${DNS1123_LABEL}(\\.${DNS1123_LABEL})*`;
const DNS1035_LABEL = '[a-z]([-a-z0-9]*[a-z0-9])?';
const QUALIFIED_NAME = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const LABEL_VALUE = `(${QUALIFIED_NAME})?`;
const WILDCARD_SUBDOMAIN = `\\*\\.${DNS1123_SUBDOMAIN}`;
const C_IDENTIFIER = '[A-Za-z_][A-Za-z0-9_]*';
const ENV_VAR_NAME = '[-._a-zA-Z][-._a-zA-Z0-9]*';
const PERCENT = '[0-9]+%';
const HTTP_HEADER_NAME = '[-A-Za-z0-9]+';
const CONFIG_MAP_KEY = '[-._a-zA-Z0-9]+';
const HTTP_PATH = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";

const whole = (pattern: string) => new RegExp(`^(?:${pattern})$`);
const re = {
  dns1035Label: whole(DNS1035_LABEL),
  cIdentifier: whole(C_IDENTIFIER),
  // Reference patterns need backtracking; these say the same without it.
  label: /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/,
  qualified: /^[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/,
  envVarName: whole(ENV_VAR_NAME),
  percent: whole(PERCENT),
  httpHeader: whole(HTTP_HEADER_NAME),
  configMapKey: whole(CONFIG_MAP_KEY),
  httpPath: whole(HTTP_PATH),
};

const utf8 = new TextEncoder();
/** Length as Go counts it: bytes of UTF-8. */
export function byteLength(s: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: plain ASCII is counted without encoding
  return /^[\x00-\x7f]*$/.test(s) ? s.length : utf8.encode(s).length;
}

const maxLenError = (length: number): string => `must be no more than ${length} characters`;
const maxBytesError = (length: number): string => `must be no more than ${length} bytes`;
const EMPTY_ERROR = 'must be non-empty';

/** The sentence about a pattern: `… (e.g. 'a',  or 'b', regex used for validation is '…')`. */
export function regexError(message: string, pattern: string, ...examples: string[]): string {
  if (examples.length === 0) return `${message} (regex used for validation is '${pattern}')`;
  return `${message} (e.g. ${examples.map((e) => `'${e}'`).join(',  or ')}, regex used for validation is '${pattern}')`;
}

const SUBDOMAIN_TEXT =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";

function isSubdomain(s: string): boolean {
  return s.split('.').every((part) => re.label.test(part));
}

export function dns1123Label(value: string): string[] {
  const errs: string[] = [];
  if (byteLength(value) > 63) errs.push(maxLenError(63));
  if (!re.label.test(value)) {
    if (isSubdomain(value)) errs.push('must not contain dots');
    else
      errs.push(
        regexError(
          "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
          DNS1123_LABEL,
          'my-name',
          '123-abc',
        ),
      );
  }
  return errs;
}

export function dns1123Subdomain(value: string): string[] {
  const errs: string[] = [];
  if (byteLength(value) > 253) errs.push(maxLenError(253));
  if (!isSubdomain(value)) errs.push(regexError(SUBDOMAIN_TEXT, DNS1123_SUBDOMAIN, 'example.com'));
  return errs;
}

export function dns1123SubdomainWithUnderscore(value: string): string[] {
  const errs: string[] = [];
  if (byteLength(value) > 253) errs.push(maxLenError(253));
  if (!value.split('.').every((p) => /^_?[a-z0-9](?:[-_a-z0-9]*[a-z0-9])?$/.test(p)))
    errs.push(
      regexError(
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character",
        '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*',
        'example.com',
      ),
    );
  return errs;
}

export function dns1035Label(value: string): string[] {
  const errs: string[] = [];
  if (byteLength(value) > 63) errs.push(maxLenError(63));
  if (!re.dns1035Label.test(value))
    errs.push(
      regexError(
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
        DNS1035_LABEL,
        'my-name',
        'abc-123',
      ),
    );
  return errs;
}

export function wildcardDns1123Subdomain(value: string): string[] {
  if (value.startsWith('*.') && isSubdomain(value.slice(2)) && byteLength(value) <= 253) return [];
  const errs: string[] = [];
  if (byteLength(value) > 253) errs.push(maxLenError(253));
  if (!(value.startsWith('*.') && isSubdomain(value.slice(2))))
    errs.push(
      regexError(
        "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
        WILDCARD_SUBDOMAIN,
        '*.example.com',
      ),
    );
  return errs;
}

/** `name` or `prefix/name`: label keys, annotation keys, resource names, condition types. */
export function qualifiedName(value: string): string[] {
  const errs: string[] = [];
  const parts = value.split('/');
  let name = value;
  if (parts.length === 2) {
    name = parts[1]!;
    const prefix = parts[0]!;
    if (prefix === '') errs.push(`prefix part ${EMPTY_ERROR}`);
    else errs.push(...dns1123Subdomain(prefix).map((m) => `prefix part ${m}`));
  } else if (parts.length > 2) {
    return [
      `a valid label key ${regexError(
        "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
        QUALIFIED_NAME,
        'MyName',
        'my.name',
        '123-abc',
      )} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  if (name === '') errs.push(`name part ${EMPTY_ERROR}`);
  else if (byteLength(name) > 63) errs.push(`name part ${maxBytesError(63)}`);
  if (!re.qualified.test(name))
    errs.push(
      `name part ${regexError(
        "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
        QUALIFIED_NAME,
        'MyName',
        'my.name',
        '123-abc',
      )}`,
    );
  return errs;
}

export function labelValue(value: string): string[] {
  const errs: string[] = [];
  if (byteLength(value) > 63) errs.push(maxBytesError(63));
  if (value !== '' && !re.qualified.test(value))
    errs.push(
      regexError(
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
        LABEL_VALUE,
        'MyValue',
        'my_value',
        '12345',
      ),
    );
  return errs;
}

export function cIdentifier(value: string): string[] {
  return re.cIdentifier.test(value)
    ? []
    : [
        regexError(
          "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'",
          C_IDENTIFIER,
          'my_name',
          'MY_NAME',
          'MyName',
        ),
      ];
}

function chDirErrors(value: string): string[] {
  if (value === '.') return ["must not be '.'"];
  if (value === '..') return ["must not be '..'"];
  return value.startsWith('..') ? ["must not start with '..'"] : [];
}

/** Environment variable names: strict (shell-safe) or any printable ASCII but `=`. */
export function relaxedEnvVarName(value: string): string[] {
  if (value === '') return ['environment variable name must be non-empty'];
  for (const ch of value) {
    if (ch < ' ' || ch > '~' || ch === '=')
      return ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
  }
  return [];
}

export function envVarName(value: string): string[] {
  const errs: string[] = [];
  if (!re.envVarName.test(value))
    errs.push(
      regexError(
        "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit",
        ENV_VAR_NAME,
        'my.env-name',
        'MY_ENV.NAME',
        'MyEnvName1',
      ),
    );
  return [...errs, ...chDirErrors(value)];
}

/** Keys of ConfigMaps and Secrets. */
export function configMapKey(value: string): string[] {
  const errs: string[] = [];
  if (byteLength(value) > 253) errs.push(maxLenError(253));
  if (!re.configMapKey.test(value))
    errs.push(
      regexError(
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
        CONFIG_MAP_KEY,
        'key.name',
        'KEY_NAME',
        'key-name',
      ),
    );
  return [...errs, ...chDirErrors(value)];
}

export function percent(value: string): string[] {
  return re.percent.test(value)
    ? []
    : [regexError("a valid percent string must be a numeric string followed by an ending '%'", PERCENT, '1%', '93%')];
}

export function httpHeaderName(value: string): string[] {
  return re.httpHeader.test(value)
    ? []
    : [
        regexError(
          "a valid HTTP header must consist of alphanumeric characters or '-'",
          HTTP_HEADER_NAME,
          'X-Header-Name',
        ),
      ];
}

export function portNumber(port: number): string[] {
  return port >= 1 && port <= 65535 ? [] : [rangeError(1, 65535)];
}

/** Names of container and service ports (IANA service names). */
export function portName(value: string): string[] {
  const errs: string[] = [];
  if (byteLength(value) > 15) errs.push(maxLenError(15));
  if (!/^[-a-z0-9]+$/.test(value)) errs.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  if (!/[a-z]/.test(value)) errs.push('must contain at least one letter (a-z)');
  if (value.includes('--')) errs.push('must not contain consecutive hyphens');
  if (value !== '' && (value.startsWith('-') || value.endsWith('-'))) errs.push('must not begin or end with a hyphen');
  return errs;
}

export const rangeError = (lo: number, hi: number): string => `must be between ${lo} and ${hi}, inclusive`;

/** What may stand in a URL path in one piece. Prefixes for generated names may end in anything. */
export function pathSegment(value: string, prefix = false): string[] {
  const errs: string[] = [];
  if (!prefix && value === '.') return ["may not be '.'"];
  if (!prefix && value === '..') return ["may not be '..'"];
  for (const c of ['/', '%']) if (value.includes(c)) errs.push(`may not contain '${c}'`);
  return errs;
}

/** What may follow the domain of a domain-prefixed path. */
export const httpPath = (value: string): string[] =>
  re.httpPath.test(value) ? [] : [regexError('Invalid path', HTTP_PATH)];

/** `domain/path`, as finalizers and signer names of some kinds are. */
export function domainPrefixedPath(value: string): string[] {
  const segments = value.split('/');
  const slash = value.indexOf('/');
  if (segments.length < 2 || segments[0] === '' || slash === value.length - 1)
    return ['must be a domain-prefixed path (such as "acme.io/foo")'];
  return [...dns1123Subdomain(segments[0]!), ...httpPath(value.slice(slash + 1))];
}
