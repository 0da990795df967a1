import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { equalJson, type JsonObject } from '../json.js';
import type { Type } from '../scheme/type.js';
import { decodeCbor } from './cbor/decode.js';
import { encodeCbor } from './cbor/encode.js';
import { DecodeError } from './errors.js';
import { jsonEncoder } from './json/encode.js';
import { parseJson } from './json/parse.js';
import { decodeMessage } from './protobuf/decode.js';
import { encodeMessage } from './protobuf/encode.js';
import { decodeEnvelope, encodeEnvelope } from './protobuf/envelope.js';
import { kindsWithProtobuf, Random, randomObject } from './random.suite.js';
import { decodeTyped } from './typed/decode.js';
import { formatYaml } from './yaml/format.js';
import { parseYaml } from './yaml/parse.js';

const types = kindsWithProtobuf();
const seeds = fc.tuple(fc.nat(types.length - 1), fc.integer());
const gvk = { group: 'g', version: 'v1', kind: 'K' };

function check(property: (type: Type, object: JsonObject) => void): void {
  fc.assert(
    fc.property(seeds, ([i, seed]) => property(types[i]!, randomObject(types[i]!, new Random(seed)))),
    { numRuns: 400 },
  );
}

/** Compares without regard to the order of keys, and shows both when they differ. */
function expectSame(actual: JsonObject, expected: JsonObject): void {
  if (!equalJson(actual, expected)) expect(actual).toEqual(expected);
}

describe('every object in minimal form survives', () => {
  it('JSON', () => {
    check((type, object) => {
      const text = jsonEncoder(type)(object, null);
      const { object: back, unknown } = decodeTyped(type, parseJson(text), { strict: true });
      expectSame(back, object);
      expect(unknown).toEqual([]);
    });
  });
  it('JSON, written twice, is the same text', () => {
    check((type, object) => {
      const text = jsonEncoder(type)(object, null);
      expect(jsonEncoder(type)(decodeTyped(type, parseJson(text)).object, null)).toBe(text);
    });
  });
  it('protobuf', () => {
    check((type, object) => expectSame(decodeMessage(type, encodeMessage(type, object)), object));
  });
  it('protobuf, whatever the order of its keys', () => {
    check((type, object) => {
      const reversed = Object.fromEntries(Object.entries(object).reverse());
      expect(encodeEnvelope(type, gvk, reversed).equals(encodeEnvelope(type, gvk, object))).toBe(true);
      expect(decodeEnvelope(encodeEnvelope(type, gvk, object)).gvk).toEqual(gvk);
    });
  });
  it('YAML', () => {
    check((type, object) => {
      const text = formatYaml(parseJson(jsonEncoder(type)(object, null)));
      const { value, duplicates } = parseYaml(text);
      expectSame(decodeTyped(type, value).object, object);
      expect(duplicates).toEqual([]);
    });
  });
  it('CBOR', () => {
    check((type, object) => {
      const body = encodeCbor(parseJson(jsonEncoder(type)(object, null)), type);
      expectSame(decodeTyped(type, decodeCbor(body)).object, object);
    });
  });
});

/** Runs for a while on changed inputs; whatever is not read must be refused with a DecodeError. */
function fuzz(inputs: Buffer[], read: (input: Buffer) => void): void {
  const random = new Random(20260101);
  const end = Date.now() + 1200;
  while (Date.now() < end) {
    const input = Buffer.from(random.pick(inputs));
    for (let k = 1 + random.below(4); k > 0; k--) mutate(input, random);
    const cut = random.chance(20) ? input.subarray(0, random.below(input.length + 1)) : input;
    try {
      read(cut);
    } catch (e) {
      if (!(e instanceof DecodeError)) throw new Error(`input ${cut.toString('base64')}`, { cause: e });
    }
  }
}

function mutate(input: Buffer, random: Random): void {
  if (input.length === 0) return;
  const at = random.below(input.length);
  const kind = random.below(4);
  if (kind === 0) input[at] = random.below(256);
  else if (kind === 1) input[at] = input[at]! ^ (1 << random.below(8));
  else if (kind === 2) input.copyWithin(at, random.below(input.length));
  else input[at] = random.pick([0x00, 0x22, 0x2c, 0x3a, 0x5b, 0x5d, 0x7b, 0x7d, 0x7f, 0x80, 0xff, 0x0a, 0x2d]);
}

describe('no input crashes', () => {
  const samples = Array.from({ length: 60 }, (_, i) => {
    const type = types[(i * 7) % types.length]!;
    return { type, object: randomObject(type, new Random(i)) };
  });
  it('JSON', () => {
    const type = samples[3]!.type;
    fuzz(
      samples.map((s) => Buffer.from(jsonEncoder(s.type)(s.object))),
      (input) => decodeTyped(type, parseJson(input, new Map()), { strict: true }),
    );
  });
  it('protobuf', () => {
    let i = 0;
    fuzz(
      samples.map((s) => encodeEnvelope(s.type, gvk, s.object)),
      (input) => {
        const { raw } = decodeEnvelope(input);
        decodeMessage(samples[i++ % samples.length]!.type, raw);
      },
    );
  });
  it('YAML', () => {
    fuzz(
      samples.map((s) => Buffer.from(formatYaml(parseJson(jsonEncoder(s.type)(s.object)))).subarray(0, 2000)),
      (input) => parseYaml(input),
    );
  });
  it('CBOR', () => {
    fuzz(
      samples.map((s) => encodeCbor(parseJson(jsonEncoder(s.type)(s.object)), s.type)),
      (input) => decodeCbor(input),
    );
  });
});
