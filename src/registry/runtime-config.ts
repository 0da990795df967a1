import { type ResourceFacts, resourceCatalog } from '../machinery/scheme/resources.js';

/** Which group versions and resources are served: `--runtime-config`, e.g. `api/beta=true,batch/v1=false,apps/v1/deployments=true`. */
export class RuntimeConfig {
  readonly #rules: ReadonlyMap<string, boolean>;

  /** @throws Error when a key names no known group version or resource, or a value is no boolean */
  constructor(settings: Readonly<Record<string, string>> = {}) {
    const rules = new Map<string, boolean>();
    for (const [key, value] of Object.entries(settings)) {
      const on = value === '' ? true : ({ true: true, '1': true, false: false, '0': false } as const)[value];
      if (on === undefined) throw new Error(`invalid value of runtime-config ${key}=${value}: must be true or false`);
      rules.set(key === 'api/legacy' ? 'v1' : key, on);
    }
    this.#rules = rules;
    const unknown = [...rules.keys()].filter((key) => !known(key));
    if (unknown.length > 0) throw new Error(`unknown api groups ${unknown.join(',')}`);
  }

  /** The most specific setting decides: resource, then group version, then api/ga|beta|alpha, then api/all. */
  enabled(facts: ResourceFacts): boolean {
    const gv = facts.group === '' ? facts.version : `${facts.group}/${facts.version}`;
    const stage = facts.version.includes('alpha') ? 'alpha' : facts.version.includes('beta') ? 'beta' : 'ga';
    return (
      this.#rules.get(`${gv}/${facts.plural}`) ??
      this.#rules.get(gv) ??
      this.#rules.get(`api/${stage}`) ??
      this.#rules.get('api/all') ??
      facts.enabledByDefault
    );
  }
}

const WIDE = new Set(['api/all', 'api/ga', 'api/beta', 'api/alpha']);

function known(key: string): boolean {
  if (WIDE.has(key)) return true;
  return resourceCatalog().resources.some((r) => {
    const gv = r.group === '' ? r.version : `${r.group}/${r.version}`;
    return key === gv || key === `${gv}/${r.plural}` || key === `api/${gv}`;
  });
}
