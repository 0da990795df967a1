import { list, str, strings } from '../../../api/access.js';
import { parseYaml } from '../../../machinery/codec/yaml/parse.js';
import { fieldErrorsMessage, Path, required } from '../../../machinery/field.js';
import { isJsonObject } from '../../../machinery/json.js';
import { decodePluginConfiguration, type PluginConfiguration } from '../configuration.js';
import type { ScopeSelector } from './evaluator.js';
import { scopeSelector } from './quota-state.js';

/** What may be used only where some quota covers it. */
export interface LimitedResource {
  readonly group: string;
  readonly resource: string;
  /** Parts of resource names. */
  readonly matchContains: readonly string[];
  readonly matchScopes: readonly ScopeSelector[];
}

/** The kind had another name before it went to the group of the others. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  ResourceQuotaConfiguration: ['apiserver.config.k8s.io/v1'],
  Configuration: ['resourcequota.admission.k8s.io/v1beta1', 'resourcequota.admission.k8s.io/v1alpha1'],
};
const SELECTOR = { scopeName: 'string', operator: 'string', values: ['string'] } as const;
const SHAPE = {
  limitedResources: [{ apiGroup: 'string', resource: 'string', matchContains: ['string'], matchScopes: [SELECTOR] }],
} as const;

/** ResourceQuotaConfiguration. @throws Error that names every fault */
export function limitedResources(given: PluginConfiguration | undefined): LimitedResource[] {
  if (!given) return [];
  const { value: raw } = parseYaml(given.text);
  const old = isJsonObject(raw) && raw.kind === 'Configuration';
  const kind = old ? 'Configuration' : 'ResourceQuotaConfiguration';
  const limits = list(decodePluginConfiguration(given, kind, KINDS[kind]!, SHAPE), 'limitedResources');
  const errors = limits.flatMap((limit, i) =>
    str(limit, 'resource') ? [] : [required(new Path('limitedResources').index(i).child('resource'))],
  );
  if (errors.length > 0) throw new Error(fieldErrorsMessage(errors));
  return limits.map((limit) => ({
    group: str(limit, 'apiGroup'),
    resource: str(limit, 'resource'),
    matchContains: strings(limit, 'matchContains'),
    matchScopes: list(limit, 'matchScopes').map(scopeSelector),
  }));
}
