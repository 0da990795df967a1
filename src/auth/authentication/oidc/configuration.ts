import { load } from 'js-yaml';
import { isJsonObject } from '../../../machinery/json.js';

/** apiserver.config.k8s.io AuthenticationConfiguration; v1, v1beta1 and v1alpha1 have the same fields. */
export interface AuthenticationConfiguration {
  readonly jwt: readonly JwtAuthenticatorConfiguration[];
  readonly anonymous?: AnonymousConfiguration;
}
export interface AnonymousConfiguration {
  readonly enabled: boolean;
  readonly conditions?: readonly { readonly path: string }[];
}
export interface JwtAuthenticatorConfiguration {
  readonly issuer: IssuerConfiguration;
  readonly claimValidationRules?: readonly ClaimValidationRule[];
  readonly claimMappings: ClaimMappings;
  readonly userValidationRules?: readonly UserValidationRule[];
}
export interface IssuerConfiguration {
  readonly url: string;
  readonly discoveryURL?: string;
  /** PEM text. */
  readonly certificateAuthority?: string;
  readonly audiences: readonly string[];
  readonly audienceMatchPolicy?: string;
  readonly egressSelectorType?: string;
}
export interface ClaimValidationRule {
  readonly claim?: string;
  readonly requiredValue?: string;
  readonly expression?: string;
  readonly message?: string;
}
export interface ClaimMapping {
  readonly claim?: string;
  readonly prefix?: string;
  readonly expression?: string;
}
export interface ExtraMapping {
  readonly key: string;
  readonly valueExpression: string;
}
export interface ClaimMappings {
  readonly username: ClaimMapping;
  readonly groups?: ClaimMapping;
  readonly uid?: ClaimMapping;
  readonly extra?: readonly ExtraMapping[];
}
export interface UserValidationRule {
  readonly expression: string;
  readonly message?: string;
}

/** What a value must look like. A list holds the shape of its items; `?` marks nothing: every field may be absent. */
type Shape = 'string' | 'boolean' | readonly [Shape] | { readonly [field: string]: Shape };

const MAPPING: Shape = { claim: 'string', prefix: 'string', expression: 'string' };
const CONFIGURATION: Shape = {
  apiVersion: 'string',
  kind: 'string',
  jwt: [
    {
      issuer: {
        url: 'string',
        discoveryURL: 'string',
        certificateAuthority: 'string',
        audiences: ['string'],
        audienceMatchPolicy: 'string',
        egressSelectorType: 'string',
      },
      claimValidationRules: [{ claim: 'string', requiredValue: 'string', expression: 'string', message: 'string' }],
      claimMappings: {
        username: MAPPING,
        groups: MAPPING,
        uid: { claim: 'string', expression: 'string' },
        extra: [{ key: 'string', valueExpression: 'string' }],
      },
      userValidationRules: [{ expression: 'string', message: 'string' }],
    },
  ],
  anonymous: { enabled: 'boolean', conditions: [{ path: 'string' }] },
};

const VERSIONS = ['v1', 'v1beta1', 'v1alpha1'].map((version) => `apiserver.config.k8s.io/${version}`);

/** Reads YAML or JSON strictly. Throws an Error that names every unknown field and every value of the wrong type. */
export function parseAuthenticationConfiguration(text: string): AuthenticationConfiguration {
  if (text.trim() === '') throw new Error('empty config data');
  const value: unknown = load(text);
  if (!isJsonObject(value)) throw new Error('expected an AuthenticationConfiguration');
  if (
    typeof value.apiVersion !== 'string' ||
    !VERSIONS.includes(value.apiVersion) ||
    value.kind !== 'AuthenticationConfiguration'
  ) {
    throw new Error(
      `no kind ${JSON.stringify(value.kind ?? '')} is registered for version ${JSON.stringify(value.apiVersion ?? '')}; AuthenticationConfiguration of ${VERSIONS.join(', ')} is`,
    );
  }
  const faults = shapeFaults(value, CONFIGURATION, '');
  if (faults.length > 0) throw new Error(`strict decoding error: ${faults.join(', ')}`);
  // What is absent reads as the zero value of its Go type, so that validation names it.
  const given = value as unknown as Partial<AuthenticationConfiguration>;
  return {
    ...(given.anonymous && { anonymous: { ...given.anonymous, enabled: given.anonymous.enabled === true } }),
    jwt: (given.jwt ?? []).map((one) => ({
      ...one,
      issuer: { ...one.issuer, url: one.issuer?.url ?? '', audiences: one.issuer?.audiences ?? [] },
      claimMappings: { ...one.claimMappings, username: one.claimMappings?.username ?? {} },
    })),
  };
}

function shapeFaults(value: unknown, shape: Shape, path: string): string[] {
  if (value === null || value === undefined) return [];
  if (typeof shape === 'string') {
    return typeof value === shape
      ? []
      : [`${path}: expected ${shape}, found ${Array.isArray(value) ? 'list' : typeof value}`];
  }
  if (isList(shape)) {
    if (!Array.isArray(value)) return [`${path}: expected a list, found ${typeof value}`];
    return value.flatMap((item, i) => shapeFaults(item, shape[0], `${path}[${i}]`));
  }
  if (!isJsonObject(value))
    return [`${path}: expected an object, found ${Array.isArray(value) ? 'list' : typeof value}`];
  return Object.entries(value).flatMap(([field, one]) => {
    const at = path === '' ? field : `${path}.${field}`;
    return Object.hasOwn(shape, field) ? shapeFaults(one, shape[field]!, at) : [`unknown field ${JSON.stringify(at)}`];
  });
}
const isList = (shape: Shape): shape is readonly [Shape] => Array.isArray(shape);
