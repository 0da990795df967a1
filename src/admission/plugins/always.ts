import type { AdmissionAttributes, AdmissionPlugin } from '../contract.js';
import { rejectedBy } from '../errors.js';

/** Lets everything through; kept since scripts name it. */
export function alwaysAdmit(): AdmissionPlugin {
  return { name: 'AlwaysAdmit', handles: () => true };
}

/** Lets nothing through. */
export function alwaysDeny(): AdmissionPlugin {
  const deny = (a: AdmissionAttributes): void => {
    throw rejectedBy(a, 'admission control is denying all modifications');
  };
  return { name: 'AlwaysDeny', handles: () => true, admit: deny, validate: deny };
}
