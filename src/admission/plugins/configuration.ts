import { dirname, isAbsolute, join } from 'node:path';
import { list, str } from '../../api/access.js';
import { decodeConfigFile, type Shape } from '../../auth/authorization/config-file.js';
import { parseYaml } from '../../machinery/codec/yaml/parse.js';
import { isJsonObject, type JsonObject } from '../../machinery/json.js';

/** What an administrator wrote for one plugin. */
export interface PluginConfiguration {
  /** YAML or JSON. */
  readonly text: string;
  /** The file it stands in; names of other files are relative to it. */
  readonly path: string;
}

const VERSIONS = ['apiserver.config.k8s.io/v1', 'apiserver.k8s.io/v1alpha1'];
/** Plugins whose configuration was a file of its own once, and the field by which such a file is known. */
const LEGACY = { imagePolicy: 'ImagePolicyWebhook', podNodeSelectorPluginConfig: 'PodNodeSelector' } as const;

/**
 * Reads the file of --admission-control-config-file: the configuration of each plugin by its name, whether it stands in
 * the file or in another that it names.
 *
 * @param readFile throws the file system's error
 * @throws Error for files that can't be read and anything but an AdmissionConfiguration
 */
export function readAdmissionConfiguration(
  path: string,
  readFile: (path: string) => Buffer,
): ReadonlyMap<string, PluginConfiguration> {
  const text = read(path, readFile);
  const legacy = legacyConfiguration(text, path);
  if (legacy) return legacy;
  const plugin: Shape = { name: 'string', path: 'string', configuration: 'any' };
  const value = decodeConfigFile(text, 'AdmissionConfiguration', VERSIONS, { plugins: [plugin] });
  const out = new Map<string, PluginConfiguration>();
  for (const entry of list(value, 'plugins')) {
    const name = str(entry, 'name');
    const file = str(entry, 'path');
    // The first entry of a name counts.
    if (out.has(name)) continue;
    if (entry.configuration !== undefined && entry.configuration !== null) {
      out.set(name, { text: JSON.stringify(entry.configuration), path });
    } else if (file) {
      const absolute = isAbsolute(file) ? file : join(dirname(path), file);
      out.set(name, { text: read(absolute, readFile), path: absolute });
    }
  }
  return out;
}

function read(path: string, readFile: (path: string) => Buffer): string {
  try {
    return readFile(path).toString('utf8');
  } catch (e) {
    const { message } = e as Error;
    throw new Error(`unable to read admission control configuration from ${JSON.stringify(path)} [${message}]`);
  }
}

function legacyConfiguration(text: string, path: string): Map<string, PluginConfiguration> | undefined {
  const { value } = parseYaml(text);
  if (!isJsonObject(value) || value.kind !== undefined) return undefined;
  const fields = Object.keys(LEGACY) as (keyof typeof LEGACY)[];
  if (!fields.some((field) => value[field] !== undefined)) return undefined;
  return new Map(fields.map((field) => [LEGACY[field], { text, path }]));
}

/** Strictly, as one of `versions` of `kind`. @throws Error that names every fault */
export function decodePluginConfiguration(
  { text }: PluginConfiguration,
  kind: string,
  versions: readonly string[],
  shape: { readonly [field: string]: Shape },
): JsonObject {
  return decodeConfigFile(text, kind, versions, shape);
}

/** A configuration from before there were versions. */
export function parsePlain({ text }: PluginConfiguration): JsonObject {
  const { value } = parseYaml(text);
  if (!isJsonObject(value)) throw new Error('expected an object');
  return value;
}
