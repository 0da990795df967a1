import type { FieldError } from '../machinery/field.js';
import { Path } from '../machinery/field.js';
import {
  cloneJson,
  equalJson,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  type KubeObject,
} from '../machinery/json.js';
import { catalog } from '../machinery/scheme/catalog.js';
import { type ResourceFacts, resourceCatalog } from '../machinery/scheme/resources.js';
import type { Type } from '../machinery/scheme/type.js';
import { dropDisabledFields } from './gated-fields.js';
import type { GarbageCollection, Strategy, StrategyContext } from './strategy.js';
import {
  type Check,
  type NameCheck,
  nameIsDnsLabel,
  nameIsDnsSubdomain,
  nameIsPathSegment,
  newCheck,
  type Rule,
  validateObjectMeta,
  validateObjectMetaUpdate,
  validateStandardFinalizers,
} from './validation/index.js';

/** Checks of a change. `old` is what is stored. */
export type ChangeRule = (obj: KubeObject, old: KubeObject, check: Check, ctx: StrategyContext) => void;

/** Writes to `/status` or another subresource that holds a part of the object. */
export interface SubresourceDefinition {
  /** Paths that a write may not change, where they are not those that count as not owned by whoever writes. */
  readonly keeps?: readonly string[];
  /** Runs after the parts that this subresource may not write were put back. */
  prepare?(ctx: StrategyContext, obj: KubeObject, old: KubeObject): void;
  /** The metadata is also checked as on create. */
  readonly meta?: boolean;
  rules?: ChangeRule;
  warnings?(ctx: StrategyContext, obj: KubeObject, old: KubeObject): string[];
}

/**
 * `change`: what of the metadata may change. `meta`: the metadata as on create. `rules` and `updateRules`: those of the
 * definition.
 */
export type UpdateStep = 'change' | 'meta' | 'rules' | 'updateRules';
const UPDATE_STEPS: readonly UpdateStep[] = ['change', 'rules', 'updateRules'];

/** What a kind declares; everything else comes from the facts about its resource. */
export interface KindDefinition {
  readonly group: string;
  readonly kind: string;
  /** Instead of the name rule of the facts. */
  readonly name?: NameCheck;
  /** False: finalizers are not held to the standard names or a domain (kinds outside the core helpers). */
  readonly standardFinalizers?: boolean;
  /** Rules of the whole object but its metadata, on create and, unless `update` replaces them, on update. */
  readonly rules?: Rule;
  /** What may change, and how. */
  readonly updateRules?: ChangeRule;
  /** Which checks an update runs, and in what order; kinds differ in it, and repeated faults are reported repeatedly. */
  readonly onUpdate?: readonly UpdateStep[];
  /** A client may set the status of a new object (nodes, which once registered themselves whole). */
  readonly keepsStatusOnCreate?: boolean;
  /** `rules` look at the metadata themselves, if at all: requests that are never stored, events. */
  readonly ownMetadata?: boolean;
  prepareForCreate?(ctx: StrategyContext, obj: KubeObject): void;
  prepareForUpdate?(ctx: StrategyContext, obj: KubeObject, old: KubeObject): void;
  warnings?(ctx: StrategyContext, obj: KubeObject, old: KubeObject | undefined): string[];
  /** Rules and preparation of subresources that write a part of the object. `status` is made from the facts anyway. */
  readonly subresources?: Readonly<Record<string, SubresourceDefinition>>;
  readonly strategy?: Omit<
    Strategy,
    'prepareForCreate' | 'prepareForUpdate' | 'validate' | 'validateUpdate' | 'subresources'
  >;
}

/** Facts of a kind: those of its stored version, else of the first one served. */
export function factsFor(group: string, kind: string): ResourceFacts {
  const all = resourceCatalog().resources.filter((r) => r.group === group && r.kind === kind);
  const stored = all.find((r) => r.storageVersion === (r.group ? `${r.group}/${r.version}` : r.version));
  const facts = stored ?? all[0];
  if (!facts) throw new Error(`no resource of kind ${kind} in group "${group}"`);
  return facts;
}

