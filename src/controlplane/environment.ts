import { randomInt, randomUUID } from 'node:crypto';
import { FORBID_PRIVILEGED } from '../api/strategy.js';
import type { FeatureGates } from '../machinery/feature-gates.js';
import type { Environment } from '../registry/context.js';
import type { ControlPlaneOptions } from './options.js';

/** No vowels and no characters that look alike, so that names are no words and read well. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

export function systemEnvironment(
  gates: FeatureGates,
  {
    allowPrivileged = true,
    garbageCollection = true,
  }: Pick<ControlPlaneOptions, 'allowPrivileged' | 'garbageCollection'>,
): Environment {
  return {
    now: () => new Date(),
    uuid: () => randomUUID(),
    nameSuffix: () => Array.from({ length: 5 }, () => ALPHABET[randomInt(ALPHABET.length)]).join(''),
    garbageCollection,
    gate: (name) => (name === FORBID_PRIVILEGED ? !allowPrivileged : gates.enabled(name)),
  };
}
