import { equalJson, type KubeObject, type ManagedFieldsEntry } from '../json.js';

/**
 * Gives `object` back the times of `old` when they are all that differs, so that an apply which changes nothing writes
 * nothing. Call it on the finished object, just before it is compared with the stored one.
 */
export function keepTimesIfUnchanged(object: KubeObject, old: KubeObject): void {
  const now = object.metadata.managedFields;
  const was = old.metadata.managedFields;
  if (!now?.length || !was || now.length !== was.length) return;
  if (now.every((e, i) => e.time === was[i]!.time)) return;
  const timeless = (e: ManagedFieldsEntry): ManagedFieldsEntry => ({ ...e, time: undefined });
  if (!now.every((e, i) => equalJson(timeless(e), timeless(was[i]!)))) return;
  const rest = (o: KubeObject): KubeObject => ({ ...o, metadata: { ...o.metadata, managedFields: undefined } });
  if (equalJson(rest(object), rest(old))) object.metadata.managedFields = was;
}
