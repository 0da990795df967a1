import { goFloat } from './format.js';

/** Label sets of one family past this number are counted together: what clients send must not fill the memory. */
const MAX_CHILDREN = 10_000;
const OVERFLOW = 'other';
const UNEXPECTED = 'unexpected';

export interface FamilySpec {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds as text, `+Inf` last. */
  readonly buckets?: readonly string[];
  /** The values that labels may have, by label; others are counted as `unexpected`. */
  readonly allowed?: ReadonlyMap<string, ReadonlySet<string>>;
}

/** All values of one metric. Children are looked up once and kept by whoever counts often. */
abstract class Family<Child> {
  readonly spec: FamilySpec;
  readonly #children = new Map<string, { readonly values: readonly string[]; readonly child: Child }>();

  constructor(spec: FamilySpec) {
    this.spec = spec;
    // A metric without labels is there from the start, as a zero.
    if (spec.labels.length === 0) this.labels();
  }

  protected abstract create(): Child;
  protected abstract lines(child: Child, labels: string): string;
  protected abstract readonly type: string;

  /** The child of these label values, in the order of `spec.labels`. */
  labels(...given: string[]): Child {
    const { labels, name, allowed } = this.spec;
    const values = allowed ? given.map((v, i) => (allowed.get(labels[i]!)?.has(v) === false ? UNEXPECTED : v)) : given;
    if (values.length !== labels.length) throw new Error(`${name} has the labels ${labels.join(', ')}`);
    const key = values.join('\u0000');
    const known = this.#children.get(key);
    if (known) return known.child;
    if (this.#children.size >= MAX_CHILDREN && values.some((v) => v !== OVERFLOW)) {
      return this.labels(...values.map(() => OVERFLOW));
    }
    const child = this.create();
    this.#children.set(key, { values, child });
    return child;
  }

  /** Forgets all children: for gauges that are filled when somebody asks. */
  clear(): void {
    this.#children.clear();
  }

  /** The text exposition format of Prometheus, version 0.0.4; '' when there is nothing to show. */
  text(): string {
    if (this.#children.size === 0) return '';
    const { name, help, labels } = this.spec;
    let out = `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${this.type}\n`;
    for (const { values, child } of this.#children.values()) {
      out += this.lines(child, labels.map((label, i) => `${label}="${escapeValue(values[i]!)}"`).join(','));
    }
    return out;
  }
}

export class Counter {
  value = 0;
  inc(by = 1): void {
    this.value += by;
  }
}

export class Gauge {
  value = 0;
  set(value: number): void {
    this.value = value;
  }
  inc(by = 1): void {
    this.value += by;
  }
  dec(by = 1): void {
    this.value -= by;
  }
}

export class Histogram {
  readonly #bounds: readonly number[];
  /** Observations between each bound and the one before. */
  readonly counts: number[];
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.counts = new Array<number>(bounds.length).fill(0);
  }

  observe(value: number): void {
    let low = 0;
    let high = this.#bounds.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (value <= this.#bounds[middle]!) high = middle;
      else low = middle + 1;
    }
    this.counts[low]!++;
    this.sum += value;
  }
}

export class CounterFamily extends Family<Counter> {
  protected readonly type = 'counter';
  protected create(): Counter {
    return new Counter();
  }
  protected lines(child: Counter, labels: string): string {
    return sample(this.spec.name, labels, goFloat(child.value));
  }
}

export class GaugeFamily extends Family<Gauge> {
  protected readonly type = 'gauge';
  protected create(): Gauge {
    return new Gauge();
  }
  protected lines(child: Gauge, labels: string): string {
    return sample(this.spec.name, labels, goFloat(child.value));
  }
}

export class HistogramFamily extends Family<Histogram> {
  protected readonly type = 'histogram';
  // Not fields: the base class makes the first child before a derived class has any.
  get #buckets(): readonly string[] {
    return this.spec.buckets ?? ['+Inf'];
  }
  protected create(): Histogram {
    return new Histogram(this.#buckets.map((b) => (b === '+Inf' ? Number.POSITIVE_INFINITY : Number(b))));
  }
  protected lines(child: Histogram, labels: string): string {
    const { name } = this.spec;
    let total = 0;
    let out = '';
    for (const [i, bound] of this.#buckets.entries()) {
      total += child.counts[i]!;
      out += sample(`${name}_bucket`, labels ? `${labels},le="${bound}"` : `le="${bound}"`, goFloat(total));
    }
    return out + sample(`${name}_sum`, labels, goFloat(child.sum)) + sample(`${name}_count`, labels, goFloat(total));
  }
}

function sample(name: string, labels: string, value: string): string {
  return labels ? `${name}{${labels}} ${value}\n` : `${name} ${value}\n`;
}

function escapeHelp(text: string): string {
  return text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');
}

function escapeValue(text: string): string {
  return /["\\\n]/.test(text) ? text.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n') : text;
}
