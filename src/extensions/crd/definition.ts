import { list, obj, str } from '../../api/access.js';
import type { SchemaProps } from '../../api/apiextensions/schema/props.js';
import { isJsonObject, type JsonObject, type KubeObject } from '../../machinery/json.js';

export const CRDS = { group: 'apiextensions.k8s.io', resource: 'customresourcedefinitions' };
/** Holds a definition until its instances are gone. */
export const CLEANUP_FINALIZER = 'customresourcecleanup.apiextensions.k8s.io';

export interface Names extends JsonObject {
  plural: string;
  singular?: string;
  kind: string;
  listKind?: string;
  shortNames?: string[];
  categories?: string[];
}

export interface DefinedVersion extends JsonObject {
  name: string;
  served: boolean;
  storage: boolean;
  deprecated?: boolean;
  deprecationWarning?: string;
  schema?: { openAPIV3Schema?: SchemaProps };
  subresources?: { status?: JsonObject; scale?: ScalePaths };
  additionalPrinterColumns?: PrinterColumn[];
  selectableFields?: { jsonPath: string }[];
}

export interface ScalePaths extends JsonObject {
  specReplicasPath: string;
  statusReplicasPath: string;
  labelSelectorPath?: string;
}

export interface PrinterColumn extends JsonObject {
  name: string;
  type: string;
  format?: string;
  description?: string;
  priority?: number;
  jsonPath: string;
}

export interface Condition extends JsonObject {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
}

/** A CustomResourceDefinition that passed validation, as the parts that serving it needs. */
export class Definition {
  readonly object: KubeObject;

  constructor(object: KubeObject) {
    this.object = object;
  }

  get name(): string {
    return this.object.metadata.name ?? '';
  }
  get uid(): string {
    return this.object.metadata.uid ?? '';
  }
  /** When it was written. */
  get revision(): number {
    return Number(this.object.metadata.resourceVersion ?? 0);
  }
  get generation(): number {
    return this.object.metadata.generation ?? 0;
  }
  get spec(): JsonObject {
    return obj(this.object, 'spec');
  }
  get status(): JsonObject {
    return obj(this.object, 'status');
  }
  get group(): string {
    return str(this.spec, 'group');
  }
  get namespaced(): boolean {
    return str(this.spec, 'scope') === 'Namespaced';
  }
  get names(): Names {
    return obj(this.spec, 'names') as Names;
  }
  get acceptedNames(): Names {
    return obj(this.status, 'acceptedNames') as Names;
  }
  get versions(): DefinedVersion[] {
    return list(this.spec, 'versions').filter(isJsonObject) as DefinedVersion[];
  }
  get storageVersion(): string {
    return this.versions.find((v) => v.storage)?.name ?? '';
  }
  get conditions(): Condition[] {
    return list(this.status, 'conditions').filter(isJsonObject) as Condition[];
  }
  condition(type: string): Condition | undefined {
    return this.conditions.find((c) => c.type === type);
  }
  is(type: string): boolean {
    return this.condition(type)?.status === 'True';
  }
  get terminating(): boolean {
    return this.is('Terminating');
  }
  get beingDeleted(): boolean {
    return this.object.metadata.deletionTimestamp !== undefined;
  }
}

/** The conditions with one of them set; its time moves only with its status. */
export function withCondition(conditions: readonly Condition[], next: Condition, now: string): Condition[] {
  const old = conditions.find((c) => c.type === next.type);
  if (!old) return [...conditions, { ...next, lastTransitionTime: now }];
  const time = old.status === next.status && old.lastTransitionTime ? old.lastTransitionTime : now;
  return conditions.map((c) => (c === old ? { ...c, ...next, lastTransitionTime: time } : c));
}
