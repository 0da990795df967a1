import type { ResourceFacts } from '../../machinery/scheme/resources.js';
import type { Column } from './contract.js';

/** Columns that mean the same in every kind. */
const SHARED: Readonly<Record<string, string>> = {
  Name: 'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names',
  Age: 'CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata',
  Containers: 'Names of each container in the template.',
  Images: 'Images referenced by each container in the template.',
};

/** Column definitions from the catalog's facts. A few columns have no description upstream either. */
export function columnsOf(
  columns: NonNullable<ResourceFacts['columns']>,
  descriptions: Readonly<Record<string, string>> = {},
): Column[] {
  return columns.map(([name, type, format, priority]) => {
    const shared = SHARED[name === 'Created At' ? 'Age' : name];
    return { name, type, format, description: descriptions[name] ?? shared ?? '', priority };
  });
}
