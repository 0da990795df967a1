import type { GroupVersionKind, JsonObject } from '../../machinery/json.js';

/** Which specification a schema or document is written in: Swagger 2.0 (`/openapi/v2`) or OpenAPI 3.0 (`/openapi/v3`). */
export type Dialect = 2 | 3;

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query';
  readonly type: 'string' | 'integer' | 'boolean';
  readonly description?: string;
}

export interface Operation {
  readonly id: string;
  readonly tag: string;
  readonly description: string;
  /** x-kubernetes-action */
  readonly action?: string;
  /** x-kubernetes-group-version-kind */
  readonly gvk?: GroupVersionKind;
  readonly parameters: readonly Parameter[];
  /** Type name of the body and the media types it may come in. */
  readonly body?: { readonly type: string; readonly required: boolean; readonly media: readonly string[] };
  /** Type name by status code; `string` for plain text. */
  readonly responses: Readonly<Record<string, string>>;
  readonly produces: readonly string[];
}

/** Operations by lower-case method. */
export type PathItem = Readonly<Record<string, Operation>>;

/** One document of `/openapi/v3`, and its share of `/openapi/v2`. */
export interface OpenApiPart {
  /** Path below `/openapi/v3`: `apis/apps/v1`. */
  readonly key: string;
  /** Any text that changes whenever the document does. */
  readonly revision: string;
  /** Of the document, where it is not the server's own, which also says how clients authenticate. */
  readonly info?: { readonly title: string; readonly version: string };
  paths(): ReadonlyMap<string, PathItem>;
  /** The schema of a type that is not a built-in one. References are written with `refTo`. */
  schema?(type: string, dialect: Dialect): JsonObject | undefined;
  /** The whole document as another server wrote it, in place of `paths` and `schema`; undefined: not in this dialect. */
  foreign?(dialect: Dialect): JsonObject | undefined;
}

/** Where documents come from: built-in resources, CustomResourceDefinitions, … */
export interface OpenApiSource {
  /** The same array until something changes, and a new one after. */
  parts(): readonly OpenApiPart[];
}

/** A reference to a type's schema. */
export function refTo(type: string, dialect: Dialect): string {
  return `${dialect === 2 ? '#/definitions/' : '#/components/schemas/'}${type}`;
}
