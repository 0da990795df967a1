import { invalidValue, Path, required as requiredError } from '../../machinery/field.js';
import type { KubeObject } from '../../machinery/json.js';
import { list, obj, str } from '../access.js';
import type { GroupStrategies } from '../index.js';
import { kind } from '../kind.js';
import { type Check, conditions, formats, immutable, nameIsDnsSubdomain, publishedForm } from '../validation/index.js';

const RESOURCE = new Path('spec').child('resource');
const STATUS = new Path('status');

function rules(o: KubeObject, c: Check): void {
  const { resource, group } = { resource: '', group: '', ...obj(obj(o, 'spec'), 'resource') };
  const joined = (name: string, value: unknown, faults: string[]) => {
    if (faults.length > 0) c.errors.push(invalidValue(RESOURCE.child(name), String(value), faults.join(',')));
  };
  if (resource === '') c.errors.push(requiredError(RESOURCE.child('resource'), 'resource is required to be set'));
  else joined('resource', resource, formats.dns1035Label(String(resource)));
  if (group !== '') joined('group', group, formats.dns1123Subdomain(String(group)));
}

const has = (o: KubeObject, type: string): boolean =>
  list(obj(o, 'status'), 'conditions').find((condition) => str(condition, 'type') === type)?.status === 'True';

/** A migration ends once, in one way. */
function status(o: KubeObject, old: KubeObject, c: Check): void {
  const at = STATUS.child('resourceVersion');
  const version = str(obj(o, 'status'), 'resourceVersion');
  const before = str(obj(old, 'status'), 'resourceVersion');
  if (version && !/^[1-9][0-9]*$/.test(version))
    c.errors.push(invalidValue(at, version, `resource version is not well formed: ${version}`));
  const all = list(obj(o, 'status'), 'conditions');
  conditions(all, STATUS.child('conditions'), c);
  if (before && before !== version) c.errors.push(invalidValue(at, version, 'field is immutable'));
  const fault = (text: string) => {
    const shown = all.map((e) => publishedForm('io.k8s.apimachinery.pkg.apis.meta.v1.Condition', e));
    c.errors.push(invalidValue(STATUS.child('conditions'), shown.length > 0 ? shown : null, text));
  };
  if (has(o, 'Succeeded') && has(o, 'Failed'))
    fault('Both success and failed conditions cannot be true at the same time');
  if (has(old, 'Succeeded') && !has(o, 'Succeeded')) fault('Success condition cannot be set to false once it is true');
  if (has(old, 'Failed') && !has(o, 'Failed')) fault('Failed condition cannot be set to false once it is true');
}

const storageVersionMigration = kind({
  group: 'storagemigration.k8s.io',
  kind: 'StorageVersionMigration',
  name: nameIsDnsSubdomain,
  rules: (v, _, c) => rules(v as KubeObject, c),
  updateRules: (o, old, c) =>
    immutable(o.spec, old.spec, new Path('spec'), c, 'storagemigration.v1beta1.StorageVersionMigrationSpec'),
  onUpdate: ['meta', 'rules', 'change', 'updateRules'],
  subresources: { status: { rules: status } },
});

export const strategies: GroupStrategies = { StorageVersionMigration: storageVersionMigration };
