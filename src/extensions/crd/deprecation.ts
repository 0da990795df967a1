import type { DefinedVersion, Definition } from './definition.js';
import { compareVersions } from './version-order.js';

/** The Warning that goes with every answer at a deprecated version. */
export function deprecationWarning(version: DefinedVersion, definition: Definition): string | undefined {
  if (!version.deprecated) return undefined;
  if (version.deprecationWarning !== undefined) return version.deprecationWarning;
  const { group, names } = definition;
  const text = `${group}/${version.name} ${names.kind} is deprecated`;
  const [better] = definition.versions
    .filter((v) => v.served && !v.deprecated && compareVersions(v.name, version.name) < 0)
    .map((v) => v.name)
    .sort(compareVersions);
  return better === undefined ? text : `${text}; use ${group}/${better} ${names.kind}`;
}
