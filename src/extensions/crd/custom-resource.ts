import { createHash } from 'node:crypto';
import type { Strategy } from '../../api/strategy.js';
import type { FieldFilter } from '../../machinery/apply/contract.js';
import type { Path } from '../../machinery/apply/field-set.js';
import { excludeFields } from '../../machinery/apply/reset-fields.js';
import { pathOf } from '../../machinery/apply/scale.js';
import { forbidden } from '../../machinery/errors.js';
import { parseApiVersion } from '../../machinery/json.js';
import { resourceCache } from '../../registry/builtin.js';
import { type Environment, metaTime } from '../../registry/context.js';
import type { Endpoint } from '../../registry/endpoint.js';
import { guardedEndpoint } from '../../registry/guarded-endpoint.js';
import type { Kind, KindRules } from '../../registry/kind.js';
import type { ServedEntry, ServedSub } from '../../registry/resource-table.js';
import {
  type StoredEndpointOptions,
  sharedSubresourceEndpoint,
  storedEndpoint,
} from '../../registry/stored-endpoint.js';
import { scaleEndpoint } from '../../registry/subresources/scale.js';
import type { Cacher, ResourceCache } from '../../storage/cacher/cacher.js';
import type { Converter } from './conversion/converter.js';
import { CustomVersion, type Family } from './custom-version.js';
import type { DefinedVersion, Definition } from './definition.js';
import { deprecationWarning } from './deprecation.js';
import { customPrinter, scalePrinter } from './printer.js';
import { customScale } from './scale-values.js';
import { customScaleVersion } from './scale-version.js';
import { SelectableFields } from './selectable-fields.js';
import { storedForm } from './stored-form.js';
import { customStrategy } from './strategy.js';

const RULES: KindRules = { allowCreateOnUpdate: false, allowUnconditionalUpdate: false, returnsDeleted: false };
const VERBS = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'];
const TERMINATING_VERBS = ['delete', 'deletecollection', 'get', 'list', 'watch'];
const SUBRESOURCE_VERBS = ['get', 'patch', 'update'];

export interface CustomResourceDeps {
  readonly cacher: Cacher;
  readonly env: Environment;
  converter(definition: Definition): Converter;
}

/** What a definition's spec and accepted names make: kinds at every version over one cache. */
export class CustomResource implements Family {
  readonly definition: Definition;
  readonly group: string;
  readonly kind: string;
  readonly listKind: string;
  readonly cache: ResourceCache;
  readonly converter: Converter;
  readonly #env: Environment;
  readonly #versions: ReadonlyMap<string, CustomVersion>;
  readonly #kinds = new Map<string, Kind>();
  #entries: { readonly terminating: boolean; readonly entries: readonly ServedEntry[] } | undefined;

  constructor(definition: Definition, deps: CustomResourceDeps) {
    const { group, acceptedNames: names } = definition;
    this.definition = definition;
    this.group = group;
    this.kind = names.kind;
    this.listKind = names.listKind ?? `${names.kind}List`;
    this.converter = deps.converter(definition);
    this.#env = deps.env;
    this.#versions = new Map(definition.versions.map((v) => [v.name, new CustomVersion(this, v)]));
    this.cache = resourceCache(deps.cacher, `/registry/${group}/${names.plural}/`, definition.namespaced, {});
  }

  get revision(): string {
    const { uid, generation, acceptedNames } = this.definition;
    return JSON.stringify([uid, generation, acceptedNames]);
  }

  version(apiVersion: string): CustomVersion | undefined {
    const { group, version } = parseApiVersion(apiVersion);
    return group === this.group ? this.#versions.get(version) : undefined;
  }

  resetFields(version: DefinedVersion, subresource: string): Record<string, FieldFilter> {
    const own = `${this.group}/${version.name}`;
    if (subresource === '') return version.subresources?.status ? { [own]: excludeFields(['status']) } : {};
    const versions = this.definition.versions.filter((v) => v.subresources?.status);
    return Object.fromEntries(versions.map((v) => [`${this.group}/${v.name}`, excludeFields(['metadata', 'spec'])]));
  }

  /** The kind at a version; each is a hub of its own. */
  kindAt(name: string): Kind {
    let kind = this.#kinds.get(name);
    if (!kind) {
      const hub = this.#versions.get(name)!;
      kind = {
        group: this.group,
        kind: this.kind,
        resource: this.definition.acceptedNames.plural,
        namespaced: this.definition.namespaced,
        hub,
        strategy: this.#strategy(hub),
        cache: this.cache,
        rules: RULES,
        stored: storedForm(this, hub, this.#versions.get(this.definition.storageVersion)!, this.definition.revision),
      };
      this.#kinds.set(name, kind);
    }
    return kind;
  }

  #strategy(version: CustomVersion): Strategy {
    return customStrategy(version, this.definition.namespaced);
  }

