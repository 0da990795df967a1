import { readCatalogFile } from '../machinery/scheme/catalog.js';
import type { AdmissionAttributes, AdmissionPlugin, Reinvocation } from './contract.js';
import { traced } from './trace.js';

interface Order {
  allPluginsInOrder: string[];
  defaultMutating: string[];
  defaultValidating: string[];
}

let order: Order | undefined;
/** The fixed order of plugins and the sets that are on by default, from the facts of this release. */
export function admissionOrder(): Order {
  order ??= JSON.parse(readCatalogFile('admission-order.json')) as Order;
  return order;
}

/** Which plugins are on: the defaults, plus and minus what the flags name. Unknown names are refused. */
export function enabledPlugins(enable: readonly string[], disable: readonly string[]): Set<string> {
  const { allPluginsInOrder, defaultMutating, defaultValidating } = admissionOrder();
  for (const name of [...enable, ...disable]) {
    if (!allPluginsInOrder.includes(name)) throw new Error(`enable-admission-plugins plugin "${name}" is unknown`);
  }
  const on = new Set([...defaultMutating, ...defaultValidating]);
  for (const name of disable) on.delete(name);
  for (const name of enable) on.add(name);
  return on;
}

/** One mutating phase. */
class Rounds implements Reinvocation {
  again = false;
  requested = false;
  readonly #memory = new Map<string, unknown>();

  request(): void {
    this.requested = true;
  }
  memory<T>(plugin: string, make: () => T): T {
    if (!this.#memory.has(plugin)) this.#memory.set(plugin, make());
    return this.#memory.get(plugin) as T;
  }
}

/** Runs the plugins one after the other in the documented order; the first rejection ends it. */
export class AdmissionChain {
  readonly #admit: AdmissionPlugin[];
  readonly #validate: AdmissionPlugin[];
  readonly #plugins: readonly AdmissionPlugin[];

  constructor(plugins: readonly AdmissionPlugin[]) {
    const rank = new Map(admissionOrder().allPluginsInOrder.map((name, i) => [name, i]));
    const sorted = [...plugins].sort((a, b) => (rank.get(a.name) ?? 1e9) - (rank.get(b.name) ?? 1e9));
    this.#plugins = plugins;
    this.#admit = sorted.filter((p) => p.admit);
    this.#validate = sorted.filter((p) => p.validate);
  }

  /** Mutating phase: plugins may change `attributes.object`. A second round follows when one of them asks for it. */
  async admit(attributes: AdmissionAttributes): Promise<void> {
    const rounds = new Rounds();
    const once = (plugin: AdmissionPlugin) => plugin.admit?.(attributes, rounds);
    await this.#run('admit', this.#admit, attributes, once);
    if (!rounds.requested) return;
    rounds.again = true;
    await this.#run('admit', this.#admit, attributes, once);
  }

  /** Validating phase, on the finished object. */
  async validate(attributes: AdmissionAttributes): Promise<void> {
    await this.#run('validate', this.#validate, attributes, (plugin) => plugin.validate?.(attributes));
  }

  async close(): Promise<void> {
    await Promise.all(this.#plugins.map((plugin) => plugin.close?.()));
  }

  async #run(
    phase: 'admit' | 'validate',
    plugins: AdmissionPlugin[],
    attributes: AdmissionAttributes,
    call: (plugin: AdmissionPlugin) => Promise<void> | void,
  ): Promise<void> {
    for (const plugin of plugins) {
      if (!plugin.handles(attributes.operation)) continue;
      const running = traced(plugin, phase, attributes, call);
      if (running) await running;
    }
  }
}
