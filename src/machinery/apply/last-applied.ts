import { goJson } from '../go-format.js';
import { isJsonObject, type JsonObject, type JsonValue, type KubeObject } from '../json.js';
import { compare } from './compare.js';
import { difference, hasPath, type Path, union } from './field-set.js';
import { fieldSetOf } from './owned.js';
import type { Atom } from './schema.js';
import { validateConfig } from './validate.js';

// `kubectl apply` without --server-side keeps what it applied last in an annotation. Server-side apply by the same
// client takes over from it. Source: "Migrate between client-side and server-side apply" of the documentation.

const ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration';
/** Bytes of all annotations of an object together. */
const MAX_ANNOTATIONS = 256 * 1024;

/** The annotation, '' when there is none. */
export function lastApplied(object: KubeObject): string {
  const text = object.metadata.annotations?.[ANNOTATION];
  return typeof text === 'string' ? text : '';
}

/** Writes the applied configuration into the annotation; takes it out when annotations would get too large. */
export function setLastApplied(object: KubeObject, config: KubeObject): void {
  const annotations: Record<string, string> = { ...object.metadata.annotations, [ANNOTATION]: textOf(config) };
  let size = 0;
  for (const [key, value] of Object.entries(annotations)) size += Buffer.byteLength(key) + Buffer.byteLength(value);
  if (size > MAX_ANNOTATIONS) delete annotations[ANNOTATION];
  object.metadata.annotations = annotations;
}

/** The configuration without the annotation itself, as one line of JSON. */
function textOf(config: KubeObject): string {
  const annotations = config.metadata?.annotations;
  if (!annotations) return `${goJson(config)}\n`;
  const { [ANNOTATION]: _, ...others } = annotations;
  return `${goJson({ ...config, metadata: { ...config.metadata, annotations: others } })}\n`;
}

/**
 * The fields that client-side apply set and that still have the values it set: `kubectl apply --server-side` may take
 * these from their updaters. undefined when there is no usable annotation.
 */
export function allowedByLastApplied(
  live: KubeObject,
  apiVersion: string,
  atom: Atom,
  structured: boolean,
): ((path: Path) => boolean) | undefined {
  let config: JsonValue;
  try {
    config = JSON.parse(lastApplied(live)) as JsonValue;
    if (!isJsonObject(config) || config.apiVersion !== apiVersion || typeof config.kind !== 'string') return undefined;
    validateConfig(config, atom);
  } catch {
    return undefined;
  }
  const written = { value: config as JsonObject, atom, form: 'written' as const };
  const change = compare(written, { value: live, atom, form: structured ? 'go' : 'written' });
  const set = difference(fieldSetOf(written), union(change.modified, union(change.added, change.removed)));
  return (path) => hasPath(set, path);
}
