import { readCatalogFile } from '../../machinery/scheme/catalog.js';
import { CounterFamily, type FamilySpec, GaugeFamily, HistogramFamily } from './family.js';
import { HELP } from './help.js';

interface Declared {
  readonly type: string;
  readonly stability: string;
  readonly labels: readonly string[];
  readonly buckets: readonly string[] | undefined;
}

let declared: Map<string, Declared> | undefined;
/** The metrics that kube-apiserver has: their types, labels and buckets are those of the real ones. */
function declarations(): Map<string, Declared> {
  if (!declared) {
    const rows = JSON.parse(readCatalogFile('metrics.json')) as [string, string, string, string, string][];
    const list = (text: string): string[] => (text === '-' ? [] : text.split(','));
    declared = new Map(
      rows.map(([name, type, stability, labels, buckets]) => [
        name,
        { type, stability, labels: list(labels), buckets: buckets === '-' ? undefined : list(buckets) },
      ]),
    );
  }
  return declared;
}

export interface MetricsOptions {
  /** Names of metrics that are not served (`--disabled-metrics`). */
  readonly disabled?: readonly string[];
  /** Values that a label of a metric may have, by `metric,label` (`--allow-metric-labels`). */
  readonly allowedLabels?: Readonly<Record<string, readonly string[]>>;
}

type AnyFamily = CounterFamily | GaugeFamily | HistogramFamily;

/**
 * The metrics of one server. A family is declared when somebody asks for it: by the name of a metric of kube-apiserver,
 * whose labels, in alphabetical order, and buckets are known, or, for metrics of our own, with them spelled out.
 */
export class MetricsRegistry {
  readonly #families = new Map<string, AnyFamily>();
  readonly #collectors: (() => void)[] = [];
  readonly #disabled: ReadonlySet<string>;
  readonly #allowed = new Map<string, Map<string, ReadonlySet<string>>>();

  /** @throws Error for allowed labels without a metric and a label */
  constructor({ disabled = [], allowedLabels = {} }: MetricsOptions = {}) {
    this.#disabled = new Set(disabled);
    for (const [key, values] of Object.entries(allowedLabels)) {
      const [metric, label, more] = key.split(',').map((part) => part.trim());
      if (!metric || !label || more !== undefined) throw new Error(`allowed metric labels: ${key} is not metric,label`);
      const labels = this.#allowed.get(metric) ?? new Map<string, ReadonlySet<string>>();
      this.#allowed.set(metric, labels.set(label, new Set(values)));
    }
  }

  /** @throws Error when there is no counter of that name */
  counter(name: string, own?: Omit<FamilySpec, 'name'>): CounterFamily {
    return this.#family(name, 'counter', CounterFamily, own);
  }

  /** @throws Error when there is no gauge of that name */
  gauge(name: string, own?: Omit<FamilySpec, 'name'>): GaugeFamily {
    return this.#family(name, 'gauge', GaugeFamily, own);
  }

  /** @throws Error when there is no histogram of that name */
  histogram(name: string, own?: Omit<FamilySpec, 'name'>): HistogramFamily {
    return this.#family(name, 'histogram', HistogramFamily, own);
  }

  /** Called before each scrape, for values that are cheaper to look up than to keep. */
  onCollect(collect: () => void): void {
    this.#collectors.push(collect);
  }

  /** All families in the text format of Prometheus, sorted by name. */
  text(only: (name: string) => boolean = () => true): string {
    for (const collect of this.#collectors) collect();
    const names = [...this.#families.keys()].filter((name) => only(name) && !this.#disabled.has(name)).sort();
    return names.map((name) => this.#families.get(name)!.text()).join('');
  }

  #family<F extends AnyFamily>(
    name: string,
    type: string,
    make: new (spec: FamilySpec) => F,
    own: Omit<FamilySpec, 'name'> | undefined,
  ): F {
    const known = this.#families.get(name);
    if (known instanceof make) return known;
    const spec = own ? { name, ...own } : specOf(name, type);
    if (known || !spec) throw new Error(`there is no ${type} ${name}`);
    const family = new make({ ...spec, allowed: this.#allowed.get(name) });
    this.#families.set(name, family);
    return family;
  }
}

function specOf(name: string, type: string): FamilySpec | undefined {
  const found = declarations().get(name);
  if (!found || found.type !== type) return undefined;
  const { labels, buckets, stability } = found;
  const help = `${stability === '-' ? '' : `[${stability}] `}${HELP[name] ?? ''}`;
  return { name, help: help.trim(), labels, buckets };
}
