import { DerError, type DerReader, decodeOid } from './der-reader.js';
import { directoryString, oid, sequence, set, TAG } from './der-writer.js';
import { OID } from './oids.js';

/** One attribute of a distinguished name. */
export interface NameAttribute {
  readonly type: string;
  readonly value: string;
}

/** The attributes of a subject that Kubernetes reads. */
export interface Subject {
  readonly commonName: string;
  readonly organization: readonly string[];
  /** Every attribute, in the order of the certificate. */
  readonly attributes: readonly NameAttribute[];
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Text of one of the ASN.1 string types that Go's x509 accepts in names. */
function stringValue(tag: number, content: Buffer): string {
  switch (tag) {
    case TAG.utf8String:
      try {
        return utf8.decode(content);
      } catch {
        throw new DerError('invalid UTF-8 string');
      }
    case TAG.printableString: {
      const text = content.toString('latin1');
      // Beyond the standard's set Go takes `*` and `&`, which real certificates hold.
      if (!/^[A-Za-z0-9 '()+,\-./:=?*&]*$/.test(text)) throw new DerError('invalid PrintableString');
      return text;
    }
    case TAG.ia5String:
      if (content.some((byte) => byte >= 0x80)) throw new DerError('invalid IA5String');
      return content.toString('latin1');
    case TAG.t61String:
      return content.toString('utf8');
    case TAG.bmpString: {
      if (content.length % 2 !== 0) throw new DerError('invalid BMPString');
      return Buffer.from(content).swap16().toString('utf16le');
    }
    default:
      throw new DerError(`unsupported string type: ${tag}`);
  }
}

/** Reads a Name (RFC 5280, 4.1.2.4). */
export function readName(reader: DerReader): Subject {
  const attributes: NameAttribute[] = [];
  const names = reader.sequence();
  while (!names.done) {
    const relative = names.enter(TAG.set);
    while (!relative.done) {
      const pair = relative.sequence();
      const type = decodeOid(pair.expect(TAG.oid).content);
      const value = pair.next();
      attributes.push({ type, value: stringValue(value.tag, value.content) });
      pair.end();
    }
  }
  return subjectOf(attributes);
}

/** Of several common names the last one counts, as in Go. */
function subjectOf(attributes: readonly NameAttribute[]): Subject {
  const values = (type: string): string[] => attributes.filter((a) => a.type === type).map((a) => a.value);
  return {
    commonName: values(OID.commonName).at(-1) ?? '',
    organization: values(OID.organization),
    attributes,
  };
}

/** The attributes of a user: groups as organizations, the name, and a uid. */
export function userAttributes(name: {
  readonly commonName?: string;
  readonly organization?: readonly string[];
  readonly uid?: string;
}): NameAttribute[] {
  return [
    ...(name.organization ?? []).map((value) => ({ type: OID.organization, value })),
    ...(name.commonName ? [{ type: OID.commonName, value: name.commonName }] : []),
    ...(name.uid ? [{ type: OID.kubernetesUid, value: name.uid }] : []),
  ];
}

const CARRIED_OVER: readonly string[] = [
  OID.country,
  OID.organization,
  OID.organizationalUnit,
  OID.locality,
  OID.province,
  OID.streetAddress,
  OID.postalCode,
  OID.commonName,
  OID.serialNumber,
];

/**
 * What a signer takes over from the subject of a request, in the order Go writes it. Other attributes stay behind: among
 * them is the one that would give the holder a uid of its choice.
 */
export function requestedAttributes(subject: Subject): NameAttribute[] {
  return CARRIED_OVER.flatMap((type) => {
    const values = subject.attributes.filter((a) => a.type === type);
    return type === OID.commonName || type === OID.serialNumber ? values.slice(-1) : values;
  });
}

/** A Name; attributes of one type share a set, as Go writes it. */
export function encodeName(attributes: readonly NameAttribute[]): Buffer {
  const types = [...new Set(attributes.map((a) => a.type))];
  return sequence(
    ...types.map((type) => {
      const values = attributes
        .filter((a) => a.type === type)
        .map((a) => sequence(oid(type), directoryString(a.value)));
      return set(...values.sort(Buffer.compare));
    }),
  );
}
