import type { JsonValue, KubeObject } from '../../machinery/json.js';
import { type ResourceFacts, resourceCatalog } from '../../machinery/scheme/resources.js';
import { admissionregistration } from './admissionregistration.js';
import { apiregistration } from './apiregistration.js';
import { apps } from './apps.js';
import { autoscaling } from './autoscaling.js';
import { batch } from './batch.js';
import { certificates } from './certificates.js';
import { columnsOf } from './columns.js';
import type { Descriptions, GroupPrinters, Printer } from './contract.js';
import { coordination } from './coordination.js';
import { core } from './core/index.js';
import * as described from './descriptions/index.js';
import { discovery } from './discovery.js';
import { flowcontrol } from './flowcontrol.js';
import { internal } from './internal.js';
import { networking } from './networking.js';
import { node } from './node.js';
import { policy } from './policy.js';
import { rbac } from './rbac.js';
import { resource } from './resource.js';
import { scheduling } from './scheduling.js';
import { storage } from './storage.js';
import { storagemigration } from './storagemigration.js';

interface Group {
  readonly printers: GroupPrinters;
  readonly descriptions: Descriptions;
}

const CORE: Group = { printers: core, descriptions: described.core };
const GROUPS: Readonly<Record<string, Group>> = {
  '': CORE,
  'admissionregistration.k8s.io': {
    printers: admissionregistration,
    descriptions: described.admissionregistration,
  },
  'apiregistration.k8s.io': { printers: apiregistration, descriptions: described.apiregistration },
  apps: { printers: apps, descriptions: described.apps },
  autoscaling: { printers: autoscaling, descriptions: described.autoscaling },
  batch: { printers: batch, descriptions: described.batch },
  'certificates.k8s.io': { printers: certificates, descriptions: described.certificates },
  'coordination.k8s.io': { printers: coordination, descriptions: described.coordination },
  'discovery.k8s.io': { printers: discovery, descriptions: described.discovery },
  // Its only kind is stored as that of the core group.
  'events.k8s.io': CORE,
  'flowcontrol.apiserver.k8s.io': { printers: flowcontrol, descriptions: described.flowcontrol },
  'internal.apiserver.k8s.io': { printers: internal, descriptions: described.internal },
  'networking.k8s.io': { printers: networking, descriptions: described.networking },
  'node.k8s.io': { printers: node, descriptions: {} },
  policy: { printers: policy, descriptions: described.policy },
  'rbac.authorization.k8s.io': { printers: rbac, descriptions: described.rbac },
  'resource.k8s.io': { printers: resource, descriptions: described.resource },
  'scheduling.k8s.io': { printers: scheduling, descriptions: described.scheduling },
  'storage.k8s.io': { printers: storage, descriptions: described.storage },
  'storagemigration.k8s.io': { printers: storagemigration, descriptions: described.storagemigration },
};

/** Kinds of subresources that have columns; the catalog has those of resources. */
const SUBRESOURCE_COLUMNS: Readonly<Record<string, Columns>> = {
  'autoscaling/Scale': [
    ['Name', 'string', '', 0],
    ['Desired', 'integer', '', 0],
    ['Available', 'integer', '', 0],
    ['Age', 'string', '', 0],
  ],
};

/** Kinds whose status can't be shown as a table, though the objects can. */
const STATUS_WITHOUT_TABLE = new Set([
  'APIService',
  'CustomResourceDefinition',
  'DeviceTaintRule',
  'PodGroup',
  'ResourceClaim',
  'ResourcePoolStatusRequest',
]);

type Columns = NonNullable<ResourceFacts['columns']>;

let columnsByKind: ReadonlyMap<string, Columns> | undefined;
function catalogColumns(group: string, kind: string): Columns {
  columnsByKind ??= new Map(resourceCatalog().resources.map((r) => [`${r.group}/${r.kind}`, r.columns ?? []]));
  return SUBRESOURCE_COLUMNS[`${group}/${kind}`] ?? columnsByKind.get(`${group}/${kind}`) ?? [];
}

/** Kinds without a printer of their own show when they were made, as a time. */
const DEFAULT_ROWS: Omit<Printer, 'columns'> = {
  nullRows: true,
  cells: (object: KubeObject): JsonValue[] => [
    object.metadata.name ?? '',
    object.metadata.creationTimestamp ?? '0001-01-01T00:00:00Z',
  ],
};

/**
 * How a built-in kind is shown; undefined where upstream makes no tables: of kinds that are only answered, and of most
 * subresources.
 */
export function printerFor(group: string, kind: string, subresource = ''): Printer | undefined {
  const shown = ['', 'scale'].includes(subresource) || (subresource === 'status' && !STATUS_WITHOUT_TABLE.has(kind));
  const columns = shown ? catalogColumns(group, kind) : [];
  if (columns.length === 0) return undefined;
  const { printers, descriptions } = GROUPS[group] ?? { printers: {}, descriptions: {} };
  return { ...(printers[kind] ?? DEFAULT_ROWS), columns: columnsOf(columns, descriptions[kind]) };
}
