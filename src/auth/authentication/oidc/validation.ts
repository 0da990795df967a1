import { domainPrefixedPath } from '../../../api/validation/formats.js';
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalidValue,
  Path,
  required,
  tooMany,
} from '../../../machinery/field.js';
import { goQuote } from '../../../machinery/go-format.js';
import { parseBundle } from '../../pki/certificate.js';
import type {
  AuthenticationConfiguration,
  ClaimMapping,
  ClaimMappings,
  ClaimValidationRule,
  IssuerConfiguration,
  JwtAuthenticatorConfiguration,
  UserValidationRule,
} from './configuration.js';
import type { CompiledExpression, ExpressionCompiler, ExpressionResult, JwtExpressions } from './expressions.js';

export interface Validated {
  readonly errors: readonly FieldError[];
  /** The expressions of each JWT authenticator; of use when there are no errors. */
  readonly expressions: readonly JwtExpressions[];
}

const MAX_AUTHENTICATORS = 64;

/**
 * Checks a configuration with the rules and messages of kube-apiserver, and compiles its expressions. Issuers of
 * service-account tokens may not appear: `disallowedIssuers`.
 */
export function validateAuthenticationConfiguration(
  configuration: AuthenticationConfiguration,
  disallowedIssuers: readonly string[],
  compiler: ExpressionCompiler | undefined,
): Validated {
  const root = new Path('jwt');
  const { jwt, anonymous } = configuration;
  if (jwt.length > MAX_AUTHENTICATORS)
    return { errors: [tooMany(root, jwt.length, MAX_AUTHENTICATORS)], expressions: [] };
  const errors: FieldError[] = [];
  const expressions = jwt.map((one, i) => {
    const path = root.index(i);
    const found = validateJwt(one, path, disallowedIssuers, compiler);
    errors.push(...found.errors);
    const repeats = (field: 'url' | 'discoveryURL'): boolean =>
      Boolean(one.issuer[field] || field === 'url') &&
      jwt.slice(0, i).some((other) => other.issuer[field] === one.issuer[field]);
    if (repeats('url')) errors.push(duplicate(path.child('issuer', 'url'), one.issuer.url));
    if (repeats('discoveryURL')) errors.push(duplicate(path.child('issuer', 'discoveryURL'), one.issuer.discoveryURL));
    return found.expressions;
  });
  if (anonymous && !anonymous.enabled && anonymous.conditions?.length) {
    const value = anonymous.conditions.map(({ path }) => ({ path }));
    errors.push(
      invalidValue('anonymous.conditions', value, 'enabled should be set to true when conditions are defined'),
    );
  }
  return { errors, expressions };
}

function validateJwt(
  jwt: JwtAuthenticatorConfiguration,
  path: Path,
  disallowed: readonly string[],
  compiler: ExpressionCompiler | undefined,
): { errors: FieldError[]; expressions: JwtExpressions } {
  const errors: FieldError[] = [];
  const expressions: JwtExpressions = { extra: [], claimRules: [], userRules: [] };
  const compile: Compile = (where, text, variable, result) => {
    if (!compiler) {
      errors.push(forbiddenField(where, 'CEL expressions in the authentication configuration are not supported'));
      return undefined;
    }
    try {
      return compiler.compile(text, variable, result);
    } catch (e) {
      errors.push(invalidValue(where, text, (e as Error).message));
      return undefined;
    }
  };
  validateIssuer(jwt.issuer, path.child('issuer'), disallowed, errors);
  validateClaimRules(jwt.claimValidationRules ?? [], path.child('claimValidationRules'), compile, expressions, errors);
  validateMappings(jwt.claimMappings, path.child('claimMappings'), compile, expressions, errors);
  validateUserRules(jwt.userValidationRules ?? [], path.child('userValidationRules'), compile, expressions, errors);
  return { errors, expressions };
}

type Compile = (
  where: Path,
  text: string,
  variable: 'claims' | 'user',
  result: ExpressionResult,
) => CompiledExpression | undefined;

