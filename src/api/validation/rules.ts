import {
  duplicate,
  forbiddenField,
  invalidValue,
  notSupported,
  type Path,
  required as requiredError,
  tooLong,
  tooMany,
} from '../../machinery/field.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../../machinery/json.js';
import { all, type Check, invalidEach, isZero, type Rule } from './check.js';
import * as formats from './formats.js';

// Combinators -------------------------------------------------------------------------------------------------------

/** Must be set (not "", 0, false, empty or absent); the rest runs only then. A text goes into the message. */
export function required<C extends Check = Check>(...rules: readonly Rule<C>[]): Rule<C> {
  return requiredWith('', ...rules);
}
export function requiredWith<C extends Check = Check>(detail: string, ...rules: readonly Rule<C>[]): Rule<C> {
  const rest = all(...rules);
  return (v, at, c) => {
    if (isZero(v)) c.errors.push(requiredError(at, detail));
    else if (rules.length > 0) rest(v, at, c);
  };
}

/** Runs the rules on a value that is not "", 0, false or empty. */
export function ifSet<C extends Check>(...rules: readonly Rule<C>[]): Rule<C> {
  const rest = all(...rules);
  return (v, at, c) => {
    if (!isZero(v)) rest(v, at, c);
  };
}

/** Runs the rules on a pointer that is not nil, whatever it points to. */
export function ifPresent<C extends Check>(...rules: readonly Rule<C>[]): Rule<C> {
  const rest = all(...rules);
  return (v, at, c) => {
    if (v !== undefined) rest(v, at, c);
  };
}

/** A pointer that must not be nil. */
export function requiredPresent<C extends Check>(detail: string, ...rules: readonly Rule<C>[]): Rule<C> {
  const rest = all(...rules);
  return (v, at, c) => {
    if (v === undefined) c.errors.push(requiredError(at, detail));
    else if (rules.length > 0) rest(v, at, c);
  };
}

/** Runs the rule on each element, at `field[i]`. */
export function each<C extends Check>(...rules: readonly Rule<C>[]): Rule<C> {
  const rule = all(...rules);
  return (v, at, c) => {
    if (Array.isArray(v)) for (let i = 0; i < v.length; i++) rule(v[i], at.index(i), c);
  };
}

/** Runs rules on the keys and values of a map, in the order of the keys. Both are reported at `where`. */
export function entries<C extends Check>(
  rules: { key?: Rule<C>; value?: Rule<C> },
  where: (at: Path, key: string) => Path = (at, key) => at.key(key),
): Rule<C> {
  return (v, at, c) => {
    if (!isJsonObject(v)) return;
    for (const key of Object.keys(v).sort()) {
      const here = where(at, key);
      rules.key?.(key, here, c);
      rules.value?.(v[key], here, c);
    }
  };
}

/** Elements whose `name` field repeats are duplicates, reported at that field. Unset names are left alone. */
export function uniqueBy(name: string): Rule {
  return (v, at, c) => {
    const seen = new Set<JsonValue>();
    if (!Array.isArray(v)) return;
    v.forEach((e, i) => {
      const key = isJsonObject(e) ? e[name] : undefined;
      if (key === undefined || key === '') return;
      if (seen.has(key)) c.errors.push(duplicate(at.index(i).child(name), key));
      else seen.add(key);
    });
  };
}

/** Scalars that repeat are duplicates. */
export const unique: Rule = (v, at, c) => {
  const seen = new Set<JsonValue>();
  if (!Array.isArray(v)) return;
  v.forEach((e, i) => {
    if (seen.has(e)) c.errors.push(duplicate(at.index(i), e));
    else seen.add(e);
  });
};

// Scalars -----------------------------------------------------------------------------------------------------------

