/**
 * Finds its way in encoded objects without parsing them. Knows JSON exactly: keys and brackets inside of strings or
 * deeper objects do not confuse it.
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;

const METADATA = Buffer.from('"metadata"');
const KIND = Buffer.from('"kind"');
const API_VERSION = Buffer.from('"apiVersion"');
const RESOURCE_VERSION = Buffer.from('"resourceVersion"');

/** Members of ObjectMeta that Go writes before resourceVersion. */
const BEFORE = ['name', 'generateName', 'namespace', 'selfLink', 'uid'].map((name) => Buffer.from(`"${name}"`));

export interface Spliced {
  readonly json: Buffer;
  /** Offset of the first member after `kind` and `apiVersion`, if these are the first two; else of the first member. */
  readonly bodyStart: number;
}

/**
 * Sets metadata.resourceVersion in an encoded object. It goes where the object's encoder would have put it: in Go's
 * field order (after uid) when the object starts with `kind`, in order of the alphabet (custom resources) otherwise.
 * White space after the object is dropped. Throws when the bytes are no object with metadata.
 */
export function injectResourceVersion(object: Buffer, revision: number): Spliced {
  const at = locate(object);
  const text = `"resourceVersion":"${revision}"`;
  const insert = Buffer.from(`${at.commaBefore ? ',' : ''}${text}${at.commaAfter ? ',' : ''}`);
  const json = Buffer.allocUnsafeSlow(at.from + insert.length + at.end - at.to);
  object.copy(json, 0, 0, at.from);
  insert.copy(json, at.from);
  object.copy(json, at.from + insert.length, at.to, at.end);
  return { json, bodyStart: at.bodyStart };
}

interface Location {
  /** Bytes from here to `to` are replaced. */
  from: number;
  to: number;
  commaBefore: boolean;
  commaAfter: boolean;
  bodyStart: number;
  /** End of the object. */
  end: number;
}

function locate(object: Buffer): Location {
  let end = object.length;
  while (end > 0 && isSpace(object[end - 1])) end--;
  let i = skipSpace(object, 0);
  if (object[i] !== OPEN || object[end - 1] !== CLOSE) throw malformed();
  i = skipSpace(object, i + 1);
  const goOrder = startsWith(object, i, KIND);
  let bodyStart = i;
  for (let member = 0; object[i] === QUOTE; member++) {
    const value = valueStart(object, i);
    if (startsWith(object, i, METADATA) && object[value] === OPEN) {
      return Object.assign(locateIn(object, value, goOrder), { bodyStart, end });
    }
    const typeMeta = startsWith(object, i, KIND) || startsWith(object, i, API_VERSION);
    const next = nextMember(object, skipValue(object, value));
    if (typeMeta && bodyStart === i && member < 2) bodyStart = next;
    i = next;
  }
  throw malformed();
}

/** Where resourceVersion belongs in the metadata that starts at `open`. */
function locateIn(object: Buffer, open: number, goOrder: boolean): Omit<Location, 'bodyStart' | 'end'> {
  let i = skipSpace(object, open + 1);
  let place: number | undefined;
  let last = open + 1;
  for (; object[i] === QUOTE; ) {
    const value = valueStart(object, i);
    if (startsWith(object, i, RESOURCE_VERSION)) {
      return { from: i, to: skipValue(object, value), commaBefore: false, commaAfter: false };
    }
    if (place === undefined && !(goOrder ? BEFORE.some((key) => startsWith(object, i, key)) : sortsBefore(object, i))) {
      place = i;
      if (goOrder) break; // Go's order is certain, and what Go stores has none
    }
    last = skipValue(object, value);
    i = nextMember(object, last);
  }
  if (place !== undefined) return { from: place, to: place, commaBefore: false, commaAfter: true };
  return { from: last, to: last, commaBefore: last > open + 1, commaAfter: false };
}

function sortsBefore(object: Buffer, key: number): boolean {
  const end = skipString(object, key);
  return object.compare(RESOURCE_VERSION, 1, RESOURCE_VERSION.length - 1, key + 1, end - 1) < 0;
}

function malformed(): Error {
  return new Error('not a JSON object with metadata');
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function skipSpace(json: Buffer, i: number): number {
  while (isSpace(json[i])) i++;
  return i;
}

function startsWith(json: Buffer, i: number, text: Buffer): boolean {
  for (let n = 0; n < text.length; n++) if (json[i + n] !== text[n]) return false;
  return true;
}

/** From a key's first quote to its value. */
function valueStart(json: Buffer, key: number): number {
  const colon = skipSpace(json, skipString(json, key));
  if (json[colon] !== COLON) throw malformed();
  return skipSpace(json, colon + 1);
}

/** From the end of a member's value to the next member, or to the closing bracket. */
function nextMember(json: Buffer, end: number): number {
  const i = skipSpace(json, end);
  if (json[i] === COMMA) return skipSpace(json, i + 1);
  if (json[i] !== CLOSE) throw malformed();
  return i;
}

/** From a string's first quote to behind its last. */
function skipString(json: Buffer, start: number): number {
  for (let i = start + 1; i < json.length; i++) {
    const c = json[i];
    if (c === QUOTE) return i + 1;
    if (c === BACKSLASH) i++;
  }
  throw malformed();
}

/** From a value's first byte to behind its last. */
function skipValue(json: Buffer, start: number): number {
  let depth = 0;
  let i = start;
  while (i < json.length) {
    const c = json[i]!;
    if (c === QUOTE) {
      i = skipString(json, i);
      if (depth === 0) return i;
      continue;
    }
    if (c === OPEN || c === OPEN_LIST) depth++;
    else if (c === CLOSE || c === CLOSE_LIST) {
      if (depth === 0) return i; // behind a number or a literal
      if (--depth === 0) return i + 1;
    } else if (depth === 0 && (c === COMMA || isSpace(c))) return i;
    i++;
  }
  throw malformed();
}
