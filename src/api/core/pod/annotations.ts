import { forbiddenField, invalidValue, type Path } from '../../../machinery/field.js';
import type { JsonObject, ObjectMeta } from '../../../machinery/json.js';
import { obj, str } from '../../access.js';
import { type Check, descendingPath } from '../../validation/index.js';
import type { Leniency } from './check.js';
import { visitContainers } from './security.js';

// Annotations that came before fields and still mean something.
export const MIRROR = 'kubernetes.io/config.mirror';
const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';
const SECCOMP_POD = 'seccomp.security.alpha.kubernetes.io/pod';
const SECCOMP_CONTAINER = 'container.seccomp.security.alpha.kubernetes.io/';
export const APPARMOR = 'container.apparmor.security.beta.kubernetes.io/';

function seccomp(profile: string, at: Path, c: Check): void {
  if (['runtime/default', 'docker/default', 'unconfined'].includes(profile)) return;
  if (profile.startsWith('localhost/')) descendingPath(profile.slice('localhost/'.length), at, c);
  else c.errors.push(invalidValue(at, profile, 'must be a valid seccomp profile'));
}

const isInt32 = (s: string) => /^(0|-?[1-9][0-9]{0,9})$/.test(s) && Math.abs(Number(s)) <= 2 ** 31 - 1;

/** Annotations of pods and templates. */
export function validatePodAnnotations(
  meta: ObjectMeta,
  spec: JsonObject,
  at: Path,
  c: Check,
  lenient: Leniency,
): void {
  const annotations = meta.annotations ?? {};
  const has = (key: string) => Object.hasOwn(annotations, key);
  if (has(MIRROR) && str(spec, 'nodeName') === '')
    c.errors.push(
      invalidValue(at.key(MIRROR), annotations[MIRROR], 'must set spec.nodeName if mirror pod annotation is set'),
    );
  if (!lenient.deletionCost && has(DELETION_COST) && !isInt32(annotations[DELETION_COST]!))
    c.errors.push(invalidValue(at.key(DELETION_COST), annotations[DELETION_COST], 'must be a 32bit integer'));
  if (has(SECCOMP_POD)) seccomp(annotations[SECCOMP_POD]!, at.child(SECCOMP_POD), c);
  const names = Object.keys(annotations).sort();
  for (const key of names) if (key.startsWith(SECCOMP_CONTAINER)) seccomp(annotations[key]!, at.child(key), c);
  for (const key of names) {
    if (!key.startsWith(APPARMOR)) continue;
    const name = key.slice(APPARMOR.length);
    let found = false;
    visitContainers(spec, at, (container) => {
      found ||= str(container, 'name') === name;
    });
    if (!found) c.errors.push(invalidValue(at.key(key), name, 'container not found'));
    const profile = annotations[key]!;
    if (!['', 'runtime/default', 'unconfined'].includes(profile) && !profile.startsWith('localhost/'))
      c.errors.push(invalidValue(at.key(key), profile, `invalid AppArmor profile name: ${JSON.stringify(profile)}`));
  }
}

/** What an annotation and the field that replaced it say must agree. */
function mustMatch(
  annotation: string | undefined,
  profile: JsonObject | undefined,
  what: string,
  at: Path,
  c: Check,
): void {
  if (annotation === undefined || !profile) return;
  const type = str(profile, 'type');
  const fault = (field: string, noun: string) =>
    c.errors.push(forbiddenField(at.child(field), `${what} ${noun} in annotation and field must match`));
  if (type === 'Unconfined') {
    if (annotation !== 'unconfined') fault('type', 'type');
  } else if (type === 'RuntimeDefault') {
    const same = annotation === 'runtime/default' || (what === 'seccomp' && annotation === 'docker/default');
    if (!same) fault('type', 'type');
  } else if (type === 'Localhost') {
    if (!annotation.startsWith('localhost/')) fault('type', 'type');
    else if (annotation.slice('localhost/'.length) !== profile.localhostProfile) fault('localhostProfile', 'profile');
  }
}

/** Seccomp and AppArmor of a new pod or template, said twice. */
export function validateProfilesMatch(meta: ObjectMeta, spec: JsonObject, at: Path, c: Check): void {
  const annotations = meta.annotations;
  if (!annotations) return;
  const context = obj(spec, 'securityContext');
  mustMatch(
    annotations[SECCOMP_POD],
    context.seccompProfile as JsonObject | undefined,
    'seccomp',
    at.child('securityContext', 'seccompProfile'),
    c,
  );
  const each = (field: string, prefix: string, what: string, inherited: JsonObject | undefined) =>
    visitContainers(spec, at, (container, here) => {
      const own = obj(container, 'securityContext')[field] as JsonObject | undefined;
      mustMatch(
        annotations[prefix + str(container, 'name')],
        own ?? inherited,
        what,
        here.child('securityContext', field),
        c,
      );
    });
  each('seccompProfile', SECCOMP_CONTAINER, 'seccomp', undefined);
  if (str(obj(spec, 'os'), 'name') !== 'windows')
    each('appArmorProfile', APPARMOR, 'apparmor', context.appArmorProfile as JsonObject | undefined);
}
