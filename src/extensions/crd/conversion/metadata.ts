import { newCheck, validateAnnotations, validateLabels } from '../../../api/validation/index.js';
import { fieldErrorsMessage, Path } from '../../../machinery/field.js';
import { goType } from '../../../machinery/go-format.js';
import {
  cloneJson,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  type KubeObject,
  type ObjectMeta,
} from '../../../machinery/json.js';

/** What a webhook may not do with the metadata of an object. */
export class InvalidMetadata extends Error {}

/**
 * What must be the same before and after a conversion; undefined when it is.
 */
export function changedIdentity(before: KubeObject, after: JsonObject): string | undefined {
  const was: JsonObject = metadataOf(before);
  const meta = isJsonObject(after.metadata) ? after.metadata : {};
  const text = (value: JsonValue | undefined): string => (typeof value === 'string' ? value : '');
  const pairs: [what: string, before: string, after: string][] = [
    ['kind', text(before.kind), text(after.kind)],
    ['name', text(was.name), text(meta.name)],
    ['namespace', text(was.namespace), text(meta.namespace)],
    ['UID', text(was.uid), text(meta.uid)],
  ];
  const changed = pairs.find(([, a, b]) => a !== b);
  return changed && `must have the same ${changed[0]}: ${changed[1]} != ${changed[2]}`;
}

/** An apply may ask for an object without any: with what it owned taken away. */
function metadataOf(object: KubeObject): ObjectMeta {
  return (object.metadata as ObjectMeta | undefined) ?? {};
}

/**
 * Gives a converted object the metadata that it had, in place: a webhook may change labels and annotations, and nothing
 * else.
 *
 * @throws InvalidMetadata
 */
export function restoreMetadata(before: KubeObject, after: JsonObject): KubeObject {
  const given = after.metadata;
  if (given === undefined) throw new InvalidMetadata('missing metadata in converted object');
  if (!isJsonObject(given)) throw new InvalidMetadata(`invalid metadata of type ${goType(given)} in converted object`);
  const metadata = cloneJson(metadataOf(before));
  for (const name of ['labels', 'annotations'] as const) {
    const texts = textsOf(given[name], name);
    if (texts) {
      checkChange(metadata[name] ?? {}, texts, name);
      metadata[name] = texts;
    } else delete metadata[name];
  }
  after.metadata = metadata;
  return after as KubeObject;
}

function textsOf(value: JsonValue | undefined, name: string): Record<string, string> | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isJsonObject(value)) {
    throw new InvalidMetadata(`invalid metadata.${name} of type ${goType(value)} in converted object`);
  }
  for (const key of Object.keys(value)) {
    if (typeof value[key] === 'string') continue;
    const found = goType(value[key]);
    throw new InvalidMetadata(`metadata.${name}[${key}] must be a string, but is ${found} in converted object`);
  }
  return value as Record<string, string>;
}

function checkChange(
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
  name: 'labels' | 'annotations',
): void {
  const keys = Object.keys(after);
  if (keys.length === Object.keys(before).length && keys.every((key) => before[key] === after[key])) return;
  const check = newCheck(() => false);
  if (name === 'labels') validateLabels(after, new Path('metadata').child('labels'), check);
  else validateAnnotations(after, new Path('metadata').child('annotation'), check);
  if (check.errors.length > 0) throw new InvalidMetadata(fieldErrorsMessage(check.errors));
}
