/** The notation that a quantity was written in, and so the one its canonical text uses. */
export type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent';

const WRONG_FORMAT = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const WRONG_NUMBER = 'unable to parse numeric part of quantity';
const WRONG_SUFFIX = "unable to parse quantity's suffix";

const DECIMAL_SUFFIXES = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'];
const BINARY_SUFFIXES = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const DECIMAL_EXPONENT = new Map(DECIMAL_SUFFIXES.map((s, i) => [s, (i - 3) * 3]));
const BINARY_EXPONENT = new Map(BINARY_SUFFIXES.slice(1).map((s, i) => [s, (i + 1) * 10]));
const NANO = -9;
const MAX_INT64 = 9223372036854775807n;
const MIN_INT64 = -9223372036854775808n;
/** A longer mantissa or exponent only serves to burn time; no resource has one. */
const MAX_TEXT = 256;
const MAX_EXPONENT = 400;

/**
 * An amount of a resource: an exact decimal number `value * 10^scale` and the notation it was written in. Follows
 * the documented rules of `resource.Quantity`: nothing below a billionth (rounded away from zero), canonical text with
 * an exponent that is a multiple of three (or of 1024), and a text that is already canonical stays as it is.
 */
export class Quantity {
  readonly value: bigint;
  readonly scale: number;
  readonly format: QuantityFormat;
  #text: string | undefined;

  private constructor(value: bigint, scale: number, format: QuantityFormat, text?: string) {
    this.value = value;
    this.scale = scale;
    this.format = format;
    this.#text = text;
  }

  static of(value: number | bigint, format: QuantityFormat = 'DecimalSI', scale = 0): Quantity {
    return new Quantity(BigInt(value), scale, format);
  }

  /** Thousandths, e.g. `Quantity.ofMilli(1500)` is `1500m`. */
  static ofMilli(value: number | bigint, format: QuantityFormat = 'DecimalSI'): Quantity {
    return new Quantity(BigInt(value), -3, format);
  }

