import type { DefaultingEnv } from '../../api/defaulting/index.js';
import { FieldManager } from '../../machinery/apply/field-manager.js';
import { builtinVersion } from '../../registry/builtin-version.js';
import type { KindVersion } from '../../registry/kind.js';

const SCALE = { group: 'autoscaling', version: 'v1', kind: 'Scale' };

/**
 * autoscaling/v1 Scale as the subresource of a custom resource. Upstream converts what an apply made as if it were a
 * custom resource, which fails: a Scale can be updated and patched, and an apply must change nothing.
 */
export function customScaleVersion(env: DefaultingEnv): KindVersion {
  const version = builtinVersion(SCALE.group, SCALE.version, SCALE.kind, SCALE, env);
  const manager = new FieldManager({
    kind: SCALE,
    subresource: 'scale',
    structured: true,
    schema: (apiVersion) => (apiVersion === version.apiVersion ? { kind: 'struct', type: version.type } : undefined),
    unconvertible: `request to convert CR to an invalid group/version: ${version.apiVersion}`,
  });
  return { ...version, fieldManager: () => manager };
}
