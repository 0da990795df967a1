import { obj } from '../../api/access.js';
import type { AdmissionPlugin } from '../contract.js';
import { concerns, type Objects } from './concerns.js';
import { DefaultClass } from './default-class.js';

/** Ingresses that name no class, not by the old annotation either, get the default one, if there is one. */
export function defaultIngressClass(objects: Objects): AdmissionPlugin {
  const standard = new DefaultClass(objects, { group: 'networking.k8s.io', resource: 'ingressclasses' }, [
    'ingressclass.kubernetes.io/is-default-class',
  ]);
  return {
    name: 'DefaultIngressClass',
    handles: (operation) => operation === 'CREATE',
    async admit(a) {
      if (!a.object || !concerns(a, 'networking.k8s.io/ingresses')) return;
      const spec = obj(a.object, 'spec');
      if (spec.ingressClassName !== undefined) return;
      if (Object.hasOwn(a.object.metadata.annotations ?? {}, 'kubernetes.io/ingress.class')) return;
      const ingressClassName = await standard.name();
      if (ingressClassName) a.object.spec = { ...spec, ingressClassName };
    },
  };
}
