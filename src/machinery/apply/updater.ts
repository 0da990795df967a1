import { StatusError } from '../errors.js';
import type { JsonObject, KubeObject } from '../json.js';
import { type Comparison, compare, NO_CHANGE } from './compare.js';
import { Conflicts } from './conflict.js';
import type { FieldFilter } from './contract.js';
import { difference, EMPTY, type FieldSet, intersection, isEmptySet, union, unionOf } from './field-set.js';
import type { Managed, ManagerInfo } from './managed.js';
import { mergeTyped } from './merge.js';
import { fieldSetOf } from './owned.js';
import { reconcile } from './reconcile.js';
import { removeItems, withNamedFields } from './remove.js';
import type { Atom } from './schema.js';
import { validateConfig } from './validate.js';
import { type Form, sameValue, type Typed, TypedError } from './values.js';

/** A wish for an object at another version, answered with the converted object. */
export interface Conversion {
  readonly object: KubeObject;
  readonly from: string;
  readonly to: string;
}

/** Work that may need conversions, which may take time: `yield` asks for one. */
export type Steps<T> = Generator<Conversion, T, KubeObject>;

interface UpdaterOptions {
  readonly form: Form;
  /** undefined: the version is not served. */
  atom(apiVersion: string): Atom | undefined;
  readonly resetFields: Readonly<Record<string, FieldFilter>>;
}

/** An object at a version. Absent on create, where every Go struct is there with its zero values. */
interface Versioned {
  readonly object: KubeObject | undefined;
  readonly apiVersion: string;
  readonly form: Form;
}

/**
 * The rules of ownership (KEP-555): who changes a field owns it and takes it from others, an applier must force that,
 * and what an applier no longer mentions and nobody else owns is removed.
 */
export class Updater {
  readonly #o: UpdaterOptions;

  constructor(options: UpdaterOptions) {
    this.#o = options;
  }

  #typed(v: Versioned): Typed {
    return { value: (v.object as JsonObject | undefined) ?? {}, atom: this.#o.atom(v.apiVersion)!, form: v.form };
  }

  *#at(v: Versioned, apiVersion: string): Steps<Versioned> {
    if (v.apiVersion === apiVersion || !v.object) return { ...v, apiVersion };
    const object = yield { object: v.object, from: v.apiVersion, to: apiVersion };
    // A custom resource's conversion may leave fields that the schema of the other version does not know.
    if (this.#o.form === 'written') validateConfig(object, this.#o.atom(apiVersion)!);
    return { object, apiVersion, form: this.#o.form };
  }

  *#converted(v: Versioned, apiVersion: string, what: 'old' | 'new'): Steps<Versioned> {
    try {
      return yield* this.#at(v, apiVersion);
    } catch (e) {
      if (!(e instanceof TypedError || e instanceof StatusError)) throw e;
      throw new StatusError(500, '', `failed to convert ${what} object: ${e.message}`);
    }
  }