function hubType(facts: ResourceFacts): Type {
  const type = catalog().byGvk(facts.group, facts.version, facts.kind);
  if (!type) throw new Error(`no type of kind ${facts.kind} in group "${facts.group}"`);
  return type;
}

function nameCheckOf(facts: ResourceFacts): NameCheck {
  const rule = facts.nameValidation ?? '';
  if (rule.startsWith('dns1123Label')) return nameIsDnsLabel;
  return rule.startsWith('dns1123Subdomain') ? nameIsDnsSubdomain : nameIsPathSegment;
}

/** Field paths in which the facts speak: `spec`, `metadata.annotations`, `*except metadata`. */
function differs(path: string, obj: KubeObject, old: KubeObject): boolean {
  if (path === '*except metadata') {
    const names = new Set([...Object.keys(obj), ...Object.keys(old)]);
    return [...names].some((n) => !['metadata', 'kind', 'apiVersion'].includes(n) && !equalJson(obj[n], old[n]));
  }
  const read = (o: KubeObject) =>
    path.split('.').reduce<JsonValue | undefined>((v, n) => (isJsonObject(v) ? v[n] : undefined), o);
  return !equalJson(read(obj), read(old));
}

/** What a status write that may not touch metadata keeps of the stored one. */
const KEPT_FOR_STATUS = [
  'deletionTimestamp',
  'generation',
  'labels',
  'annotations',
  'finalizers',
  'ownerReferences',
] as const;

/** Puts back the metadata that a write to a part of the object may not touch. */
export function keepForStatus(obj: KubeObject, old: KubeObject): void {
  for (const name of KEPT_FOR_STATUS) restore(`metadata.${name}`, obj, old);
}

/** Puts a part of the object back to what is stored. */
function restore(path: string, obj: KubeObject, old: KubeObject): void {
  if (path === 'metadata') {
    keepForStatus(obj, old);
    return;
  }
  const names = path.split('.');
  const last = names.pop()!;
  let to: JsonObject = obj;
  let from: JsonObject = old;
  for (const name of names) {
    to[name] ??= {};
    to = to[name] as JsonObject;
    from = isJsonObject(from[name]) ? from[name] : {};
  }
  if (from[last] === undefined) delete to[last];
  else to[last] = cloneJson(from[last]);
}

/** The fields that a strategy of the facts resets; the names of strategies tell which subresource they serve. */
function resetsFor(facts: ResourceFacts, subresource: string): string[] {
  const byStrategy = Object.values(facts.resetFields ?? {})[0] ?? {};
  const wanted = subresource.toLowerCase();
  const name = Object.keys(byStrategy).find((s) => {
    const of = /(status|finalize|approval)(?:reset)?strategy$/i.exec(s)?.[1]?.toLowerCase() ?? '';
    return of === wanted;
  });
  return name ? byStrategy[name]! : [];
}

/** `OrphanDependents`, or by the version that asks: `batch/v1beta1 OrphanDependents, batch/v1 DeleteDependents`. */
function collectionPolicy(fact: string): Strategy['defaultGarbageCollection'] {
  const policy = (name: string | undefined): GarbageCollection =>
    name === 'OrphanDependents' ? 'Orphan' : name === 'Unsupported' ? 'Unsupported' : 'Background';
  if (!fact.includes(' ')) return policy(fact);
  const byVersion = new Map(fact.split(',').map((part) => part.trim().split(' ') as [string, string]));
  return (ctx) => policy(byVersion.get(ctx.requestVersion));
}

