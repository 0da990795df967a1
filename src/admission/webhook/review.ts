import { encodePlain } from '../../machinery/codec/json/encode.js';
import type { JsonValue } from '../../machinery/json.js';
import { requestFields } from '../cel/bindings.js';
import type { AdmittedVersion, VersionedObjects } from '../matching/versions.js';

export type ReviewVersion = 'v1' | 'v1beta1';
const KNOWN: readonly string[] = ['v1', 'v1beta1'];

/** The first version of AdmissionReview that both sides know. */
export function reviewVersion(accepted: readonly string[]): ReviewVersion | undefined {
  return accepted.find((v) => KNOWN.includes(v)) as ReviewVersion | undefined;
}

export interface ReviewParts {
  readonly objects: VersionedObjects;
  /** At which the webhook wants to see the objects. */
  readonly version: AdmittedVersion;
  readonly requested: AdmittedVersion;
  readonly uid: string;
  readonly review: ReviewVersion;
}

/** The body of an AdmissionReview with its request, in the order of the fields of the Go type. Both versions have one shape. */
export async function reviewBody({ objects, version, requested, uid, review }: ReviewParts): Promise<string> {
  const { dryRun, options, ...fields } = requestFields(objects.attributes, version, requested);
  const members: [string, string][] = [['uid', JSON.stringify(uid)]];
  for (const [name, value] of Object.entries(fields)) members.push([name, text(value)]);
  members.push(
    ['object', (await objects.text(version)) ?? 'null'],
    ['oldObject', (await objects.oldText(version)) ?? 'null'],
    ['dryRun', text(dryRun)],
    ['options', text(options)],
  );
  const request = members.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',');
  return `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/${review}","request":{${request}}}`;
}

const text = (value: JsonValue | undefined): string => encodePlain(value ?? null);
