import type { SchemaProps } from '../schema/props.js';

/** Schemas right below a schema, wherever they stand. */
export function* innerSchemas(schema: SchemaProps): Iterable<SchemaProps> {
  const { items, not, additionalProperties, additionalItems, dependencies } = schema;
  if (Array.isArray(items)) yield* items;
  else if (items) yield items;
  yield* schema.allOf ?? [];
  yield* schema.anyOf ?? [];
  yield* schema.oneOf ?? [];
  if (not) yield not;
  yield* Object.values(schema.properties ?? {});
  if (typeof additionalProperties === 'object') yield additionalProperties;
  yield* Object.values(schema.patternProperties ?? {});
  if (typeof additionalItems === 'object') yield additionalItems;
  yield* Object.values(schema.definitions ?? {});
  for (const dependency of Object.values(dependencies ?? {}))
    if (dependency && !Array.isArray(dependency)) yield dependency;
}

/** A schema and all schemas in it. */
export function* allSchemas(schema: SchemaProps): Iterable<SchemaProps> {
  yield schema;
  for (const inner of innerSchemas(schema)) yield* allSchemas(inner);
}

/** Whether a schema or one in it is as asked. */
export function someSchema(schema: SchemaProps, is: (schema: SchemaProps) => boolean): boolean {
  for (const s of allSchemas(schema)) if (is(s)) return true;
  return false;
}
