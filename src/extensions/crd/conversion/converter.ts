import { StatusError } from '../../../machinery/errors.js';
import type { KubeObject } from '../../../machinery/json.js';

/** Brings custom resources from one version to another. */
export interface Converter {
  /**
   * The objects at `apiVersion`, in their order. May change and keep what it is given.
   *
   * @throws StatusError 500 with what went wrong
   */
  convert(objects: readonly KubeObject[], apiVersion: string): Promise<KubeObject[]>;
}

/** Strategy `None`: the versions have one shape. */
export const NO_CONVERSION: Converter = {
  async convert(objects, apiVersion) {
    return objects.map((object) => ({ ...object, apiVersion }));
  },
};

/** Refuses versions that a definition does not have, before anybody is asked. */
export function betweenVersions(converter: Converter, apiVersions: readonly string[]): Converter {
  const known = new Set(apiVersions);
  const check = (apiVersion: string, preposition: 'to' | 'from'): void => {
    if (known.has(apiVersion)) return;
    throw new StatusError(500, '', `request to convert CR ${preposition} an invalid group/version: ${apiVersion}`);
  };
  return {
    async convert(objects, apiVersion) {
      check(apiVersion, 'to');
      for (const object of objects) check(object.apiVersion ?? '', 'from');
      return converter.convert(objects, apiVersion);
    },
  };
}
