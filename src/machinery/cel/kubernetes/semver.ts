import { compareBytes, goQuote } from '../../go-format.js';
import { member, type Overload, overload } from '../types/declarations.js';
import { BOOL, INT, objectType, STRING } from '../types/type.js';
import { OpaqueValue } from '../values/containers.js';
import { CelError } from '../values/error.js';
import { toInt, UINT_MAX } from '../values/numbers.js';

export const SEMVER = objectType('kubernetes.Semver');

/** A semantic version (semver.org 2.0.0). Build metadata does not count when versions are compared. */
export class SemverValue extends OpaqueValue {
  readonly typeName = SEMVER.name;
  readonly numbers: readonly [bigint, bigint, bigint];
  readonly prerelease: readonly string[];

  constructor(numbers: readonly [bigint, bigint, bigint], prerelease: readonly string[]) {
    super();
    this.numbers = numbers;
    this.prerelease = prerelease;
  }

  equals(other: SemverValue): boolean {
    return this.compare(other) === 0;
  }

  compare(other: SemverValue): -1 | 0 | 1 {
    for (const i of [0, 1, 2] as const) {
      const order = sign(this.numbers[i] - other.numbers[i]);
      if (order !== 0) return order;
    }
    const a = this.prerelease;
    const b = other.prerelease;
    // A version without a pre-release comes after all that have one.
    if (a.length === 0 || b.length === 0) return a.length === b.length ? 0 : a.length === 0 ? 1 : -1;
    for (let i = 0; i < Math.min(a.length, b.length); i++) {
      const order = comparePart(a[i]!, b[i]!);
      if (order !== 0) return order;
    }
    return sign(a.length - b.length);
  }
}

function sign(n: number | bigint): -1 | 0 | 1 {
  return n < 0 ? -1 : n > 0 ? 1 : 0;
}

const NUMERIC = /^\d+$/;

function comparePart(a: string, b: string): -1 | 0 | 1 {
  const numeric = NUMERIC.test(a);
  if (numeric !== NUMERIC.test(b)) return numeric ? -1 : 1;
  return numeric ? sign(BigInt(a) - BigInt(b)) : sign(compareBytes(a, b));
}

/** Longer texts are no versions; numbers within could be as long. */
const MAX_VERSION = 1024;

function number(text: string, what: string): bigint {
  if (text === '' || !NUMERIC.test(text)) {
    throw new CelError(
      text === ''
        ? 'strconv.ParseUint: parsing "": invalid syntax'
        : `Invalid character(s) found in ${what} number ${goQuote(text)}`,
    );
  }
  if (text.length > 1 && text.startsWith('0')) {
    throw new CelError(
      `${what[0]!.toUpperCase()}${what.slice(1)} number must not contain leading zeroes ${goQuote(text)}`,
    );
  }
  const value = BigInt(text);
  if (value > UINT_MAX) throw new CelError(`strconv.ParseUint: parsing ${goQuote(text)}: value out of range`);
  return value;
}

function parse(text: string): SemverValue {
  if (text === '') throw new CelError('Version string empty');
  if (text.length > MAX_VERSION) throw new CelError('Version string too long');
  const parts = text.split('.');
  if (parts.length < 3) throw new CelError('No Major.Minor.Patch elements found');
  const [major, minor] = parts as [string, string];
  const numbers: [bigint, bigint] = [number(major, 'major'), number(minor, 'minor')];
  const rest = /^([^+-]*)(?:-([^+]*))?(?:\+(.*))?$/s.exec(parts.slice(2).join('.'))!;
  const patch = number(rest[1]!, 'patch');
  const prerelease = rest[2] === undefined ? [] : rest[2].split('.');
  for (const part of prerelease) {
    if (part === '') throw new CelError('Prerelease is empty');
    if (!/^[0-9A-Za-z-]+$/.test(part)) throw new CelError(`Invalid character(s) found in prerelease ${goQuote(part)}`);
    if (/^0\d+$/.test(part))
      throw new CelError(`Numeric PreRelease version must not contain leading zeroes ${goQuote(part)}`);
  }
  for (const part of rest[3] === undefined ? [] : rest[3].split('.')) {
    if (part === '') throw new CelError('Build meta data is empty');
    if (!/^[0-9A-Za-z-]+$/.test(part))
      throw new CelError(`Invalid character(s) found in build meta data ${goQuote(part)}`);
  }
  return new SemverValue([...numbers, patch], prerelease);
}

/** Leaves out a leading `v` and leading zeros, and fills up missing numbers. */
function normalize(text: string): string {
  const parts = text.replace(/^v/, '').split('.');
  const three = parts.length > 3 ? [...parts.slice(0, 2), parts.slice(2).join('.')] : parts;
  const clean = three.map((part) => {
    if (part.length <= 1) return part;
    const trimmed = part.replace(/^0+/, '');
    return /^\d/.test(trimmed) ? trimmed : `0${trimmed}`;
  });
  if (clean.length < 3 && /[+-]/.test(clean.at(-1)!)) {
    throw new CelError('short version cannot contain PreRelease/Build meta data');
  }
  while (clean.length < 3) clean.push('0');
  return clean.join('.');
}

function fromText(text: string, tolerant = false): SemverValue {
  return parse(tolerant ? normalize(text) : text);
}

function isSemver(text: string, tolerant = false): boolean {
  try {
    fromText(text, tolerant);
    return true;
  } catch (e) {
    if (e instanceof CelError) return false;
    throw e;
  }
}

type V = SemverValue;

/** Kubernetes' semver library. */
export const SEMVERS: Record<string, Overload[]> = {
  semver: [
    overload('string_to_semver', [STRING], SEMVER, (s: string) => fromText(s)),
    overload('string_bool_to_semver', [STRING, BOOL], SEMVER, fromText),
  ],
  isSemver: [
    overload('is_semver_string', [STRING], BOOL, (s: string) => isSemver(s)),
    overload('is_semver_string_bool', [STRING, BOOL], BOOL, isSemver),
  ],
  isGreaterThan: [member('semver_is_greater_than', [SEMVER, SEMVER], BOOL, (a: V, b: V) => a.compare(b) > 0)],
  isLessThan: [member('semver_is_less_than', [SEMVER, SEMVER], BOOL, (a: V, b: V) => a.compare(b) < 0)],
  compareTo: [member('semver_compare_to', [SEMVER, SEMVER], INT, (a: V, b: V) => a.compare(b))],
  major: [member('semver_major', [SEMVER], INT, (v: V) => toInt(v.numbers[0]))],
  minor: [member('semver_minor', [SEMVER], INT, (v: V) => toInt(v.numbers[1]))],
  patch: [member('semver_patch', [SEMVER], INT, (v: V) => toInt(v.numbers[2]))],
};
