import { encodeRaw } from '../../machinery/codec/json/encode.js';
import { invalidValue, type Path, required as requiredError, tooLong } from '../../machinery/field.js';
import type { JsonValue } from '../../machinery/json.js';
import { isJsonObject } from '../../machinery/json.js';
import { csiDriverName } from '../core/volume-sources.js';
import { type Check, dnsSubdomain, formats, invalidEach, type Rule } from '../validation/index.js';

export const driverName = csiDriverName;

const POOL = 253;
const ID = 32;
const DOMAIN = 63;
export const QUALIFIED_NAME_LENGTH = DOMAIN + 1 + ID;

/** One or more DNS subdomains with slashes between. */
export const poolName: Rule = (v, at, c) => {
  const name = String(v ?? '');
  if (name === '') {
    c.errors.push(requiredError(at));
    return;
  }
  if (formats.byteLength(name) > POOL) c.errors.push(tooLong(at, POOL));
  for (const part of name.split('/')) dnsSubdomain(part, at, c);
};

function identifier(id: string, at: Path, c: Check): void {
  if (formats.byteLength(id) > ID) c.errors.push(tooLong(at, ID));
  invalidEach(c, at, id, formats.cIdentifier(id));
}

/** Name of an attribute or capacity: a C identifier, maybe after the domain of who defines it. */
export function qualifiedName(name: string, at: Path, c: Check): void {
  const [domain, id, more] = name.split('/');
  if (more !== undefined) return;
  if (id === undefined) {
    identifier(name, at, c);
    return;
  }
  if (domain === '') c.errors.push(invalidValue(at, '', 'the domain must not be empty'));
  else driverName(domain, at, c);
  if (id === '') c.errors.push(invalidValue(at, '', 'the name must not be empty'));
  else identifier(id, at, c);
}

export const fullyQualifiedName: Rule = (v, at, c) => {
  const name = String(v ?? '');
  qualifiedName(name, at, c);
  if (!name.includes('/'))
    c.errors.push(invalidValue(at, name, 'a fully qualified name must be a domain and a name separated by a slash'));
};

function uuidFault(uid: string): string | undefined {
  const { length } = uid;
  let text = uid;
  if (length === 45) {
    if (uid.slice(0, 9).toLowerCase() !== 'urn:uuid:') return `invalid urn prefix: ${JSON.stringify(uid.slice(0, 9))}`;
    text = uid.slice(9);
  } else if (length === 38) {
    if (!/^\{.*\}$/s.test(uid)) return 'invalid bracketed UUID format';
    text = uid.slice(1, -1);
  } else if (length !== 36 && length !== 32) return `invalid UUID length: ${formats.byteLength(uid)}`;
  const form = length === 32 ? /^[0-9a-f]{32}$/i : /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
  return form.test(text) ? undefined : 'invalid UUID format';
}

export const uid: Rule = (v, at, c) => {
  const text = String(v ?? '');
  const fault = uuidFault(text);
  if (fault) c.errors.push(invalidValue(at, text, `error validating uid: ${fault}`));
  else if (text.length !== 36 || text !== text.toLowerCase())
    c.errors.push(
      invalidValue(
        at,
        text,
        'uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase hexadecimal characters',
      ),
    );
};

/** Free-form data must be a JSON object. What is stored may be longer than what is new. */
export function rawObject(v: JsonValue | undefined, max: number, at: Path, c: Check, stored = false): void {
  if (v === undefined || v === null) c.errors.push(requiredError(at));
  else if (!stored && formats.byteLength(encodeRaw(v)) > max) c.errors.push(tooLong(at, max));
  else if (!isJsonObject(v)) c.errors.push(invalidValue(at, '<value omitted>', 'must be a valid JSON object'));
}
