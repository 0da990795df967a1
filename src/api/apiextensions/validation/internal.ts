import { equalJson, type JsonObject } from '../../../machinery/json.js';
import { list, obj, ptr, str, strings } from '../../access.js';
import type { SchemaProps } from '../schema/props.js';

/**
 * A definition's spec as upstream's internal version has it, whose field paths its messages speak in: what all versions
 * say alike stands once at the top (`validation`, `subresources`, `additionalPrinterColumns`, `selectableFields`) and is
 * gone from them.
 */
export interface InternalSpec {
  readonly group: string;
  readonly scope: string;
  readonly names: JsonObject;
  readonly preserveUnknownFields: boolean;
  /** Name of the first version. */
  readonly version: string;
  readonly versions: readonly InternalVersion[];
  readonly shared: VersionParts;
  readonly conversion: InternalConversion | undefined;
}

export interface VersionParts {
  readonly validation?: { readonly openAPIV3Schema?: SchemaProps };
  readonly subresources?: JsonObject;
  readonly columns: readonly JsonObject[];
  readonly selectableFields: readonly JsonObject[];
}

export interface InternalVersion extends VersionParts {
  readonly name: string;
  readonly served: boolean;
  readonly storage: boolean;
  readonly deprecated: boolean;
  readonly deprecationWarning: string | undefined;
}

export interface InternalConversion {
  readonly strategy: string;
  readonly clientConfig: JsonObject | undefined;
  readonly reviewVersions: readonly string[];
}

export function internalSpec(spec: JsonObject): InternalSpec {
  const versions = list(spec, 'versions').map(versionOf);
  const [first] = versions;
  const alike = (read: (v: VersionParts) => unknown): boolean =>
    first !== undefined && versions.every((v) => equalJson(read(v) as JsonObject, read(first) as JsonObject));
  const validation = alike((v) => v.validation);
  const subresources = alike((v) => v.subresources);
  const columns = alike((v) => v.columns);
  const selectable = alike((v) => v.selectableFields);
  return {
    group: str(spec, 'group'),
    scope: str(spec, 'scope'),
    names: obj(spec, 'names'),
    preserveUnknownFields: spec.preserveUnknownFields === true,
    version: first?.name ?? '',
    versions: versions.map((v) => ({
      ...v,
      validation: validation ? undefined : v.validation,
      subresources: subresources ? undefined : v.subresources,
      columns: columns ? [] : v.columns,
      selectableFields: selectable ? [] : v.selectableFields,
    })),
    shared: {
      validation: validation ? first?.validation : undefined,
      subresources: subresources ? first?.subresources : undefined,
      columns: columns ? (first?.columns ?? []) : [],
      selectableFields: selectable ? (first?.selectableFields ?? []) : [],
    },
    conversion: conversionOf(ptr(spec, 'conversion')),
  };
}

function versionOf(v: JsonObject): InternalVersion {
  return {
    name: str(v, 'name'),
    served: v.served === true,
    storage: v.storage === true,
    deprecated: v.deprecated === true,
    deprecationWarning: typeof v.deprecationWarning === 'string' ? v.deprecationWarning : undefined,
    validation: ptr(v, 'schema') as VersionParts['validation'],
    subresources: ptr(v, 'subresources'),
    columns: list(v, 'additionalPrinterColumns'),
    selectableFields: list(v, 'selectableFields'),
  };
}

function conversionOf(conversion: JsonObject | undefined): InternalConversion | undefined {
  if (!conversion) return undefined;
  const webhook = ptr(conversion, 'webhook');
  return {
    strategy: str(conversion, 'strategy'),
    clientConfig: ptr(webhook, 'clientConfig'),
    reviewVersions: strings(webhook, 'conversionReviewVersions'),
  };
}

/** The schema that holds at each version, by name. */
export function schemasByVersion(spec: InternalSpec): Map<string, SchemaProps | undefined> {
  const shared = spec.shared.validation?.openAPIV3Schema;
  return new Map(spec.versions.map((v) => [v.name, v.validation?.openAPIV3Schema ?? shared]));
}

/** All schemas of a spec, each once. */
export function schemasOf(spec: InternalSpec): SchemaProps[] {
  const all = [spec.shared.validation, ...spec.versions.map((v) => v.validation)];
  return all.flatMap((v) => (v?.openAPIV3Schema ? [v.openAPIV3Schema] : []));
}
