// Random objects of the catalog's types for property tests.
import type { JsonObject, JsonValue } from '../json.js';
import { setOwn } from '../json.js';
import { catalog } from '../scheme/catalog.js';
import type { Field, SchemaNode, Type } from '../scheme/type.js';

/** A small generator of pseudo-random numbers (mulberry32): the same seed gives the same object. */
export class Random {
  #state: number;
  constructor(seed: number) {
    this.#state = seed | 0;
  }
  /** 0 ≤ n < limit */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * limit);
  }
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
  chance(percent: number): boolean {
    return this.below(100) < percent;
  }
}

/** Built-in kinds that have a protobuf form, as [type, group, version, kind]. */
export function kindsWithProtobuf(): Type[] {
  const c = catalog();
  return c
    .names()
    .map((name) => c.type(name))
    .filter(
      (t) => t.field.has('kind') && t.field.has('metadata') && t.fields.some((f) => f.protobuf && !isTypeMeta(f)),
    );
}

function isTypeMeta(f: Field): boolean {
  return f.inline?.[0] === 'TypeMeta';
}

/** An object in minimal form, without kind and apiVersion at the top. */
export function randomObject(type: Type, random: Random, depth = 4): JsonObject {
  const out: JsonObject = {};
  for (const field of type.fields) {
    if (isTypeMeta(field) || !field.protobuf || !random.chance(depth > 0 ? 35 : 5)) continue;
    const v = randomValue(field.node, random, depth - 1);
    if (v !== null && (field.pointer || !isZero(v, field.node))) out[field.name] = v;
  }
  return out;
}

function isZero(v: JsonValue, node: SchemaNode): boolean {
  if (node.kind === 'any')
    return v === (node.type?.special === 'Quantity' ? '0' : node.type?.special === 'IntOrString' ? 0 : undefined);
  if (typeof v !== 'object') return v === '' || v === 0 || v === false;
  return v === null || Object.keys(v).length === 0;
}

const STRINGS = [
  '',
  'a',
  'web-1',
  'yes',
  '012',
  '1.5',
  '~',
  'true',
  '2020-01-01',
  ' lead',
  'trail ',
  'a: b',
  '# no',
  '<&>',
  'é ü',
  '日本',
  '😀',
  'tab\t',
  'line\nbreak\n',
  'x\n',
  '\n',
  'quote"s',
  "it's",
  'back\\slash',
  '\u0001\u007f',
  '\u2028',
  '- x',
  '[',
  '{}',
  '0x1F',
  '__proto__',
  'null',
  'word '.repeat(30),
  'x'.repeat(200),
  'k'.repeat(130),
];

export function randomString(random: Random): string {
  return random.chance(80)
    ? random.pick(STRINGS)
    : Array.from({ length: random.below(12) }, () => String.fromCodePoint(32 + random.below(0x2000))).join('');
}

function randomValue(node: SchemaNode, random: Random, depth: number): JsonValue {
  switch (node.kind) {
    case 'string':
      return node.format === 'byte' ? Buffer.from(randomString(random)).toString('base64') : randomString(random);
    case 'boolean':
      return random.chance(50);
    case 'number':
      return random.pick([0, 1, -1.5, 2.25, 1e21, 1e-7, 123456.789, 65504]);
    case 'integer':
      return node.format === 'int32'
        ? random.pick([0, 1, -1, 80, 2147483647, -2147483648])
        : random.pick<number | bigint>([
            0,
            1,
            -1,
            127,
            128,
            4294967296,
            9007199254740991,
            9223372036854775807n,
            -9223372036854775808n,
          ]);
    case 'array':
      return Array.from({ length: random.below(3) }, () => randomElement(node.items!, random, depth));
    case 'map': {
      const out: JsonObject = {};
      for (let n = random.below(4); n > 0; n--)
        setOwn(out, randomString(random), randomElement(node.values!, random, depth));
      return out;
    }
    case 'struct':
      return randomObject(node.type!, random, depth);
    default:
      return randomSpecial(node.type, random, depth);
  }
}

/** Inside a list or map a named list of strings is null rather than empty: protobuf cannot tell the two apart. */
function randomElement(node: SchemaNode, random: Random, depth: number): JsonValue {
  const v = randomValue(node, random, depth);
  return Array.isArray(v) && v.length === 0 ? null : v;
}

function randomSpecial(type: Type | undefined, random: Random, depth: number): JsonValue {
  switch (type?.special) {
    case 'Quantity':
      return random.pick(['0', '1', '100m', '64Mi', '1500m', '5e3', '-1', '4Ei', '1n']);
    case 'Time':
      return random.pick([
        '2026-01-01T00:00:00Z',
        '1970-01-01T00:00:00Z',
        '1969-12-31T23:59:59Z',
        '9999-12-31T23:59:59Z',
      ]);
    case 'MicroTime':
      return random.pick(['2026-01-01T00:00:00.000000Z', '2026-01-01T00:00:00.123456Z', '1969-12-31T23:59:59.999999Z']);
    case 'IntOrString':
      return random.pick<JsonValue>([0, 80, -1, '', '25%', 'http']);
    case 'JSONSchemaPropsOrBool':
    case 'JSONSchemaPropsOrArray':
    case 'JSONSchemaPropsOrStringArray': {
      const schema = catalog().type(type.name.replace(/Or(Bool|Array|StringArray)$/, ''));
      if (type.special === 'JSONSchemaPropsOrBool' && random.chance(50)) return random.chance(50);
      if (type.special === 'JSONSchemaPropsOrStringArray' && random.chance(50)) return ['a', 'b'];
      return randomObject(schema, random, depth - 1);
    }
    default:
      return randomJson(random, 3);
  }
}

/** Any JSON but null at the top. */
function randomJson(random: Random, depth: number): JsonValue {
  const kind = random.below(depth > 0 ? 6 : 4);
  if (kind === 0) return randomString(random);
  if (kind === 1) return random.pick<number | bigint>([0, -7, 1.5, 9223372036854775807n]);
  if (kind <= 3) return kind === 2;
  if (kind === 4)
    return Array.from({ length: random.below(3) }, () => (random.chance(20) ? null : randomJson(random, depth - 1)));
  const out: JsonObject = {};
  for (let n = random.below(3); n > 0; n--) setOwn(out, randomString(random), randomJson(random, depth - 1));
  return out;
}
