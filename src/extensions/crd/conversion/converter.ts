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
