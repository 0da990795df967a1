import { readCatalogFile } from './scheme/catalog.js';

interface Gate {
  readonly stage: string;
  readonly on: boolean;
  /** GA and locked: can only be set to its default. */
  readonly locked: boolean;
}

let known: ReadonlyMap<string, Gate> | undefined;

/** Every gate that kube-apiserver of this release knows. */
export function knownGates(): ReadonlyMap<string, Gate> {
  known ??= new Map(
    (JSON.parse(readCatalogFile('feature-gates.json')) as string[][]).map(([name, stage, on, , history]) => [
      name!,
      { stage: stage!, on: on === 'True', locked: /!$/.test(history ?? '') },
    ]),
  );
  return known;
}

/** The state of all feature gates: `--feature-gates` over the defaults, with AllAlpha and AllBeta for whole stages. */
export class FeatureGates {
  readonly #set: ReadonlyMap<string, boolean>;

  /** @throws Error for an unknown gate, a locked one set against its default, or a value that is no boolean */
  constructor(settings: Readonly<Record<string, string>> = {}) {
    const set = new Map<string, boolean>();
    for (const [name, text] of Object.entries(settings)) {
      const value = { true: true, false: false }[text.toLowerCase()];
      if (value === undefined)
        throw new Error(`invalid value of ${name}: ${text}, err: strconv.ParseBool: parsing "${text}": invalid syntax`);
      if (name !== 'AllAlpha' && name !== 'AllBeta') {
        const gate = knownGates().get(name);
        if (!gate) throw new Error(`unrecognized feature gate: ${name}`);
        if (gate.locked && gate.on !== value) {
          throw new Error(`cannot set feature gate ${name} to ${value}, feature is locked to ${gate.on}`);
        }
      }
      set.set(name, value);
    }
    this.#set = set;
  }

  enabled(name: string): boolean {
    const own = this.#set.get(name);
    if (own !== undefined) return own;
    const gate = knownGates().get(name);
    if (!gate) return false;
    const whole =
      gate.stage === 'ALPHA' ? this.#set.get('AllAlpha') : gate.stage === 'BETA' ? this.#set.get('AllBeta') : undefined;
    return whole ?? gate.on;
  }
}
