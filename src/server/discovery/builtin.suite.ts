import { resourceCatalog } from '../../machinery/scheme/resources.js';
import type { DiscoverySource, ServedGroup } from './contract.js';

/** What a server serves that was started without options. */
export function builtinSource(): DiscoverySource {
  const { groupOrder, resources } = resourceCatalog();
  const groups: ServedGroup[] = groupOrder.default.map(({ group, versions }) => ({
    group,
    versions: versions.map((version) => ({
      version,
      resources: resources
        .filter((r) => r.group === group && r.version === version && r.enabledByDefault)
        .map((r) => ({
          ...r,
          resource: r.plural,
          subresources: (r.subresources ?? []).filter((s) => s.enabledByDefault),
        })),
    })),
  }));
  return { groups: () => groups };
}
