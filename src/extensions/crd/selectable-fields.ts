import { parseJson } from '../../machinery/codec/json/parse.js';
import { goValue } from '../../machinery/go-format.js';
import type { KubeObject } from '../../machinery/json.js';
import { evaluatePath, JsonPathError, type PathNode, parsePath } from '../../machinery/jsonpath/index.js';
import type { StoredForm } from '../../registry/kind.js';
import type { CachedObject } from '../../storage/cacher/cacher.js';
import type { DefinedVersion } from './definition.js';

type Fields = Record<string, string>;

/** What objects of a version can be selected by, beyond their metadata. Reads its paths at first use. */
export class SelectableFields {
  /** As selectors have them. */
  readonly names: readonly string[];
  readonly #texts: readonly string[];
  /** Objects do not change. */
  readonly #known = new WeakMap<CachedObject, Fields>();
  #paths: readonly (readonly PathNode[])[] | undefined;

  constructor(defined: DefinedVersion['selectableFields']) {
    this.#texts = (defined ?? []).map((f) => f.jsonPath);
    this.names = this.#texts.map((text) => text.replace(/^\./, ''));
  }

  of(object: KubeObject): Fields {
    this.#paths ??= this.#texts.map(parsePath);
    return Object.fromEntries(this.names.map((name, i) => [name, fieldAt(object, this.#paths![i]!)]));
  }

  /** Of objects as they lie in the store. */
  async ofStored(form: StoredForm, objects: readonly CachedObject[]): Promise<Fields[]> {
    const unknown = objects.filter((o) => !this.#known.has(o));
    const read = await form.read(unknown);
    for (const [i, object] of unknown.entries()) this.#known.set(object, this.of(parseJson(read[i]!) as KubeObject));
    return objects.map((o) => this.#known.get(o)!);
  }
}

function fieldAt(object: KubeObject, path: readonly PathNode[]): string {
  try {
    const value = evaluatePath(path, object)[0];
    return value === undefined || value === null ? '' : goValue(value);
  } catch (e) {
    if (e instanceof JsonPathError) return '';
    throw e;
  }
}
