import { describe, expect, it } from 'vitest';
import type { SchemaProps } from '../../../api/apiextensions/schema/props.js';
import { schemaName } from './names.js';
import { kindSchema, listSchema } from './schema.js';

const NAMED = { group: 'example.com', kind: 'Thing', version: 'v1' };
const GVK = { 'x-kubernetes-group-version-kind': [NAMED] };
type Properties = Record<string, Record<string, unknown>>;
const propertiesOf = (props: Record<string, SchemaProps>, dialect: 2 | 3): Properties =>
  kindSchema({ type: 'object', properties: props }, NAMED, dialect).properties as Properties;
const published = (props: SchemaProps, dialect: 2 | 3) => propertiesOf({ a: props }, dialect).a;

describe('schemas of custom resources', () => {
  it('have names like domains', () => {
    expect(schemaName('stable.example.com', 'v1', 'CronTab')).toBe('com.example.stable.v1.CronTab');
    expect(schemaName('local', 'v1', 'A')).toBe('local.v1.A');
  });

  it('say what belongs to every object, whatever the definition says of it', () => {
    const schema = kindSchema({ type: 'object', properties: { metadata: { type: 'object' } } }, NAMED, 3);
    expect(schema).toMatchObject({ type: 'object', ...GVK });
    expect(schema.properties).toMatchObject({
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { allOf: [{ $ref: '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' }] },
    });
    expect(propertiesOf({}, 2).metadata).toMatchObject({
      $ref: '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta',
    });
    expect(listSchema('things', 'Thing', { ...NAMED, kind: 'Things' }, 3)).toMatchObject({
      required: ['items'],
      properties: { items: { type: 'array', items: { $ref: '#/components/schemas/com.example.v1.Thing' } } },
    });
  });

  it.each([2, 3] as const)('of which nothing is known say nothing (%i)', (dialect) => {
    expect(kindSchema(undefined, NAMED, dialect)).toEqual({ type: 'object', ...GVK });
  });
  it('that keep what is unknown have no properties in Swagger 2.0', () => {
    const props: SchemaProps = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, properties: { a: {} } };
    expect(kindSchema(props, NAMED, 2)).toEqual({ type: 'object', ...GVK });
    expect(kindSchema(props, NAMED, 3).properties).toHaveProperty('a');
  });

  it('keep rules, defaults and extensions, and leave out what says nothing', () => {
    const props: SchemaProps = {
      type: 'array',
      items: { type: 'string', default: null, 'x-kubernetes-embedded-resource': false },
      'x-kubernetes-list-type': 'set',
      'x-kubernetes-validations': [{ rule: 'true' }],
      default: [],
    };
    for (const dialect of [2, 3] as const) {
      expect(published(props, dialect)).toEqual({ ...props, items: { type: 'string' } });
    }
  });

  it('say that an integer or a string goes', () => {
    const either = [{ type: 'integer' }, { type: 'string' }];
    const word = { 'x-kubernetes-int-or-string': true };
    expect(published(word, 3)).toEqual({ ...word, anyOf: either });
    expect(published({ ...word, anyOf: either }, 3)).toEqual({ ...word, anyOf: either });
    const more = [{ minimum: 1 }];
    expect(published({ ...word, anyOf: more }, 3)).toEqual({ ...word, anyOf: more, allOf: [{ anyOf: either }] });
    expect(published({ ...word, anyOf: either }, 2)).toEqual(word);
  });

  it('lose their type in Swagger 2.0 where null goes, and are not required there', () => {
    const inner = { type: 'object', nullable: true, properties: { x: { type: 'string' } } };
    const outer = { type: 'object', properties: { n: inner, m: { type: 'string' } }, required: ['m', 'n'] };
    expect(published(outer, 2)).toEqual({
      type: 'object',
      properties: { n: {}, m: { type: 'string' } },
      required: ['m'],
    });
    expect(published(outer, 3)).toEqual(outer);
    const map = { type: 'object', additionalProperties: { type: 'string', nullable: true } };
    expect(published(map, 2)).toEqual({ type: 'object', additionalProperties: {} });
  });

  it('have no list without items in Swagger 2.0', () => {
    expect(published({ type: 'array', 'x-kubernetes-preserve-unknown-fields': true }, 2)).not.toHaveProperty('type');
  });

  it('show objects inside with what belongs to them', () => {
    const embedded: SchemaProps = { type: 'object', 'x-kubernetes-embedded-resource': true, required: ['spec'] };
    for (const dialect of [2, 3] as const) {
      const shown = published(embedded, dialect)!;
      expect(Object.keys(shown.properties as object)).toEqual(['apiVersion', 'kind', 'metadata']);
      expect(shown.required).toEqual(['spec', 'kind', 'apiVersion']);
    }
    expect(published({ ...embedded, 'x-kubernetes-preserve-unknown-fields': true }, 2)).not.toHaveProperty(
      'properties',
    );
  });
});
