import { list, obj } from '../../api/access.js';
import { computeQos } from '../../api/core/pod/qos.js';
import { toleration as tolerationRule } from '../../api/core/scheduling.js';
import { newCheck } from '../../api/validation/index.js';
import { internalError, StatusError } from '../../machinery/errors.js';
import { fieldErrorsMessage, Path } from '../../machinery/field.js';
import { isJsonObject, type JsonObject, type KubeObject } from '../../machinery/json.js';
import type { AdmissionAttributes, AdmissionPlugin } from '../contract.js';
import { concerns } from './concerns.js';
import { decodePluginConfiguration, type PluginConfiguration } from './configuration.js';
import type { NamespaceReader } from './namespace-lifecycle.js';
import { allAllowed, mergeTolerations } from './tolerations.js';

const DEFAULTS = 'scheduler.alpha.kubernetes.io/defaultTolerations';
const ALLOWED = 'scheduler.alpha.kubernetes.io/tolerationsWhitelist';
const TOLERATION = {
  key: 'string',
  operator: 'string',
  value: 'string',
  effect: 'string',
  tolerationSeconds: 'number',
} as const;

/** Of the whole cluster, for namespaces that say nothing. */
export interface PodTolerationConfiguration {
  readonly defaults: readonly JsonObject[];
  /** Empty: everything. */
  readonly allowed: readonly JsonObject[];
}

export interface PodTolerationDependencies {
  readonly namespaceOf: NamespaceReader;
  readonly configuration: PodTolerationConfiguration;
  gate(name: 'PodLevelResources'): boolean;
}

/** Pods get the tolerations that their namespace's annotation lists, and may have those only that another one allows. */
export function podTolerationRestriction(dependencies: PodTolerationDependencies): AdmissionPlugin {
  const { namespaceOf, configuration, gate } = dependencies;
  const annotated = async (a: AdmissionAttributes, key: string): Promise<JsonObject[] | undefined> => {
    const namespace = await namespaceOf(a.namespace);
    if (!namespace) throw internalError(`namespaces "${a.namespace}" not found`);
    return tolerationsIn(namespace, key);
  };

  async function validate(a: AdmissionAttributes): Promise<void> {
    if (!concerns(a, '/pods')) return;
    const tolerations = list(obj(a.object, 'spec'), 'tolerations');
    if (tolerations.length === 0) return;
    const own = await annotated(a, ALLOWED);
    if (allAllowed(tolerations, own ?? configuration.allowed)) return;
    const scope = own ? 'namespace' : 'cluster';
    const text = 'pod tolerations (possibly merged with namespace default tolerations) conflict with its';
    throw new StatusError(500, '', `${text} ${scope} whitelist`);
  }

  return {
    name: 'PodTolerationRestriction',
    handles: (operation) => operation === 'CREATE' || operation === 'UPDATE',
    async admit(a) {
      if (!a.object || !concerns(a, '/pods')) return;
      const extra: JsonObject[] = [];
      if (a.operation === 'CREATE') extra.push(...((await annotated(a, DEFAULTS)) ?? configuration.defaults));
      // They are not the first to go when memory runs short.
      if (computeQos(a.object, gate('PodLevelResources')) !== 'BestEffort') {
        extra.push({ key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' });
      }
      const spec = obj(a.object, 'spec');
      const tolerations = mergeTolerations(list(spec, 'tolerations'), extra);
      if (tolerations.length > 0) a.object.spec = { ...spec, tolerations };
      await validate(a);
    },
    validate,
  };
}

/** The tolerations that an annotation lists as JSON; undefined without it. */
function tolerationsIn(namespace: KubeObject, key: string): JsonObject[] | undefined {
  const text = namespace.metadata.annotations?.[key];
  if (text === undefined) return undefined;
  if (text === '') return [];
  try {
    const value: unknown = JSON.parse(text);
    if (!Array.isArray(value)) throw new Error('expected a list of tolerations');
    return value.map(toleration);
  } catch (e) {
    throw new StatusError(
      500,
      '',
      `annotation ${key} of namespace ${namespace.metadata.name}: ${(e as Error).message}`,
    );
  }
}

function toleration(value: unknown): JsonObject {
  if (!isJsonObject(value)) throw new Error('expected a list of tolerations');
  const out: JsonObject = {};
  for (const [field, type] of Object.entries(TOLERATION)) {
    const v = value[field];
    if (v === undefined || v === null || v === '') continue;
    if (typeof v !== type) throw new Error(`${field} must be a ${type}`);
    out[field] = v;
  }
  return out;
}

/**
 * podtolerationrestriction.admission.k8s.io/v1alpha1 Configuration.
 *
 * @throws Error for tolerations that no pod could have
 */
export function podTolerationConfiguration(
  given: PluginConfiguration | undefined,
  gate: (name: string) => boolean,
): PodTolerationConfiguration {
  if (!given) return { defaults: [], allowed: [] };
  const versions = ['podtolerationrestriction.admission.k8s.io/v1alpha1'];
  const shape = { default: [TOLERATION], whitelist: [TOLERATION] } as const;
  const value = decodePluginConfiguration(given, 'Configuration', versions, shape);
  const check = newCheck(gate);
  const read = (field: string) => {
    const at = new Path('podtolerationrestriction').child(field);
    const tolerations = list(value, field).map(toleration);
    for (const [i, t] of tolerations.entries()) tolerationRule(t, at.index(i), check);
    return tolerations;
  };
  const configuration = { defaults: read('default'), allowed: read('whitelist') };
  if (check.errors.length > 0) throw new Error(`invalid config: ${fieldErrorsMessage(check.errors)}`);
  return configuration;
}