function validateIssuer(
  issuer: IssuerConfiguration,
  path: Path,
  disallowed: readonly string[],
  errors: FieldError[],
): void {
  if (issuer.url === '') errors.push(required(path.child('url')));
  else validateUrl(issuer.url, path.child('url'), disallowed, errors);
  const discovery = issuer.discoveryURL;
  if (discovery) {
    const bare = (url: string): string => url.replace(/\/+$/, '');
    if (issuer.url && bare(issuer.url) === bare(discovery)) {
      errors.push(invalidValue(path.child('discoveryURL'), discovery, 'discoveryURL must be different from URL'));
    }
    validateUrl(discovery, path.child('discoveryURL'), [], errors);
  }
  validateAudiences(issuer, path, errors);
  if (issuer.certificateAuthority) {
    try {
      parseBundle(issuer.certificateAuthority);
    } catch (e) {
      errors.push(invalidValue(path.child('certificateAuthority'), '<omitted>', (e as Error).message));
    }
  }
  if (issuer.egressSelectorType) {
    errors.push(forbiddenField(path.child('egressSelectorType'), 'egress selectors are not supported'));
  }
}

function validateUrl(text: string, path: Path, disallowed: readonly string[], errors: FieldError[]): void {
  const fault = (detail: string): void => void errors.push(invalidValue(path, text, detail));
  if (disallowed.includes(text)) {
    fault(`URL must not overlap with disallowed issuers: [${[...disallowed].sort().join(' ')}]`);
  }
  // Only what has a scheme can be parsed by URL; without one the scheme is what is wrong.
  if (!/^[a-z][a-z0-9+.-]*:/i.test(text)) {
    fault('URL scheme must be https');
    return;
  }
  if (!URL.canParse(text)) {
    fault(`parse ${JSON.stringify(text)}: invalid URL`);
    return;
  }
  const url = new URL(text);
  if (url.protocol !== 'https:') fault('URL scheme must be https');
  if (url.username || url.password) fault('URL must not contain a username or password');
  if (url.search) fault('URL must not contain a query');
  if (url.hash) fault('URL must not contain a fragment');
}

function validateAudiences(
  { audiences, audienceMatchPolicy: policy }: IssuerConfiguration,
  path: Path,
  errors: FieldError[],
): void {
  const at = path.child('audiences');
  if (audiences.length === 0) {
    errors.push(required(at, `at least one ${at.text} is required`));
    return;
  }
  audiences.forEach((audience, i) => {
    if (audience === '') errors.push(required(at.index(i)));
    if (audiences.indexOf(audience) < i) errors.push(duplicate(at.index(i), audience));
  });
  if (policy === 'MatchAny' || (audiences.length === 1 && !policy)) return;
  const detail =
    audiences.length > 1
      ? 'audienceMatchPolicy must be MatchAny for multiple audiences'
      : 'audienceMatchPolicy must be empty or MatchAny for single audience';
  errors.push(invalidValue(path.child('audienceMatchPolicy'), policy ?? '', detail));
}

function validateClaimRules(
  rules: readonly ClaimValidationRule[],
  path: Path,
  compile: Compile,
  expressions: JwtExpressions,
  errors: FieldError[],
): void {
  rules.forEach((rule, i) => {
    const at = path.index(i);
    const earlier = rules.slice(0, i);
    if (rule.claim && rule.expression) {
      errors.push(invalidValue(at, rule.claim, "claim and expression can't both be set"));
    } else if (rule.claim) {
      if (rule.message)
        errors.push(invalidValue(at.child('message'), rule.message, 'may not be specified when claim is set'));
      if (earlier.some((one) => one.claim === rule.claim)) errors.push(duplicate(at.child('claim'), rule.claim));
    } else if (rule.expression) {
      if (rule.requiredValue) {
        errors.push(
          invalidValue(at.child('requiredValue'), rule.requiredValue, 'may not be specified when expression is set'),
        );
      }
      if (earlier.some((one) => one.expression === rule.expression)) {
        errors.push(duplicate(at.child('expression'), rule.expression));
        return;
      }
      const expression = compile(at.child('expression'), rule.expression, 'claims', 'bool');
      if (expression) expressions.claimRules.push({ expression, text: rule.expression, message: rule.message ?? '' });
    } else errors.push(required(at, 'claim or expression is required'));
  });
}

