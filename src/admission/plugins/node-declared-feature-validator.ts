import { list, num, obj, str, strings } from '../../api/access.js';
import { goQuote } from '../../machinery/go-format.js';
import { equalJson, type JsonObject } from '../../machinery/json.js';
import type { AdmissionPlugin } from '../contract.js';
import { rejectedBy } from '../errors.js';
import { concerns, type Objects } from './concerns.js';

/** What a changed pod needs of its node (KEP-5328), by the name that nodes declare it under; sorted. */
const NEEDS: Readonly<Record<string, (spec: JsonObject, old: JsonObject) => boolean>> = {
  InPlacePodLevelResourcesVerticalScaling: (spec, old) => !equalJson(spec.resources, old.resources),
  InPlacePodVerticalScalingInitContainers: (spec, old) =>
    list(old, 'initContainers').some(
      (container, i) =>
        str(container, 'restartPolicy') !== 'Always' &&
        !equalJson(obj(container, 'resources'), obj(list(spec, 'initContainers')[i], 'resources')),
    ),
};

export interface NodeDeclaredFeatureDependencies {
  readonly objects: Objects;
  gate(name: 'NodeDeclaredFeatures'): boolean;
}

/** A running pod is not changed into something that its node has not declared to be able to do. */
export function nodeDeclaredFeatureValidator({ objects, gate }: NodeDeclaredFeatureDependencies): AdmissionPlugin {
  return {
    name: 'NodeDeclaredFeatureValidator',
    handles: (operation) => operation === 'UPDATE',
    async validate(a) {
      if (!concerns(a, '/pods', a.subresource === 'resize' ? 'resize' : '')) return;
      if (!a.object || !a.oldObject || !gate('NodeDeclaredFeatures')) return;
      const spec = obj(a.object, 'spec');
      const nodeName = str(spec, 'nodeName');
      if (!nodeName || num(a.object.metadata, 'generation') === num(a.oldObject.metadata, 'generation')) return;
      const old = obj(a.oldObject, 'spec');
      const needed = Object.keys(NEEDS).filter((name) => NEEDS[name]!(spec, old));
      if (needed.length === 0) return;
      const node = await objects.get({ group: '', resource: 'nodes' }, '', nodeName);
      if (!node) throw rejectedBy(a, `node ${goQuote(nodeName)} not found`);
      const declared = strings(obj(node, 'status'), 'declaredFeatures');
      const missing = needed.filter((name) => !declared.includes(name)).join(', ');
      if (!missing) return;
      throw rejectedBy(
        a,
        `pod update requires features ${missing} which are not available on node ${goQuote(nodeName)}`,
      );
    },
  };
}
