import { notFound } from '../../machinery/errors.js';
import type { KubeObject } from '../../machinery/json.js';
import { parseFieldSelector } from '../../machinery/selectors/field-selector.js';
import { parseLabelSelector } from '../../machinery/selectors/label-selector.js';
import { computedList } from '../computed-list.js';
import type { Endpoint } from '../endpoint.js';
import type { EndpointSource } from '../served.js';

/** What a component says about itself. */
export interface ComponentHealth {
  readonly healthy: boolean;
  readonly message: string;
  /** Why it could not be asked. */
  readonly error?: string;
}

/** The components that ComponentStatus knows, each with how to ask it. */
export type Components = Readonly<Record<string, () => Promise<ComponentHealth>>>;

/** The deprecated, virtual resource componentstatuses: every read asks the components. */
export function componentStatuses({ facts, version, printer }: EndpointSource, components: Components): Endpoint {
  const ask = async (name: string): Promise<KubeObject> => {
    const { healthy, message, error } = await components[name]!();
    const condition = { type: 'Healthy', status: healthy ? 'True' : 'False', message, ...(error && { error }) };
    return version.decode({ metadata: { name }, conditions: [condition] });
  };
  return {
    resource: { group: facts.group, resource: facts.plural },
    subresource: '',
    namespaced: false,
    version,
    hub: version,
    printer,
    verbs: new Set(facts.verbs),
    warning: Array.isArray(facts.warning) ? facts.warning[0] : facts.warning,
    async get(_ctx, name) {
      if (!Object.hasOwn(components, name)) throw notFound({ group: '', resource: 'componentstatus' }, name);
      return { json: Buffer.from(version.encode(await ask(name))), cached: undefined };
    },
    async list(_ctx, options) {
      const labels = parseLabelSelector(options.labelSelector);
      const fields = parseFieldSelector(options.fieldSelector);
      const names = Object.keys(components).filter(
        (name) => labels.matches({}) && fields.matches({ 'metadata.name': name, 'metadata.namespace': '' }),
      );
      return computedList(version, await Promise.all(names.map(ask)));
    },
  };
}
