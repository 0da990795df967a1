import fc from 'fast-check';
import { expect, it } from 'vitest';
import { dealHand, flowHash } from './shuffle-sharding.js';

it('deals distinct cards of the deck, the same ones for the same hash', () => {
  const hashes = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
  fc.assert(
    fc.property(hashes, fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 12 }), (hash, deck, size) => {
      const hand = dealHand(hash, deck, size);
      expect(hand).toHaveLength(Math.min(size, deck));
      expect(new Set(hand).size).toBe(hand.length);
      expect(hand.every((c) => Number.isInteger(c) && c >= 0 && c < deck)).toBe(true);
      expect(dealHand(hash, deck, size)).toEqual(hand);
    }),
  );
});

it('deals every card about as often', () => {
  const seen = new Array<number>(64).fill(0);
  const flows = 4000;
  for (let i = 0; i < flows; i++) for (const card of dealHand(flowHash('fs', `user-${i}`), 64, 6)) seen[card]!++;
  const fair = (flows * 6) / 64;
  expect(Math.min(...seen)).toBeGreaterThan(fair * 0.75);
  expect(Math.max(...seen)).toBeLessThan(fair * 1.25);
});

it('two flows hardly ever have the same hand', () => {
  const elephant = new Set(dealHand(flowHash('fs', 'elephant'), 128, 6));
  let squashed = 0;
  for (let i = 0; i < 2000; i++) {
    if (dealHand(flowHash('fs', `mouse-${i}`), 128, 6).every((c) => elephant.has(c))) squashed++;
  }
  expect(squashed).toBe(0);
});

it('tells FlowSchemas and distinguishers apart', () => {
  expect(flowHash('a', 'b')).not.toBe(flowHash('ab', ''));
  expect(flowHash('a', 'b')).not.toBe(flowHash('b', 'a'));
  expect(flowHash('a', 'b')).toBe(flowHash('a', 'b'));
});
