import type { OwnerReference } from '../../machinery/json.js';
import type { Kind } from '../../registry/kind.js';
import type { CachedObject } from '../../storage/cacher/cacher.js';

/** An object somewhere in the store. */
export interface Place {
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

const OWNED = Buffer.from('"ownerReferences":[');
const GOING = Buffer.from('"deletionTimestamp":"');

/** Whether an object names owners, seen without parsing it: most objects have none. */
export function mayHaveOwners(object: CachedObject): boolean {
  return object.json.includes(OWNED);
}

export function mayBeGoing(object: CachedObject): boolean {
  return object.json.includes(GOING);
}

/** Who depends on whom, by the owner's uid. */
export class Dependents {
  readonly #byOwner = new Map<string, Map<string, Place>>();
  readonly #owners = new Map<string, readonly string[]>();

  /** Notes the owners an object has now; none: it is gone, or owned by nobody. */
  set(place: Place, owners: readonly OwnerReference[]): void {
    for (const owner of this.#owners.get(place.uid) ?? []) {
      const dependents = this.#byOwner.get(owner);
      dependents?.delete(place.uid);
      if (dependents?.size === 0) this.#byOwner.delete(owner);
    }
    if (owners.length === 0) {
      this.#owners.delete(place.uid);
      return;
    }
    this.#owners.set(
      place.uid,
      owners.map((o) => o.uid),
    );
    for (const { uid } of owners) {
      let dependents = this.#byOwner.get(uid);
      if (!dependents) {
        dependents = new Map();
        this.#byOwner.set(uid, dependents);
      }
      dependents.set(place.uid, place);
    }
  }

  of(ownerUid: string): Place[] {
    return [...(this.#byOwner.get(ownerUid)?.values() ?? [])];
  }
}
