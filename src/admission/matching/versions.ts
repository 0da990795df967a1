import { parseJson } from '../../machinery/codec/json/parse.js';
import type { GroupVersionKind, GroupVersionResource, JsonObject, KubeObject } from '../../machinery/json.js';
import type { AdmissionAttributes } from '../contract.js';

/** A resource (or a subresource of it) at one served version. Objects are the same whatever the version. */
export interface AdmittedVersion {
  readonly resource: GroupVersionResource;
  readonly kind: GroupVersionKind;
  /** An object as attributes carry it → JSON text as clients of this version read it. */
  text(object: KubeObject): Promise<string>;
  /**
   * JSON of this version → an object as attributes carry it, defaults applied.
   *
   * @param unknown is told of each field that the kind does not have
   * @throws DecodeError for what is no object of the kind
   */
  read(value: JsonObject, unknown?: (text: string) => void): Promise<KubeObject>;
  /**
   * Lays a configuration over an object, as server-side apply does, without a word about owners.
   *
   * @throws Error that says what is wrong with the configuration
   */
  overlay(live: JsonObject, config: JsonObject): JsonObject;
}

export interface VersionSource {
  /** The version of the request first, then the others of the same objects, in the order in which they are served. */
  of(attributes: AdmissionAttributes): readonly [AdmittedVersion, ...AdmittedVersion[]];
}

/** What a request is about, at whatever version somebody wants to see it; each form is made once. */
export class VersionedObjects {
  readonly attributes: AdmissionAttributes;
  readonly #texts = new Map<AdmittedVersion, string>();
  readonly #oldTexts = new Map<AdmittedVersion, string>();
  readonly #values = new Map<AdmittedVersion, JsonObject>();
  readonly #oldValues = new Map<AdmittedVersion, JsonObject>();

  constructor(attributes: AdmissionAttributes) {
    this.attributes = attributes;
  }

  /** JSON text of the new object; undefined on DELETE. */
  text(version: AdmittedVersion): Promise<string | undefined> {
    return make(this.#texts, version, this.attributes.object);
  }
  /** JSON text of the stored object; undefined on CREATE and CONNECT. */
  oldText(version: AdmittedVersion): Promise<string | undefined> {
    return make(this.#oldTexts, version, this.attributes.oldObject);
  }
  /** The new object as a value that must not be changed. */
  async value(version: AdmittedVersion): Promise<JsonObject | undefined> {
    return parsed(this.#values, version, await this.text(version));
  }
  /** The stored object as a value that must not be changed. */
  async oldValue(version: AdmittedVersion): Promise<JsonObject | undefined> {
    return parsed(this.#oldValues, version, await this.oldText(version));
  }

  /** The new object is now another. */
  replace(object: KubeObject): void {
    this.attributes.object = object;
    this.#texts.clear();
    this.#values.clear();
  }
}

async function make(
  known: Map<AdmittedVersion, string>,
  version: AdmittedVersion,
  object: KubeObject | undefined,
): Promise<string | undefined> {
  if (!object) return undefined;
  const text = known.get(version) ?? (await version.text(object));
  known.set(version, text);
  return text;
}

function parsed(
  known: Map<AdmittedVersion, JsonObject>,
  version: AdmittedVersion,
  text: string | undefined,
): JsonObject | undefined {
  if (text === undefined) return undefined;
  const value = known.get(version) ?? (parseJson(text) as JsonObject);
  known.set(version, value);
  return value;
}
