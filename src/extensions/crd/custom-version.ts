import { conform } from '../../api/apiextensions/schema/conform.js';
import { applySchemaDefaults } from '../../api/apiextensions/schema/defaults.js';
import { resourceType } from '../../api/apiextensions/schema/node.js';
import { RuleValidator } from '../../api/apiextensions/schema/rules/validator.js';
import { type Structural, structural } from '../../api/apiextensions/schema/structural.js';
import { ValueValidator } from '../../api/apiextensions/schema/values/validator.js';
import type { FieldFilter } from '../../machinery/apply/contract.js';
import { FieldManager } from '../../machinery/apply/field-manager.js';
import { encodeUnstructured } from '../../machinery/codec/json/encode.js';
import {
  apiVersionOf,
  cloneJson,
  type JsonObject,
  type JsonValue,
  type KubeObject,
  parseApiVersion,
} from '../../machinery/json.js';
import type { SchemaNode, Type } from '../../machinery/scheme/type.js';
import type { KindVersion, StrictDecoding } from '../../registry/kind.js';
import type { Converter } from './conversion/converter.js';
import type { DefinedVersion } from './definition.js';

/** What the versions of one custom resource share. */
export interface Family {
  readonly group: string;
  readonly kind: string;
  readonly listKind: string;
  readonly converter: Converter;
  /** Changes whenever what is published of it does. */
  readonly revision: string;
  /** By apiVersion; undefined for one that is not defined. */
  version(apiVersion: string): CustomVersion | undefined;
  /** What writes through a subresource of a version never own, by apiVersion. */
  resetFields(version: DefinedVersion, subresource: string): Readonly<Record<string, FieldFilter>>;
}

/** Of objects that are none of the family's. */
const ANYTHING = structural({ type: 'object', 'x-kubernetes-preserve-unknown-fields': true });

/** A custom resource at one version. What is made of its schema is made at first use. */
export class CustomVersion implements KindVersion {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly listKind: string;
  readonly apiVersion: string;
  readonly typed = false;
  readonly defined: DefinedVersion;
  readonly #family: Family;
  #schema: Structural | undefined;
  #values: ValueValidator | undefined;
  #rules: RuleValidator | null | undefined;
  #shape: { type: Type; node: SchemaNode } | undefined;
  readonly #managers = new Map<string, FieldManager>();

  constructor(family: Family, defined: DefinedVersion) {
    this.#family = family;
    this.group = family.group;
    this.version = defined.name;
    this.kind = family.kind;
    this.listKind = family.listKind;
    this.apiVersion = apiVersionOf(this);
    this.defined = defined;
  }

  get revision(): string {
    return this.#family.revision;
  }

  /** Undefined when the version has none: then nothing but metadata is known. */
  get schema(): Structural | undefined {
    const props = this.defined.schema?.openAPIV3Schema;
    if (props) this.#schema ??= structural(props);
    return this.#schema;
  }

  /** Checks values by the schema, apart from its rules. */
  get values(): ValueValidator | undefined {
    const props = this.defined.schema?.openAPIV3Schema;
    if (props) this.#values ??= new ValueValidator(props);
    return this.#values;
  }

  /** Undefined when there is no rule in the schema. */
  get rules(): RuleValidator | undefined {
    if (this.#rules === undefined) this.#rules = (this.schema && RuleValidator.of(this.schema, true)) ?? null;
    return this.#rules ?? undefined;
  }

  get openAPI(): JsonObject | undefined {
    return this.defined.schema?.openAPIV3Schema as JsonObject | undefined;
  }

  get type(): Type {
    return this.#shapes().type;
  }
  get node(): SchemaNode {
    return this.#shapes().node;
  }

  #shapes(): { type: Type; node: SchemaNode } {
    this.#shape ??= resourceType(this.schema, `${this.apiVersion}.${this.kind}`);
    return this.#shape;
  }

  /** By the schema of the version that the value says it is; what is of another kind is left for validation to refuse. */
  decode(value: JsonObject, strict?: StrictDecoding): KubeObject {
    const unknown = strict && ((path: string) => strict.report(`unknown field "${path}"`));
    const { kind = this.kind, apiVersion = this.apiVersion } = value;
    const object = conform(value, this.#schemaOf(kind, apiVersion), { unknown });
    object.metadata ??= {};
    object.kind = kind as string;
    object.apiVersion = apiVersion as string;
    return object;
  }

  #schemaOf(kind: JsonValue, apiVersion: JsonValue): Structural | undefined {
    if (kind === this.kind && apiVersion === this.apiVersion) return this.schema;
    if (kind !== this.kind || typeof apiVersion !== 'string') return ANYTHING;
    return parseApiVersion(apiVersion).group === this.group ? this.#family.version(apiVersion)?.schema : ANYTHING;
  }

  applyDefaults(object: KubeObject): void {
    applySchemaDefaults(object, this.schema);
  }

  encode(object: KubeObject): string {
    return encodeUnstructured({ ...object, kind: this.kind, apiVersion: this.apiVersion });
  }

  /** Each version is its own hub: conversion happens at the store. */
  toHub(object: KubeObject): KubeObject {
    return object;
  }
  /** Admission shows objects at other versions than that of the request. */
  async fromHub(object: KubeObject): Promise<KubeObject> {
    if (object.apiVersion === this.apiVersion) return object;
    return (await this.#family.converter.convert([object], this.apiVersion))[0] ?? object;
  }

  fieldManager(subresource: string): FieldManager {
    let manager = this.#managers.get(subresource);
    if (!manager) {
      const family = this.#family;
      manager = new FieldManager({
        kind: { group: this.group, version: this.version, kind: this.kind },
        subresource,
        structured: false,
        // A version that the definition no longer has is refused by the converter.
        schema: (apiVersion) =>
          family.version(apiVersion)?.node ??
          (parseApiVersion(apiVersion).group === this.group ? { kind: 'any' } : undefined),
        convert: async (object, _, to) => (await family.converter.convert([cloneJson(object)], to))[0]!,
        resetFields: family.resetFields(this.defined, subresource),
      });
      this.#managers.set(subresource, manager);
    }
    return manager;
  }
}
