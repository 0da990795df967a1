import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/** Texts for people, made by `tools/descriptions.mjs`. */
export interface Descriptions {
  /** By type, then by field; '' is the type's own. */
  readonly types: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Query parameters by name. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Query parameters of connections and logs, by the kind of their options. */
  readonly options: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

const NONE: Descriptions = { types: {}, parameters: {}, options: {} };

let loaded: Descriptions | undefined;
/** Read at the first use. Without the file everything works and nothing is described. */
export function descriptions(): Descriptions {
  if (!loaded) {
    try {
      const bytes = readFileSync(new URL('../../catalog/descriptions.json.gz', import.meta.url));
      loaded = JSON.parse(gunzipSync(bytes).toString('utf8')) as Descriptions;
    } catch {
      loaded = NONE;
    }
  }
  return loaded;
}
