import { readCatalogFile } from '../machinery/scheme/catalog.js';
import type { AdmissionAttributes, AdmissionPlugin } from './contract.js';

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

/** Told about each plugin that ran, for metrics, audit and explanations. */
export interface AdmissionObserver {
  ran(plugin: string, phase: 'admit' | 'validate', attributes: AdmissionAttributes, ms: number, error: unknown): void;
}

/** Runs the plugins one after the other in the documented order; the first rejection ends it. */
export class AdmissionChain {
  readonly #admit: AdmissionPlugin[];
  readonly #validate: AdmissionPlugin[];
  readonly #observer: AdmissionObserver | undefined;

  constructor(plugins: readonly AdmissionPlugin[], observer?: AdmissionObserver) {
    const rank = new Map(admissionOrder().allPluginsInOrder.map((name, i) => [name, i]));
    const sorted = [...plugins].sort((a, b) => (rank.get(a.name) ?? 1e9) - (rank.get(b.name) ?? 1e9));
    this.#admit = sorted.filter((p) => p.admit);
    this.#validate = sorted.filter((p) => p.validate);
    this.#observer = observer;
  }

  /** Mutating phase: plugins may change `attributes.object`. */
  async admit(attributes: AdmissionAttributes): Promise<void> {
    await this.#run('admit', this.#admit, attributes);
  }

  /** Validating phase, on the finished object. */
  async validate(attributes: AdmissionAttributes): Promise<void> {
    await this.#run('validate', this.#validate, attributes);
  }

  async #run(phase: 'admit' | 'validate', plugins: AdmissionPlugin[], attributes: AdmissionAttributes): Promise<void> {
    for (const plugin of plugins) {
      if (!plugin.handles(attributes.operation)) continue;
      const started = this.#observer ? performance.now() : 0;
      let failure: unknown;
      try {
        const running = plugin[phase]?.(attributes);
        if (running) await running;
      } catch (e) {
        failure = e;
        throw e;
      } finally {
        this.#observer?.ran(plugin.name, phase, attributes, performance.now() - started, failure);
      }
    }
  }
}