  /** What is served at each version, by whether the definition is going (which it may do after this was made). */
  entries(terminating: boolean): readonly ServedEntry[] {
    if (this.#entries?.terminating !== terminating) {
      const served = this.definition.versions.filter((v) => v.served);
      this.#entries = { terminating, entries: served.map((v) => this.#entry(v, terminating)) };
    }
    return this.#entries.entries;
  }

  #entry(version: DefinedVersion, terminating: boolean): ServedEntry {
    const { definition } = this;
    const { acceptedNames: names, namespaced } = definition;
    const kind = this.kindAt(version.name);
    const verbs = terminating ? TERMINATING_VERBS : VERBS;
    return {
      group: this.group,
      version: version.name,
      resource: names.plural,
      singular: names.singular ?? '',
      kind: names.kind,
      namespaced,
      verbs,
      shortNames: names.shortNames,
      categories: names.categories,
      storageVersionHash: storageVersionHash(definition),
      subresources: this.#subresources(version, kind),
      endpoint: this.#endpoint(version, kind, terminating),
      stored: this.kindAt(definition.storageVersion),
    };
  }

  #options(version: DefinedVersion, verbs: readonly string[], fields: readonly string[] = []): StoredEndpointOptions {
    return {
      group: this.group,
      verbs,
      warning: deprecationWarning(version, this.definition),
      printer: customPrinter(version.additionalPrinterColumns),
      selectableFields: new Set([
        'metadata.name',
        ...(this.definition.namespaced ? ['metadata.namespace'] : []),
        ...fields,
      ]),
    };
  }

  #endpoint(version: DefinedVersion, kind: Kind, terminating: boolean): Endpoint {
    const fields = new SelectableFields(version.selectableFields);
    const endpoint: Endpoint = {
      ...storedEndpoint(kind, kind.hub, this.#env, this.#options(version, VERBS, fields.names)),
      unknownField: (field) => `field label not supported: ${field}`,
      lateFields: (objects) => fields.ofStored(kind.stored!, objects),
    };
    if (!terminating) return endpoint;
    return guardedEndpoint(endpoint, (_, object, old) => {
      if (old) return;
      throw forbidden(
        endpoint.resource,
        object.metadata.name ?? '',
        'create not allowed while custom resource definition is terminating',
      );
    });
  }

  #subresources(version: DefinedVersion, kind: Kind): ServedSub[] {
    const subs: ServedSub[] = [];
    if (version.subresources?.status) {
      subs.push({
        name: 'status',
        kind: this.kind,
        verbs: SUBRESOURCE_VERBS,
        endpoint: sharedSubresourceEndpoint(
          kind,
          kind.hub,
          this.#env,
          'status',
          this.#options(version, SUBRESOURCE_VERBS),
        ),
      });
    }
    const scale = version.subresources?.scale;
    if (scale) {
      const of = { group: 'autoscaling', version: 'v1' };
      const versions = this.definition.versions.filter((v) => v.served);
      const defaulting = { gate: (name: string) => this.#env.gate(name), now: () => metaTime(this.#env.now()) };
      const paths = versions.map((v): [string, Path | null] => {
        const path = v.subresources?.scale?.specReplicasPath;
        return [`${this.group}/${v.name}`, path === undefined ? null : pathOf(path)];
      });
      subs.push({
        name: 'scale',
        kind: 'Scale',
        ...of,
        verbs: SUBRESOURCE_VERBS,
        endpoint: scaleEndpoint({
          kind,
          env: this.#env,
          version: customScaleVersion(defaulting),
          resource: { group: this.group, resource: this.definition.acceptedNames.plural },
          apiVersion: `${this.group}/${version.name}`,
          verbs: SUBRESOURCE_VERBS,
          printer: scalePrinter(version),
          access: customScale(scale, Object.fromEntries(paths)),
        }),
      });
    }
    return subs;
  }
}

/** Of the storage version while it is served: `kubectl` and migrators compare it. */
function storageVersionHash(definition: Definition): string | undefined {
  const storage = definition.versions.find((v) => v.storage && v.served);
  if (!storage) return undefined;
  const text = `${definition.group}/${storage.name}/${definition.names.kind}`;
  return createHash('sha256').update(text).digest().subarray(0, 8).toString('base64');
}
