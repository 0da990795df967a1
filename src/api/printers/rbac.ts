import type { KubeObject } from '../../machinery/json.js';
import { list, obj, str } from '../access.js';
import { age } from './age.js';
import type { GroupPrinters, RowPrinter } from './contract.js';
import { nameOf } from './text.js';

const binding: RowPrinter = {
  cells(object, now) {
    const role = obj(object, 'roleRef');
    return [
      nameOf(object),
      `${str(role, 'kind')}/${str(role, 'name')}`,
      age(object, now),
      subjects(object, 'User'),
      subjects(object, 'Group'),
      subjects(object, 'ServiceAccount'),
    ];
  },
};

export const rbac: GroupPrinters = { ClusterRoleBinding: binding, RoleBinding: binding };

function subjects(object: KubeObject, kind: string): string {
  return list(object, 'subjects')
    .filter((s) => str(s, 'kind') === kind)
    .map((s) => (kind === 'ServiceAccount' ? `${str(s, 'namespace')}/${str(s, 'name')}` : str(s, 'name')))
    .join(', ');
}