/** Makes the strategy of a kind from its rules and the facts about its resource. */
export function kind(def: KindDefinition): Strategy {
  const facts = factsFor(def.group, def.kind);
  const type = hubType(facts);
  const nameCheck = def.name ?? nameCheckOf(facts);
  const meta = { namespaced: facts.namespaced, name: nameCheck, standardFinalizers: def.standardFinalizers };
  const resets = resetsFor(facts, '');
  const bumps = facts.generation?.bumpOnChangeOf ?? [];
  const root = new Path();

  const generic = { namespaced: facts.namespaced, name: nameIsPathSegment, standardFinalizers: false };
  /** Every update is checked like this, whatever the kind adds. */
  const genericUpdateCheck = (ctx: StrategyContext, obj: KubeObject, old: KubeObject): Check => {
    const check = newCheck(ctx.gate, old, ctx.requestVersion);
    validateObjectMeta(obj.metadata, generic, check);
    validateObjectMetaUpdate(obj.metadata, old.metadata, check);
    return check;
  };
  const validateChange = (obj: KubeObject, old: KubeObject, check: Check): void => {
    validateObjectMetaUpdate(obj.metadata, old.metadata, check);
    if (def.standardFinalizers !== false) validateStandardFinalizers(obj.metadata, check);
  };

  const sub = (name: string): NonNullable<Strategy['subresources']>[string] => {
    const own = def.subresources?.[name];
    const keeps = own?.keeps ?? resetsFor(facts, name);
    return {
      prepareForUpdate(ctx, obj, old) {
        for (const path of keeps) restore(path, obj, old);
        dropDisabledFields(type, obj, old, ctx.gate);
        own?.prepare?.(ctx, obj, old);
      },
      validateUpdate(ctx, obj, old) {
        const check = genericUpdateCheck(ctx, obj, old);
        if (!def.ownMetadata) validateChange(obj, old, check);
        if (own?.meta) validateObjectMeta(obj.metadata, meta, check);
        own?.rules?.(obj, old, check, ctx);
        return check.errors;
      },
      warningsOnUpdate: own?.warnings && ((ctx, obj, old) => own.warnings!(ctx, obj, old)),
    };
  };
  const names = new Set(Object.keys(def.subresources ?? {}));
  if (facts.statusSubresource) names.add('status');

  return {
    defaultGarbageCollection: facts.defaultGC ? collectionPolicy(facts.defaultGC) : undefined,
    ...def.strategy,
    prepareForCreate(ctx, obj) {
      if (!facts.namespaced) delete obj.metadata.namespace;
      if (resets.includes('status') && !def.keepsStatusOnCreate) delete obj.status;
      if (facts.generation?.onCreate) obj.metadata.generation = facts.generation.onCreate;
      dropDisabledFields(type, obj, undefined, ctx.gate);
      def.prepareForCreate?.(ctx, obj);
    },
    validate(ctx, obj): FieldError[] {
      const check = newCheck(ctx.gate, undefined, ctx.requestVersion);
      if (!def.ownMetadata) validateObjectMeta(obj.metadata, meta, check);
      def.rules?.(obj, root, check);
      // What every object must be; after the kind's own rules, whose words are better.
      if (def.ownMetadata && facts.verbs.includes('get') && check.errors.length === 0)
        validateObjectMeta(obj.metadata, generic, check);
      return check.errors;
    },
    prepareForUpdate(ctx, obj, old) {
      if (!facts.namespaced) delete obj.metadata.namespace;
      for (const path of resets) restore(path, obj, old);
      dropDisabledFields(type, obj, old, ctx.gate);
      def.prepareForUpdate?.(ctx, obj, old);
      if (bumps.some((path) => differs(path, obj, old))) obj.metadata.generation = (old.metadata.generation ?? 0) + 1;
    },
    validateUpdate(ctx, obj, old): FieldError[] {
      const check = genericUpdateCheck(ctx, obj, old);
      const steps: Record<UpdateStep, () => void> = {
        change: () => validateChange(obj, old, check),
        meta: () => validateObjectMeta(obj.metadata, meta, check),
        rules: () => def.rules?.(obj, root, check),
        updateRules: () => def.updateRules?.(obj, old, check, ctx),
      };
      for (const step of def.onUpdate ?? UPDATE_STEPS) steps[step]();
      return check.errors;
    },
    warningsOnCreate: def.warnings && ((ctx, obj) => def.warnings!(ctx, obj, undefined)),
    warningsOnUpdate: def.warnings && ((ctx, obj, old) => def.warnings!(ctx, obj, old)),
    subresources: names.size === 0 ? undefined : Object.fromEntries([...names].map((n) => [n, sub(n)])),
  };
}
