import { invalidValue, notSupported, Path, required } from '../../machinery/field.js';
import { isJsonObject, type JsonObject, type KubeObject } from '../../machinery/json.js';
import { bool, list, num, obj, ptr, str } from '../access.js';
import type { GroupStrategies } from '../index.js';
import { kind } from '../kind.js';
import type { StrategyContext } from '../strategy.js';
import { type Check, formats, invalidEach, nameIsPathSegment, validateObjectMeta } from '../validation/index.js';

const SPEC = new Path('spec');
const CONDITIONS = new Path('status.conditions');
const STATUSES = ['True', 'False', 'Unknown'];

/** An APIService is named after the version and the group that it stands for: `v1.apps`, `v1.` for the core group. */
function metadata({ metadata, spec }: KubeObject, c: Check): void {
  const wanted = `${str(spec as JsonObject, 'version')}.${str(spec as JsonObject, 'group')}`;
  const name = (value: string): string[] => {
    const faults = nameIsPathSegment(value, false);
    if (faults.length > 0 || value === wanted) return faults;
    return [`must be \`spec.version+"."+spec.group\`: ${JSON.stringify(wanted)}`];
  };
  validateObjectMeta(metadata, { namespaced: false, name, standardFinalizers: false }, c);
}

function within(spec: JsonObject, name: string, limit: number, c: Check): void {
  const value = num(spec, name);
  if (value > 0 && value <= limit) return;
  c.errors.push(invalidValue(SPEC.child(name), value, `must be positive and less than ${limit}`));
}

function local(spec: JsonObject, c: Check): void {
  const bundle = Buffer.from(str(spec, 'caBundle'), 'base64').length;
  if (bundle > 0) {
    c.errors.push(invalidValue(SPEC.child('caBundle'), `${bundle} bytes`, 'local APIServices may not have a caBundle'));
  }
  if (bool(spec, 'insecureSkipTLSVerify')) {
    const text = 'local APIServices may not have insecureSkipTLSVerify';
    c.errors.push(invalidValue(SPEC.child('insecureSkipTLSVerify'), true, text));
  }
}

function remote(spec: JsonObject, service: JsonObject, c: Check): void {
  const at = SPEC.child('service');
  for (const name of ['namespace', 'name']) if (!str(service, name)) c.errors.push(required(at.child(name)));
  const port = num(service, 'port');
  if (port < 1 || port > 65535) {
    const text = 'port is not valid: must be between 1 and 65535, inclusive';
    c.errors.push(invalidValue(at.child('port'), port, text));
  }
  if (bool(spec, 'insecureSkipTLSVerify') && str(spec, 'caBundle')) {
    const text = 'may not be true if caBundle is present';
    c.errors.push(invalidValue(SPEC.child('insecureSkipTLSVerify'), true, text));
  }
}

function rules(object: KubeObject, c: Check): void {
  metadata(object, c);
  const spec = obj(object, 'spec');
  const group = str(spec, 'group');
  const version = str(spec, 'version');
  if (group === '' && version !== 'v1') {
    const text = 'only v1 may have an empty group and it better be legacy kube';
    c.errors.push(required(SPEC.child('group'), text));
  }
  if (group !== '') invalidEach(c, SPEC.child('group'), group, formats.dns1123Subdomain(group));
  invalidEach(c, SPEC.child('version'), version, formats.dns1035Label(version));
  within(spec, 'groupPriorityMinimum', 20_000, c);
  within(spec, 'versionPriority', 1000, c);
  const service = ptr(spec, 'service');
  if (service) remote(spec, service, c);
  else local(spec, c);
}

/** What this server answers itself is available from the start. */
function available(ctx: StrategyContext): JsonObject {
  return {
    type: 'Available',
    status: 'True',
    lastTransitionTime: ctx.now(),
    reason: 'Local',
    message: 'Local APIServices are always available',
  };
}

const apiService = kind({
  group: 'apiregistration.k8s.io',
  kind: 'APIService',
  ownMetadata: true,
  standardFinalizers: false,
  rules: (v, _, c) => {
    if (isJsonObject(v)) rules(v as KubeObject, c);
  },
  prepareForCreate(ctx, o) {
    if (!ptr(obj(o, 'spec'), 'service')) o.status = { conditions: [available(ctx)] };
  },
  subresources: {
    status: {
      rules(o, _, c) {
        list(obj(o, 'status'), 'conditions').forEach((condition, i) => {
          const status = str(condition, 'status');
          if (STATUSES.includes(status)) return;
          c.errors.push(notSupported(CONDITIONS.index(i).child('status'), status, STATUSES));
        });
      },
    },
  },
});

export const strategies: GroupStrategies = { APIService: apiService };
