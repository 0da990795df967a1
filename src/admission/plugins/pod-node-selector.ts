import { obj, stringMap } from '../../api/access.js';
import { forbidden, internalError, StatusError } from '../../machinery/errors.js';
import { invalidValue } from '../../machinery/field.js';
import { isJsonObject } from '../../machinery/json.js';
import { labelKeyErrors, labelValueErrors } from '../../machinery/selectors/label-format.js';
import type { AdmissionAttributes, AdmissionPlugin } from '../contract.js';
import { concerns } from './concerns.js';
import { type PluginConfiguration, parsePlain } from './configuration.js';
import type { NamespaceReader } from './namespace-lifecycle.js';

const ANNOTATION = 'scheduler.alpha.kubernetes.io/node-selector';
const CLUSTER_DEFAULT = 'clusterDefaultNodeSelector';

type Labels = Readonly<Record<string, string>>;

export interface PodNodeSelectorDependencies {
  readonly namespaceOf: NamespaceReader;
  /** By namespace: what its pods may select by; and the default for namespaces without an annotation. */
  readonly selectors: Labels;
}

/** Pods of a namespace go to the nodes that the namespace's annotation names, and may select by nothing else. */
export function podNodeSelector({ namespaceOf, selectors }: PodNodeSelectorDependencies): AdmissionPlugin {
  const wantedBy = async (a: AdmissionAttributes): Promise<Labels> => {
    const namespace = await namespaceOf(a.namespace);
    if (!namespace) throw internalError(`namespace ${a.namespace} does not exist`);
    const annotations = namespace.metadata.annotations ?? {};
    return parseSelector(annotations[ANNOTATION] ?? own(selectors, CLUSTER_DEFAULT));
  };
  const reject = (a: AdmissionAttributes, text: string) =>
    forbidden({ group: '', resource: 'pods' }, a.object?.metadata.name ?? '', text);

  async function validate(a: AdmissionAttributes): Promise<void> {
    if (!a.object || !concerns(a, '/pods')) return;
    const given = stringMap(obj(a.object, 'spec'), 'nodeSelector');
    const wanted = await wantedBy(a);
    if (Object.keys(wanted).some((key) => Object.hasOwn(given, key) && given[key] !== wanted[key])) {
      throw reject(a, 'pod node label selector conflicts with its namespace node label selector');
    }
    const allowed = parseSelector(own(selectors, a.namespace));
    const bounded = Object.keys(allowed).length > 0;
    if (bounded && Object.keys(given).some((key) => own(allowed, key, undefined) !== given[key])) {
      throw reject(a, 'pod node label selector labels conflict with its namespace whitelist');
    }
  }

  return {
    name: 'PodNodeSelector',
    handles: (operation) => operation === 'CREATE',
    async admit(a) {
      if (!a.object || !concerns(a, '/pods')) return;
      const spec = obj(a.object, 'spec');
      const nodeSelector = { ...(await wantedBy(a)), ...stringMap(spec, 'nodeSelector') };
      if (Object.keys(nodeSelector).length > 0) a.object.spec = { ...spec, nodeSelector };
      await validate(a);
    },
    validate,
  };
}

function own<T>(map: Labels, key: string, absent: T | string = ''): T | string {
  return Object.hasOwn(map, key) ? map[key]! : absent;
}

/** `key=value,…`; '' selects nothing in particular. */
function parseSelector(text: string): Labels {
  const labels: Record<string, string> = {};
  for (const part of text === '' ? [] : text.split(',')) {
    const [key = '', value = '', ...more] = part.split('=').map((s) => s.trim());
    if (more.length > 0 || !part.includes('='))
      throw new StatusError(500, '', `invalid selector: [${part.split('=').join(' ')}]`);
    const keyErrors = labelKeyErrors(key);
    if (keyErrors.length > 0) throw new StatusError(500, '', `${invalidValue('', key, keyErrors.join('; '))}`);
    const valueErrors = labelValueErrors(value);
    if (valueErrors.length > 0) throw new StatusError(500, '', `${invalidValue(key, value, valueErrors.join('; '))}`);
    labels[key] = value;
  }
  return labels;
}

/** Reads `podNodeSelectorPluginConfig`, which has no version. */
export function podNodeSelectors(configuration: PluginConfiguration | undefined): Labels {
  const given = configuration && parsePlain(configuration).podNodeSelectorPluginConfig;
  if (given === undefined || given === null) return {};
  if (!isJsonObject(given) || Object.values(given).some((v) => typeof v !== 'string')) {
    throw new Error('podNodeSelectorPluginConfig must be a map of strings');
  }
  return given as Labels;
}