function validateMappings(
  mappings: ClaimMappings,
  path: Path,
  compile: Compile,
  expressions: JwtExpressions,
  errors: FieldError[],
): void {
  const { username, groups, uid, extra } = mappings;
  const compiledName = validateMapping(username, path.child('username'), 'string', compile, errors, true);
  if (compiledName) expressions.username = compiledName;
  const compiledGroups = validateMapping(
    groups ?? {},
    path.child('groups'),
    'string or list of strings',
    compile,
    errors,
    false,
  );
  if (compiledGroups) expressions.groups = compiledGroups;
  if (uid?.claim && uid.expression)
    errors.push(invalidValue(path.child('uid'), '', "claim and expression can't both be set"));
  else if (uid?.expression) {
    const compiled = compile(path.child('uid', 'expression'), uid.expression, 'claims', 'string');
    if (compiled) expressions.uid = compiled;
  }
  (extra ?? []).forEach((mapping, i) => {
    const at = path.child('extra').index(i);
    const key = mapping.key ?? '';
    errors.push(...extraKeyFaults(at.child('key'), key));
    if ((extra ?? []).slice(0, i).some((one) => one.key === key)) {
      errors.push(duplicate(at.child('key'), key));
      return;
    }
    if (!mapping.valueExpression) {
      errors.push(required(at.child('valueExpression')));
      return;
    }
    const expression = compile(
      at.child('valueExpression'),
      mapping.valueExpression,
      'claims',
      'string or list of strings',
    );
    if (expression) expressions.extra.push({ key, expression });
  });
  const readers = [
    expressions.username,
    ...expressions.extra.map((e) => e.expression),
    ...expressions.claimRules.map((r) => r.expression),
  ];
  if (expressions.username?.selects('email') && !readers.some((one) => one?.selects('email_verified'))) {
    errors.push(
      invalidValue(
        path.child('username', 'expression'),
        username.expression,
        'claims.email_verified must be used in claimMappings.username.expression or claimMappings.extra[*].valueExpression or claimValidationRules[*].expression when claims.email is used in claimMappings.username.expression',
      ),
    );
  }
}

function validateMapping(
  mapping: ClaimMapping,
  path: Path,
  result: ExpressionResult,
  compile: Compile,
  errors: FieldError[],
  needed: boolean,
): CompiledExpression | undefined {
  if (mapping.expression && mapping.claim)
    errors.push(invalidValue(path, '', "claim and expression can't both be set"));
  else if (mapping.expression) {
    if (mapping.prefix !== undefined) {
      errors.push(invalidValue(path.child('prefix'), mapping.prefix, 'may not be specified when expression is set'));
    }
    return compile(path.child('expression'), mapping.expression, 'claims', result);
  } else if (mapping.claim) {
    if (mapping.prefix === undefined) {
      errors.push(
        required(
          path.child('prefix'),
          'prefix is required when claim is set. It can be set to an empty string to disable prefixing',
        ),
      );
    }
  } else if (needed) errors.push(required(path, 'claim or expression is required'));
  return undefined;
}

/** Keys of extra values belong to whoever owns the domain in front of them. */
function extraKeyFaults(at: Path, key: string): FieldError[] {
  if (key === '') return [required(at)];
  const errors = domainPrefixedPath(key).map((detail) => invalidValue(at, key, detail));
  if (key !== key.toLowerCase()) errors.push(invalidValue(at, key, 'must be lowercase'));
  if (/^(?:.*\.)?(?:kubernetes|k8s)\.io\//.test(key)) {
    errors.push(invalidValue(at, key, 'k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use'));
  }
  return errors;
}

function validateUserRules(
  rules: readonly UserValidationRule[],
  path: Path,
  compile: Compile,
  expressions: JwtExpressions,
  errors: FieldError[],
): void {
  rules.forEach((rule, i) => {
    const at = path.index(i).child('expression');
    const text = rule.expression ?? '';
    if (text === '') errors.push(required(at));
    else if (rules.slice(0, i).some((one) => one.expression === text)) errors.push(duplicate(at, text));
    else {
      const expression = compile(at, text, 'user', 'bool');
      if (expression) expressions.userRules.push({ expression, text, message: rule.message ?? '' });
    }
  });
}

/** Names of signing algorithms that OIDC providers may use; anything else is refused at start. */
export function unsupportedAlgorithm(names: readonly string[], supported: readonly string[]): string | undefined {
  const wrong = names.find((name) => !supported.includes(name));
  return wrong === undefined ? undefined : `oidc: unsupported signing alg: ${goQuote(wrong)}`;
}
