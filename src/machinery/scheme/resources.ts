import type { JsonValue } from '../json.js';
import { readCatalogFile } from './catalog.js';

/** Request and response types of one HTTP method on a path, as OpenAPI publishes them. */
export interface OperationFacts {
  req?: string;
  resp?: Record<string, string>;
  /** Name of a query set, or the parameters themselves. */
  query?: string | readonly string[];
  gvk?: string;
  patchTypes?: string[];
}

export interface SubresourceFacts {
  name: string;
  kind: string;
  /** Group and version of the kind, when they differ from the resource's. */
  group?: string;
  version?: string;
  verbs: string[];
  enabledByDefault: boolean;
  ops: Record<string, OperationFacts>;
}

/** Everything known about one resource at one version; see the README of the facts for each field. */
export interface ResourceFacts {
  group: string;
  version: string;
  plural: string;
  singular: string;
  kind: string;
  namespaced: boolean;
  verbs: string[];
  shortNames?: string[];
  categories?: string[];
  storageVersionHash?: string;
  /** apiVersion that objects are stored at. */
  storageVersion?: string;
  enabledByDefault: boolean;
  ops: { collection?: Record<string, OperationFacts>; item?: Record<string, OperationFacts> };
  subresources?: SubresourceFacts[];
  patchTypes?: string[];
  statusSubresource: boolean;
  lifecycle?: { introduced?: string; deprecated?: string; removed?: string; replacement?: string };
  warning?: string | string[];
  fieldSelectors?: string[];
  /** [name, type, format, priority] */
  columns?: [string, string, string, number][];
  columnsDefaultGates?: [string, string, string, number][];
  nameValidation?: string;
  putAbsentStatus?: number;
  allowCreateOnUpdate?: boolean;
  allowUnconditionalUpdate?: boolean;
  generation?: { onCreate?: number | null; bumpOnChangeOf?: string[] } & Record<string, JsonValue | undefined>;
  resetFields?: Record<string, Record<string, string[]>>;
  defaultGC?: string;
  gracefulDelete?: boolean;
}

export interface ResourceCatalog {
  groupOrder: Record<'default' | 'all', { group: string; versions: string[] }[]>;
  apiServicePriority: Record<string, [number, number]>;
  querySets: Record<string, string[]>;
  resources: ResourceFacts[];
}

let shared: ResourceCatalog | undefined;
/** All built-in resources in discovery order, including the versions that are off by default. */
export function resourceCatalog(): ResourceCatalog {
  shared ??= JSON.parse(readCatalogFile('resources.json')) as ResourceCatalog;
  return shared;
}
