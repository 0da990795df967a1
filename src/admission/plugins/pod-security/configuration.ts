import { obj, strings } from '../../../api/access.js';
import { formats } from '../../../api/validation/index.js';
import { duplicate, type FieldError, fieldErrorsMessage, invalidValue, Path } from '../../../machinery/field.js';
import type { JsonObject } from '../../../machinery/json.js';
import { decodePluginConfiguration, type PluginConfiguration } from '../configuration.js';
import {
  type LevelVersion,
  MODES,
  type Mode,
  NO_LEVEL,
  NO_VERSION,
  type Policy,
  parseLevel,
  parseVersion,
} from './levels.js';

export interface PodSecurityConfiguration {
  /** For namespaces that say nothing. */
  readonly defaults: Policy;
  /** Whose pods are not looked at. */
  readonly exemptions: {
    readonly usernames: ReadonlySet<string>;
    readonly namespaces: ReadonlySet<string>;
    readonly runtimeClasses: ReadonlySet<string>;
  };
}

const VERSIONS = ['v1', 'v1beta1', 'v1alpha1'].map((v) => `pod-security.admission.config.k8s.io/${v}`);
const DEFAULTS = Object.fromEntries(
  MODES.flatMap((mode) => [mode, `${mode}-version`]).map((f) => [f, 'string' as const]),
);
const SHAPE = {
  defaults: DEFAULTS,
  exemptions: { usernames: ['string'], namespaces: ['string'], runtimeClasses: ['string'] },
} as const;

/** Which texts name something that can be exempt. */
const NAMES: Readonly<Record<keyof PodSecurityConfiguration['exemptions'], (name: string) => string[]>> = {
  namespaces: formats.dns1123Label,
  runtimeClasses: formats.dns1123Subdomain,
  usernames: (name) => (name === '' ? ['username must not be empty'] : []),
};

/**
 * PodSecurityConfiguration; without one nothing is asked of pods unless their namespace says so.
 *
 * @throws Error that names every fault
 */
export function podSecurityConfiguration(given: PluginConfiguration | undefined): PodSecurityConfiguration {
  const value = given ? decodePluginConfiguration(given, 'PodSecurityConfiguration', VERSIONS, SHAPE) : {};
  const errors: FieldError[] = [];
  const policy = (mode: Mode) => levelVersion(obj(value, 'defaults'), mode, errors);
  const defaults: Policy = { enforce: policy('enforce'), warn: policy('warn'), audit: policy('audit') };
  const names = (kind: keyof typeof NAMES) => namesOf(obj(value, 'exemptions'), kind, errors);
  const exemptions = {
    namespaces: names('namespaces'),
    runtimeClasses: names('runtimeClasses'),
    usernames: names('usernames'),
  };
  if (errors.length > 0) throw new Error(`PodSecurity invalid: ${fieldErrorsMessage(errors)}`);
  return { defaults, exemptions };
}

function levelVersion(defaults: JsonObject, mode: Mode, errors: FieldError[]): LevelVersion {
  const at = new Path('defaults');
  const level = defaults[mode] || 'privileged';
  const version = defaults[`${mode}-version`] || 'latest';
  if (!parseLevel(`${level}`)) errors.push(invalidValue(at.child(mode), level, NO_LEVEL));
  if (parseVersion(`${version}`) === undefined) {
    errors.push(invalidValue(at.child(`${mode}-version`), version, NO_VERSION));
  }
  return { level: parseLevel(`${level}`) ?? 'restricted', minor: parseVersion(`${version}`) ?? Infinity };
}

function namesOf(exemptions: JsonObject, kind: keyof typeof NAMES, errors: FieldError[]): ReadonlySet<string> {
  const names = new Set<string>();
  for (const [i, name] of strings(exemptions, kind).entries()) {
    const at = new Path('exemptions').child(kind).index(i);
    const faults = NAMES[kind](name);
    if (faults.length > 0) errors.push(invalidValue(at, name, faults.join(', ')));
    else if (names.has(name)) errors.push(duplicate(at, name));
    names.add(name);
  }
  return names;
}
