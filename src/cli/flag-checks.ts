import { readFileSync } from 'node:fs';
import { admissionOrder } from '../admission/chain.js';
import { list, obj, str } from '../api/access.js';
import { decodeConfigFile, type Shape } from '../auth/authorization/config-file.js';
import { parseYaml } from '../machinery/codec/yaml/parse.js';
import { isJsonObject, type JsonObject } from '../machinery/json.js';
import { FlagError } from './pflag.js';

const EMULATED = ['1.36'];
const COMPATIBLE = ['1.35', '1.36'];

/** Versions of Kubernetes that flags name, as `1.36` or `kube=1.36`: there is only one. @throws FlagError */
export function checkVersions(emulated: readonly string[] = [], compatible: readonly string[] = []): void {
  const check = (flag: string, given: readonly string[], known: readonly string[]) => {
    for (const text of given) {
      if (known.includes(text.replace(/^kube=v?|^v/, ''))) continue;
      throw new FlagError(`--${flag} ${text} is not supported: this server speaks Kubernetes 1.36`);
    }
  };
  check('emulated-version', emulated, EMULATED);
  check('min-compatibility-version', compatible, COMPATIBLE);
}

export interface PluginLists {
  readonly enable: readonly string[] | undefined;
  readonly disable: readonly string[] | undefined;
}

/** `--admission-control` names all plugins that are on; the two other flags change what is on by default. @throws FlagError */
export function admissionPlugins(exactly: readonly string[] | undefined, lists: PluginLists): PluginLists {
  if (!exactly) return lists;
  if (lists.enable || lists.disable) {
    throw new FlagError(
      'admission-control and enable-admission-plugins/disable-admission-plugins flags are mutually exclusive',
    );
  }
  const others = admissionOrder().allPluginsInOrder.filter((name) => !exactly.includes(name));
  return { enable: exactly, disable: others };
}

/** Whether a version of Node.js (`20.19.0`) knows SO_REUSEPORT. @throws FlagError */
export function checkPortSharing(wanted: boolean | undefined, version: string): void {
  if (!wanted) return;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12)) return;
  throw new FlagError(`--permit-port-sharing is not supported by Node.js ${version}: 22.12 and 23.1 have it`);
}

/** Whether this server writes its endpoints. @throws FlagError */
export function reconcilesEndpoints(type: string | undefined): boolean {
  if (type === undefined || type === '' || type === 'lease' || type === 'master-count') return true;
  if (type === 'none') return false;
  throw new FlagError(`--endpoint-reconciler-type ${JSON.stringify(type)} is unknown: lease, master-count or none`);
}

/** What labels of metrics may be, of `metric,label=value,value` and of a file of the same. @throws FlagError */
export function allowedLabels(
  pairs: Readonly<Record<string, string>> | undefined,
  manifest: string | undefined,
): Record<string, string[]> {
  const all = { ...(manifest === undefined ? {} : readManifest(manifest)), ...pairs };
  return Object.fromEntries(Object.entries(all).map(([key, text]) => [key, text.split(',')]));
}

function readManifest(path: string): Record<string, string> {
  const value = parseYaml(readConfig('allow-metric-labels-manifest', path)).value;
  if (!isJsonObject(value) || !Object.values(value).every((v) => typeof v === 'string')) {
    throw new FlagError(`--allow-metric-labels-manifest ${path}: expected metric,label: "value,value"`);
  }
  return value as Record<string, string>;
}

const EGRESS_VERSIONS = ['apiserver.k8s.io/v1beta1', 'apiserver.k8s.io/v1alpha1'];
const SELECTION: Shape = { name: 'string', connection: { proxyProtocol: 'string', transport: 'any' } };

/** Connections are made directly: a configuration that asks for nothing else is fine. @throws FlagError */
export function checkEgress(path: string | undefined): void {
  if (!path) return;
  const text = readConfig('egress-selector-config-file', path);
  for (const selection of list(decodeEgress(path, text), 'egressSelections')) {
    const protocol = str(obj(selection, 'connection'), 'proxyProtocol');
    if (protocol === 'Direct') continue;
    throw new FlagError(
      `--egress-selector-config-file ${path}: proxyProtocol ${JSON.stringify(protocol)} of ${str(selection, 'name')} is not supported: only Direct`,
    );
  }
}

function decodeEgress(path: string, text: string): JsonObject {
  try {
    return decodeConfigFile(text, 'EgressSelectorConfiguration', EGRESS_VERSIONS, { egressSelections: [SELECTION] });
  } catch (e) {
    throw new FlagError(`--egress-selector-config-file ${path}: ${(e as Error).message}`);
  }
}

function readConfig(flag: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (e) {
    throw new FlagError(`--${flag}: ${(e as Error).message}`);
  }
}