/** Makes a rule of a function that tells what is wrong with a string. */
export function format(check: (value: string) => readonly string[]): Rule {
  return (v, at, c) => {
    const s = typeof v === 'string' ? v : '';
    invalidEach(c, at, s, check(s));
  };
}
export const dnsLabel = format(formats.dns1123Label);
export const dnsSubdomain = format(formats.dns1123Subdomain);
export const dns1035Label = format(formats.dns1035Label);
export const qualifiedName = format(formats.qualifiedName);
export const labelValue = format(formats.labelValue);
export const configMapKey = format(formats.configMapKey);
export const portName = format(formats.portName);
export const pathSegment = format(formats.pathSegment);
/** `acme.io/foo`; the part that is wrong is the one shown. */
export const domainPrefixedPath: Rule = (v, at, c) => {
  const text = typeof v === 'string' ? v : '';
  const slash = text.indexOf('/');
  if (text === '') c.errors.push(requiredError(at));
  else if (slash <= 0 || slash === text.length - 1)
    c.errors.push(invalidValue(at, text, 'must be a domain-prefixed path (such as "acme.io/foo")'));
  else {
    dnsSubdomain(text.slice(0, slash), at, c);
    invalidEach(c, at, text.slice(slash + 1), formats.httpPath(text.slice(slash + 1)));
  }
};

/** One of these texts; also an empty value is refused. The message lists them sorted, as upstream's sets are. */
export function oneOf(...values: readonly string[]): Rule {
  return oneOfInOrder(...[...values].sort());
}
/** As `oneOf`, the message lists the values as given. */
export function oneOfInOrder(...values: readonly string[]): Rule {
  return (v, at, c) => {
    if (!values.includes(typeof v === 'string' ? v : '')) c.errors.push(notSupported(at, v, values));
  };
}

const number = (v: JsonValue | undefined): number =>
  typeof v === 'bigint' ? Number(v) : typeof v === 'number' ? v : 0;

/** Within lo..hi: `must be between …, inclusive`. */
export function range(lo: number, hi: number): Rule {
  return satisfies((n) => n >= lo && n <= hi, formats.rangeError(lo, hi));
}
/** A number for which `ok` holds. */
export function satisfies(ok: (n: number) => boolean, message: string): Rule {
  return (v, at, c) => {
    if (!ok(number(v))) c.errors.push(invalidValue(at, v, message));
  };
}
export const nonNegative = satisfies((n) => n >= 0, 'must be greater than or equal to 0');
export const positive = satisfies((n) => n > 0, 'must be greater than 0');
export const portNumber = range(1, 65535);

/** At most so many bytes. The value itself is not printed. */
export function maxBytes(max: number): Rule {
  return (v, at, c) => {
    if (typeof v === 'string' && formats.byteLength(v) > max) c.errors.push(tooLong(at, max));
  };
}
export function maxItems(max: number): Rule {
  return (v, at, c) => {
    const n = Array.isArray(v) ? v.length : isJsonObject(v) ? Object.keys(v).length : 0;
    if (n > max) c.errors.push(tooMany(at, n, max));
  };
}

/** Must not be set at all. */
export function forbidden(message: string): Rule {
  return (v, at, c) => {
    if (v !== undefined && !isZero(v)) c.errors.push(forbiddenField(at, message));
  };
}

/** A condition of the whole struct; the message is reported as invalid at one of its fields. */
export function must(field: string, ok: (o: JsonObject) => boolean, message: string) {
  return (o: JsonObject, at: Path, c: Check): void => {
    if (!ok(o)) c.errors.push(invalidValue(at.child(field), o[field], message));
  };
}

/** IntOrString: a number, or a percentage where one is allowed; ports also take a name. */
export const portNumberOrName: Rule = (v, at, c) => {
  if (typeof v === 'string') invalidEach(c, at, v, formats.portName(v));
  else portNumber(v, at, c);
};

/**
 * A union of pointer fields of which exactly one is set, checked in the order given: the first is looked into, the
 * others are refused, none at all is an error of the whole. `lookAt` and `refuseAt` name fields that are reported
 * under another name.
 */
export function exactlyOne<C extends Check = Check>(
  noun: string,
  table: Readonly<Record<string, Rule<C>>>,
  names: { lookAt?: Readonly<Record<string, string>>; refuseAt?: Readonly<Record<string, string>> } = {},
): Rule<C> {
  const members = Object.entries(table);
  return (v, at, c) => {
    let found = false;
    for (const [name, rule] of members) {
      const member = isJsonObject(v) ? v[name] : undefined;
      if (member === undefined) continue;
      if (found)
        c.errors.push(
          forbiddenField(at.child(names.refuseAt?.[name] ?? name), `may not specify more than 1 ${noun} type`),
        );
      else rule(member, at.child(names.lookAt?.[name] ?? name), c);
      found = true;
    }
    if (!found) c.errors.push(requiredError(at, `must specify a ${noun} type`));
  };
}

/** Looks at nothing. */
export const anything: Rule = () => {};