  /** Reads the text of a quantity; throws an Error with upstream's message when it is not one. */
  static parse(text: string): Quantity {
    if (text === '0') return new Quantity(0n, 0, 'DecimalSI', '0');
    if (text.length > MAX_TEXT) throw new Error(WRONG_NUMBER);
    const parts = /^([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)$/.exec(text);
    if (text === '' || !parts) throw new Error(WRONG_FORMAT);
    const negative = parts[1] === '-';
    const whole = parts[2]!.replace(/^0+/, '') || '0';
    const fraction = parts[3] ?? '';
    const unit = readSuffix(parts[4]!);
    if (!unit) throw new Error(WRONG_SUFFIX);
    return unit.format === 'BinarySI'
      ? parseBinary(text, negative, whole, fraction, unit.exponent)
      : parseDecimal(text, negative, whole, fraction, unit.exponent, unit.format);
  }

  /** @internal A parsed value whose own text counts as canonical. */
  static withText(value: bigint, scale: number, format: QuantityFormat, text?: string): Quantity {
    return new Quantity(value, scale, format, text);
  }

  /** The text that the API writes. */
  toString(): string {
    this.#text ??= canonical(this.value, this.scale, this.format);
    return this.#text;
  }

  isZero(): boolean {
    return this.value === 0n;
  }

  sign(): -1 | 0 | 1 {
    return this.value < 0n ? -1 : this.value > 0n ? 1 : 0;
  }

  compare(other: Quantity): -1 | 0 | 1 {
    const [a, b] = align(this, other);
    return a < b ? -1 : a > b ? 1 : 0;
  }

  /** The sum, in this quantity's notation, or in the other's when this one is zero. */
  add(other: Quantity): Quantity {
    const [a, b, scale] = align(this, other);
    return new Quantity(a + b, scale, this.isZero() ? other.format : this.format);
  }

  sub(other: Quantity): Quantity {
    const [a, b, scale] = align(this, other);
    return new Quantity(a - b, scale, this.isZero() ? other.format : this.format);
  }

  negate(): Quantity {
    return new Quantity(-this.value, this.scale, this.format);
  }

  /** `ceil(value / 10^scale)`, rounded away from zero, held within int64. */
  scaledValue(scale: number): bigint {
    const v = rescale(this.value, this.scale, scale);
    return v > MAX_INT64 ? MAX_INT64 : v < MIN_INT64 ? MIN_INT64 : v;
  }

  /** Whole units, rounded away from zero. */
  valueRounded(): bigint {
    return this.scaledValue(0);
  }

  /** Thousandths, rounded away from zero. */
  milliValue(): bigint {
    return this.scaledValue(-3);
  }

  /** The quantity rounded up (away from zero) to a multiple of `10^scale`; itself when it is one already. */
  roundUp(scale: number): Quantity {
    if (this.scale >= scale) return this;
    const value = rescale(this.value, this.scale, scale);
    return value * pow10(scale - this.scale) === this.value ? this : new Quantity(value, scale, this.format);
  }

  /** True for a whole number of units. */
  isInteger(): boolean {
    return this.scale >= 0 || this.value % pow10(-this.scale) === 0n;
  }

  /** The nearest floating-point number, for ratios and metrics. */
  toNumber(): number {
    return Number(`${this.value}e${this.scale}`);
  }
}

const seen = new Map<string, string>();

/** The text that the API writes for the text of a quantity; throws as {@link Quantity.parse}. */
export function canonicalQuantity(text: string): string {
  const known = seen.get(text);
  if (known !== undefined) return known;
  const canonicalText = Quantity.parse(text).toString();
  if (seen.size >= 4096) seen.clear();
  seen.set(text, canonicalText);
  return canonicalText;
}

function readSuffix(suffix: string): { exponent: number; format: QuantityFormat } | undefined {
  const decimal = DECIMAL_EXPONENT.get(suffix);
  if (decimal !== undefined) return { exponent: decimal, format: 'DecimalSI' };
  const binary = BINARY_EXPONENT.get(suffix);
  if (binary !== undefined) return { exponent: binary, format: 'BinarySI' };
  if (!/^[eE][+-]?[0-9]+$/.test(suffix)) return undefined;
  const exponent = Number(suffix.slice(1));
  return Math.abs(exponent) > MAX_EXPONENT ? undefined : { exponent, format: 'DecimalExponent' };
}

/** Texts of up to 18 digits keep their own spelling when the exponent is one that the canonical form would use. */
function parseDecimal(
  text: string,
  negative: boolean,
  whole: string,
  fraction: string,
  exponent: number,
  format: QuantityFormat,
): Quantity {
  const digits = whole + fraction;
  const scale = exponent - fraction.length;
  const value = BigInt(digits);
  const signed = negative ? -value : value;
  if (digits.length <= 18 && scale >= NANO) {
    const keep = scale % 3 === 0 && !digits.endsWith('000') && digits[0] !== '0';
    return Quantity.withText(signed, scale, format, keep ? text : undefined);
  }
  return scale >= NANO
    ? Quantity.withText(signed, scale, format)
    : Quantity.withText(rescale(signed, scale, NANO), NANO, format);
}

function parseBinary(text: string, negative: boolean, whole: string, fraction: string, exponent: number): Quantity {
  const factor = 1n << BigInt(exponent);
  const sign = negative ? -1n : 1n;
  if (fraction === '' && whole.length <= 14 - Math.floor(exponent * 0.3)) {
    const mantissa = BigInt(whole);
    return Quantity.withText(sign * mantissa * factor, 0, 'BinarySI', (mantissa & 7n) !== 0n ? text : undefined);
  }
  let scale = -fraction.length;
  let value = BigInt(whole + fraction) * factor;
  if (scale < NANO) {
    value = rescale(value, scale, NANO);
    scale = NANO;
  }
  const one = pow10(-scale);
  if (value > MAX_INT64 * one) {
    value = MAX_INT64;
    scale = 0;
  }
  const format = value > 0n && value < one ? 'DecimalSI' : 'BinarySI';
  return Quantity.withText(sign * value, scale, format);
}

function canonical(value: bigint, scale: number, format: QuantityFormat): string {
  if (value === 0n) return '0';
  if (format === 'BinarySI') {
    const exact = scale >= 0 ? value * pow10(scale) : value % pow10(-scale) === 0n ? value / pow10(-scale) : undefined;
    if (exact !== undefined && (exact >= 1024n || exact <= -1024n)) return binaryText(exact);
    return decimalText(value, scale, 'DecimalSI');
  }
  return decimalText(value, scale, format);
}

function binaryText(value: bigint): string {
  let power = 0;
  while (value % 1024n === 0n && power < BINARY_SUFFIXES.length - 1) {
    value /= 1024n;
    power++;
  }
  return `${value}${BINARY_SUFFIXES[power]}`;
}

function decimalText(value: bigint, scale: number, format: QuantityFormat): string {
  while (value % 10n === 0n) {
    value /= 10n;
    scale++;
  }
  while (scale % 3 !== 0) {
    value *= 10n;
    scale--;
  }
  if (format === 'DecimalExponent') return scale === 0 ? `${value}` : `${value}e${scale}`;
  return `${value}${DECIMAL_SUFFIXES[scale / 3 + 3] ?? ''}`;
}

/** `value * 10^from` as a multiple of `10^to`, rounded away from zero. */
function rescale(value: bigint, from: number, to: number): bigint {
  if (from >= to) return value * pow10(from - to);
  const divisor = pow10(to - from);
  const quotient = value / divisor;
  if (value % divisor === 0n) return quotient;
  return value < 0n ? quotient - 1n : quotient + 1n;
}

function align(a: Quantity, b: Quantity): [bigint, bigint, number] {
  const scale = Math.min(a.scale, b.scale);
  return [rescale(a.value, a.scale, scale), rescale(b.value, b.scale, scale), scale];
}

function pow10(n: number): bigint {
  return 10n ** BigInt(n);
}
