import { list, obj, ptr, str } from '../../api/access.js';
import { StatusError } from '../../machinery/errors.js';
import { notSupported } from '../../machinery/field.js';
import type { JsonObject, KubeObject } from '../../machinery/json.js';
import type { AdmissionAttributes, AdmissionPlugin } from '../contract.js';
import { rejectedBy } from '../errors.js';
import { concerns } from './concerns.js';

const FIELDS = ['initContainers', 'containers', 'ephemeralContainers'];

/** Images are pulled anew for each pod, so that nobody runs another's private image because the node has it. */
export function alwaysPullImages(): AdmissionPlugin {
  return {
    name: 'AlwaysPullImages',
    handles: (operation) => operation === 'CREATE' || operation === 'UPDATE',
    admit(a) {
      if (!a.object || !isConcerned(a)) return;
      const spec: JsonObject = { ...obj(a.object, 'spec') };
      for (const field of FIELDS) {
        if (spec[field]) spec[field] = list(spec, field).map((c) => ({ ...c, imagePullPolicy: 'Always' }));
      }
      if (spec.volumes) {
        spec.volumes = list(spec, 'volumes').map((v) => {
          const image = ptr(v, 'image');
          return image ? { ...v, image: { ...image, pullPolicy: 'Always' } } : v;
        });
      }
      a.object.spec = spec;
    },
    validate(a) {
      if (!a.object || !isConcerned(a)) return;
      const messages = [...policies(a.object)]
        .filter(([, policy]) => policy !== 'Always')
        .map(([at, policy]) => rejectedBy(a, notSupported(at, policy, ['Always']).toString()).message);
      if (messages.length === 0) return;
      throw new StatusError(500, '', messages.length === 1 ? messages[0]! : `[${messages.join(', ')}]`);
    },
  };
}

/** Every pull policy of a pod with its path. */
function* policies(pod: KubeObject): Generator<[path: string, policy: string]> {
  const spec = obj(pod, 'spec');
  for (const field of FIELDS) {
    for (const [i, c] of list(spec, field).entries()) {
      yield [`spec.${field}[${i}].imagePullPolicy`, str(c, 'imagePullPolicy')];
    }
  }
  for (const [i, v] of list(spec, 'volumes').entries()) {
    const image = ptr(v, 'image');
    if (image) yield [`spec.volumes[${i}].image.pullPolicy`, str(image, 'pullPolicy')];
  }
}

/** Pods, unless an update brings no image that the pod did not have. */
function isConcerned(a: AdmissionAttributes): boolean {
  if (!concerns(a, '/pods')) return false;
  if (a.operation === 'CREATE' || !a.object || !a.oldObject) return true;
  const images = (pod: KubeObject) => FIELDS.flatMap((f) => list(obj(pod, 'spec'), f).map((c) => str(c, 'image')));
  const known = new Set(images(a.oldObject));
  return images(a.object).some((image) => !known.has(image));
}
