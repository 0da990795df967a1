import { Quantity } from '../../quantity.js';
import { member, type Overload, overload } from '../types/declarations.js';
import { BOOL, DOUBLE, INT, objectType, STRING } from '../types/type.js';
import { OpaqueValue } from '../values/containers.js';
import { CelError } from '../values/error.js';
import { type Int, inIntRange, toDouble, toInt } from '../values/numbers.js';

export const QUANTITY = objectType('kubernetes.Quantity');

/** An amount of a resource as a value of an expression. */
export class QuantityValue extends OpaqueValue {
  readonly typeName = QUANTITY.name;
  readonly quantity: Quantity;

  constructor(quantity: Quantity) {
    super();
    this.quantity = quantity;
  }

  equals(other: QuantityValue): boolean {
    return this.quantity.compare(other.quantity) === 0;
  }
}

type Q = QuantityValue;

function parse(text: string): QuantityValue {
  try {
    return new QuantityValue(Quantity.parse(text));
  } catch (e) {
    throw new CelError((e as Error).message);
  }
}

function isQuantity(text: string): boolean {
  try {
    Quantity.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The whole number that a quantity is, if it is one that fits into 64 bits. */
function whole({ quantity }: Q): bigint | undefined {
  if (!quantity.isInteger()) return undefined;
  const value = quantity.scale >= 0 ? quantity.value * 10n ** BigInt(quantity.scale) : quantity.valueRounded();
  return inIntRange(value) ? value : undefined;
}

const compare = (a: Q, b: Q) => a.quantity.compare(b.quantity);
const wrap = (i: Int) => Quantity.of(i, 'DecimalExponent');

/** Kubernetes' quantity library. */
export const QUANTITIES: Record<string, Overload[]> = {
  quantity: [overload('string_to_quantity', [STRING], QUANTITY, parse)],
  isQuantity: [overload('is_quantity_string', [STRING], BOOL, isQuantity)],
  sign: [overload('quantity_sign', [QUANTITY], INT, (q: Q) => q.quantity.sign())],
  isGreaterThan: [member('quantity_is_greater_than', [QUANTITY, QUANTITY], BOOL, (a: Q, b: Q) => compare(a, b) > 0)],
  isLessThan: [member('quantity_is_less_than', [QUANTITY, QUANTITY], BOOL, (a: Q, b: Q) => compare(a, b) < 0)],
  compareTo: [member('quantity_compare_to', [QUANTITY, QUANTITY], INT, compare)],
  asApproximateFloat: [member('quantity_get_float', [QUANTITY], DOUBLE, (q: Q) => toDouble(q.quantity.toNumber()))],
  asInteger: [
    member('quantity_get_int', [QUANTITY], INT, (q: Q) => {
      const value = whole(q);
      if (value === undefined) throw new CelError('cannot convert value to integer');
      return toInt(value);
    }),
  ],
  isInteger: [member('quantity_is_integer', [QUANTITY], BOOL, (q: Q) => whole(q) !== undefined)],
  add: [
    member(
      'quantity_add',
      [QUANTITY, QUANTITY],
      QUANTITY,
      (a: Q, b: Q) => new QuantityValue(a.quantity.add(b.quantity)),
    ),
    member('quantity_add_int', [QUANTITY, INT], QUANTITY, (a: Q, i: Int) => new QuantityValue(a.quantity.add(wrap(i)))),
  ],
  sub: [
    member(
      'quantity_sub',
      [QUANTITY, QUANTITY],
      QUANTITY,
      (a: Q, b: Q) => new QuantityValue(a.quantity.sub(b.quantity)),
    ),
    member('quantity_sub_int', [QUANTITY, INT], QUANTITY, (a: Q, i: Int) => new QuantityValue(a.quantity.sub(wrap(i)))),
  ],
};