  #filter(set: FieldSet, apiVersion: string): FieldSet {
    const filter = this.#o.resetFields[apiVersion];
    return filter && !isEmptySet(set) ? filter(set) : set;
  }

  #compare(before: Versioned, after: Versioned): Comparison {
    return compare(this.#typed(before), this.#typed(after));
  }

  /** Without what writers at the version never own. */
  #filtered(c: Comparison, apiVersion: string): Comparison {
    const f = (set: FieldSet): FieldSet => this.#filter(set, apiVersion);
    return { added: f(c.added), modified: f(c.modified), removed: f(c.removed) };
  }

  /**
   * Entries of versions that are gone are dropped, and sets follow what became atomic since. A custom resource that can't
   * be had at the version of one of its managers is refused here, before anything else.
   */
  *#current(managed: Managed, live: Versioned): Steps<Managed> {
    const out: Managed = new Map();
    const checked = new Set([live.apiVersion]);
    for (const [id, m] of managed) {
      const atom = this.#o.atom(m.apiVersion);
      if (!atom) continue;
      if (this.#o.form === 'written' && !checked.has(m.apiVersion)) yield* this.#at(live, m.apiVersion);
      checked.add(m.apiVersion);
      const set = reconcile(m.set, atom);
      out.set(id, set === m.set ? m : { ...m, set });
    }
    return out;
  }

  /**
   * Takes from all managers but `self` what has changed.
   * @throws Conflicts when something was taken without `force`
   */
  *#take(before: Versioned, after: Versioned, managed: Managed, self: string, force: boolean): Steps<Comparison> {
    const found = this.#compare(before, after);
    const own = this.#filtered(found, after.apiVersion);
    const byVersion = new Map<string, Comparison>([[after.apiVersion, own]]);
    const conflicts: Managed = new Map();
    for (const [id, m] of managed) {
      if (id === self) continue;
      let change = byVersion.get(m.apiVersion);
      if (!change) {
        change = NO_CHANGE;
        // What is reset at one version may not be at another, so that a manager there loses what this write changed.
        if (!isUnchanged(found)) {
          const old = yield* this.#converted(before, m.apiVersion, 'old');
          const made = yield* this.#converted(after, m.apiVersion, 'new');
          change = this.#filtered(this.#compare(old, made), m.apiVersion);
        }
        byVersion.set(m.apiVersion, change);
      }
      const taken = intersection(m.set, union(change.modified, change.added));
      if (!isEmptySet(taken)) conflicts.set(id, { ...m, set: taken });
    }
    if (!force && conflicts.size > 0) throw Conflicts.of(conflicts);
    for (const [id, m] of managed) {
      const taken = conflicts.get(id)?.set ?? EMPTY;
      const removed = id === self ? EMPTY : byVersion.get(m.apiVersion)!.removed;
      const set = difference(difference(m.set, taken), removed);
      if (isEmptySet(set)) managed.delete(id);
      else if (set !== m.set) managed.set(id, { ...m, set });
    }
    return own;
  }

  /** What an update changed, and the managers that are left; the updater itself is not among them yet. */
  *update(
    live: KubeObject | undefined,
    object: KubeObject,
    apiVersion: string,
    managed: Managed,
  ): Steps<{ changed: FieldSet; managed: Managed }> {
    const form = this.#o.form;
    const before = { object: live, apiVersion, form };
    const left = yield* this.#current(managed, before);
    const change = yield* this.#take(before, { object, apiVersion, form }, left, '', true);
    return { changed: union(change.modified, change.added), managed: left };
  }

  /**
   * Merges a configuration.
   * @returns the new object, undefined when nothing changed, and all managers with the applier among them
   */
  *apply(
    live: KubeObject | undefined,
    config: KubeObject,
    apiVersion: string,
    managed: Managed,
    self: { id: string; info: ManagerInfo },
    force: boolean,
  ): Steps<{ object: KubeObject | undefined; managed: Managed }> {
    const before: Versioned = { object: live, apiVersion, form: this.#o.form };
    const left = yield* this.#current(managed, before);
    const written = this.#typed({ object: config, apiVersion, form: 'written' });
    const merged: Versioned = {
      object: mergeTyped(this.#typed(before), written) as KubeObject,
      apiVersion,
      form: this.#o.form === 'go' ? 'merged' : 'written',
    };
    const last = left.get(self.id);
    const set = this.#filter(fieldSetOf(written), apiVersion);
    left.set(self.id, { info: self.info, set, apiVersion, applied: true, time: last?.time });
    // Nothing that was applied last time is missing: nothing to remove.
    const drops = last && !(last.apiVersion === apiVersion && isEmptySet(difference(last.set, set)));
    const after = drops && !isEmptySet(last.set) ? yield* this.#prune(merged, left, last) : merged;
    yield* this.#take(before, after, left, self.id, force);
    const [x, y] = [this.#typed(before), this.#typed(after)];
    const same = live !== undefined && sameValue(x.value, x.form, y.value, y.form, x.atom);
    return { object: same ? undefined : after.object, managed: left };
  }

  /** Removes what the applier owned and no longer mentions, unless somebody else owns it too. */
  *#prune(merged: Versioned, managed: Managed, last: { set: FieldSet; apiVersion: string }): Steps<Versioned> {
    const version = last.apiVersion;
    const atLast = yield* this.#at(merged, version);
    const atom = this.#o.atom(version)!;
    const named = (s: FieldSet): FieldSet => withNamedFields(s, atom);
    let pruned = this.#without(atLast, named(last.set));
    pruned = yield* this.#addBackOwned(atLast, pruned, managed);
    // What the applier did not own last time is none of its business.
    const prunedSet = named(fieldSetOf(this.#typed(yield* this.#at(pruned, version))));
    const mergedSet = named(fieldSetOf(this.#typed(atLast)));
    const gone = intersection(difference(mergedSet, prunedSet), named(last.set));
    return yield* this.#at(this.#without(atLast, gone), merged.apiVersion);
  }

  #without(v: Versioned, set: FieldSet): Versioned {
    return isEmptySet(set) ? v : { ...v, object: removeItems(this.#typed(v), set) as KubeObject };
  }

  /** Puts back what is in `merged` and owned by anybody, one version after the other, that of `pruned` first. */
  *#addBackOwned(merged: Versioned, pruned: Versioned, managed: Managed): Steps<Versioned> {
    const owned = new Map<string, FieldSet[]>([[pruned.apiVersion, []]]);
    for (const m of managed.values()) {
      const sets = owned.get(m.apiVersion);
      if (sets) sets.push(m.set);
      else owned.set(m.apiVersion, [m.set]);
    }
    let all = merged;
    let kept = pruned;
    for (const [version, sets] of owned) {
      const set = unionOf(sets);
      if (isEmptySet(set)) continue;
      const atom = this.#o.atom(version);
      if (!atom) continue;
      all = yield* this.#at(all, version);
      kept = yield* this.#at(kept, version);
      const named = (s: FieldSet): FieldSet => withNamedFields(s, atom);
      const stays = union(named(fieldSetOf(this.#typed(kept))), named(set));
      kept = this.#without(all, difference(named(fieldSetOf(this.#typed(all))), stays));
    }
    return kept;
  }
}

function isUnchanged(c: Comparison): boolean {
  return isEmptySet(c.added) && isEmptySet(c.modified) && isEmptySet(c.removed);
}
